"""Add blocked numbers, allowed numbers and PIN lists."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
COLUMNS = {
    "block_numbers": (
        ("name", sa.Text()),
        ("limit_type", sa.Text()),
        ("number_list", sa.JSON()),
        ("def_dest", sa.JSON()),
    ),
    "allow_numbers": (("name", sa.Text()), ("limit_type", sa.Text()), ("number_list", sa.JSON())),
    "pin_list": (("name", sa.Text()), ("pin_list", sa.JSON()), ("enb_record_cdr", sa.Integer())),
}


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        op.create_table(
            table,
            sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
            *(sa.Column(name, type_, nullable=False) for name, type_ in columns),
            sa.Column("name_order", ORDERED, nullable=False),
            sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        )
        op.create_index(f"ix_{table}_name_order", table, ["name_order", "id"])
        op.create_index(f"ix_{table}_name", table, ["name"])
    counters = sa.table("counter", sa.column("kind"), sa.column("last"))
    op.bulk_insert(counters, [{"kind": table, "last": 0} for table in COLUMNS])


def downgrade() -> None:
    counters = sa.table("counter", sa.column("kind"))
    op.execute(sa.delete(counters).where(counters.c.kind.in_(list(COLUMNS))))
    for table in COLUMNS:
        op.drop_table(table)
