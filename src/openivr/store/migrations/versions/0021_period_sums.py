"""Sum the outcomes of calls by period of the office too, built from the calls, and index calls by it."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

QUARTER = 900_000
CALL = sa.table("call_record", *map(sa.column, ("started", "outcome", "period")))
OLD, NEW = ("quarter", "outcome"), ("quarter", "outcome", "period")
INDEX = ("period", "started", "id", "ended", "outcome")


def upgrade() -> None:
    started = sa.type_coerce(CALL.c.started, sa.BigInteger)
    quarter = (started - started % QUARTER).label("quarter")
    keys = (quarter, CALL.c.outcome, CALL.c.period)
    counted = sa.select(*keys, sa.func.count()).where(CALL.c.outcome != "").group_by(*keys)
    op.drop_table("outcome_sum")
    sums = make_table(NEW)
    op.execute(sa.insert(sums).from_select([*NEW, "count"], counted))
    op.create_index("ix_call_record_period", "call_record", list(INDEX))


def make_table(keys: tuple[str, ...]) -> sa.Table:
    return op.create_table(
        "outcome_sum",
        sa.Column("quarter", sa.BigInteger(), nullable=False, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in keys[1:]),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(*keys, name="pk_outcome_sum"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_index("ix_call_record_period", "call_record")
    before = sa.table("outcome_sum", *map(sa.column, ("quarter", "outcome", "count")))
    keys = (before.c.quarter, before.c.outcome)
    query = sa.select(*keys, sa.func.sum(before.c["count"]).label("count")).group_by(*keys)
    rows = [dict(row) for row in op.get_bind().execute(query).mappings()]
    op.drop_table("outcome_sum")
    op.bulk_insert(make_table(OLD), rows)
