"""Connections: one writer at a time, readers that each see one committed state.

SQLite by default (WAL, so readers never wait for the writer), PostgreSQL by URL. Every change of the
configuration begins by raising the revision, which also makes changes wait for one another on both databases.
No wait is without a limit: see `availability`.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar
from urllib.parse import quote

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, insert, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError, OperationalError, SQLAlchemyError

from openivr.store.availability import (
    Attempt,
    Availability,
    Unavailable,
    Watchdog,
    describe,
    is_unavailable,
)
from openivr.store.events import outbox
from openivr.store.events.outbox import EventReport
from openivr.store.tables import CHANGE, REVISION

P = ParamSpec("P")
T = TypeVar("T")

BUSY_MS = 10_000  # that a SQLite writer waits for another process
LOOP_BUSY_MS = 20  # the same for what reads on the event loop
CONNECT_SECONDS = 3
LOCK_SECONDS = 10
STATEMENT_SECONDS = 30
TRANSACTION_SECONDS = 60.0  # of a server's process; then its connection is cut
READ_SECONDS, WRITE_SECONDS = 15.0, 15.0  # that a caller waits, also for its turn
PROBE_SECONDS = 1.5  # the same while the database does not answer
COMMIT_SECONDS = 5.0  # that a caller waits for a commit that has begun
READERS = 4
KEPT_CHANGES = 100_000  # a reader further behind than this loads everything again


class ConfigTransaction:
    """A change under way: its connection, its revision, and the log of what it touches."""

    def __init__(self, connection: Connection, revision: int) -> None:
        self.connection, self.revision = connection, revision
        self._reports: list[EventReport] = []

    def log(self, kind: str, id_: int) -> None:
        """Note that an object was created, updated or deleted."""
        values = {"revision": self.revision, "kind": kind, "object_id": id_}
        self.connection.execute(insert(CHANGE).values(values))

    def report(self, report: EventReport) -> None:
        """Report the change to subscribers, once it is committed."""
        self._reports.append(report)

    def write_reports(self) -> None:
        """Write the reports: the last step of the transaction."""
        outbox.append(self.connection, self._reports)


class Database:
    """The database behind a URL such as sqlite:///data/openivr.db or postgresql+psycopg://host/name.

    `is_server` bounds statements and transactions as well. Commands for administrators may take their time.
    """

    def __init__(self, url: str, *, is_server: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database or "")
        """The file of a SQLite database."""
        self.engine = open_engine(url, self.is_sqlite, is_server)
        self.readers = ThreadPoolExecutor(READERS, "read")
        self.writer = ThreadPoolExecutor(1, "write")
        self.availability = Availability()
        has_watchdog = is_server and not self.is_sqlite
        self._watchdog = Watchdog(TRANSACTION_SECONDS) if has_watchdog else None

    def is_writable(self) -> bool:
        """Return False for a SQLite file that is gone or may not be written; PostgreSQL has to be asked."""
        return not self.is_sqlite or os.access(self.path, os.W_OK)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection that sees one committed state until it is closed."""
        with self.engine.connect() as connection, self._watched(connection):
            if self.is_sqlite:
                self._check_file(connection)
            else:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def writing(self, before_commit: Callable[[], None] = lambda: None) -> Iterator[Connection]:
        """Open a transaction that may write from its start."""
        options = {"openivr_writing": True}
        with self.engine.connect().execution_options(**options) as connection, self._watched(connection):
            if self.is_sqlite:
                self._check_file(connection)
            with connection.begin():
                yield connection
                before_commit()
            if self.is_sqlite:
                self._check_file(connection)  # what went into a file that is gone was not stored

    @contextmanager
    def _watched(self, connection: Connection) -> Iterator[None]:
        if self._watchdog is None:
            yield
            return
        self._watchdog.watch(connection)
        try:
            yield
        finally:
            self._watchdog.forget(connection)

    def _check_file(self, connection: Connection) -> None:
        """Raise OperationalError if the file of a connection was deleted or replaced, and let go of it."""
        known = connection.info.get("file")
        if known is not None and known != identify(self.path):
            connection.invalidate()
            reason = sqlite3.OperationalError(f"{self.path} was removed")
            raise OperationalError(None, None, reason, connection_invalidated=True)

    @contextmanager
    def changing(
        self,
        counter: Literal["config", "auth"] = "config",
        before_commit: Callable[[], None] = lambda: None,
    ) -> Iterator[ConfigTransaction]:
        """Begin the only change at a time, on all nodes. Commits at the end, rolls back on an exception."""
        with self.writing(before_commit) as connection:
            change = begin_change(connection, counter)
            yield change
            change.write_reports()

    async def read(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that reads, off the event loop. Raises Unavailable."""
        return await self._attempt(self.readers, READ_SECONDS, self._reader(function, *args, **kwargs))

    async def read_soon(
        self,
        seconds: float,
        function: Callable[Concatenate[Connection, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do the same within a short time; else the database is taken to be away."""
        work = self._reader(function, *args, **kwargs)
        return await self._attempt(self.readers, seconds, work, decides=True)

    def _reader(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Callable[[Attempt[T]], T]:
        def work(attempt: Attempt[T]) -> T:
            with self.reading() as attempt.connection:
                return function(attempt.connection, *args, **kwargs)

        return work

    async def run_in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something slow that needs no connection, off the event loop."""
        call = partial(function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self.readers, call)

    async def write(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that writes other data than configuration. Returns after the commit.


        Raises Unavailable, and then nothing was written unless the answer to the commit itself was lost.
        """

        def work(attempt: Attempt[T]) -> T:
            with self.writing(attempt.begin_commit) as attempt.connection:
                return function(attempt.connection, *args, **kwargs)

        return await self._attempt(self.writer, WRITE_SECONDS, work)

    async def change_config(
        self, function: Callable[Concatenate[ConfigTransaction, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that changes the configuration. Returns after the commit."""

        def work(attempt: Attempt[T]) -> T:
            with self.changing("config", attempt.begin_commit) as change:
                attempt.connection = change.connection
                return function(change, *args, **kwargs)

        return await self._attempt(self.writer, WRITE_SECONDS, work)

    async def change_auth(
        self, function: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a store function that changes clients, tokens or addresses. Returns after the commit."""

        def work(attempt: Attempt[T]) -> T:
            with self.changing("auth", attempt.begin_commit) as change:
                attempt.connection = change.connection
                return function(change.connection, *args, **kwargs)

        return await self._attempt(self.writer, WRITE_SECONDS, work)

    async def _attempt(
        self, pool: Executor, seconds: float, work: Callable[[Attempt[T]], T], *, decides: bool = False
    ) -> T:
        """Run a transaction in a thread and wait so long. With `decides` a wait in vain means: it is away."""
        if self.availability.is_down:  # this may be the attempt that finds out
            seconds, decides = min(seconds, PROBE_SECONDS), True
        self.availability.admit()
        attempt = Attempt(work)
        thread = pool.submit(attempt.run)
        future = asyncio.wrap_future(thread)
        future.add_done_callback(partial(self._note, decides))
        try:
            done, _ = await asyncio.wait((future,), timeout=seconds)
            if not done and not attempt.abandon():
                done, _ = await asyncio.wait((future,), timeout=COMMIT_SECONDS)
        except asyncio.CancelledError:
            thread.cancel()  # only what has not begun
            raise
        if not done:
            reason = f"no answer within {seconds:g} s"
            if decides:
                self.availability.fail(reason)
            raise Unavailable(reason)
        try:
            return future.result()
        except SQLAlchemyError as error:
            if is_unavailable(error):
                raise Unavailable(describe(error)) from error
            raise

    def _note(self, decides: bool, future: "asyncio.Future[Any]") -> None:
        """Note what an attempt says about the database."""
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or isinstance(error, Unavailable):
            self.availability.release()
        elif isinstance(error, SQLAlchemyError) and is_unavailable(error):
            if decides or is_connection_lost(error):
                self.availability.fail(describe(error))
            else:
                self.availability.release()
        else:
            self.availability.succeed()

    def close(self) -> None:
        """Finish what is under way and close every connection."""
        self.readers.shutdown()
        self.writer.shutdown()
        self.engine.dispose()
        if self._watchdog is not None:
            self._watchdog.close()


def identify(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None if there is no file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def is_connection_lost(error: SQLAlchemyError) -> bool:
    """Return True if an error says that the server is away, and not only slow or busy."""
    code = getattr(getattr(error, "orig", None), "sqlstate", "")
    if getattr(error, "connection_invalidated", False):
        return True
    # psycopg has no code where there was no server to give one; classes 53 and 57P are of a server in trouble
    return code is None or code.startswith(("08", "53", "57P"))


def begin_change(connection: Connection, counter: Literal["config", "auth"] = "config") -> ConfigTransaction:
    """Raise the revision in a transaction that may write already."""
    column = REVISION.c[counter]
    raised = update(REVISION).values({counter: column + 1}).returning(column)
    revision: int = connection.execute(raised).scalar_one()
    if revision % 1000 == 0:
        prune_changes(connection)
    return ConfigTransaction(connection, revision)


def open_engine(url: str, is_sqlite: bool, is_server: bool) -> Engine:
    options: dict[str, Any] = {
        "hide_parameters": True,  # of statements in errors, which are logged: passwords are among them
        "json_serializer": lambda value: msgspec.json.encode(value).decode(),
        "json_deserializer": msgspec.json.decode,
        "pool_size": READERS + 2,
        "pool_timeout": CONNECT_SECONDS,
    }
    if not is_sqlite:
        given = make_url(url).query  # has the last word
        limits = {name: value for name, value in postgresql_limits(is_server).items() if name not in given}
        return create_engine(url, connect_args=limits, **options)
    path = make_url(url).database or ""
    engine = create_engine(url, creator=partial(open_sqlite, path), **options)
    event.listen(engine, "connect", partial(prepare_sqlite, path))
    event.listen(engine, "checkout", partial(check_sqlite, path))
    event.listen(engine, "begin", begin_sqlite)
    return engine


def postgresql_limits(is_server: bool) -> dict[str, Any]:
    """Return what bounds the waits of a connection."""
    limits: dict[str, Any] = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 1000 * LOCK_SECONDS,
    }
    if is_server:
        settings = {
            "statement_timeout": STATEMENT_SECONDS,
            "lock_timeout": LOCK_SECONDS,
            "idle_in_transaction_session_timeout": TRANSACTION_SECONDS,
        }
        limits["options"] = " ".join(f"-c {name}={value * 1000:.0f}" for name, value in settings.items())
    return limits


def open_sqlite(path: str) -> sqlite3.Connection:
    """Open a file that exists: SQLite would make an empty one in the place of one that was removed."""
    return sqlite3.connect(
        f"file:{quote(path)}?mode=rw", timeout=BUSY_MS / 1000, uri=True, check_same_thread=False
    )


def prepare_sqlite(path: str, connection: Any, record: Any) -> None:
    record.info["file"] = identify(Path(path))
    connection.isolation_level = None  # BEGIN is ours: the driver's own starts too late for a reader
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def check_sqlite(path: str, _connection: Any, record: Any, _use: Any) -> None:
    """Close all connections that wait for use, if another file has taken the place of theirs."""
    if identify(Path(path)) not in (None, record.info["file"]):
        raise InvalidatePoolError


def begin_sqlite(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a read that turns into a write could be refused half way.
    writing = connection.get_execution_options().get("openivr_writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def prune_changes(connection: Connection) -> None:
    newest = connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM change").scalar_one()
    connection.execute(CHANGE.delete().where(CHANGE.c.id <= newest - KEPT_CHANGES))
