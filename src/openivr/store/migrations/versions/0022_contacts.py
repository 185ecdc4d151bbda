"""Add company contacts and phonebooks."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"

ORDERED = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
PHONEBOOK, CONTACT = KINDS = ("phonebook", "company_contact")
BEFORE = ("first_name", "last_name", "company", "email")
AFTER = ("zip_code", "street", "city", "state", "country")


def upgrade() -> None:
    op.create_table(
        PHONEBOOK,
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "member_select")),
        sa.Column("name_order", ORDERED, nullable=False),
    )
    op.create_index("ix_phonebook_name_order", PHONEBOOK, ["name_order", "id"])
    op.create_index("ix_phonebook_name", PHONEBOOK, ["name"])
    op.create_table(
        CONTACT,
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in BEFORE),
        sa.Column("phonebook_id_list", sa.JSON(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("number_list", sa.JSON(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in AFTER),
        *(sa.Column(name, ORDERED, nullable=False) for name in ("contact_name_order", "company_order")),
        sa.Column("search_text", sa.Text(), nullable=False),
    )
    for name in ("contact_name_order", "company_order"):
        op.create_index(f"ix_company_contact_{name}", CONTACT, [name, "id"])
    counter = sa.table("counter", sa.column("kind"), sa.column("last"))
    op.bulk_insert(counter, [{"kind": kind, "last": 0} for kind in KINDS])


def downgrade() -> None:
    counter = sa.table("counter", sa.column("kind"))
    op.execute(counter.delete().where(counter.c.kind.in_(KINDS)))
    for name in ("number", "reference", "change"):
        kind = {"number": "kind", "reference": "owner_kind", "change": "kind"}[name]
        table = sa.table(name, sa.column(kind))
        op.execute(table.delete().where(table.c[kind].in_(KINDS)))
    op.drop_table(CONTACT)
    op.drop_table(PHONEBOOK)
