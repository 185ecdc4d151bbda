"""Numbers about calls: how many, when, which keys, and where callers go. Times are Unix milliseconds.

A report is about the calls that began in a span and are over, and about all that happened in them, even
after it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    case,
    func,
    literal,
    select,
    union_all,
)

from openivr.ivr.model import DestinationKind
from openivr.resources import KINDS
from openivr.store.cdr.report_sums import (
    ACTION,
    COUNTED,
    DAY,
    JOURNEY,
    OUTCOME,
    QUARTER,
    select_actions,
    select_journeys,
)
from openivr.store.config.resources import fetch_many
from openivr.store.tables import ACTION_SUM, CALL, JOURNEY_SUM, OUTCOME_SUM

HOUR = 3_600_000
TOGETHER = 500  # objects that are read at a time
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
    """Number of calls with one outcome in one period that began in the hour of local time from `start`.

    `period` is a `PeriodKind`, "" if no route or menu of the calls depended on it.
    """

    start: int
    outcome: str
    period: str
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
    """Calls by hour, outcome and period, in time order. An hour that a clock has twice is two hours."""
    whole, edges = split(span, QUARTER) if is_by_quarters(zone) else (None, [span])
    one_each = select(CALL.c.started, *(CALL.c[name] for name in OUTCOME), literal(1).label("count"))
    parts = [one_each.where(*began_in(edge)) for edge in edges]
    if whole is not None:
        columns = [OUTCOME_SUM.c[name] for name in (*OUTCOME, "count")]
        sums = select(OUTCOME_SUM.c.quarter.label("started"), *columns)
        parts.append(sums.where(OUTCOME_SUM.c.quarter >= whole.since, OUTCOME_SUM.c.quarter < whole.until))
    counted = union_all(*parts).subquery()
    offset = offset_at(zone, counted.c.started)
    start = (((counted.c.started + offset) // HOUR) * HOUR - offset).label("start")
    kinds = [counted.c[name] for name in OUTCOME]
    query: Select[Any] = select(start, *kinds, func.sum(counted.c["count"]))
    rows = connection.execute(query.group_by("start", *kinds).order_by("start", *kinds))
    return [Hour(start, outcome, period, int(calls)) for start, outcome, period, calls in rows]


def is_by_quarters(zone: Zone) -> bool:
    """Return True if every offset, and every moment at which one begins, is a whole quarter of an hour."""
    (_, first), *changes = zone
    return first % QUARTER == 0 and all(at % QUARTER == 0 == offset % QUARTER for at, offset in changes)


def offset_at(zone: Zone, started: ColumnElement[int]) -> ColumnElement[int]:
    """The offset that holds when a call begins."""
    (_, offset), *changes = zone
    if not changes:
        return literal(offset)
    newest_first = [(started >= since, later) for since, later in reversed(changes)]
    return case(*newest_first, else_=offset)


def split(span: Span, size: int) -> tuple[Span | None, list[Span]]:
    """Return the whole quarters or days of a span, None if there are none, and what else it has."""
    first, last = -(-span.since // size) * size, span.until // size * size
    if first >= last:
        return None, [span]
    edges = (Span(span.since, first), Span(last, span.until))
    return Span(first, last), [edge for edge in edges if edge.since < edge.until]


def count_acts(connection: Connection, span: Span) -> list[MenuAction]:
    """Count actions in menus by menu, topic, input, destination and detail."""
    rows = sum_days(connection, span, ACTION_SUM, ACTION, select_actions)
    acts = [MenuAction(*(*key, count)) for key, count in rows if key[0] in COUNTED]
    return sorted(acts, key=lambda act: (act.menu, act.topic, -act.count, act.input, act.target, act.detail))


def count_journeys(connection: Connection, span: Span) -> list[Journey]:
    """Calls by the menus they went through and by how they ended, the most frequent first."""
    rows = sum_days(connection, span, JOURNEY_SUM, JOURNEY, select_journeys)
    journeys = [Journey(tuple(path.split()), *(*end, count)) for (path, *end), count in rows]
    return sorted(
        journeys, key=lambda one: (-one.calls, one.path, one.outcome, one.reason, one.kind, one.target)
    )


def sum_days(
    connection: Connection,
    span: Span,
    table: Table,
    names: Sequence[str],
    select_calls: Callable[[ColumnElement[bool]], Select[Any]],
) -> Iterator[tuple[tuple[Any, ...], int]]:
    """Yield what calls of a span have, and how often: whole days by the sums, the rest by the calls."""
    whole, edges = split(span, DAY)
    counts: Counter[tuple[Any, ...]] = Counter()
    for edge in edges:
        for row in connection.execute(select_calls(and_(*began_in(edge)))):
            counts[tuple(row[1:-1])] += row[-1]
    if whole is not None:
        columns = [table.c[name] for name in names]
        query = select(*columns, func.sum(table.c["count"]))
        days = query.where(table.c.day >= whole.since, table.c.day < whole.until)
        for row in connection.execute(days.group_by(*columns)):
            counts[tuple(row[:-1])] += int(row[-1])
    yield from counts.items()


def has_calls(connection: Connection) -> bool:
    """Return True if any call has ended."""
    return connection.execute(select(CALL.c.id).where(CALL.c.outcome > "").limit(1)).first() is not None


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
