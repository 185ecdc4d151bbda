"""Add the loudness of prompts, measured from what is stored, and whether the level of the file is kept.

The sound of stored prompts stays as it is.
"""

import sqlalchemy as sa
from alembic import op

from openivr.sounds.decode import measure_wav

revision = "0008"
down_revision = "0007"
PROMPT = sa.table("custom_prompt", sa.column("id"), sa.column("loudness"))
AUDIO = sa.table("prompt_audio", sa.column("prompt_id"), sa.column("telephone"))


def upgrade() -> None:
    loudness = sa.Column("loudness", sa.Integer(), nullable=False, server_default="-70")
    keep_level = sa.Column("keep_level", sa.Integer(), nullable=False, server_default="0")
    for column in (loudness, keep_level):
        op.add_column("custom_prompt", column)
        if op.get_context().dialect.name != "sqlite":  # which cannot drop it without a new table
            op.alter_column("custom_prompt", column.name, server_default=None)
    measure(op.get_bind())


def measure(connection: sa.Connection) -> None:
    """Measure one prompt after the other: a sound may be large."""
    for id_ in connection.execute(sa.select(AUDIO.c.prompt_id)).scalars().all():
        telephone = sa.select(AUDIO.c.telephone).where(AUDIO.c.prompt_id == id_)
        wav = bytes(connection.execute(telephone).scalar_one())
        known = PROMPT.update().where(PROMPT.c.id == id_).values(loudness=measure_wav(wav))
        connection.execute(known)


def downgrade() -> None:
    op.drop_column("custom_prompt", "keep_level")
    op.drop_column("custom_prompt", "loudness")
