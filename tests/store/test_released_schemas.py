"""Every schema that was released: its data are opened, migrated and compared, on both databases.

`tests/data/schemas/VERSION` has a database of each sort as a release left it; `make schema` writes today's.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, select
from sqlalchemy.exc import IntegrityError

from openivr.hours.calendar import PeriodKind
from openivr.resources import KINDS as RESOURCE_TYPES
from openivr.store import schema
from openivr.store.cdr import call_records, cdr_rows, report_sums
from openivr.store.cdr.call_records import CallFilter, CallRecord
from openivr.store.config import contacts, import_export, resources
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.store.tables import ACTION_SUM, CALL, CDR_CALL, CDR_ROW, JOURNEY_SUM, METADATA, OUTCOME_SUM
from tests.schema_data import SCHEMAS, load_dump
from tests.store.conftest import KINDS, Opener, opening

VERSIONS = sorted(path.name for path in SCHEMAS.iterdir() if path.is_dir())
OWN = "alembic_version"
SUMS = (OUTCOME_SUM, ACTION_SUM, JOURNEY_SUM)
RELEASE = re.compile(r"^## (\d\S*)(?: \(schema (\d+)\))?", re.MULTILINE)

Rows = dict[str, list[Any]]


@pytest.fixture(params=VERSIONS)
def old(request: pytest.FixtureRequest, open_unmade: Opener) -> tuple[str, Database]:
    """The data of a released schema, and its version."""
    database = open_unmade()
    load_dump(database, request.param)
    return request.param, database


def read_rows(connection: Connection, metadata: MetaData) -> Rows:
    """All rows of all tables in an order of their own, as values that both databases give alike."""
    return {
        table.name: sorted((list(map(plain, row)) for row in connection.execute(select(table))), key=repr)
        for table in metadata.sorted_tables
        if table.name != OWN
    }


def plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def call_count(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SELECT count(*) FROM call_record").scalar_one())


def count_rows(connection: Connection) -> dict[str, int]:
    """Rows by table, as the database itself says what tables there are."""
    found = MetaData()
    found.reflect(connection)
    return {name: len(rows) for name, rows in read_rows(connection, found).items()}


def test_yesterdays_data_take_contacts(old: tuple[str, Database]) -> None:
    _, database = old
    schema.migrate(database)
    numbers = [{"num_type": "mobile_number", "number": "+44 7700 900123"}]
    with database.changing() as change:
        book = contacts.create_phonebook(change, {"name": "Customers"})
        body = {"first_name": "Ada", "number_list": numbers, "phonebook_id_list": [book]}
        id_ = resources.create(change, RESOURCE_TYPES["company_contact"], body)
    with database.reading() as connection:
        assert contacts.load_names(connection) == {id_: ("Ada", ("+447700900123",))}
        assert contacts.fetch_phonebook(connection, book)["total"] == 1


def test_data_are_migrated_without_loss(old: tuple[str, Database]) -> None:
    version, database = old
    with database.reading() as connection:
        assert schema.current_version(connection) == version
        before = count_rows(connection)
    assert sum(before.values()) > 0
    schema.migrate(database)
    with database.reading() as connection:
        assert schema.current_version(connection) == schema.HEAD
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
        after = count_rows(connection)
    before["counter"] = len(RESOURCE_TYPES)  # a row for each type of resource
    assert {name: after.get(name) for name in before} == before


def test_this_release_reads_all_of_it(old: tuple[str, Database]) -> None:
    _, database = old
    schema.migrate(database)
    with database.reading() as connection:
        assert load_snapshot(connection).ivrs
        assert import_export.export(connection, with_audio=False)["ivr"]
        total, listed = call_records.list_calls(connection, CallFilter(), 0, 10_000)
        whole = call_records.load(connection, [record.id for record in listed])
        assert total == len(whole) > 0
        assert any(call_records.notes_of(connection, id_) for id_ in whole)


@pytest.mark.parametrize("version", VERSIONS)
def test_both_databases_are_the_same_afterwards(version: str, request: pytest.FixtureRequest) -> None:
    found = []
    for kind in KINDS:
        with opening(kind, request, is_made=False) as opener:
            database = opener()
            load_dump(database, version)
            schema.migrate(database)
            with database.reading() as connection:
                found.append(read_rows(connection, METADATA))
    sqlite, postgresql = found
    assert sqlite == postgresql


def test_each_release_names_its_schema_and_has_its_data() -> None:
    changes = (SCHEMAS.parents[2] / "CHANGELOG.md").read_text()
    assert [release for release, version in RELEASE.findall(changes) if version not in VERSIONS] == []


def test_a_migration_that_loses_referred_rows_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'openivr.db'}")
    load_dump(database, "0001")

    def lose_records(*_arguments: Any) -> None:
        connection: Connection = command_config.attributes["connection"]
        connection.exec_driver_sql("DELETE FROM call_record")

    command_config = Config()
    monkeypatch.setattr("alembic.config.Config", lambda: command_config)
    monkeypatch.setattr("alembic.command.upgrade", lose_records)
    with pytest.raises(schema.BrokenReferences):
        schema.migrate(database)
    with database.reading() as connection:
        assert call_count(connection) > 0
        with pytest.raises(IntegrityError):
            connection.exec_driver_sql("INSERT INTO call_menu VALUES ('none', 1, 1)")
    database.close()


def test_calls_of_before_have_the_rows_that_they_would_have_now(old: tuple[str, Database]) -> None:
    _, database = old
    schema.migrate(database)
    with database.writing() as connection:
        built = read_cdr_rows(connection)
        ended = [record for record in every_record(connection) if not record.is_live]
        assert len(built[1]) == len(ended) > 0
        assert {row.call_id for row in built[0]} == {record.id for record in ended}
        for table in (CDR_ROW, CDR_CALL):
            connection.execute(table.delete())
        cdr_rows.save_rows(connection, ended)
        assert read_cdr_rows(connection) == built


def test_calls_of_before_have_the_sums_that_they_would_have_now(old: tuple[str, Database]) -> None:
    _, database = old
    schema.migrate(database)
    with database.writing() as connection:
        built = read_sums(connection)
        assert all(built)
        for table in SUMS:
            connection.execute(table.delete())
        ids = [record.id for record in every_record(connection)]
        report_sums.add_sums(connection, report_sums.count_calls(connection, ids))
        assert read_sums(connection) == built


def test_sums_of_the_schema_before_periods_are_split_by_them(open_unmade: Opener) -> None:
    """No released dump has periods: calls get some at the schema that knew them, but did not sum by them."""
    database = open_unmade()
    load_dump(database, VERSIONS[0])
    upgrade_to(database, "0020")
    periods = ("", *PeriodKind)
    with database.writing() as connection:
        ids = connection.exec_driver_sql("SELECT id FROM call_record ORDER BY id").scalars().all()
        given = {id_: periods[place % len(periods)] for place, id_ in enumerate(ids)}
        for id_, period in given.items():
            connection.execute(CALL.update().where(CALL.c.id == id_).values(period=period))
    schema.migrate(database)
    expected: Counter[tuple[int, str, str]] = Counter()
    with database.reading() as connection:
        for record in every_record(connection):
            if record.outcome:
                key = record.started // report_sums.QUARTER * report_sums.QUARTER
                expected[key, record.outcome, given[record.id]] += 1
        sums = {tuple(row[:-1]): row[-1] for row in connection.execute(select(OUTCOME_SUM))}
    assert sums == expected
    assert {period for *_, period in sums} == set(periods)


def upgrade_to(database: Database, version: str) -> None:
    """Migrate to a schema of before."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    with schema.without_foreign_keys(database), database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def read_sums(connection: Connection) -> list[list[Any]]:
    return [sorted(connection.execute(select(table))) for table in SUMS]


def read_cdr_rows(connection: Connection) -> tuple[list[Any], list[Any]]:
    """The rows of call detail records without their ids, in the order of calls."""
    rows = select(*(column for column in CDR_ROW.c if column.name != "id"))
    calls = select(*(column for column in CDR_CALL.c if column.name != "id"))
    return sorted(connection.execute(rows), key=repr), sorted(connection.execute(calls), key=repr)


def every_record(connection: Connection) -> list[CallRecord]:
    _, listed = call_records.list_calls(connection, CallFilter(), 0, 10_000)
    return list(call_records.load(connection, [record.id for record in listed]).values())
