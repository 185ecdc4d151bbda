"""Codes with parameters in the place of the sentences that an import left with a menu."""

import sqlalchemy as sa
from alembic import op

from openivr.ivr.former_words import remark_code

revision = "0005"
down_revision = "0004"

IVR = sa.table("ivr", sa.column("id"), sa.column("note"), sa.column("import_remarks", sa.JSON))
MAX_REMARKS, MAX_LINE = 500, 1000


def upgrade() -> None:
    op.add_column("ivr", sa.Column("import_remarks", sa.JSON(), nullable=False, server_default="[]"))
    if op.get_context().dialect.name != "sqlite":  # which cannot drop it without a new table
        op.alter_column("ivr", "import_remarks", server_default=None)
    connection = op.get_bind()
    for row in connection.execute(sa.select(IVR.c.id, IVR.c.note).where(IVR.c.note != "")).all():
        remarks = [remark_code(line[:MAX_LINE]) for line in row.note.splitlines() if line][:MAX_REMARKS]
        connection.execute(sa.update(IVR).where(IVR.c.id == row.id).values(import_remarks=remarks))
    op.drop_column("ivr", "note")
