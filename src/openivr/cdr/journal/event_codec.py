"""Converts the events of a call, with their times, to JSON and back.

One event is `{"at": 1200, "event": "Digit", "key": "1"}`: ms from the start, the event's name, its fields.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from openivr.ivr.events import Digit, Event
from openivr.ivr.former_words import event_codes

EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}
HIDDEN_KEY = "•"  # stands for a key of a PIN
EventFields = dict[str, Any]
# Fields that are left out where they say nothing: the period, and what is the rule.
OPTIONAL = {"moment", "announcements", "period", "holiday", "reason", "is_unchecked"}
OPTIONAL |= {"hours_action", "extension"}  # of calls that dialled no feature code
OPTIONAL |= {"is_internal"}


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """An event and its time, in ms from the start of the call."""

    at: int
    event: Event


def describe(timed_event: TimedEvent, *, is_private: bool = False) -> EventFields:
    """Convert an event to JSON types. The digits of private input are masked.

    `#` and `*` are kept, because they end the input and are no part of it.
    """
    event = timed_event.event
    if is_private and isinstance(event, Digit) and event.key not in "*#":
        event = Digit(HIDDEN_KEY, event.moment)
    fields: EventFields = msgspec.to_builtins(event)
    fields = {name: value for name, value in fields.items() if value or name not in OPTIONAL}
    return {"at": timed_event.at, "event": type(event).__name__} | fields


def write_events(events: Iterable[TimedEvent]) -> list[EventFields]:
    """Convert events to JSON types."""
    return [describe(event) for event in events]


def read_events(rows: Iterable[EventFields]) -> list[TimedEvent]:
    """Convert them back. Raises ValueError for an unknown event or wrong fields."""
    return [_read(row) for row in rows]


def _read(row: EventFields) -> TimedEvent:
    fields = {name: value for name, value in event_codes(row).items() if name not in ("at", "event")}
    name = row.get("event")
    if not isinstance(name, str) or name not in EVENTS:
        raise ValueError(f"unknown event: {name}")
    return TimedEvent(msgspec.convert(row.get("at", 0), int), msgspec.convert(fields, EVENTS[name]))
