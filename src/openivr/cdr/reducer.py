"""Applies journal entries to call records. Pure."""

from collections.abc import Iterator
from typing import Any

import msgspec

from openivr.cdr.journal.entries import (
    CallAnswered,
    CallBegan,
    CallEnded,
    CallEndReason,
    CallEntry,
    CallOutcome,
    CallStepped,
    HoldChanged,
    LegChanged,
)
from openivr.ivr.commands import HangupReason, Topic
from openivr.ivr.events import HungUp
from openivr.ivr.state import IvrState
from openivr.store.cdr.call_records import CallNote, CallRecord

NOTES_PER_STEP = 64  # room in the numbering; a step makes fewer


def apply_entry(record: CallRecord, entry: CallEntry) -> bool:
    """Apply an entry to a record. Return False if it was applied before."""
    if entry.n <= record.sequence:
        return False
    record.sequence, record.updated = entry.n, entry.at
    match entry:
        case CallBegan():
            record.started, record.stage = entry.at, entry.stage or "new"
            record.caller, record.caller_name, record.called = entry.caller, entry.caller_name, entry.called
            record.source_kind, record.source_id = entry.source_kind, entry.source_id
            record.source, record.revision = entry.source, entry.revision
            record.diverted_by = entry.diverted_by
        case CallStepped():
            apply_step(record, entry)
        case CallAnswered():
            record.answered = entry.at
        case LegChanged():
            known = record.legs[: entry.leg] + [{}] * (entry.leg - len(record.legs))
            leg: dict[str, Any] = msgspec.to_builtins(entry.state)
            record.legs = [*known, leg, *record.legs[entry.leg + 1 :]]
        case HoldChanged():
            record.holding = " ".join(map(str, entry.holding))
        case CallEnded():
            record.ended, record.stage = entry.at, "ended"
            record.outcome, record.reason = entry.outcome, entry.reason
            record.input, record.media, record.recording = entry.input, entry.media, entry.recording
    return True


def apply_step(record: CallRecord, entry: CallStepped) -> None:
    """Apply an event of the IVR, with its notes and the new state."""
    if entry.event:
        record.events = [*record.events, entry.event]
    record.stage = entry.stage or record.stage
    record.menu = entry.menu or record.menu
    record.keys = entry.keys or record.keys
    entered = [note.number for note in entry.notes if note.topic is Topic.ENTERED]
    record.path = " ".join([*record.path.split(), *entered])
    periods = [note.detail.split()[0] for note in entry.notes if note.topic is Topic.PERIOD]
    record.period = next(iter(periods), "") if not record.period else record.period


def notes_in(entry: CallEntry) -> Iterator[tuple[str, int, CallNote]]:
    """Yield the notes of an entry, each with its call and its position among the call's notes."""
    if isinstance(entry, CallStepped):
        for index, note in enumerate(entry.notes):
            yield entry.call, entry.n * NOTES_PER_STEP + index, CallNote(entry.at, note)


def interrupt(record: CallRecord, *, has_message: bool) -> None:
    """End the record of a call whose process died, at the time of its last entry.

    A call whose caller was gone, and which only waited for its message to be kept, was not interrupted.
    """
    hang_up = find_hang_up(record)
    record.ended, record.stage = record.updated, "ended"
    if hang_up is None:
        record.outcome, record.reason = CallOutcome.INTERRUPTED, CallEndReason.SERVER_INTERRUPTED
    else:
        record.outcome = CallOutcome.MESSAGE if has_message else CallOutcome.MENU
        record.reason = hang_up.get("reason") or HangupReason.CALLER_HANGUP


def find_hang_up(record: CallRecord) -> dict[str, Any] | None:
    """Return the event that ended the caller's leg, if the call only waits for its message to be kept."""
    if record.stage != IvrState.KEEPING.value:
        return None
    return next((event for event in record.events if event["event"] == HungUp.__name__), None)
