"""Bounded waits for the database, and what is known about whether it answers.

A wait ends in three ways: the database refuses it (timeouts of connects, locks and statements that are set
in `database`), the caller's own limit passes (`Attempt`), or the watchdog cuts the connection of a
transaction that runs too long, which also ends the wait for a server that was stopped or cut off.
"""

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

T = TypeVar("T")
RETRY_SECONDS = 1.0  # between two attempts while the database does not answer
OWN_FAULTS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)  # of a statement


class Unavailable(Exception):
    """The database does not answer, or not in time. What was to be changed is not changed."""


def is_schema_fault(error: DBAPIError) -> bool:
    """Return True if SQLite misses a table or a column: no waiting mends that."""
    return str(error.orig).startswith(("no such ", "table "))


def is_unavailable(error: BaseException) -> bool:
    """Return True for errors of the database itself, False for those of a statement or a program."""
    return isinstance(error, PoolTimeout) or (
        isinstance(error, DBAPIError) and not isinstance(error, OWN_FAULTS) and not is_schema_fault(error)
    )


def describe(error: SQLAlchemyError) -> str:
    """Return the database's own words for an error, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


class Availability:
    """Records if the database answers. While it does not, one attempt at a time is let through.

    All others are refused at once, so that no request waits for what the one before has waited for.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failed_at: float | None = None
        self._is_trying = False
        self.reason = ""
        """The last failure, while the database does not answer."""

    @property
    def is_down(self) -> bool:
        """True from a failure to the next success."""
        return self._failed_at is not None

    def admit(self) -> None:
        """Let an attempt begin. Raises Unavailable for all but one while the database does not answer."""
        with self._lock:
            if self._failed_at is None:
                return
            if self._is_trying or self._clock() < self._failed_at + RETRY_SECONDS:
                raise Unavailable(self.reason)
            self._is_trying = True

    def succeed(self) -> None:
        """Note an attempt that the database answered."""
        if self._failed_at is not None:
            with self._lock:
                self._failed_at, self._is_trying, self.reason = None, False, ""

    def release(self) -> None:
        """Note an attempt that says nothing about the database."""
        if self._failed_at is not None:
            with self._lock:
                self._is_trying = False

    def fail(self, reason: str) -> None:
        """Note an attempt that failed."""
        with self._lock:
            self._failed_at, self._is_trying, self.reason = self._clock(), False, reason


class Attempt(Generic[T]):
    """One transaction in a thread, for a caller that does not wait for ever.

    A caller that gives up can be sure that nothing is committed afterwards, unless the commit has begun.
    """

    def __init__(self, work: Callable[["Attempt[T]"], T]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._is_abandoned = self.is_committing = False
        self.connection: Connection | None = None

    def run(self) -> T:
        """Do the work, twice if its connection turns out to be dead before anything was committed."""
        try:
            return self._try()
        except DBAPIError as error:
            if not error.connection_invalidated or self.is_committing:
                raise
            return self._try()

    def _try(self) -> T:
        self.check()
        try:
            return self._work(self)
        finally:
            self.connection = None

    def check(self) -> None:
        """Raise Unavailable if the caller has given up."""
        if self._is_abandoned:
            raise Unavailable("not in time")

    def begin_commit(self) -> None:
        """Go on to the commit. Raises Unavailable if the caller has given up."""
        with self._lock:
            self.check()
            self.is_committing = True

    def abandon(self) -> bool:
        """Give up. Return False if the commit has begun, so that its result is worth waiting for."""
        with self._lock:
            if self.is_committing:
                return False
            self._is_abandoned = True
        connection = self.connection
        if connection is not None:
            cut(connection)
        return True


def cut(connection: Connection) -> None:
    """End a wait for PostgreSQL from another thread: the socket is shut down, so the wait fails at once."""
    with suppress(Exception):  # the connection may be closed by its own thread at this moment
        dbapi: Any = connection.connection.dbapi_connection
        descriptor = os.dup(dbapi.pgconn.socket)
        with socket.socket(fileno=descriptor) as channel:
            channel.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """Cuts the connections of transactions that run longer than `seconds`."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._running: dict[Connection, float] = {}
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, connection: Connection) -> None:
        """Start the limit of a transaction."""
        self._running[connection] = time.monotonic() + self.seconds
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="database watchdog", daemon=True)
            self._thread.start()

    def forget(self, connection: Connection) -> None:
        """End the limit of a transaction."""
        self._running.pop(connection, None)

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            now = time.monotonic()
            for connection, deadline in list(self._running.items()):
                if now > deadline:
                    cut(connection)

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
