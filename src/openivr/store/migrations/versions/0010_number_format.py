"""Add how the network behind a trunk writes numbers. Stored trunks leave them as they are."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

COLUMNS = (("country_code", ""), ("national_prefix", "0"), ("outbound_number_format", "unchanged"))


def upgrade() -> None:
    for name, default in COLUMNS:
        op.add_column("trunk", sa.Column(name, sa.Text(), nullable=False, server_default=default))
        if op.get_context().dialect.name != "sqlite":  # which cannot drop it without a new table
            op.alter_column("trunk", name, server_default=None)


def downgrade() -> None:
    for name, _ in reversed(COLUMNS):
        op.drop_column("trunk", name)
