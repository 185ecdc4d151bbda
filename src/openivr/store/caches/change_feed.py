"""The one place that notices new revisions and reads what changed: the caches only apply it.

Every commit raises a revision (`revision`) and logs the objects that it touched (`change`).
"""

import asyncio
import sqlite3
from typing import Generic, TypeVar

from sqlalchemy import Connection, func, select

from openivr.store.database import Database
from openivr.store.tables import CHANGE, REVISION

MAX_CHANGES = 2_000  # applied one by one; loading everything is cheaper than more
S = TypeVar("S")


class TooManyChanges(Exception):
    """The log has more changes than may be applied, or no longer reaches back to the revision asked for."""


def read_revision(connection: Connection) -> int:
    """Return the newest revision of the configuration."""
    revision: int = connection.execute(select(REVISION.c.config)).scalar_one()
    return revision


def read_changes(connection: Connection, since: int, limit: int | None = None) -> list[tuple[str, int]]:
    """List the objects that changed after a revision as (kind, id), each once, oldest change first.

    Raises TooManyChanges for more than `limit` log entries (MAX_CHANGES without a limit).
    """
    limit = MAX_CHANGES if limit is None else limit
    oldest = connection.execute(select(func.min(CHANGE.c.revision))).scalar()
    newer = select(CHANGE.c.kind, CHANGE.c.object_id).where(CHANGE.c.revision > since)
    rows = connection.execute(newer.order_by(CHANGE.c.id).limit(limit + 1)).all()
    if len(rows) > limit or (oldest or 0) > since + 1:
        raise TooManyChanges
    return list(dict.fromkeys((row.kind, row.object_id) for row in rows))


class ChangeFeed:
    """Notices commits of any process. The caches of one process share it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._watch: sqlite3.Cursor | None = None
        if database.is_sqlite:  # a connection of its own: its own commits would not be counted
            self._watch = sqlite3.connect(database.path, isolation_level=None).cursor()

    def version(self) -> int | None:
        """Return a number that differs after every commit, in microseconds and on the event loop.

        None on PostgreSQL: a notification there arrives after the commit that it announces, so each reader
        has to ask for the revision.
        """
        if self._watch is None:
            return None
        version: int = self._watch.execute("PRAGMA data_version").fetchone()[0]
        return version

    def close(self) -> None:
        """Close the connection that watches."""
        if self._watch is not None:
            self._watch.connection.close()


class RevisionCache(Generic[S]):
    """A snapshot in memory that is brought to the newest revision when it is asked for."""

    def __init__(self, feed: ChangeFeed, snapshot: S) -> None:
        self.feed, self.snapshot = feed, snapshot
        self.seen: int | None = None  # the feed's version that `snapshot` shows
        self.begun = self.done = 0  # refreshes
        self._lock = asyncio.Lock()

    def follow(self, connection: Connection, old: S) -> S:
        """Return the snapshot that the connection sees, `old` itself if nothing changed. Runs in a thread."""
        raise NotImplementedError

    def on_new(self, snapshot: S) -> None:
        """Take note of another snapshot, on the event loop."""

    def is_fresh(self) -> bool:
        """Return True if nothing was committed since the last refresh; False where only a query can say."""
        version = self.feed.version()
        return version is not None and version == self.seen

    async def refresh(self) -> S:
        """Return a snapshot of a revision not older than this call."""
        if not self.is_fresh():
            # A refresh that is running may have read before the commit that this caller knows of.
            wanted = self.begun + 1
            async with self._lock:
                if self.done < wanted:
                    await self._read()
        return self.snapshot

    async def _read(self) -> None:
        self.begun += 1
        version = self.feed.version()  # before reading: a commit in between is then noticed again
        old = self.snapshot
        self.snapshot = await self.feed.database.read(self.follow, old)
        self.seen, self.done = version, self.begun
        if self.snapshot is not old:
            self.on_new(self.snapshot)
