"""Connections: one writer at a time, readers that each see one committed state.

SQLite by default (WAL, so readers never wait for the writer), PostgreSQL by URL. Every change of the
configuration begins by raising the revision, which also makes changes wait for one another on both databases.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, insert, update
from sqlalchemy.engine import make_url

from openivr.store.tables import CHANGE, REVISION

P = ParamSpec("P")
T = TypeVar("T")

BUSY_MS = 10_000  # how long a SQLite writer waits for another process before it gives up
READERS = 4
KEPT_CHANGES = 100_000  # a reader further behind than this loads everything again


class ConfigTransaction:
    """A change under way: its connection, its revision, and the log of what it touches."""

    def __init__(self, connection: Connection, revision: int) -> None:
        self.connection, self.revision = connection, revision

    def log(self, kind: str, id_: int) -> None:
        """Note that an object was created, updated or deleted."""
        values = {"revision": self.revision, "kind": kind, "object_id": id_}
        self.connection.execute(insert(CHANGE).values(values))


class Database:
    """The database behind a URL such as sqlite:///data/openivr.db or postgresql+psycopg://host/name."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = open_engine(url, self.is_sqlite)
        self.readers = ThreadPoolExecutor(READERS, "read")
        self.writer = ThreadPoolExecutor(1, "write")

    @property
    def path(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.database or "")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection that sees one committed state until it is closed."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that may write from its start."""
        options = {"openivr_writing": True}
        with self.engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    @contextmanager
    def changing(self, counter: Literal["config", "auth"] = "config") -> Iterator[ConfigTransaction]:
        """Begin the only change at a time, on all nodes. Commits at the end, rolls back on an exception."""
        with self.writing() as connection:
            yield begin_change(connection, counter)

    async def read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that reads, off the event loop."""

        def run() -> T:
            with self.reading() as connection:
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self.readers, run)

    async def run_in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something slow that needs no connection, off the event loop."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.readers, call)

    async def write(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that writes other data than configuration. Returns after the commit."""

        def run() -> T:
            with self.writing() as connection:
                return function(connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self.writer, run)

    async def change_config(
        self, function: Callable[Concatenate[ConfigTransaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that changes the configuration. Returns after the commit."""

        def run() -> T:
            with self.changing() as change:
                return function(change, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self.writer, run)

    async def change_auth(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that changes clients, tokens or addresses. Returns after the commit."""

        def run() -> T:
            with self.changing("auth") as change:
                return function(change.connection, *args, **kwargs)

        return await asyncio.get_running_loop().run_in_executor(self.writer, run)

    def close(self) -> None:
        """Finish what is under way and close every connection."""
        self.readers.shutdown()
        self.writer.shutdown()
        self.engine.dispose()


def begin_change(connection: Connection, counter: Literal["config", "auth"] = "config") -> ConfigTransaction:
    """Raise the revision in a transaction that may write already."""
    column = REVISION.c[counter]
    raised = update(REVISION).values({counter: column + 1}).returning(column)
    revision: int = connection.execute(raised).scalar_one()
    if revision % 1000 == 0:
        prune_changes(connection)
    return ConfigTransaction(connection, revision)


def open_engine(url: str, is_sqlite: bool) -> Engine:
    options: dict[str, Any] = {
        "hide_parameters": True,  # of statements in errors, which are logged: passwords are among them
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
    }
    if not is_sqlite:
        return create_engine(url, pool_size=READERS + 2, **options)
    engine = create_engine(url, pool_size=READERS + 2, connect_args={"timeout": BUSY_MS / 1000}, **options)
    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", begin_sqlite)
    return engine


def prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: the driver's own starts too late for a reader
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a read that turns into a write could be refused half way.
    writing = connection.get_execution_options().get("openivr_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def prune_changes(connection: Connection) -> None:
    newest = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM change").scalar_one()
    connection.execute(CHANGE.delete().where(CHANGE.c.id <= newest - KEPT_CHANGES))
