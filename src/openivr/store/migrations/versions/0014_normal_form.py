"""Write texts of the configuration in Unicode's NFC, as requests are read now.

Two prompts or groups whose names would become one keep theirs. Passwords and notes stay as they are.
"""

import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
TABLES = (
    *("custom_prompt", "extension", "ext_group", "ring_group", "trunk", "inbound_route", "outbound_route"),
    "ivr",
)
LEFT = {"password", "reg_password", "user_password", "vm_pin", "note"}


def upgrade() -> None:
    normalise(op.get_bind())


def normalise(connection: sa.Connection) -> None:
    present = set(sa.inspect(connection).get_table_names())
    tables = [sa.Table(name, sa.MetaData(), autoload_with=connection) for name in TABLES if name in present]
    kept = find_clashes(connection, tables)
    for table in tables:
        rewrite(connection, table, kept)


def find_clashes(connection: sa.Connection, tables: list[sa.Table]) -> set[str]:
    """Return the names that differ from another one of their table in nothing but their form."""
    clashes: set[str] = set()
    for table in tables:
        if "name" not in table.c:
            continue
        spellings: dict[str, set[str]] = {}
        for name in connection.execute(sa.select(table.c.name)).scalars():
            spellings.setdefault(unicodedata.normalize("NFC", name), set()).add(name)
        clashes.update(*(names for names in spellings.values() if len(names) > 1))
    return clashes


def rewrite(connection: sa.Connection, table: sa.Table, kept: set[str]) -> None:
    columns = [
        column
        for column in table.columns
        if column.name not in LEFT and isinstance(column.type, sa.Text | sa.String | sa.JSON)
    ]
    changes = []
    for row in connection.execute(sa.select(table.c.id, *columns)).mappings():
        new = {column.name: compose(row[column.name], kept) for column in columns}
        changed = {name: value for name, value in new.items() if value != row[name]}
        if changed:
            changes.append((row["id"], changed))
    for id_, changed in changes:
        connection.execute(table.update().where(table.c.id == id_).values(changed))


def compose(value: Any, kept: set[str]) -> Any:
    """Return a value with its texts in NFC, also those inside lists and objects."""
    match value:
        case str():
            parts = [
                part if part in kept else unicodedata.normalize("NFC", part) for part in value.split(",")
            ]
            return value if value in kept or value.isascii() else ",".join(parts)
        case list():
            return [compose(item, kept) for item in value]
        case dict():
            return {name: compose(item, kept) for name, item in value.items()}
    return value


def downgrade() -> None:
    """Leave the texts: they mean the same."""
