"""Send mail about new voicemail messages: what an extension wants of it, and the queue of mail."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    for name in ("new_vm_notify", "after_vm_notify"):
        column = sa.Column(name, sa.Text(), nullable=False, server_default="no")
        op.add_column("extension", column)
        if op.get_context().dialect.name != "sqlite":  # SQLite needs a new table for that
            op.alter_column("extension", name, server_default=None)
    texts = (
        "message_id",
        "voicemail_id",
        "recipient",
        "subject",
        "body",
        "after",
        "state",
        "lease",
        "answer",
    )
    numbers = ("extension_id", "has_audio", "failures", "is_sending")
    times = ("created", "next_attempt", "lease_until")
    op.create_table(
        "mail",
        sa.Column("id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in numbers),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in times),
        *(sa.Column(name, sa.JSON(), nullable=False) for name in ("to_list", "cc_list")),
        sa.Column("ended", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_mail"),
    )
    op.create_index("ix_mail_voicemail_id", "mail", ["voicemail_id"])
    op.create_index("ix_mail_state", "mail", ["state", "next_attempt"])
    op.create_index("ix_mail_created", "mail", ["created", "id"])


def downgrade() -> None:
    op.drop_table("mail")
    for name in ("after_vm_notify", "new_vm_notify"):
        op.drop_column("extension", name)
