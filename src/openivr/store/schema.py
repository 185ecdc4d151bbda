"""Bring a database to the newest schema (Alembic, migrations/), and create an empty one."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event, inspect, text

from openivr.store.database import Database

HEAD = "0027"
MIGRATIONS = Path(__file__).parent / "migrations"


class UnknownSchema(Exception):
    """The database has a schema that this release does not know, or none of OpenIVR's."""


class NewerSchema(UnknownSchema):
    """The database was made by a newer release than this one."""


class BrokenReferences(Exception):
    """A migration would leave rows that refer to none. It is rolled back."""


def migrate(database: Database) -> None:
    """Apply the migrations that are missing. Cheap when there is none."""
    if database.is_sqlite:
        os.close(os.open(database.path, os.O_CREAT, 0o600))  # SQLite would let everybody read it
    with database.engine.connect() as connection:
        current = current_version(connection)
    if current == HEAD:
        return
    if current is not None and current > HEAD:
        raise NewerSchema(f"the data is at schema {current}, this release knows {HEAD}")
    if current is not None and not list((MIGRATIONS / "versions").glob(f"{current}_*.py")):
        raise UnknownSchema(f"the data is at schema {current}, which no release of OpenIVR has made")
    upgrade(database)


def has_data(database: Database) -> bool:
    """Return True if the database exists and has a schema of OpenIVR. Creates nothing."""
    if database.is_sqlite and not (database.path.exists() and database.path.stat().st_size):
        return False  # a connection would write to an empty file
    with database.engine.connect() as connection:
        return current_version(connection) is not None


def current_version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def upgrade(database: Database) -> None:
    from alembic import command  # slow to import, and needed once per release
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with without_foreign_keys(database), database.writing() as connection:
        config.attributes["connection"] = connection
        before = count_broken_references(connection)
        command.upgrade(config, "head")
        if count_broken_references(connection) - before:
            raise BrokenReferences("a migration has lost rows that others refer to")


@contextmanager
def without_foreign_keys(database: Database) -> Iterator[None]:
    """Let SQLite drop a table that it has copied: the rows that refer to it would be deleted as well."""

    def switch_off(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA foreign_keys=OFF")

    if not database.is_sqlite:
        yield
        return
    database.engine.dispose()  # connections that are open have them switched on
    event.listen(database.engine, "connect", switch_off)
    try:
        yield
    finally:
        event.remove(database.engine, "connect", switch_off)
        database.engine.dispose()


def count_broken_references(connection: Connection) -> Counter[tuple[str, str]]:
    """Count the rows of SQLite that refer to none, by their table and the one that they refer to."""
    if connection.dialect.name != "sqlite":
        return Counter()
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    return Counter((str(row[0]), str(row[2])) for row in rows)
