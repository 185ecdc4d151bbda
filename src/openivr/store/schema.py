"""Bring a database to the newest schema (Alembic, migrations/), and create an empty one."""

import os
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from openivr.store.database import Database

HEAD = "0003"
MIGRATIONS = Path(__file__).parent / "migrations"


class UnknownSchema(Exception):
    """The database has a schema that this release does not know, or none of OpenIVR's."""


class NewerSchema(UnknownSchema):
    """The database was made by a newer release than this one."""


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
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
