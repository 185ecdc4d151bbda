"""Waits for commits of any process, which may have brought new events."""

import asyncio
import contextlib

from openivr.store.caches.change_feed import ChangeFeed
from openivr.store.database import Database
from openivr.store.events.notifications import Listener

LOOK_SECONDS = 0.005  # between two looks whether SQLite has a new commit
NUDGE_SECONDS = 1.0  # for a nudge of PostgreSQL, until the outbox is read without one


class CommitWatch:
    """Notices commits: SQLite shows them without a query, PostgreSQL sends a nudge, which can be lost."""

    def __init__(self, database: Database, feed: ChangeFeed) -> None:
        self._database, self._feed = database, feed
        self._nudge = asyncio.Event()
        self._seen: int | None = None
        self._listener: Listener | None = None

    async def wait(self, seconds: float = NUDGE_SECONDS, look: float = LOOK_SECONDS) -> bool:
        """Wait for a commit, at most so long. Return False if there was certainly none."""
        if not self._database.is_sqlite:
            await self._wait_for_nudge(seconds)
            return True
        waited, version = 0.0, self._feed.version()
        while version is not None and version == self._seen:
            if waited >= seconds:
                return False
            await asyncio.sleep(look)
            waited, version = waited + look, self._feed.version()
        self._seen = version
        if version is None:
            await asyncio.sleep(look)
        return True

    def forget(self) -> None:
        """Return from the next wait at once, because what was committed could not be read."""
        self._seen = None
        self._nudge.set()

    def close(self) -> None:
        """End the thread that listens, if there is one."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    async def _wait_for_nudge(self, seconds: float) -> None:
        if self._listener is None:
            loop = asyncio.get_running_loop()

            def nudge() -> None:
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._nudge.set)

            self._listener = Listener(self._database.engine, nudge)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._nudge.wait(), seconds)
        self._nudge.clear()
