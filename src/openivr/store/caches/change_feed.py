"""The one place that notices new revisions and reads what changed: the caches only apply it.

Every commit raises a revision (`revision`) and logs the objects that it touched (`change`).
"""

import asyncio
import sqlite3
import time
from typing import Generic, TypeVar

import structlog
from sqlalchemy import Connection, func, select

from openivr.store.availability import Unavailable
from openivr.store.database import LOOP_BUSY_MS, Database, identify, open_sqlite
from openivr.store.tables import CHANGE, REVISION

log = structlog.get_logger(__name__)
REFRESH_SECONDS = 1.5  # for a revision to be read; then callers go on with the one that is known
GENERATION = 2**40  # more than any version of a file
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
    newest = select(REVISION.c.config).scalar_subquery()
    oldest, revision = connection.execute(select(func.min(CHANGE.c.revision), newest)).one()
    if revision < since:  # other data stand in the place of those that were read
        raise TooManyChanges
    newer = select(CHANGE.c.kind, CHANGE.c.object_id).where(CHANGE.c.revision > since)
    rows = connection.execute(newer.order_by(CHANGE.c.id).limit(limit + 1)).all()
    # A restore empties the log: what it does not reach back to may be anything.
    is_short = revision > since and (oldest is None or oldest > since + 1)
    if len(rows) > limit or is_short:
        raise TooManyChanges
    return list(dict.fromkeys((row.kind, row.object_id) for row in rows))


class ChangeFeed:
    """Notices commits of any process. The caches of one process share it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._watch: sqlite3.Cursor | None = None
        self._file = identify(database.path) if database.is_sqlite else None
        self.generation = 0  # of the file: another one has other data
        if database.is_sqlite:
            self._open()

    def _open(self) -> None:
        """Open a connection that only watches, because its own commits would not be counted."""
        self.close()
        connection = open_sqlite(str(self.database.path))
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={LOOP_BUSY_MS}")
        self._watch = connection.cursor()

    def version(self) -> int | None:
        """Return a number that differs after every commit, in microseconds and on the event loop.

        None where only a query can say: on PostgreSQL, because a notification there arrives after the commit
        that it announces, and on SQLite while the file is locked or gone.
        """
        if self._watch is None:
            return None
        try:
            version: int = self._watch.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            return None
        return self.generation * GENERATION + version

    def check_file(self) -> None:
        """Notice that a SQLite file was removed or replaced, which no version shows. Call it now and then."""
        file = identify(self.database.path) if self.database.is_sqlite else None
        if file == self._file:
            return
        self._file, self.generation = file, self.generation + 1
        self.close()
        if file is not None:
            self._open()

    def close(self) -> None:
        """Close the connection that watches."""
        if self._watch is not None:
            self._watch.connection.close()
            self._watch = None


class RevisionCache(Generic[S]):
    """A snapshot in memory that is brought to the newest revision when it is asked for.

    While the database does not answer, the last snapshot stands, and `age` says how old it is.
    """

    def __init__(self, feed: ChangeFeed, empty: S) -> None:
        self.feed, self.empty, self.snapshot = feed, empty, empty
        self.seen: int | None = None  # the feed's version that `snapshot` shows
        self.begun = self.done = 0  # refreshes
        self._lock = asyncio.Lock()
        self._is_restored, self.generation = False, feed.generation
        self._checked: float | None = None  # when `snapshot` was the newest; None: now, as far as is known
        self._looked = 0.0

    def follow(self, connection: Connection, old: S) -> S:
        """Return the snapshot that the connection sees, `old` itself if nothing changed. Runs in a thread."""
        raise NotImplementedError

    def on_new(self, snapshot: S, old: S) -> None:
        """Take note of another snapshot, on the event loop."""

    def is_fresh(self) -> bool:
        """Return True if nothing was committed since the last refresh; False where only a query can say."""
        version = self.feed.version()
        return version is not None and version == self.seen

    @property
    def age(self) -> float:
        """Seconds since the snapshot was known to be the newest; 0 while the database answers."""
        return 0.0 if self._checked is None else time.monotonic() - self._checked

    async def refresh(self) -> S:
        """Return a snapshot of a revision not older than this call, or the last one known.

        Raises Unavailable if there is none, because the database has not answered yet.
        """
        if not self.is_fresh():
            # A refresh that is running may have read before the commit that this caller knows of.
            wanted = self.begun + 1
            async with self._lock:
                if self.done < wanted:
                    await self._try_to_read()
        return self.snapshot

    async def _try_to_read(self) -> None:
        try:
            await self._read()
        except Unavailable as error:
            self.seen = None
            if self.snapshot is self.empty:
                raise
            if self._checked is None:
                self._checked = self._looked
                log.error(
                    "the database does not answer", reason=str(error), configuration_age=round(self.age)
                )
            return
        if self._checked is not None:
            log.warning("the database answers again", configuration_age=round(self.age))
            self._checked = None

    async def _read(self) -> None:
        self.begun += 1
        version, looked = (
            self.feed.version(),
            time.monotonic(),
        )  # before reading: see a commit in between again
        old = self.snapshot
        generation = self.feed.generation
        # What was kept on disk, or read from a file that was replaced, may be of other data.
        known = self.empty if self._is_restored or generation != self.generation else old
        self.snapshot = await self.feed.database.read_soon(REFRESH_SECONDS, self.follow, known)
        self.seen, self.done, self._looked, self._is_restored = version, self.begun, looked, False
        self.generation = generation
        if self.snapshot is not old:
            self.on_new(self.snapshot, old)

    def restore(self, snapshot: S, age: float) -> None:
        """Start with a snapshot that was kept on disk, because the database does not answer."""
        self.snapshot, self._is_restored, self._checked = snapshot, True, time.monotonic() - age
        log.warning("starting with the configuration kept on disk", configuration_age=round(age))
        self.on_new(snapshot, self.empty)
