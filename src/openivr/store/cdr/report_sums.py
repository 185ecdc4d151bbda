"""Sums of ended calls that reports are read from, kept in the transaction that changes the calls.

Outcomes, with the period of the office, are summed by quarters of an hour, because a local day may begin at
any of them. What happened in menus and the ways of calls are summed by days of UTC. A report counts what a
span has beyond whole quarters and days from the calls themselves.

Sums change by the difference between a count of the calls before a write and one after it. So entries that
come twice or late change what they should.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, Select, Table, delete, func, select

from openivr.ivr.commands import Topic
from openivr.store.cdr.call_records import batches, insert_of, is_among_ids
from openivr.store.tables import ACTION_SUM, CALL, CALL_NOTE, CDR_STATE, JOURNEY_SUM, OUTCOME_SUM

QUARTER = 900_000  # milliseconds
DAY = 86_400_000
TOGETHER = 500  # calls in a query
COUNTED = (Topic.ENTERED, Topic.CHOSE, Topic.TIMED_OUT, Topic.INVALID, Topic.ENDED)
REACHED = (Topic.CONNECTED, Topic.RECORDED)
ACTION = ("topic", "ivr", "input", "kind", "target", "detail")  # of `CALL_NOTE`
OUTCOME = ("outcome", "period")  # of `CALL`
JOURNEY = ("path", "outcome", "reason", "kind", "target")
IS_OVER = CALL.c.outcome != ""  # reports are about calls that have ended
ENDED = select(CALL.c.id).where(is_among_ids(CALL.c.id), IS_OVER)
LOCK = select(CDR_STATE.c.id).with_for_update()

SumKey = tuple[Any, ...]  # the start of a quarter or a day, and what is counted in it
CountQueries = tuple[Select[Any], Select[Any], Select[Any]]  # of outcomes, actions and journeys


@dataclass(slots=True)
class SumCounts:
    """Counts by table. A key has the values of the columns, without the digest."""

    outcomes: Counter[SumKey] = field(default_factory=Counter)
    actions: Counter[SumKey] = field(default_factory=Counter)
    journeys: Counter[SumKey] = field(default_factory=Counter)

    def update(self, others: "SumCounts") -> None:
        """Add the counts of others."""
        self.outcomes.update(others.outcomes)
        self.actions.update(others.actions)
        self.journeys.update(others.journeys)

    def subtract(self, others: "SumCounts") -> None:
        self.outcomes.subtract(others.outcomes)
        self.actions.subtract(others.actions)
        self.journeys.subtract(others.journeys)


@contextmanager
def keeping(connection: Connection, ids: Sequence[str]) -> Iterator[None]:
    """Keep the sums right while calls are written or deleted inside. Other nodes wait until the commit."""
    lock(connection)
    known = find_ended(connection, ids)
    before = count_calls(connection, known) if known else SumCounts()
    yield
    change = count_calls(connection, ids)
    change.subtract(before)
    add_sums(connection, change)


def lock(connection: Connection) -> None:
    """Let one transaction at a time change sums. It is the row that also gives rows of the API their ids."""
    connection.execute(LOCK)


def find_ended(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Return those of the calls that have ended by their records: seldom any before their end is written."""
    parts = batches(ids, TOGETHER)
    return [id_ for part in parts for id_ in connection.execute(ENDED, {"ids": part}).scalars()]


def count_calls(connection: Connection, ids: Sequence[str]) -> SumCounts:
    """Count those of the calls that have ended."""
    counts = SumCounts()
    queries = select_by_ids()
    for part in batches(ids, TOGETHER):
        counts.update(count_rows(connection, queries, {"ids": part}))
    return counts


def count_where(connection: Connection, wanted: ColumnElement[bool]) -> SumCounts:
    """Count the ended calls that meet a condition."""
    return count_rows(connection, select_counts(wanted), {})


@cache  # making these statements costs more than running them
def select_by_ids() -> CountQueries:
    """Return the queries that count the calls `ids`."""
    return select_counts(is_among_ids(CALL.c.id))


def select_counts(wanted: ColumnElement[bool]) -> CountQueries:
    """Return the queries that count the ended calls that meet a condition."""
    return select_outcomes(wanted), select_actions(wanted), select_journeys(wanted)


def count_rows(connection: Connection, queries: CountQueries, values: Mapping[str, Any]) -> SumCounts:
    """Count what the queries find. The last column of each is a number."""
    counts = SumCounts()
    for counter, query in zip((counts.outcomes, counts.actions, counts.journeys), queries, strict=True):
        for row in connection.execute(query, values):
            counter[tuple(row[:-1])] += row[-1]
    for key in [key for key in counts.actions if key[1] not in COUNTED]:
        del counts.actions[key]
    return counts


def select_outcomes(wanted: ColumnElement[bool]) -> Select[Any]:
    """Select the numbers of ended calls by quarter, outcome and period of the office."""
    quarter = start_of(QUARTER).label("quarter")
    columns = [CALL.c[name] for name in OUTCOME]
    return select(quarter, *columns, func.count()).where(wanted, IS_OVER).group_by(quarter, *columns)


def select_actions(wanted: ColumnElement[bool]) -> Select[Any]:
    """Select the numbers of equal notes in menus by the day of their call, with topics that no report counts.

    A query that names topics would lead SQLite through every note that there is.
    """
    day = start_of(DAY).label("day")
    columns = [CALL_NOTE.c[name] for name in ACTION]
    joined = CALL.join(CALL_NOTE, CALL_NOTE.c.call_id == CALL.c.id)
    query = select(day, *columns, func.count()).select_from(joined)
    return query.where(wanted, IS_OVER, CALL_NOTE.c.ivr != 0).group_by(day, *columns)


def select_journeys(wanted: ColumnElement[bool]) -> Select[Any]:
    """Select the numbers of ended calls by day, path, end, and the callee or mailbox that they reached."""
    note = CALL_NOTE.alias()
    last = (
        select(func.max(note.c.place))
        .where(note.c.call_id == CALL.c.id, note.c.topic.in_(REACHED))
        .scalar_subquery()
    )
    reached = (CALL_NOTE.c.call_id == CALL.c.id) & (CALL_NOTE.c.place == last)
    ways = select(
        start_of(DAY).label("day"),
        *(CALL.c[name] for name in ("path", "outcome", "reason")),
        func.coalesce(CALL_NOTE.c.kind, "").label("kind"),
        func.coalesce(CALL_NOTE.c.target, 0).label("target"),
    )
    way = ways.select_from(CALL.outerjoin(CALL_NOTE, reached)).where(wanted, IS_OVER).subquery()
    return select(*way.c, func.count()).group_by(*way.c)


def start_of(size: int) -> ColumnElement[int]:
    """Return the start of the quarter or day in which a call began, in Unix milliseconds."""
    return CALL.c.started - CALL.c.started % size


def add_sums(connection: Connection, change: SumCounts) -> None:
    """Add to the sums, and delete those that become zero."""
    outcomes = [
        {"quarter": quarter, "count": n} | dict(zip(OUTCOME, values, strict=True))
        for (quarter, *values), n in counted(change.outcomes)
    ]
    add(connection, OUTCOME_SUM, outcomes)
    add(connection, ACTION_SUM, [name_values(ACTION, key, n) for key, n in counted(change.actions)])
    add(connection, JOURNEY_SUM, [name_values(JOURNEY, key, n) for key, n in counted(change.journeys)])


def counted(counts: Counter[SumKey]) -> list[tuple[SumKey, int]]:
    return sorted((key, number) for key, number in counts.items() if number)


def name_values(names: Sequence[str], key: SumKey, number: int) -> dict[str, Any]:
    values = dict(zip(names, key[1:], strict=True))
    return {"day": key[0], "digest": digest(key[1:]), "count": number} | values


def digest(values: Sequence[Any]) -> str:
    """Return a key for values of any length: PostgreSQL limits the size of an index row."""
    return blake2b("\0".join(map(str, values)).encode(), digest_size=16).hexdigest()


def add(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if not rows:
        return
    connection.execute(raise_counts(connection.dialect.name, table), list(rows))
    start = next(iter(table.primary_key.columns))
    lowered = [row[start.name] for row in rows if row["count"] < 0]
    if lowered:
        connection.execute(
            delete(table).where(start.between(min(lowered), max(lowered)), table.c["count"] == 0)
        )


@cache
def raise_counts(dialect: str, table: Table) -> Insert:
    """Return the statement that adds rows of counts to those that are there."""
    statement = insert_of(dialect)(table)
    total = table.c["count"] + statement.excluded["count"]
    keys = list(table.primary_key.columns)
    raised: Insert = statement.on_conflict_do_update(index_elements=keys, set_={"count": total})
    return raised
