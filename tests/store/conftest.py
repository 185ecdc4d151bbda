"""Every test that asks for `database` runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from openivr.store.database import Database
from tests.live_server import prepared_data
from tests.postgres import DatabasePool, create_database, database_url

KINDS = ("sqlite", "postgresql")
numbers = count(1)

Opener = Callable[[], Database]


def open_sqlite(folder: Path, *, is_made: bool) -> Database:
    """A new database; unless it is made, it has no tables yet."""
    path = folder / f"{next(numbers)}.db"
    if is_made:
        shutil.copy(prepared_data(is_demo=False) / "openivr.db", path)
    return Database(f"sqlite:///{path}")


@contextmanager
def opening(kind: str, request: pytest.FixtureRequest, *, is_made: bool) -> Iterator[Opener]:
    """Opens databases of a sort, and closes them in the end."""
    opened: list[Database] = []
    pooled: list[tuple[DatabasePool, str]] = []

    def open_one() -> Database:
        if kind == "sqlite":
            database = open_sqlite(request.getfixturevalue("tmp_path"), is_made=is_made)
        elif is_made:
            pool: DatabasePool = request.getfixturevalue("postgres_pool")
            name = pool.take()
            pooled.append((pool, name))
            database = Database(database_url(pool.socket, name))
        else:
            socket = request.getfixturevalue("postgres_socket")
            database = Database(create_database(socket, f"test_{next(numbers)}"))
        opened.append(database)
        return database

    try:
        yield open_one
    finally:
        for database in opened:
            database.close()
        for pool, name in pooled:
            pool.give_back(name)


@pytest.fixture(params=KINDS)
def open_database(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Makes further empty databases of the same sort."""
    with opening(request.param, request, is_made=True) as opener:
        yield opener


@pytest.fixture(params=KINDS)
def open_unmade(request: pytest.FixtureRequest) -> Iterator[Opener]:
    """Makes databases without any table, of the same sort."""
    with opening(request.param, request, is_made=False) as opener:
        yield opener


@pytest.fixture
def database(open_database: Opener) -> Database:
    """An empty database."""
    return open_database()
