"""Add the permission of extensions to switch business hours, and their PIN for it."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


COLUMNS = (("enb_switch_hours", sa.Integer(), "0"), ("hours_pin", sa.Text(), ""))


def upgrade() -> None:
    for name, type_, default in COLUMNS:
        op.add_column("extension", sa.Column(name, type_, nullable=False, server_default=default))
        # SQLite cannot drop the default without a new table: making one would delete what refers to this one.
        if op.get_context().dialect.name != "sqlite":
            op.alter_column("extension", name, server_default=None)


def downgrade() -> None:
    for name, _, _ in reversed(COLUMNS):
        op.drop_column("extension", name)
