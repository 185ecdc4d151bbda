"""Store the PINs of PIN lists as Argon2id hashes, which share a salt in each list.

The parameters are written out, because stored hashes keep the form that they were made in.
"""

import os
from typing import Any

import sqlalchemy as sa
from alembic import op
from argon2.low_level import Type, hash_secret

revision = "0016"
down_revision = "0015"
TABLE = sa.table("pin_list", sa.column("id", sa.Integer()), sa.column("pin_list", sa.JSON()))


def upgrade() -> None:
    hash_all(op.get_bind())


def hash_all(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            "PRAGMA secure_delete = ON"
        )  # no plain PIN stays in a free part of the file
    rows = connection.execute(sa.select(TABLE.c.id, TABLE.c.pin_list)).all()
    for id_, pins in rows:
        salt = os.urandom(16)
        changed = TABLE.update().where(TABLE.c.id == id_)
        connection.execute(changed.values(pin_list=[hash_pin(pin, salt) for pin in pins]))


def hash_pin(row: dict[str, Any], salt: bytes) -> str:
    pin: str = row["pin"]
    return f"{len(pin)}:{hash_secret(pin.encode(), salt, 2, 19_456, 1, 32, Type.ID).decode()}"


def downgrade() -> None:
    """Empty the lists: PINs cannot be had from their hashes."""
    op.get_bind().execute(TABLE.update().values(pin_list=[]))
