"""Add calendars, business hours and holidays, the conditions of routes and menus, and the period of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NOWHERE = '{"dest": "", "prefix": "", "value": ""}'
COLUMNS = (
    ("inbound_route", "enb_time_condition", sa.Integer(), "0"),
    ("inbound_route", "time_condition", sa.Text(), "global"),
    ("inbound_route", "timezone_id", sa.Integer(), "0"),
    ("inbound_route", "office_time_dest", sa.JSON(), NOWHERE),
    ("inbound_route", "outoffice_time_dest", sa.JSON(), NOWHERE),
    ("inbound_route", "holiday_dest", sa.JSON(), NOWHERE),
    ("ivr", "enb_time_condition", sa.Integer(), "0"),
    ("ivr", "time_condition_scope", sa.Text(), "all_keys"),
    ("ivr", "timezone_id", sa.Integer(), "0"),
    ("call_record", "period", sa.Text(), ""),
)
KINDS = ("timezone", "businesshour", "holiday")


def text(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def number(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def upgrade() -> None:
    id_ = [sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False) for _ in KINDS]
    order = [sa.Column("name_order", ORDERED, nullable=False) for _ in range(2)]
    op.create_table("timezone", id_[0], *text("name", "timezone"), *number("is_default"), order[0])
    op.create_index("ix_timezone_name_order", "timezone", ["name_order", "id"])
    op.create_index("ix_timezone_name", "timezone", ["name"])
    op.create_index("ix_timezone_is_default", "timezone", ["is_default"])
    op.create_table(
        "businesshour",
        id_[1],
        *number("timezone_id", "time_condition_switch"),
        *text("days_of_week", "months", "days"),
        sa.Column("office_times", sa.JSON(), nullable=False),
        sa.Column("reset_times", sa.JSON(), nullable=False),
        *text("remark"),
        sa.Column("remark_order", ORDERED, nullable=False),
    )
    op.create_index("ix_businesshour_remark_order", "businesshour", ["remark_order", "id"])
    op.create_table(
        "holiday",
        id_[2],
        *number("timezone_id"),
        *text("name", "type", "month"),
        *number("how_week"),
        *text("weekday", "date", "time_period", "prompt"),
        order[1],
    )
    op.create_index("ix_holiday_name_order", "holiday", ["name_order", "id"])
    counter = sa.table("counter", sa.column("kind"), sa.column("last"))
    op.bulk_insert(counter, [{"kind": kind, "last": 0} for kind in KINDS])
    for table, name, type_, default in COLUMNS:
        op.add_column(table, sa.Column(name, type_, nullable=False, server_default=default))
        # SQLite cannot drop the default without a new table: making one would delete the notes of all calls.
        if op.get_context().dialect.name != "sqlite":
            op.alter_column(table, name, server_default=None)


def downgrade() -> None:
    for table, name, _, _ in reversed(COLUMNS):
        op.drop_column(table, name)
    counter = sa.table("counter", sa.column("kind"))
    op.execute(counter.delete().where(counter.c.kind.in_(KINDS)))
    for kind in reversed(KINDS):
        op.drop_table(kind)
