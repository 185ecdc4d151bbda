"""Index routing stages by the number that was rung, and those that name a recording."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

RECORDED = sa.text("is_recorded = 1")
TABLE = "cdr_row"


def upgrade() -> None:
    op.create_index("ix_cdr_row_call_to", TABLE, ["call_to", "call_id"])
    for name, columns in (("id", ["id"]), ("started", ["started", "id"])):
        op.create_index(
            f"ix_cdr_row_recorded_{name}",
            TABLE,
            columns,
            sqlite_where=RECORDED,
            postgresql_where=RECORDED,
        )


def downgrade() -> None:
    for name in ("ix_cdr_row_recorded_started", "ix_cdr_row_recorded_id", "ix_cdr_row_call_to"):
        op.drop_index(name, TABLE)
