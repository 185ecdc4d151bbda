"""Add the source of the caller ID and redirects of trunks, and the diverting number of calls."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COLUMNS = (
    ("trunk", "get_caller_id_from", sa.Text(), "pai"),
    ("trunk", "follow_redirects", sa.Integer(), "0"),
    ("call_record", "diverted_by", sa.Text(), ""),
)


def upgrade() -> None:
    for table, name, type_, default in COLUMNS:
        op.add_column(table, sa.Column(name, type_, nullable=False, server_default=default))
        # SQLite cannot drop the default without a new table: making one would delete the notes of all calls.
        if op.get_context().dialect.name != "sqlite":
            op.alter_column(table, name, server_default=None)


def downgrade() -> None:
    for table, name, _, _ in reversed(COLUMNS):
        op.drop_column(table, name)
