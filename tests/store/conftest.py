"""Every test that asks for `database` runs on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psycopg
import pytest

from openivr.store.database import Database
from openivr.store.schema import migrate
from tests import postgres

numbers = count(1)


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[str]:
    with postgres.running() as socket:
        database = create_postgres(socket, "template_openivr", "template1")
        migrate(database)
        database.close()
        yield socket


def create_postgres(socket: str, name: str, template: str) -> Database:
    with psycopg.connect(host=socket, user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    return Database(f"postgresql+psycopg://postgres@/{name}?host={socket}")


Opener = Callable[[], Database]


@pytest.fixture(params=["sqlite", "postgresql"])
def open_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Makes further empty databases of the same sort."""
    opened: list[Database] = []

    def open_one() -> Database:
        if request.param == "sqlite":
            database = Database(f"sqlite:///{tmp_path / f'{next(numbers)}.db'}")
            migrate(database)
        else:
            socket = request.getfixturevalue("postgres_socket")
            database = create_postgres(socket, f"test_{next(numbers)}", "template_openivr")
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Opener) -> Database:
    """An empty database."""
    return open_database()
