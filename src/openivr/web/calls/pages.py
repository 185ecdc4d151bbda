"""Pages of calls: live and past calls as a list, a CSV file, and one call."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse

from openivr.download import content_disposition
from openivr.download.csv_export import MARK, MEDIA_TYPE, make_csv
from openivr.resources.errors import NotFound
from openivr.resources.fields import InvalidValue
from openivr.resources.ivr import IVR
from openivr.sounds.convert import find_peaks
from openivr.store.cdr import call_records, call_remarks, voicemail
from openivr.store.cdr.call_records import CallFilter, CallNote, CallRecord
from openivr.store.cdr.call_remarks import CallRemark
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.config import resources
from openivr.store.runtime import liveness
from openivr.store.runtime.liveness import Nodes
from openivr.web.calls import call_list
from openivr.web.calls import labels as call_words
from openivr.web.calls.call_list import PATH, make_wanted, read_filter
from openivr.web.calls.labels import (
    LegView,
    describe_input,
    lasting,
    length_of,
    read_legs,
    say_moment,
    say_reason,
    say_result,
    talked,
)
from openivr.web.calls.timeline import (
    NoteContext,
    PathItem,
    TimelineEntry,
    finder,
    list_events,
    make_timeline,
    trace,
)
from openivr.web.core.range_response import send_bytes
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.messages import t
from openivr.web.settings.pages import attachment

FEW = 5  # calls that a menu's page shows
PART = 1000  # calls of a file that are read at a time
PEAKS = 192  # bars of a picture of a sound
MAX_DRAWN = 64 * 2**20  # bytes of a recording that gets a waveform
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
    remark: str  # what people note about the call


async def list_page(request: PageRequest) -> Response:
    moment = now()
    page = await call_list.read(request, moment)
    ways = list(call_list.quick_ways(page.filter_, datetime.now().astimezone()))
    return request.render("calls/list.html", where=PATH, page=page, ways=ways, **context(moment))


async def poll_list(request: PageRequest) -> Response:
    """The page as it is now, or 204 if nothing has changed since version `seen`."""
    if request.query("seen") == await request.database.read(liveness.read_version, now()):
        return Response(status_code=204)
    return await list_page(request)


def context(moment: int) -> dict[str, Any]:
    """The functions and values that the templates of calls share."""
    return {
        "now": moment,
        "talked": talked,
        "duration": lasting,
        "describe_input": describe_input,
        "moment": lambda at, form="%H:%M": say_moment(at, moment, form),
        "length": lambda record: length_of(record, moment),
        "result": say_result,
        "reason": say_reason,
        "reasons": [(reason, say_reason(reason)) for reason in call_words.REASONS],
        "periods": [(one, call_words.say_period(one)) for one in call_words.PERIODS],
        "outcomes": [(one, t(f"result.{one}")) for one in call_words.TONES],
    }


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


async def call_page(request: PageRequest) -> Response:
    moment = now()
    page = await request.database.read(load, request.path_text("call"), moment)
    recording = await request.database.run_in_thread(find_recording, request, page.record)
    return request.render("calls/one.html", where=PATH, page=page, recording=recording, **context(moment))


async def poll_call(request: PageRequest) -> Response:
    """The page as it is now, or 204 if nothing has changed since `seen`."""
    record = await request.database.read(find, request.path_text("call"))
    if request.query("seen") == str(record.sequence):
        return Response(status_code=204)
    return await call_page(request)


def find(connection: Connection, call_id: str) -> CallRecord:
    """A call by its id. Raises NotFound."""
    record = call_records.find_call(connection, call_id)
    if record is None or record.id != call_id:
        raise NotFound(f"call {call_id}")
    return record


def load(connection: Connection, call_id: str, moment: int) -> CallPage:
    record = find(connection, call_id)
    notes: list[CallNote] = call_records.notes_of(connection, call_id)
    named = finder(connection)
    return CallPage(
        record=record,
        source=named(record.source_kind, record.source_id, record.source),
        steps=trace(notes, named),
        legs=[(leg, named(leg.kind, leg.target, leg.number)) for leg in read_legs(record, moment)],
        story=list(make_timeline(record, notes, named)),
        events=list(list_events(record, notes)),
        messages=[
            (message, named("extension", message.extension_id, "").text)
            for message in voicemail.messages_of(connection, call_id)
        ],
        nodes=liveness.read_nodes(connection, moment),
        remark=next((one.remark for one in reversed(call_remarks.list_remarks(connection, call_id))), ""),
    )


async def note_remark(request: PageRequest) -> Response:
    """Note a remark about a call in the place of the one before it."""
    call_id = request.path_text("call")
    try:
        text = call_remarks.read_remark(request.form_text("remark"))
    except InvalidValue:
        words = t("call.remark_bad", high=call_remarks.MAX_REMARK)
    else:
        author = request.session.admin if request.session else ""
        await request.database.write(write_remark, call_id, CallRemark(text, "cdr", author, now()))
        words = t("call.remark_saved")
    return request.redirect(f"{PATH}/{quote(call_id, safe='')}", [words])


def write_remark(connection: Connection, call_id: str, remark: CallRemark) -> None:
    call_remarks.add_remark(connection, find(connection, call_id).id, remark)


def find_recording(request: PageRequest, record: CallRecord) -> Path | None:
    """The recording of a call, None if it is not on this machine."""
    path = request.app.server.recordings / Path(record.recording).name
    return path if record.recording and path.is_file() else None


async def menu_calls(request: PageRequest) -> Response:
    """The last calls of a menu, as a part of its page."""
    number, total, records = await request.database.read(load_of_menu, request.path_id())
    return request.render(
        "calls/of_menu.html", where=PATH, number=number, total=total, records=records, **context(now())
    )


def load_of_menu(connection: Connection, menu_id: int) -> tuple[str, int, list[CallRecord]]:
    number: str = resources.fetch(connection, IVR, menu_id)["number"]
    return number, *call_records.list_calls(connection, CallFilter(menu=menu_id, is_live=False), limit=FEW)


async def send_csv(request: PageRequest) -> Response:
    """All calls that match the filter as CSV, newest first."""
    wanted = await request.database.read(make_wanted, read_filter(request))
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
    records = call_records.walk_calls(connection, wanted, before, PART)
    last = (records[-1].started, records[-1].id) if records else None
    return make_csv(map(as_row, records)), last


def as_row(record: CallRecord) -> tuple[object, ...]:
    """A line of the file in the order of COLUMNS."""
    times = [stamp(at) for at in (record.started, record.answered, record.ended)]
    seconds = round(record.duration / 1000, 1)
    people = (record.caller, record.caller_name, record.called, f"{record.source_kind} {record.source}")
    return (record.id, *times, seconds, *people, record.path, record.keys, record.outcome, record.reason)


def stamp(milliseconds: int | None) -> str:
    return "" if milliseconds is None else time.strftime(STAMP, time.localtime(milliseconds / 1000))


async def send_recording(request: PageRequest) -> Response:
    """Send the recording of a call or a range of it, with `download` as an attachment."""
    record = await request.database.read(find, request.path_text("call"))
    path = await request.database.run_in_thread(find_recording, request, record)
    if path is None:
        raise NotFound(f"recording of {record.id}")
    name = f"openivr-call-{record.id}.wav" if request.query("download") else None
    return FileResponse(path, media_type="audio/wav", filename=name)


async def send_recording_peaks(request: PageRequest) -> Response:
    """Send the loudness of a recording, nothing for one that is too long to be read at once."""
    record = await request.database.read(find, request.path_text("call"))
    path = await request.database.run_in_thread(find_recording, request, record)
    if path is None:
        raise NotFound(f"recording of {record.id}")
    if path.stat().st_size > MAX_DRAWN:
        return JSONResponse([])
    content = await asyncio.to_thread(path.read_bytes)
    return JSONResponse(await request.database.run_in_thread(find_peaks, content, PEAKS))


def read_message(connection: Connection, call_id: str, message_id: str) -> bytes:
    """The audio of a message that was left in a call. Raises NotFound."""
    audio = voicemail.audio_of(connection, message_id)
    if audio is None or message_id not in {
        message.id for message in voicemail.messages_of(connection, call_id)
    }:
        raise NotFound(f"message {message_id}")
    return audio


async def send_message(request: PageRequest) -> Response:
    """Send a message or a range of it. It stays new for the owner of the mailbox."""
    message_id = request.path_text("message")
    audio = await request.database.read(read_message, request.path_text("call"), message_id)
    disposition = {"Content-Disposition": content_disposition.attachment(f"openivr-{message_id}.wav")}
    headers = disposition if request.query("download") else None
    return send_bytes(request, audio, "audio/wav", headers)


async def send_message_peaks(request: PageRequest) -> Response:
    """Send the loudness of a message."""
    audio = await request.database.read(read_message, request.path_text("call"), request.path_text("message"))
    return JSONResponse(await request.database.run_in_thread(find_peaks, audio, PEAKS))


ONE = PATH + "/{call}"
ROUTES = (
    PageRoute(path=PATH, handle=list_page),
    PageRoute(path=f"{PATH}/now", handle=poll_list, keeps_session=False),
    PageRoute(path=f"{PATH}/file", handle=send_csv),
    PageRoute(path="/menus/{id:int}/calls", handle=menu_calls),
    PageRoute(path=ONE, handle=call_page),
    PageRoute(path=f"{ONE}/now", handle=poll_call, keeps_session=False),
    PageRoute(path=f"{ONE}/remark", handle=note_remark, method="POST"),
    PageRoute(path=f"{ONE}/recording", handle=send_recording),
    PageRoute(path=f"{ONE}/recording/outline", handle=send_recording_peaks),
    PageRoute(path=f"{ONE}/messages/{{message}}", handle=send_message),
    PageRoute(path=f"{ONE}/messages/{{message}}/outline", handle=send_message_peaks),
)
