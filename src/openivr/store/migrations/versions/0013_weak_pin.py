"""Add whether the PIN of a mailbox is weak. Of stored PINs only the hash is known: they count as strong."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.add_column("extension", sa.Column("weak_pin", sa.Integer(), nullable=False, server_default="0"))
    if op.get_context().dialect.name != "sqlite":  # which cannot drop it without a new table
        op.alter_column("extension", "weak_pin", server_default=None)


def downgrade() -> None:
    op.drop_column("extension", "weak_pin")
