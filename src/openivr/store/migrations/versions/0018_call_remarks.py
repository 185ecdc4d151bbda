"""Add the remarks that people make about calls."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "call_remark",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("update_entry", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_remark"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call_record.id"], name="fk_call_remark_call_id", ondelete="CASCADE"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_call_remark_call_id", "call_remark", ["call_id"])


def downgrade() -> None:
    op.drop_table("call_remark")
