"""The outbox: every event report, numbered in the order of commits, for consumers that read from a number on.

A report is written in the transaction of what it reports, so that a kill loses neither and repeats neither.
The row of `event_state` is locked until that transaction ends, so that a reader never sees a number before a
smaller one. Lock it after every other row, because all writers share it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Integer, bindparam, delete, func, insert, select, text, update

from openivr.store.tables import EVENT, EVENT_STATE

MAX_AGE_MS = 86_400_000  # of an event that is kept
MAX_EVENTS = 200_000  # that are kept
MAX_READ = 500  # events at a time
MAX_DELETED = 20_000  # events a turn
CHANNEL = "openivr_event"  # of PostgreSQL's NOTIFY

# Made once, because making a statement costs more than running it.
RESERVE = (
    update(EVENT_STATE)
    .values(last=EVENT_STATE.c.last + bindparam("count", type_=Integer))
    .returning(EVENT_STATE.c.last)
)
INSERT = insert(EVENT)


@dataclass(frozen=True, slots=True)
class EventReport:
    """Something that happened, as the API reports it. `at` is in Unix milliseconds."""

    type: int
    at: int
    message: Mapping[str, Any]
    call: str = ""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event report with its number. `message` is JSON."""

    id: int
    type: int
    message: str


@dataclass(frozen=True, slots=True)
class OutboxRange:
    """The numbers that can be read: from `oldest` to `last`. There are none if `oldest` is greater."""

    oldest: int
    last: int

    def find_gap(self, after: int) -> tuple[int, int] | None:
        """Return the first and the last number that a consumer has missed, None if it has missed none.

        A number that was never given is of other data, which a restore has replaced: all may be missed.
        """
        if after > self.last:
            return (self.oldest, self.last) if self.last else (0, 0)
        return (after + 1, self.oldest - 1) if after + 1 < self.oldest else None


def append(connection: Connection, reports: Sequence[EventReport]) -> None:
    """Number and write reports. Call it last in a transaction."""
    if not reports:
        return
    first = connection.execute(RESERVE, {"count": len(reports)}).scalar_one() - len(reports) + 1
    rows = [
        {
            "id": first + index,
            "at": report.at,
            "type": int(report.type),
            "call_id": report.call,
            "message": msgspec.json.encode(report.message).decode(),
        }
        for index, report in enumerate(reports)
    ]
    connection.execute(INSERT, rows)
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"NOTIFY {CHANNEL}"))  # delivered with the commit


def read_range(connection: Connection) -> OutboxRange:
    """Return the numbers of the events that are kept."""
    last = connection.execute(select(EVENT_STATE.c.last)).scalar_one()
    oldest = connection.execute(select(func.min(EVENT.c.id))).scalar()
    return OutboxRange(last + 1 if oldest is None else oldest, last)


def read_after(connection: Connection, after: int, limit: int = MAX_READ) -> list[StoredEvent]:
    """Return the next events after a number, in order."""
    query = select(EVENT.c.id, EVENT.c.type, EVENT.c.message).where(EVENT.c.id > after)
    rows = connection.execute(query.order_by(EVENT.c.id).limit(limit))
    return [StoredEvent(row.id, row.type, row.message) for row in rows]


def delete_old(connection: Connection, now: int, most: int = MAX_EVENTS) -> int:
    """Delete events that are too old or too many, a bounded number a turn. Return how many were deleted."""
    kept = read_range(connection)
    aged = connection.execute(select(func.max(EVENT.c.id)).where(EVENT.c.at < now - MAX_AGE_MS)).scalar() or 0
    until = min(max(aged, kept.last - most), kept.oldest + MAX_DELETED - 1)
    return connection.execute(delete(EVENT).where(EVENT.c.id <= until)).rowcount
