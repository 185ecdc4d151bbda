"""Migrations and table descriptions give the same database."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from openivr.store import schema
from openivr.store.database import Database
from openivr.store.tables import METADATA


def test_migrations_make_the_tables(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_head_is_the_last_migration() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_current_head() == schema.HEAD


def test_migrating_twice_does_nothing(database: Database) -> None:
    schema.migrate(database)


def test_data_of_a_newer_release_is_left_alone(database: Database) -> None:
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(schema.NewerSchema, match="9999"):
        schema.migrate(database)


def test_a_new_database_is_its_owners_alone(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'openivr.db'}")
    schema.migrate(database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE revision SET auth = auth + 1")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    database.close()
    assert set(modes.values()) == {0o600}
    assert len(modes) > 1  # the write-ahead log beside it
