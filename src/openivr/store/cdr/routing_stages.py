"""Rows of call detail records as the P-Series lists them: one row for each routing stage of a call. Pure.

Pages query-cdr-list and query-cdr-list-v2; which stages have a row, and what a row leaves out, is known from
live systems. Durations are whole seconds between times of the clock, so that each stage begins where the one
before it ends.
"""

import re
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from openivr.ivr.commands import Note, Topic
from openivr.ivr.events import Cause
from openivr.ivr.model import DestinationKind

ANSWERED, NO_ANSWER, BUSY, FAILED, VOICEMAIL = "ANSWERED", "NO ANSWER", "BUSY", "FAILED", "VOICEMAIL"
ABANDONED = "ABANDONED"  # of a whole call only
INBOUND, OUTBOUND, INTERNAL = "Inbound", "Outbound", "Internal"
DISPOSITIONS = (ANSWERED, NO_ANSWER, BUSY, FAILED, VOICEMAIL)
STATUSES = (*DISPOSITIONS, ABANDONED)
CALL_TYPES = (INBOUND, OUTBOUND, INTERNAL)
MAILBOX = "mailbox"  # kind of a stage in which an owner listens to messages
UNKNOWN = ""  # kind of a stage of a call that reached nothing
DIALLED = frozenset((DestinationKind.EXTENSION, DestinationKind.RING_GROUP, DestinationKind.EXTERNAL))
HEARD = frozenset((DestinationKind.VOICEMAIL, DestinationKind.PLAY_GREETING, DestinationKind.PLAY_PROMPT))
ELSEWHERE = frozenset((Topic.DIALLED, Topic.FORWARDED, Topic.ENDED))  # notes of a call that is in no menu
FAILURES = {
    Cause.BUSY: BUSY,
    Cause.DECLINED: BUSY,
    Cause.NO_ANSWER: NO_ANSWER,
    Cause.UNAVAILABLE: FAILED,
    Cause.LIMIT: FAILED,
}
OUTCOMES = {"connected": ANSWERED, "menu": ANSWERED, "message": VOICEMAIL, "missed": NO_ANSWER}
GIVEN_UP = frozenset(("caller_hangup", "caller_lost"))
UNSAFE = re.compile(r"[^A-Za-z0-9+*#]")  # in a part of a file's name


Clock = Callable[[float], time.struct_time]  # local time of Unix seconds


class EndedCall(Protocol):
    """What is read of a call record that has ended. Times are Unix milliseconds."""

    id: str
    started: int
    answered: int | None
    ended: int | None
    updated: int
    caller: str
    caller_name: str
    called: str
    source_kind: str
    source_id: int
    source: str
    path: str
    outcome: str
    reason: str
    legs: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class ObjectName:
    """Number and name of an object, and the number that callees of its outside calls see."""

    number: str = ""
    name: str = ""
    shown: str = ""


Names = Mapping[tuple[str, int], ObjectName]  # by kind and id
NO_NAME = ObjectName()


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrRow:
    """A routing stage. `leg` counts the stages of a call from 1; times and durations are seconds."""

    call_id: str
    uid: str
    leg: int
    started: int
    call_from: str
    call_from_name: str
    to_kind: str  # a `DestinationKind`, MAILBOX or UNKNOWN
    to_id: int
    call_to: str
    call_to_name: str
    disposition: str
    call_type: str
    duration: int
    ring_duration: int
    talk_duration: int
    src_trunk: str
    dst_trunk: str
    did_number: str
    dod_number: str
    is_recorded: int = 0  # 1: the recording of the call, if there is one, is named here


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrCall:
    """A call as a whole: routing until somebody was reached, handling from then on."""

    call_id: str
    uid: str
    started: int
    call_type: str
    call_from: str
    call_from_name: str
    to_kind: str
    to_id: int
    call_to: str
    call_to_name: str
    last_status: str
    call_duration: int
    routing_duration: int
    handling_duration: int


@dataclass(slots=True)
class Stage:
    """A stage in the making. Times are Unix milliseconds."""

    kind: str
    target: int
    began: int
    number: str = ""
    trunk: int = 0
    answered: int | None = None
    ended: int = 0
    cause: str = ""
    is_recorded: bool = False  # a message was left


@dataclass(slots=True)
class Walk:
    """Turns the notes of a call into stages, one note after another."""

    stages: list[Stage] = field(default_factory=list)
    current: Stage | None = None
    since: int = 0  # the time from which no stage has been under way

    def begin(self, kind: str, target: int, at: int, number: str = "", trunk: int = 0) -> Stage:
        self.close(at)
        self.current = Stage(str(kind), target, at, number, trunk)
        self.stages.append(self.current)
        return self.current

    def close(self, at: int) -> None:
        if self.current is not None:
            self.current.ended = at
            self.current = None
            self.since = at

    def take(self, at: int, note: Note) -> None:
        kind = note.kind or ""
        if note.topic is Topic.ENTERED:
            self.begin(DestinationKind.IVR, note.ivr, at, note.number).answered = at
            return
        if note.topic is Topic.RECORDED:
            self.take_message(at, note)
            return
        if note.topic is Topic.MAILBOX and self.current is None:
            self.begin(MAILBOX, 0, self.since).answered = self.since
        if self.current is None and note.ivr and note.topic not in ELSEWHERE:
            self.begin(DestinationKind.IVR, note.ivr, self.since).answered = self.since  # back in the menu
        if note.topic in (Topic.CHOSE, Topic.TIMED_OUT, Topic.DIALLED, Topic.FORWARDED):
            self.take_choice(at, note)
        elif note.topic is Topic.CONNECTED:
            stage = self.current
            if stage is None or stage.kind not in DIALLED:
                stage = self.begin(kind, note.target, at, note.number)
            stage.answered = at
        elif note.topic is Topic.FAILED:
            if self.current is None or self.current.kind != kind:
                self.begin(kind, note.target, at, note.number)
            if self.current is not None:
                self.current.cause = note.detail
            self.close(at)

    def take_choice(self, at: int, note: Note) -> None:
        kind, stage = note.kind or "", self.current
        if kind in DIALLED and stage is not None and stage.kind == kind and stage.target == note.target:
            stage.number, stage.trunk = note.number or stage.number, note.trunk or stage.trunk
        elif kind in DIALLED:
            self.begin(kind, note.target, at, note.number, note.trunk)
        elif kind in HEARD:
            self.begin(kind, note.target, at, note.number).answered = at

    def take_message(self, at: int, note: Note) -> None:
        """A message was left: its stage may have begun without a note, after a dial that failed."""
        stage = self.current
        if stage is None or stage.kind != DestinationKind.VOICEMAIL:
            stage = self.begin(DestinationKind.VOICEMAIL, note.target, at if stage else self.since)
            stage.answered = stage.began
        stage.target, stage.is_recorded = note.target, True

    def finish(self, at: int, last_menu: int) -> list[Stage]:
        """End the last stage with the call. What is left after a failed dial was spent in the menu."""
        if self.current is None and last_menu and at // 1000 > self.since // 1000 and self.stages:
            self.begin(DestinationKind.IVR, last_menu, self.since).answered = self.since
        self.close(at)
        return self.stages


def make_rows(
    call: EndedCall, notes: Sequence[tuple[int, Note]], names: Names, local: Clock = time.localtime
) -> list[CdrRow]:
    """Return the rows of a call that has ended, in the order of its stages; at least one."""
    ended = max(call.ended or call.updated, call.started)
    walk, menu = Walk(since=call.started), 0
    for at, note in notes:
        walk.take(max(at, call.started), note)
        menu = note.ivr or menu
    stages = walk.finish(ended, menu) or [reach_nothing(call, ended)]
    head = replace(row_head(call, stages, names), uid=make_uid(call.id, call.started, local))
    rows = [row for stage in stages for row in stage_rows(call, stage, names, head)]
    last = max((at for at, row in enumerate(rows) if row.talk_duration), default=len(rows) - 1)
    return [replace(row, leg=at + 1, is_recorded=int(at == last)) for at, row in enumerate(rows)]


def reach_nothing(call: EndedCall, ended: int) -> Stage:
    """Return the only stage of a call whose notes name none: it was refused, or its process died."""
    return Stage(UNKNOWN, 0, call.started, call.called, answered=call.answered, ended=ended)


def row_head(call: EndedCall, stages: Sequence[Stage], names: Names) -> CdrRow:
    """Return what the rows of a call have in common."""
    is_inbound = call.source_kind == "trunk"
    is_outbound = any(stage.kind == DestinationKind.EXTERNAL for stage in stages)
    caller = names.get((call.source_kind, call.source_id), NO_NAME)
    return CdrRow(
        call_id=call.id,
        uid="",
        leg=1,
        started=call.started // 1000,
        call_from=call.caller,
        call_from_name=call.caller_name or ("" if is_inbound else caller.name),
        to_kind=UNKNOWN,
        to_id=0,
        call_to=call.called,
        call_to_name="",
        disposition=FAILED,
        call_type=INBOUND if is_inbound else OUTBOUND if is_outbound else INTERNAL,
        duration=0,
        ring_duration=0,
        talk_duration=0,
        src_trunk=call.source if is_inbound else "",
        dst_trunk="",
        did_number=call.called if is_inbound else "",
        dod_number="",
    )


def stage_rows(call: EndedCall, stage: Stage, names: Names, head: CdrRow) -> Iterator[CdrRow]:
    """Yield the row of a stage, and after that of a ring group the row of the extension that answered."""
    party = names.get((named_kind(stage.kind), stage.target), NO_NAME)
    row = replace(
        with_times(head, stage.began, stage.answered, stage.ended),
        to_kind=stage.kind,
        to_id=stage.target,
        call_to=party.number or stage.number or ("" if stage.kind else call.called),
        call_to_name=party.name,
        disposition=disposition_of(call, stage),
    )
    if stage.kind == DestinationKind.EXTERNAL:
        yield to_outside(call, stage, names, row)
        return
    if stage.kind == MAILBOX:
        row = replace(row, call_to=call.called)
    elif stage.kind in (DestinationKind.PLAY_GREETING, DestinationKind.PLAY_PROMPT):
        row = replace(row, call_to="", call_to_name=stage.number)
    yield row
    if stage.kind == DestinationKind.RING_GROUP and stage.answered is not None:
        yield from answering_row(stage, names, row, legs_of(call, stage))


def named_kind(kind: str) -> str:
    """Return the kind under which the name of a stage's target is known."""
    return DestinationKind.EXTENSION if kind == DestinationKind.VOICEMAIL else kind


def with_times(row: CdrRow, began: int, answered: int | None, ended: int) -> CdrRow:
    """Return a row with its start and durations in seconds, from times in milliseconds."""
    start, end = began // 1000, max(began, ended) // 1000
    reached = end if answered is None else min(max(answered // 1000, start), end)
    return replace(
        row,
        started=start,
        duration=end - start,
        ring_duration=reached - start,
        talk_duration=end - reached,
    )


def disposition_of(call: EndedCall, stage: Stage) -> str:
    if stage.kind == UNKNOWN:
        return OUTCOMES.get(call.outcome, FAILED)
    if stage.is_recorded:
        return VOICEMAIL
    if stage.answered is not None:
        return ANSWERED if call.answered is not None else NO_ANSWER
    return FAILURES.get(Cause(stage.cause), FAILED) if stage.cause else NO_ANSWER


def to_outside(call: EndedCall, stage: Stage, names: Names, row: CdrRow) -> CdrRow:
    """Return the row of an outside call. Its number is shown if a phone has dialled it, not if a menu has."""
    leg = next((leg for leg in legs_of(call, stage) if leg["kind"] == DestinationKind.EXTERNAL), {})
    trunk = names.get(("trunk", stage.trunk), NO_NAME)
    is_dialled = call.source_kind != "trunk" and not call.path
    caller = names.get((call.source_kind, call.source_id), NO_NAME)
    shown = (caller.shown if call.source_kind != "trunk" else "") or trunk.shown
    return replace(
        row,
        call_to=call.called if is_dialled else "",
        call_to_name="",
        dst_trunk=leg.get("via", "") or trunk.name,
        dod_number=shown,
    )


def legs_of(call: EndedCall, stage: Stage) -> list[dict[str, Any]]:
    """Return the legs that were placed in a stage."""
    return [leg for leg in call.legs if leg and stage.began <= leg.get("began", -1) <= stage.ended]


def answering_row(
    stage: Stage, names: Names, group: CdrRow, legs: Sequence[dict[str, Any]]
) -> Iterator[CdrRow]:
    """Yield the row of the member of a ring group that answered, if it is known."""
    answered = [leg for leg in legs if leg.get("answered") and leg["kind"] == DestinationKind.EXTENSION]
    if not answered:
        return
    leg = answered[0]
    party = names.get((DestinationKind.EXTENSION, leg["target"]), NO_NAME)
    yield replace(
        with_times(group, leg["began"], leg["answered"], stage.ended),
        to_kind=DestinationKind.EXTENSION,
        to_id=leg["target"],
        call_to=party.number or leg["number"],
        call_to_name=party.name,
    )


def make_call(call: EndedCall, rows: Sequence[CdrRow]) -> CdrCall:
    """Return the whole of a call from its rows."""
    ended = max(call.ended or call.updated, call.started)
    last = rows[-1]
    talked = max((row.talk_duration for row in rows if row.to_kind in DIALLED), default=0)
    whole = ended // 1000 - call.started // 1000
    is_given_up = call.reason in GIVEN_UP and last.disposition == NO_ANSWER
    return CdrCall(
        call_id=call.id,
        uid=last.uid,
        started=call.started // 1000,
        call_type=last.call_type,
        call_from=last.call_from,
        call_from_name=last.call_from_name,
        to_kind=last.to_kind,
        to_id=last.to_id,
        call_to=last.call_to,
        call_to_name=last.call_to_name,
        last_status=ABANDONED if is_given_up else last.disposition,
        call_duration=whole,
        routing_duration=max(0, whole - talked),
        handling_duration=talked,
    )


def make_uid(call_id: str, started: int, local: Clock) -> str:
    """Return the id that the API has for a call: its local time and a hexadecimal rest that makes it unique.

    `started` is in Unix milliseconds.
    """
    rest = f"{started % 1000:03X}{random_part(call_id):08X}"
    return time.strftime("%Y%m%d%H%M%S", local(started / 1000)) + rest


def number_call(call_id: str, started: int) -> str:
    """Return the `call_id` of the API, "1650095575.872": the second of the call's start and a number."""
    return f"{started}.{random_part(call_id)}"


def format_time(seconds: int, local: Clock = time.localtime) -> str:
    """Return a time in Unix seconds as events show it: "2022-04-27 19:04:36"."""
    return time.strftime("%Y-%m-%d %H:%M:%S", local(seconds))


class RecordedStage(Protocol):
    """The columns of a routing stage that name its recording."""

    @property
    def uid(self) -> str: ...
    @property
    def call_id(self) -> str: ...
    @property
    def call_from(self) -> str: ...
    @property
    def call_to(self) -> str: ...
    @property
    def call_type(self) -> str: ...


def name_recording(row: RecordedStage, call_started: int) -> str:
    """Return the vendor's name of a recording: "20220412173331-1649756009.12-2002-2005-Internal.wav".

    `call_started` is in Unix milliseconds.
    """
    moment, call = row.uid[:14], number_call(row.call_id, call_started // 1000)
    parties = (UNSAFE.sub("", number) for number in (row.call_from, row.call_to))
    return "-".join((moment, call, *parties, row.call_type)) + ".wav"


def uid_key(uid: str) -> int:
    """Return a number that orders the ids of the API as their texts are ordered, but for the random part."""
    return int(uid[:14]) * 0x1000 + int(uid[14:17], 16)


def random_part(call_id: str) -> int:
    """Return the random part of our id of a call, 32 bits; a checksum of an id of another form."""
    tail = call_id.rpartition("-")[2]
    try:
        return int(tail, 16) if len(tail) == 8 else zlib.crc32(call_id.encode())
    except ValueError:
        return zlib.crc32(call_id.encode())
