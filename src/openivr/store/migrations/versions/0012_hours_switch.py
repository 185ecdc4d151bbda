"""Add the switch by hand of calendars."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_table(
        "hours_switch",
        sa.Column("timezone_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("hours_switch")
