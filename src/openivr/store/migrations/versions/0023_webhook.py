"""Add webhooks, how far each is, and the events that one has not got at once."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
KIND = "webhook"


def upgrade() -> None:
    op.create_table(
        KIND,
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("enable", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("url", "secret", "request_method")),
        sa.Column("event_ids", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("timeout", "retry_count")),
        sa.Column("name_order", ORDERED, nullable=False),
    )
    op.create_index("ix_webhook_name_order", KIND, ["name_order", "id"])
    op.create_index("ix_webhook_name", KIND, ["name"])
    counter = sa.table("counter", sa.column("kind"), sa.column("last"))
    op.bulk_insert(counter, [{"kind": KIND, "last": 0}])
    op.create_table(
        "webhook_state",
        sa.Column("webhook_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("lease_until", "missed")),
        *(sa.Column(name, sa.BigInteger()) for name in ("delivered_at", "failed_at")),
        sa.Column("failure", sa.Text(), nullable=False),
        point_to_webhook("webhook_state"),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("call_id", "message")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("since", "due")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("attempts", "is_dead")),
        sa.Column("failure", sa.Text(), nullable=False),
        point_to_webhook("webhook_delivery"),
        sqlite_autoincrement=True,
    )
    queue = ["webhook_id", "is_dead", "event_id"]
    op.create_index("ix_webhook_delivery_queue", "webhook_delivery", queue)


def point_to_webhook(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["webhook_id"], ["webhook.id"], name=f"fk_{table}_webhook_id", ondelete="CASCADE"
    )


def downgrade() -> None:
    op.drop_table("webhook_delivery")
    op.drop_table("webhook_state")
    counter = sa.table("counter", sa.column("kind"))
    op.execute(counter.delete().where(counter.c.kind == KIND))
    op.drop_table(KIND)
