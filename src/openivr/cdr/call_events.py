"""Event reports of a call, from its record before and after each journal entry. Pure.

P-Series: event-call-status-changed (30011), event-new-cdr (30012), event-call-transfer (30013),
event-call-forward (30014), event-call-failed (30015), event-dtmf (30017). Numbers from 90001 on are ours.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from hashlib import blake2s
from typing import Any

from openivr.cdr.journal.entries import (
    PLACING,
    CallEnded,
    CallEndReason,
    CallEntry,
    CallStepped,
    LegChanged,
    LegResult,
)
from openivr.ivr.commands import Note, Topic
from openivr.ivr.events import Cause, Digit
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.routing_stages import (
    ABANDONED,
    FAILED,
    NO_ANSWER,
    CdrCall,
    CdrRow,
    Clock,
    format_time,
    name_recording,
    number_call,
)
from openivr.store.events.event_types import EventType
from openivr.store.events.outbox import EventReport

EMPTY = " "  # prints in the place of an empty text, as in the vendor's examples
KEYS = frozenset("0123456789*#")
SOURCE = -1  # place of the caller among the members, before the legs


@unique
class MemberStatus(StrEnum):
    """State of a member of a call. Of two, the first is of the caller and the second of a callee."""

    ALERT = "ALERT"
    RING = "RING"
    ANSWERED = "ANSWERED"
    ANSWER = "ANSWER"
    EARLY_MEDIA = "EARLYMEDIA"
    HOLD = "HOLD"
    BYE = "BYE"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a call: the caller or a leg. `kind` is extension, inbound or outbound."""

    kind: str
    number: str  # of an extension; what an outside caller has dialled, or what was dialled outside
    caller: str  # the other number of an outside member
    trunk: str
    channel: str
    status: MemberStatus
    path: str

    def describe(self, empty: str = EMPTY) -> dict[str, dict[str, str]]:
        """Return the member as the API shows it, with `empty` in the place of an empty call path."""
        ends = {
            "channel_id": self.channel,
            "member_status": self.status.value,
            "call_path": self.path or empty,
        }
        if self.kind == "extension":
            return {self.kind: {"number": self.number, **ends}}
        parties = {"from": self.caller, "to": self.number, "trunk_name": self.trunk}
        return {self.kind: parties | ends}


Members = Mapping[int, Member]  # by place: SOURCE, then the legs from 0

REASONS = {
    Cause.BUSY: "486 Busy here",
    Cause.NO_ANSWER: "480 Temporatily Unavailable",
    Cause.DECLINED: "603 Declined",
    Cause.UNAVAILABLE: "Line Unreachable",
    Cause.LIMIT: "Circuit/channel congestion",
}  # spelled as in the documentation
END_REASONS: dict[str, str] = {
    CallEndReason.UNKNOWN_NUMBER: "404 NOT found",
    CallEndReason.NO_INBOUND_ROUTE: "404 NOT found",
    CallEndReason.NO_OUTBOUND_ROUTE: "NO Dial Permission",
    CallEndReason.NUMBER_BLOCKED: "NO Outbound Restrictin",
    CallEndReason.CALLER_BLOCKED: "603 Declined",
}


def list_members(record: CallRecord) -> Members:
    """Return the members of a call that have not hung up; none before its first entry and after its end."""
    if record.ended is not None or not record.sequence:
        return {}
    path = record.path.rpartition(" ")[2]
    members = {} if has_left(record) else {SOURCE: source_of(record, path)}
    for place, leg in enumerate(record.legs):
        if leg and not leg.get("ended"):
            members[place] = leg_of(record, place, leg, path)
    return members


def has_left(record: CallRecord) -> bool:
    """Return True if another party has taken the place of the caller."""
    return any(leg and leg.get("is_caller") for leg in record.legs)


def source_of(record: CallRecord, path: str) -> Member:
    status = MemberStatus.ALERT if record.answered is None else MemberStatus.ANSWERED
    if record.stage == PLACING:
        status = MemberStatus.RING
    if is_holding(record, SOURCE):
        status = MemberStatus.HOLD
    if record.source_kind == "trunk":
        channel = name_channel(record, SOURCE, f"trunk-{record.source}-endpoint")
        return Member("inbound", record.called, record.caller, record.source, channel, status, path)
    channel = name_channel(record, SOURCE, record.source)
    return Member("extension", record.source, "", "", channel, status, path)


def leg_of(record: CallRecord, place: int, leg: Mapping[str, Any], path: str) -> Member:
    status = MemberStatus.ANSWER if leg.get("answered") else MemberStatus.RING
    if leg.get("is_caller"):
        status = MemberStatus.ANSWERED
    status = MemberStatus.HOLD if is_holding(record, place) else status
    if leg["kind"] == DestinationKind.EXTERNAL:
        if leg.get("status") == 183 and status is MemberStatus.RING:
            status = MemberStatus.EARLY_MEDIA
        trunk = leg.get("via", "")
        channel = name_channel(record, place, f"trunk-{trunk}-endpoint")
        # An outside number that a menu holds is not shown, as in call detail records.
        number = record.called if record.source_kind != "trunk" and not record.path else ""
        return Member("outbound", number, record.caller, trunk, channel, status, path)
    return Member(
        "extension", leg["number"], "", "", name_channel(record, place, leg["number"]), status, path
    )


def is_holding(record: CallRecord, place: int) -> bool:
    """Return True if a member holds the call."""
    return str(place) in record.holding.split()


def name_channel(record: CallRecord, place: int, name: str) -> str:
    """Return the id of a channel. It names one leg, and follows from no id that the API shows."""
    return f"PJSIP/{name}-{channel_key(record.run, record.id, place)}"


def channel_key(run: str, call_id: str, place: int) -> str:
    """Return the last part of a channel's id, which is different for every leg."""
    return blake2s(f"{run}/{call_id}/{place}".encode(), digest_size=8).hexdigest()


def hung_up(members: Members) -> list[Member]:
    """Return members as they are once they have hung up."""
    return [
        Member(m.kind, m.number, m.caller, m.trunk, m.channel, MemberStatus.BYE, m.path)
        for m in members.values()
    ]


def report_entry(record: CallRecord, entry: CallEntry, before: Members) -> Iterator[EventReport]:
    """Yield the reports of an entry that the record has taken in. `before` are the members without it."""
    after = list_members(record)
    gone = hung_up({place: member for place, member in before.items() if place not in after})
    members = [*after.values(), *gone]
    report = Reporter(record, entry.at, members)
    if after != before:
        yield report(EventType.CALL_STATUS)
    match entry:
        case CallStepped():
            yield from report_step(record, entry, report)
        case LegChanged() if entry.state.result is LegResult.TRANSFERRED:
            yield report(EventType.CALL_TRANSFER)
        case CallEnded() if entry.reason == CallEndReason.TRANSFERRED:
            if not any(leg.get("result") == LegResult.TRANSFERRED for leg in record.legs):
                yield report(EventType.CALL_TRANSFER)
        case CallEnded() if entry.reason in END_REASONS:
            yield report(EventType.CALL_FAILED, reason=END_REASONS[entry.reason])


def report_interruption(record: CallRecord, before: Members) -> Iterator[EventReport]:
    """Yield the report of a call that ended with its process. `before` are its members until then."""
    if before:
        yield Reporter(record, record.updated, hung_up(before))(EventType.CALL_STATUS)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Makes reports of one entry of one call."""

    record: CallRecord
    at: int
    members: Sequence[Member]

    def __call__(self, event: EventType, **fields: Any) -> EventReport:
        call = number_call(self.record.id, self.record.started // 1000)
        parties = [member.describe() for member in self.members]
        message = {"call_id": call}
        # `reason` comes before the members, every other field behind them, as on the pages.
        message |= {name: value for name, value in fields.items() if name == "reason"}
        return EventReport(event, self.at, {**message, "members": parties} | fields, self.record.id)

    def own(self, event: EventType, **fields: Any) -> EventReport:
        """Return a report of ours, which has no members."""
        call = number_call(self.record.id, self.record.started // 1000)
        return EventReport(event, self.at, {"call_id": call, **fields}, self.record.id)


def report_step(record: CallRecord, entry: CallStepped, report: Reporter) -> Iterator[EventReport]:
    """Yield the reports of a step: the key that was pressed, and what the notes say."""
    key = entry.event.get("key") if entry.event.get("event") == Digit.__name__ else None
    if key in KEYS:  # a masked key of private input is none of them
        keys = "".join(filter(KEYS.__contains__, record.keys))
        keys = keys if keys.endswith(key) else keys + key
        yield report(EventType.DIGIT, info=key, flag=len(keys) - 1, infos=keys)
    for note in entry.notes:
        yield from report_note(note, report)


def report_note(note: Note, report: Reporter) -> Iterator[EventReport]:
    """Yield the reports of a note of the menu."""
    match note.topic:
        case Topic.FAILED:
            yield report(EventType.CALL_FAILED, reason=REASONS.get(Cause(note.detail), "Line Unreachable"))
        case Topic.FORWARDED:
            yield report(EventType.CALL_FORWARD)
        case Topic.ENTERED:
            yield report.own(EventType.MENU_ENTERED, ivr_id=note.ivr, ivr_number=note.number)
        case Topic.PERIOD:
            period, _, reason = note.detail.partition(" ")
            yield report.own(EventType.CALL_PERIOD, period=period, reason=reason, holiday=note.number)


def report_end(
    record: CallRecord, call: CdrCall, rows: Sequence[CdrRow], local: Clock
) -> Iterator[EventReport]:
    """Yield the report of a call that has ended, with its details (30012)."""
    recorded = next((row for row in rows if row.is_recorded), None) if record.recording else None
    outbound = next((row.dst_trunk for row in rows if row.dst_trunk), "")
    status = {ABANDONED: NO_ANSWER, FAILED: NO_ANSWER}.get(call.last_status, call.last_status)
    message = {
        "call_id": number_call(record.id, record.started // 1000),
        "time_start": format_time(call.started, local),
        "call_from": call.call_from or EMPTY,
        "call_to": call.call_to or EMPTY,
        "call_duration": call.call_duration,
        "talk_duration": talk_seconds(record),
        "src_trunk_name": rows[0].src_trunk or EMPTY,
        "dst_trunk_name": outbound or EMPTY,
        "pin_code": EMPTY,
        "status": status,
        "type": call.call_type,
        "recording": name_recording(recorded, record.started) if recorded else EMPTY,
        "did_number": rows[0].did_number or EMPTY,
        "did_name": EMPTY,
        "agent_ring_time": 0,
        "uid": call.uid,
        "call_note_id": EMPTY,
        "enb_call_note": 0,
    }
    yield EventReport(EventType.CALL_END, record.ended or record.updated, message, record.id)


def talk_seconds(record: CallRecord) -> int:
    """Return the whole seconds from the answer to the end; 0 if the call was never answered."""
    if record.answered is None:
        return 0
    return max(0, (record.ended or record.updated) // 1000 - record.answered // 1000)
