"""Recordings of calls: list, search, download.

P-Series: search-specific-recording, download-a-recording-file.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openivr.api.cdr import (
    ORDERS,
    TEXT,
    TIME,
    drop_empty,
    page_parameters,
    read_text,
    read_time,
    recording_name,
    show_party,
    show_target,
)
from openivr.api.cdr import ROWS as LISTED
from openivr.api.display_time import DisplayFormat
from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import MAX_ID, MAX_PAGE, MAX_ROWS, Query, read_choice, read_ids, read_integer, read_one
from openivr.api.recording_files import RecordingFiles
from openivr.api.responses import NOT_FOUND, ApiError, bad_parameters, succeed
from openivr.api.signed_address import sign
from openivr.resources.errors import Problem
from openivr.resources.problem_codes import ProblemCode
from openivr.store.cdr import recordings
from openivr.store.cdr.recordings import RecordingQuery

SORTS = {"id": "id", "time": "started"}
FILE = re.compile(r"\d{14}-(\d{1,12})\.\d+-.*\.(wav|mp3)", re.ASCII)
FORMATS = ("wav", "mp3")
WAV_HEAD, WAV_SECOND = 44, 2 * 2 * 8000  # bytes, as the calls process writes them


async def list_recordings(request: ApiRequest) -> bytes:
    """Recordings that have not been deleted, one for each call."""
    service = request.service
    wanted = read_wanted(drop_empty(request.query), service.display)
    total, rows = await service.database.read(recordings.list_recordings, wanted)
    data = await service.database.run_in_thread(show_rows, rows, service.display, service.files)
    return succeed(total_number=total, data=data)


def read_wanted(query: Query, display: DisplayFormat) -> RecordingQuery:
    number = read_integer(query, "page", 1, MAX_PAGE) or 1
    size = read_integer(query, "page_size", 1, MAX_ROWS) or MAX_ROWS
    return RecordingQuery(
        since=read_time(query, "start_time", display),
        until=read_time(query, "end_time", display),
        caller=read_text(query, "caller"),
        callee=read_text(query, "callee"),
        uid=read_text(query, "uid"),
        ids=read_ids(query) if "ids" in query else (),
        sort=SORTS[read_choice(query, "sort_by", tuple(SORTS))],
        is_descending=read_choice(query, "order_by", ORDERS) == "desc",
        offset=(number - 1) * size,
        limit=size,
    )


def show_rows(rows: list[Any], display: DisplayFormat, files: RecordingFiles) -> list[dict[str, Any]]:
    return [row_of(row, display, files) for row in rows]


def row_of(row: Any, display: DisplayFormat, files: RecordingFiles) -> dict[str, Any]:
    """Return the row of a recording. The size is 0 if the file is not on this machine."""
    path = files.find(row.recording)
    size = path.stat().st_size if path is not None else 0
    talked = max(0, row.call_ended - (row.answered or row.call_started)) // 1000
    return {
        "id": row.id,
        "time": display.show((row.answered or row.call_started) // 1000),
        "uid": row.uid,
        "call_from": show_party(row.call_from, row.call_from_name),
        "call_to": show_target(row),
        "duration": wav_seconds(size) if size else talked,
        "size": size,
        "call_type": row.call_type,
        "file": recording_name(row),
        "call_from_number": row.call_from,
        "call_from_name": row.call_from_name,
        "call_to_number": row.call_to,
        "call_to_name": row.call_to_name,
    }


def wav_seconds(size: int) -> int:
    """Return the whole seconds of a recording with two channels. Pauses are not in it."""
    return max(0, size - WAV_HEAD) // WAV_SECOND


async def download(request: ApiRequest) -> bytes:
    """The address of a recording, by its id or the name of its file. 60001 if it is not here."""
    query = drop_empty(request.query)
    id_, name = read_integer(query, "id", 0, MAX_ID), read_one(query, "file")
    form = read_choice(query, "format", FORMATS)
    if (id_ is None) == (name is None):
        raise bad_parameters(Problem("id", ProblemCode.ONE_OF_TWO, {"other": "file"}))
    row = await find_named(request, name) if name else None
    if id_ is not None:
        row = await request.service.database.read(recordings.find_recording, id_)
    if row is None or request.service.files.find(row.recording) is None:
        raise ApiError(NOT_FOUND)
    if name is not None and name.endswith(".mp3"):
        form = "mp3"
    file = recording_name(row).removesuffix("wav") + form
    return succeed(file=file, download_resource_url=await sign(request, "Recording", str(row.id), form))


async def find_named(request: ApiRequest, name: str) -> Any:
    """Return the recording whose file has this name, as wav or mp3; None if there is none."""
    match = FILE.fullmatch(name)
    if match is None:
        return None
    found = await request.service.database.read(recordings.find_of_second, int(match[1]))
    wav = name.removesuffix(match[2]) + "wav"
    return next((row for row in found if recording_name(row) == wav), None)


def endpoints() -> Iterator[Endpoint]:
    filters: dict[str, Mapping[str, Any]] = {
        "start_time": TIME,
        "end_time": TIME,
        "caller": TEXT,
        "callee": TEXT,
        "uid": TEXT,
        "ids": {"type": "string", "pattern": r"^\d{1,18}(,\d{1,18})*$"},
    }
    for action, summary in (("list", "all"), ("search", "those that fit")):
        yield Endpoint(
            path=f"recording/{action}",
            method="GET",
            handle=list_recordings,
            summary=f"Recordings: {summary}",
            parameters=page_parameters(SORTS) | filters,
            data=LISTED,
        )
    yield Endpoint(
        path="recording/download",
        method="GET",
        handle=download,
        summary="Recordings: an address for the file, good for 30 minutes",
        parameters={
            "id": {"type": "integer", "minimum": 0, "maximum": MAX_ID},
            "file": {"type": "string"},
            "format": {"type": "string", "enum": list(FORMATS)},
        },
        data={"file": {"type": "string"}, "download_resource_url": {"type": "string"}},
    )
