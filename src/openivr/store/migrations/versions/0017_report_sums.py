"""Add the sums that reports are read from, and build them for the calls so far."""

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

QUARTER, DAY = 900_000, 86_400_000
BATCH = 1000
COUNTED = {"entered", "chose", "timed_out", "invalid", "ended"}
REACHED = ("connected", "recorded")
ACTION = ("topic", "ivr", "input", "kind", "target", "detail")
JOURNEY = ("path", "outcome", "reason", "kind", "target")
NUMBERS = {"ivr", "target"}
CALL = sa.table("call_record", *map(sa.column, ("id", "started", "path", "outcome", "reason")))
NOTE = sa.table("call_note", *map(sa.column, ("call_id", "place", *ACTION)))
IS_OVER = CALL.c.outcome != ""


def upgrade() -> None:
    outcomes = op.create_table(
        "outcome_sum",
        sa.Column("quarter", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("quarter", "outcome", name="pk_outcome_sum"),
        sqlite_with_rowid=False,
    )
    actions = make_table("action_sum", ACTION)
    journeys = make_table("journey_sum", JOURNEY)
    connection = op.get_bind()
    fill(
        connection,
        outcomes,
        (
            {"quarter": key[0], "outcome": key[1], "count": n}
            for *key, n in connection.execute(select_outcomes())
        ),
    )
    fill(
        connection,
        actions,
        name_values(ACTION, (row for row in connection.execute(select_actions()) if row.topic in COUNTED)),
    )
    fill(connection, journeys, name_values(JOURNEY, count_journeys(connection)))


def make_table(name: str, columns: Sequence[str]) -> sa.Table:
    return op.create_table(
        name,
        sa.Column("day", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("digest", sa.Text(), nullable=False),
        *(sa.Column(c, sa.Integer() if c in NUMBERS else sa.Text(), nullable=False) for c in columns),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "digest", name=f"pk_{name}"),
        sqlite_with_rowid=False,
    )


def start_of(size: int) -> sa.ColumnElement[int]:
    started = sa.type_coerce(CALL.c.started, sa.BigInteger)
    return started - started % size


def select_outcomes() -> sa.Select[Any]:
    quarter = start_of(QUARTER).label("quarter")
    return (
        sa.select(quarter, CALL.c.outcome, sa.func.count()).where(IS_OVER).group_by(quarter, CALL.c.outcome)
    )


def select_actions() -> sa.Select[Any]:
    day = start_of(DAY).label("day")
    columns = [NOTE.c[name] for name in ACTION]
    query = sa.select(day, *columns, sa.func.count()).select_from(
        CALL.join(NOTE, NOTE.c.call_id == CALL.c.id)
    )
    return query.where(IS_OVER, NOTE.c.ivr != 0).group_by(day, *columns)


def count_journeys(connection: sa.Connection) -> Iterator[tuple[Any, ...]]:
    """Yield ways of calls, and their numbers."""
    place = sa.func.max(NOTE.c.place).label("place")
    last = (
        sa.select(NOTE.c.call_id, place).where(NOTE.c.topic.in_(REACHED)).group_by(NOTE.c.call_id).subquery()
    )
    reached = (
        sa.select(NOTE.c.call_id, NOTE.c.kind, NOTE.c.target)
        .select_from(NOTE.join(last, (last.c.call_id == NOTE.c.call_id) & (last.c.place == NOTE.c.place)))
        .subquery()
    )
    query = sa.select(
        start_of(DAY), CALL.c.path, CALL.c.outcome, CALL.c.reason, reached.c.kind, reached.c.target
    )
    joined = CALL.outerjoin(reached, reached.c.call_id == CALL.c.id)
    counts: Counter[tuple[Any, ...]] = Counter()
    for *way, kind, target in connection.execute(query.select_from(joined).where(IS_OVER)):
        counts[*way, kind or "", target or 0] += 1
    yield from ((*key, count) for key, count in counts.items())


def name_values(names: Sequence[str], rows: Any) -> Iterator[dict[str, Any]]:
    for day, *values, count in rows:
        key = blake2b("\0".join(map(str, values)).encode(), digest_size=16).hexdigest()
        yield {"day": day, "digest": key, "count": count} | dict(zip(names, values, strict=True))


def fill(connection: sa.Connection, table: sa.Table, rows: Iterator[dict[str, Any]]) -> None:
    values = list(rows)
    for start in range(0, len(values), BATCH):
        connection.execute(sa.insert(table), values[start : start + BATCH])


def downgrade() -> None:
    for name in ("journey_sum", "action_sum", "outcome_sum"):
        op.drop_table(name)
