"""Add what extensions do with calls by their presence: forwarding, ring times and a mobile number.

New extensions send unanswered calls to their mailboxes. Those that exist go on to forward nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

STATUSES = ("available", "away", "business_trip", "do_not_disturb", "lunch", "off_work")
RULES = ("in_no_answer", "in_busy", "ex_no_answer", "ex_busy")
OFF = {status: dict.fromkeys(RULES) for status in STATUSES}
EXTENSION = sa.table("extension", sa.column("presence_list", sa.JSON()), sa.column("enb_vm", sa.Integer()))


def upgrade() -> None:
    column = sa.Column("presence_list", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("extension", column)
    # SQLite cannot drop the default without a new table: making one would delete what refers to this one.
    if op.get_context().dialect.name != "sqlite":
        op.alter_column("extension", "presence_list", server_default=None)
    op.execute(sa.update(EXTENSION).where(EXTENSION.c.enb_vm == 1).values(presence_list=OFF))


def downgrade() -> None:
    op.drop_column("extension", "presence_list")
