"""The newest snapshot, always: no answer is older than the request it answers."""

import asyncio
import sqlite3
from collections.abc import Mapping

from openivr.resources import KINDS, ResourceType
from openivr.store.caches.list_snapshot import EMPTY, ListSnapshot, TooManyChanges, advance
from openivr.store.database import Database

FEW_STEPS = 10  # changes that are taken over on the event loop


class ListCache:
    """Keeps the snapshot at the database's newest revision.

    On SQLite `is_current` tells in microseconds, on the event loop, whether any process has committed
    anything since (PRAGMA data_version). PostgreSQL has no such sign, and a notification arrives after the
    commit that it tells of; there the revision is read anew, one query for all requests that wait together.
    """

    def __init__(self, database: Database, kinds: Mapping[str, ResourceType] = KINDS) -> None:
        self.database, self.kinds = database, kinds
        self.snapshot: ListSnapshot = EMPTY
        self.watch = open_watch(database)
        self.seen = -1  # the data_version of `snapshot`
        self.begun = self.done = 0  # refreshes
        self.lock = asyncio.Lock()

    def is_current(self) -> bool:
        """Whether the snapshot is the newest state; where that cannot be told cheaply, False."""
        return self.watch is not None and self.data_version() == self.seen

    def data_version(self) -> int:
        if self.watch is None:
            return 0
        version: int = self.watch.execute("PRAGMA data_version").fetchone()[0]
        return version

    async def current(self) -> ListSnapshot:
        """A snapshot of a state not older than this call."""
        if self.is_current() or self.step():
            return self.snapshot
        # A refresh under way may have read before the change that this caller knows of: take the next one.
        wanted = self.begun + 1
        async with self.lock:
            if self.done < wanted:
                await self.refresh()
        return self.snapshot

    def step(self) -> bool:
        """Take a small change over at once, if that is all there is.

        On the event loop, where it takes two milliseconds at any size: a thread would take many times as
        long, for it has to wrest the interpreter from a busy loop again and again.
        """
        version = self.data_version()
        if self.watch is None or not self.snapshot.lists:
            return False
        try:
            with self.database.reading() as connection:
                self.snapshot = advance(connection, self.snapshot, self.kinds, FEW_STEPS)
        except TooManyChanges:
            return False
        self.seen = version
        return True

    async def refresh(self) -> None:
        self.begun += 1
        version = self.data_version()  # before reading: a commit in between is then noticed again
        self.snapshot = await self.database.read(advance, self.snapshot, self.kinds)
        self.seen, self.done = version, self.begun

    def close(self) -> None:
        if self.watch is not None:
            self.watch.connection.close()


def open_watch(database: Database) -> sqlite3.Cursor | None:
    """A connection that does nothing but ask for the data_version, on the event loop's thread."""
    if not database.is_sqlite:
        return None
    return sqlite3.connect(database.path, isolation_level=None).cursor()
