"""Numbers about calls: how many, when, which keys, and where callers go. Times are Unix milliseconds.

A report is about the calls that began in a span and are over, and about all that happened in them, even
after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, case, cast, func, literal, select

from openivr.ivr.commands import Topic
from openivr.ivr.model import DestinationKind
from openivr.resources import KINDS
from openivr.store.config.resources import fetch_many
from openivr.store.tables import CALL, CALL_NOTE

HOUR = 3_600_000
TOGETHER = 500  # objects that are read at a time
COUNTED = (Topic.ENTERED, Topic.CHOSE, Topic.TIMED_OUT, Topic.INVALID, Topic.ENDED)
REACHED = (Topic.CONNECTED, Topic.RECORDED)
OBJECTS = {
    DestinationKind.IVR: "ivr",
    DestinationKind.EXTENSION: "extension",
    DestinationKind.VOICEMAIL: "extension",
}
OBJECTS |= {DestinationKind.RING_GROUP: "ring_group", DestinationKind.EXTERNAL: "outbound_route"}

# From when on which offset from UTC holds, in milliseconds and in time order. The first also holds before.
Zone = Sequence[tuple[int, int]]
UTC: Zone = ((0, 0),)


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to, and not including, `until`."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Hour:
    """Number of calls with one outcome that began in the hour of local time from `start`."""

    start: int
    outcome: str
    calls: int


@dataclass(frozen=True, slots=True)
class MenuAction:
    """Count of equal actions in a menu. The fields are those of `ivr.commands.Note`."""

    topic: str
    menu: int
    input: str
    kind: str
    target: int
    detail: str
    count: int


@dataclass(frozen=True, slots=True)
class Journey:
    """Number of calls with the same path and the same end.

    `kind` and `target` are the callee, or the mailbox with the message. "" and 0 are none.
    """

    path: tuple[str, ...]  # the numbers of the menus
    outcome: str
    reason: str
    kind: str
    target: int
    calls: int


@dataclass(frozen=True, slots=True)
class CallReport:
    """All that is known of the calls of a span, of one committed state."""

    hours: list[Hour]
    acts: list[MenuAction]
    journeys: list[Journey]


def read_report(connection: Connection, span: Span, zone: Zone = UTC) -> CallReport:
    """The numbers about a span."""
    return CallReport(
        count_hours(connection, span, zone), count_acts(connection, span), count_journeys(connection, span)
    )


def count_hours(connection: Connection, span: Span, zone: Zone = UTC) -> list[Hour]:
    """Calls by hour and outcome, in time order. An hour that a clock has twice is two hours."""
    offset = offset_at(zone)
    start = (((CALL.c.started + offset) // HOUR) * HOUR - offset).label("start")
    query = select(start, CALL.c.outcome, func.count()).where(*began_in(span))
    rows = connection.execute(query.group_by("start", CALL.c.outcome).order_by("start", CALL.c.outcome))
    return [Hour(*row) for row in rows]


def offset_at(zone: Zone) -> ColumnElement[int]:
    """The offset that holds when a call begins."""
    (_, offset), *changes = zone
    if not changes:
        return literal(offset)
    newest_first = [(CALL.c.started >= since, later) for since, later in reversed(changes)]
    return case(*newest_first, else_=offset)


def count_acts(connection: Connection, span: Span) -> list[MenuAction]:
    """Count actions in menus by menu, topic, input, destination and detail."""
    columns = [CALL_NOTE.c[name] for name in ("topic", "ivr", "input", "kind", "target", "detail")]
    joined = CALL.join(CALL_NOTE, CALL_NOTE.c.call_id == CALL.c.id)
    # Topics are sorted out here: named in the query they would lead SQLite through every note that there is.
    notes: Select[Any] = select(*columns, func.count()).select_from(joined)
    notes = notes.where(*began_in(span), CALL_NOTE.c.ivr != 0)
    rows = connection.execute(notes.group_by(*columns))
    acts = [MenuAction(*row) for row in rows if row.topic in COUNTED]
    return sorted(acts, key=lambda act: (act.menu, act.topic, -act.count, act.input, act.target, act.detail))


def count_journeys(connection: Connection, span: Span) -> list[Journey]:
    """Calls by the menus they went through and by how they ended, the most frequent first."""
    reached = (
        select(CALL_NOTE.c.kind + " " + cast(CALL_NOTE.c.target, Text))
        .where(CALL_NOTE.c.call_id == CALL.c.id, CALL_NOTE.c.topic.in_(REACHED))
        .order_by(CALL_NOTE.c.place.desc())
        .limit(1)
        .scalar_subquery()
    )
    ways = select(CALL.c.path, CALL.c.outcome, CALL.c.reason, reached.label("reached"))
    way = ways.where(*began_in(span)).subquery()
    query: Select[Any] = select(*way.c, func.count()).group_by(*way.c)
    rows = connection.execute(query)
    journeys = [as_journey(*row) for row in rows]
    return sorted(
        journeys, key=lambda one: (-one.calls, one.path, one.outcome, one.reason, one.kind, one.target)
    )


def as_journey(path: str, outcome: str, reason: str, reached: str | None, calls: int) -> Journey:
    kind, _, target = (reached or " 0").partition(" ")
    return Journey(tuple(path.split()), outcome, reason, kind, int(target), calls)


def has_calls(connection: Connection) -> bool:
    """Return True if any call has ended."""
    return connection.execute(select(CALL.c.id).where(CALL.c.outcome != "").limit(1)).first() is not None


def read_names(connection: Connection, report: CallReport) -> dict[tuple[str, int], str]:
    """Return the present names of destinations, "1000 Ada Byron", without deleted ones."""
    wanted = {(DestinationKind.IVR.value, act.menu) for act in report.acts}
    wanted |= {(act.kind, act.target) for act in report.acts}
    wanted |= {(one.kind, one.target) for one in report.journeys}
    names: dict[tuple[str, int], str] = {}
    for kind, stored in OBJECTS.items():
        ids = sorted(id_ for other, id_ in wanted if other == kind)
        for start in range(0, len(ids), TOGETHER):
            found = fetch_many(connection, KINDS[stored], ids[start : start + TOGETHER])
            for id_, values in found.items():
                names[kind, id_] = KINDS[stored].names(values).display_name
    return names


def began_in(span: Span) -> tuple[ColumnElement[bool], ...]:
    """Only calls that are over have an outcome, and the index of times has it."""
    return CALL.c.started >= span.since, CALL.c.started < span.until, CALL.c.outcome != ""
