"""Calls that the demo's server has had, for tests of records, recordings and reports."""

import time
import wave
from dataclasses import replace
from typing import Any

from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr import call_writer
from openivr.store.cdr.call_records import CallNote, CallRecord
from tests.live_server import Running

START = int(time.mktime((2026, 6, 30, 21, 37, 17, 0, 0, -1))) * 1000 + 250
IVR, EXTENSION, GROUP = DestinationKind.IVR, DestinationKind.EXTENSION, DestinationKind.RING_GROUP
Notes = tuple[tuple[int, Note], ...]  # with seconds since the start


def inbound_call() -> tuple[CallRecord, Notes]:
    """A call through two menus and a ring group to Grace, recorded."""
    leg = {"kind": "extension", "target": 2, "number": "1001"}
    began, answered, ended = START + 22_000, START + 26_000, START + 86_000
    record = CallRecord(
        id=f"{START:x}-0000abcd",
        node="test",
        started=START,
        answered=START,
        ended=ended,
        updated=ended,
        caller="0599123456",
        called="+441632960000",
        source_kind="trunk",
        source_id=1,
        source="Provider",
        path="6200 6201",
        menu=4,
        outcome="connected",
        reason="caller_hangup",
        legs=[leg | {"began": began, "answered": answered, "ended": ended, "result": "answered"}],
        recording=f"{START:x}-0000abcd.wav",
    )
    return record, (
        (0, Note(Topic.ARRIVED, number="0599123456")),
        (0, Note(Topic.ENTERED, 3, number="6200")),
        (13, Note(Topic.CHOSE, 3, "1", IVR, 4)),
        (13, Note(Topic.ENTERED, 4, number="6201")),
        (20, Note(Topic.CHOSE, 4, "3", GROUP, 1)),
        (20, Note(Topic.DIALLED, 4, "", GROUP, 1, "6300")),
        (26, Note(Topic.CONNECTED, 4, "", GROUP, 1)),
        (86, Note(Topic.ENDED, 4, detail="caller_hangup")),
    )


def outbound_call() -> tuple[CallRecord, Notes]:
    """A call of Ada to an outside number that is busy, an hour later."""
    start = START + 3_600_000
    record = CallRecord(
        id=f"{start:x}-00000002",
        node="test",
        started=start,
        ended=start + 4_000,
        updated=start + 4_000,
        caller="1000",
        caller_name="Ada Byron",
        called="902079460000",
        source_kind="extension",
        source_id=1,
        source="1000",
        outcome="missed",
        reason="destination_unreached",
        legs=[{"kind": "external_num", "target": 1, "number": "0", "began": start, "via": "Provider"}],
    )
    number = "..."
    return record, (
        (0, Note(Topic.DIALLED, 0, "", DestinationKind.EXTERNAL, 1, number, 1)),
        (4, Note(Topic.FAILED, 0, "", DestinationKind.EXTERNAL, 1, number, detail="busy")),
        (4, Note(Topic.ENDED, detail="destination_unreached")),
    )


def internal_call(number: int = 3, hours: int = 2, **changes: Any) -> tuple[CallRecord, Notes]:
    """A call of Ada to Grace, who does not answer."""
    start = START + hours * 3_600_000
    record = CallRecord(
        id=f"{start:x}-{number:08x}",
        node="test",
        started=start,
        ended=start + 9_000,
        updated=start + 9_000,
        caller="1000",
        called="1001",
        source_kind="extension",
        source_id=1,
        source="1000",
        outcome="missed",
        reason="caller_hangup",
    )
    return replace(record, **changes), ((0, Note(Topic.DIALLED, 0, "", EXTENSION, 2, "1001")),)


def store(server: Running, *calls: tuple[CallRecord, Notes]) -> None:
    """Store calls as the CDR worker does."""
    with server.database() as database, database.writing() as connection:
        notes = (
            (record.id, place, CallNote(record.started + at * 1000, note))
            for record, timed in calls
            for place, (at, note) in enumerate(timed)
        )
        call_writer.write_calls(connection, [record for record, _ in calls], notes)


def write_recording(server: Running, record: CallRecord, seconds: float = 2.0) -> bytes:
    """Write a recording as the calls process leaves it. Return its bytes."""
    folder = server.data / "recordings"
    folder.mkdir(exist_ok=True)
    path = folder / record.recording
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 8000, 0, "NONE", ""))
        frames = b"".join((at * 37 % 20_000).to_bytes(2, "little") * 2 for at in range(int(8000 * seconds)))
        file.writeframes(frames)
    return path.read_bytes()
