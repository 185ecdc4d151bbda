"""Add the limit of wrong entries to menus. Stored menus have none."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("ivr", sa.Column("max_invalid", sa.Integer(), nullable=False, server_default="0"))
    if op.get_context().dialect.name != "sqlite":  # which cannot drop it without a new table
        op.alter_column("ivr", "max_invalid", server_default=None)


def downgrade() -> None:
    op.drop_column("ivr", "max_invalid")
