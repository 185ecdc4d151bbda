"""The limit that a note's detail is about, which was a number within a text."""

import sqlalchemy as sa
from alembic import op

from openivr.ivr.former_words import LIMITS

revision = "0006"
down_revision = "0005"

NOTE = sa.table("call_note", *map(sa.column, ("topic", "detail", "detail_limit")))


def upgrade() -> None:
    op.add_column("call_note", sa.Column("detail_limit", sa.Integer(), nullable=False, server_default="0"))
    if op.get_context().dialect.name != "sqlite":  # which cannot drop it without a new table
        op.alter_column("call_note", "detail_limit", server_default=None)
    for (topic, detail), limit in LIMITS.items():
        noted = (NOTE.c.topic == topic) & (NOTE.c.detail == detail)
        op.get_bind().execute(sa.update(NOTE).where(noted).values(detail_limit=limit))
