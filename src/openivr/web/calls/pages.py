"""Pages of calls: live and past calls as a list, a CSV file, and one call."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from openivr.ivr.commands import HangupReason
from openivr.resources.errors import NotFound
from openivr.resources.ivr import IVR
from openivr.sounds.convert import find_peaks
from openivr.store.cdr import call_records, voicemail
from openivr.store.cdr.call_records import CallFilter, CallNote, CallRecord
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.config import resources
from openivr.store.runtime import liveness
from openivr.store.runtime.liveness import Nodes
from openivr.web.calls import call_list
from openivr.web.calls import labels as call_words
from openivr.web.calls.call_list import PATH, make_wanted, read_asked
from openivr.web.calls.labels import LegView, length_of, read_legs, say_moment, say_reason, say_result, slug
from openivr.web.calls.timeline import NoteContext, PathItem, TimelineEntry, finder, list_events, tell, trace
from openivr.web.core.csv_export import MARK, MEDIA_TYPE, make_csv
from openivr.web.core.range_response import send_bytes
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.messages import t
from openivr.web.prompts import as_attachment
from openivr.web.settings.pages import attachment

FEW = 5  # calls that a menu's page shows
PART = 1000  # calls of a file that are read at a time
PEAKS = 192  # bars of a picture of a sound
LARGEST_DRAWN = 64 * 2**20  # bytes of a recording that a picture is made of
STAMP = "%Y-%m-%dT%H:%M:%S%z"
COLUMNS = (
    *("id", "started", "answered", "ended", "seconds", "caller", "caller_name", "called", "came_in_by"),
    *("menus", "keys", "outcome", "reason"),
)


@dataclass(frozen=True, slots=True)
class CallPage:
    """Everything that the page of a call shows."""

    record: CallRecord
    source: NoteContext
    steps: list[PathItem]
    legs: list[tuple[LegView, NoteContext]]
    story: list[TimelineEntry]
    events: list[tuple[float, str, str]]
    messages: list[tuple[VoicemailMessage, str]]  # and whose mailbox it is in
    nodes: Nodes


async def show_list(request: PageRequest) -> Response:
    moment = now()
    page = await call_list.read(request, moment)
    ways = list(call_list.quick_ways(page.asked, datetime.now().astimezone()))
    return request.render("calls/list.html", where=PATH, page=page, ways=ways, **words(moment))


async def watch_list(request: PageRequest) -> Response:
    """The page as it is now, or 204 if nothing has changed since version `seen`."""
    if request.query("seen") == await request.database.read(liveness.read_version, now()):
        return Response(status_code=204)
    return await show_list(request)


def words(moment: int) -> dict[str, Any]:
    """The functions and values that the templates of calls share."""
    return {
        "now": moment,
        "w": call_words,
        "moment": lambda at, form="%H:%M": say_moment(at, moment, form),
        "length": lambda record: length_of(record, moment),
        "result": say_result,
        "reason": say_reason,
        "reasons": [(slug(one), say_reason(one)) for one in (*HangupReason, *call_words.OTHER_REASONS)],
        "outcomes": [(one, t(f"result.{one}")) for one in call_words.TONES],
    }


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


async def show_one(request: PageRequest) -> Response:
    moment = now()
    page = await request.database.read(load, ident_of(request), moment)
    recording = await request.database.run_in_thread(find_recording, request, page.record)
    return request.render("calls/one.html", where=PATH, page=page, recording=recording, **words(moment))


async def watch_one(request: PageRequest) -> Response:
    """The page as it is now, or 204 if nothing has changed since `seen`."""
    record = await request.database.read(find, ident_of(request))
    if request.query("seen") == str(record.sequence):
        return Response(status_code=204)
    return await show_one(request)


def ident_of(request: PageRequest, name: str = "call") -> str:
    """A name in the path that a database may be asked for."""
    ident: str = request.http.path_params[name]
    if "\0" in ident:
        raise NotFound(name)
    return ident


def find(connection: Connection, ident: str) -> CallRecord:
    """A call by its id. Raises NotFound."""
    record = call_records.find_call(connection, ident)
    if record is None or record.id != ident:
        raise NotFound(f"call {ident}")
    return record


def load(connection: Connection, ident: str, moment: int) -> CallPage:
    record = find(connection, ident)
    notes: list[CallNote] = call_records.notes_of(connection, ident)
    named = finder(connection)
    return CallPage(
        record=record,
        source=named(record.source_kind, record.source_id, record.source),
        steps=trace(notes, named),
        legs=[(leg, named(leg.kind, leg.target, leg.number)) for leg in read_legs(record, moment)],
        story=list(tell(record, notes, named)),
        events=list(list_events(record, notes)),
        messages=[
            (one, named("extension", one.extension_id, "").text)
            for one in voicemail.messages_of(connection, ident)
        ],
        nodes=liveness.read_nodes(connection, moment),
    )


def find_recording(request: PageRequest, record: CallRecord) -> Path | None:
    """The recording of a call, None if it is not on this machine."""
    path = request.app.server.recordings / Path(record.recording).name
    return path if record.recording and path.is_file() else None


async def show_of_menu(request: PageRequest) -> Response:
    """The last calls of a menu, as a part of its page."""
    number, total, records = await request.database.read(load_of_menu, request.path_id())
    return request.render(
        "calls/of_menu.html", where=PATH, number=number, total=total, records=records, **words(now())
    )


def load_of_menu(connection: Connection, ident: int) -> tuple[str, int, list[CallRecord]]:
    number: str = resources.fetch(connection, IVR, ident)["number"]
    return number, *call_records.list_calls(connection, CallFilter(menu=ident, is_live=False), limit=FEW)


async def send_file(request: PageRequest) -> Response:
    """All calls that match the filter as CSV, newest first."""
    wanted = await request.database.read(make_wanted, read_asked(request))
    headers = attachment("openivr-calls", "csv")
    return StreamingResponse(write_lines(request, wanted), media_type=MEDIA_TYPE, headers=headers)


async def write_lines(request: PageRequest, wanted: CallFilter) -> AsyncIterator[str]:
    yield MARK + make_csv([COLUMNS])
    last: tuple[int, str] | None = None
    while True:
        text, last = await request.database.read(write_part, wanted, last)
        if last is None:
            return
        yield text


def write_part(
    connection: Connection, wanted: CallFilter, before: tuple[int, str] | None
) -> tuple[str, tuple[int, str] | None]:
    """The next lines of the file and the position after them, None at the end."""
    found = call_records.walk_calls(connection, wanted, before, PART)
    last = (found[-1].started, found[-1].id) if found else None
    return make_csv(map(as_row, found)), last


def as_row(record: CallRecord) -> tuple[object, ...]:
    """A line of the file in the order of COLUMNS."""
    times = [stamp(at) for at in (record.started, record.answered, record.ended)]
    seconds = round(((record.ended or record.updated) - record.started) / 1000, 1)
    people = (record.caller, record.caller_name, record.called, f"{record.source_kind} {record.source}")
    return (record.id, *times, seconds, *people, record.path, record.keys, record.outcome, record.reason)


def stamp(milliseconds: int | None) -> str:
    return "" if milliseconds is None else time.strftime(STAMP, time.localtime(milliseconds / 1000))


async def play_recording(request: PageRequest) -> Response:
    """Send the recording of a call or a range of it, with `download` as an attachment."""
    record = await request.database.read(find, ident_of(request))
    path = await request.database.run_in_thread(find_recording, request, record)
    if path is None:
        raise NotFound(f"recording of {record.id}")
    name = f"openivr-call-{record.id}.wav" if request.query("download") else None
    return FileResponse(path, media_type="audio/wav", filename=name)


async def draw_recording(request: PageRequest) -> Response:
    """Send the loudness of a recording, nothing for one that is too long to be read at once."""
    record = await request.database.read(find, ident_of(request))
    path = await request.database.run_in_thread(find_recording, request, record)
    if path is None:
        raise NotFound(f"recording of {record.id}")
    if path.stat().st_size > LARGEST_DRAWN:
        return JSONResponse([])
    content = await asyncio.to_thread(path.read_bytes)
    return JSONResponse(await request.database.run_in_thread(find_peaks, content, PEAKS))


def read_message(connection: Connection, call: str, ident: str) -> bytes:
    """The audio of a message that was left in a call. Raises NotFound."""
    audio = voicemail.audio_of(connection, ident)
    if audio is None or ident not in {one.id for one in voicemail.messages_of(connection, call)}:
        raise NotFound(f"message {ident}")
    return audio


async def play_message(request: PageRequest) -> Response:
    """Send a message or a range of it. It stays new for the owner of the mailbox."""
    ident = ident_of(request, "message")
    audio = await request.database.read(read_message, ident_of(request), ident)
    kept = as_attachment(f"openivr-{ident}.wav") if request.query("download") else None
    return send_bytes(request, audio, "audio/wav", kept)


async def draw_message(request: PageRequest) -> Response:
    """Send the loudness of a message."""
    audio = await request.database.read(read_message, ident_of(request), ident_of(request, "message"))
    return JSONResponse(await request.database.run_in_thread(find_peaks, audio, PEAKS))


ONE = PATH + "/{call}"
ROUTES = (
    PageRoute(path=PATH, handle=show_list),
    PageRoute(path=f"{PATH}/now", handle=watch_list, keeps_session=False),
    PageRoute(path=f"{PATH}/file", handle=send_file),
    PageRoute(path="/menus/{id:int}/calls", handle=show_of_menu),
    PageRoute(path=ONE, handle=show_one),
    PageRoute(path=f"{ONE}/now", handle=watch_one, keeps_session=False),
    PageRoute(path=f"{ONE}/recording", handle=play_recording),
    PageRoute(path=f"{ONE}/recording/outline", handle=draw_recording),
    PageRoute(path=f"{ONE}/messages/{{message}}", handle=play_message),
    PageRoute(path=f"{ONE}/messages/{{message}}/outline", handle=draw_message),
)
