"""Add announcements that are played until a stated time."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KIND = "announcement"


def upgrade() -> None:
    op.create_table(
        KIND,
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "prompt")),
        sa.Column("before_list", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("begin_time", "end_time")),
        sa.Column("timezone_id", sa.Integer(), nullable=False),
        sa.Column("name_order", ORDERED, nullable=False),
    )
    op.create_index("ix_announcement_name_order", KIND, ["name_order", "id"])
    op.create_index("ix_announcement_name", KIND, ["name"])
    counter = sa.table("counter", sa.column("kind"), sa.column("last"))
    op.bulk_insert(counter, [{"kind": KIND, "last": 0}])


def downgrade() -> None:
    counter = sa.table("counter", sa.column("kind"))
    op.execute(counter.delete().where(counter.c.kind == KIND))
    op.drop_table(KIND)
