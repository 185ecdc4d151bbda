"""Every test that asks for `database` runs on SQLite and on PostgreSQL."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from openivr.store.database import Database
from openivr.store.schema import migrate
from tests.postgres import TEMPLATE, create_database

numbers = count(1)


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
            database = Database(create_database(socket, f"test_{next(numbers)}", TEMPLATE))
        opened.append(database)
        return database

    yield open_one
    for database in opened:
        database.close()


@pytest.fixture
def database(open_database: Opener) -> Database:
    """An empty database."""
    return open_database()
