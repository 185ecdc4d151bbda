"""Add the members that hold a call."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.add_column("call_record", sa.Column("holding", sa.Text(), nullable=False, server_default=""))
    # SQLite cannot drop the default without a new table: making one would delete the notes of all calls.
    if op.get_context().dialect.name != "sqlite":
        op.alter_column("call_record", "holding", server_default=None)


def downgrade() -> None:
    op.drop_column("call_record", "holding")
