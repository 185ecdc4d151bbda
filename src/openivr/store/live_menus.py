"""The configuration as calls see it, for whoever asks now and then: the newest, and the last few."""

import asyncio

from openivr.menu.model import Snapshot
from openivr.store import configuration
from openivr.store.configuration import Known
from openivr.store.live import Live

KEPT = 4  # snapshots


class LiveMenus:
    """The newest snapshot, brought up to date when somebody asks for it and something has changed since.

    A few older ones are kept, for what was begun on them: a call never changes its snapshot.
    """

    def __init__(self, live: Live) -> None:
        self.live = live
        self.known: Known | None = None
        self.kept: dict[int, Snapshot] = {}  # by revision, oldest first
        self.lock = asyncio.Lock()

    async def current(self) -> Snapshot:
        """A snapshot of a state not older than this call."""
        revision = (await self.live.current()).config
        async with self.lock:
            if self.known is None or self.known.revision < revision:
                self.known = await self.live.database.read(configuration.advance, self.known)
                self.kept[self.known.revision] = self.known.configuration.snapshot
                for old in sorted(self.kept)[:-KEPT]:
                    del self.kept[old]
            return self.known.configuration.snapshot

    async def at(self, revision: int) -> Snapshot | None:
        """The snapshot of a revision, while it is kept."""
        if revision not in self.kept:
            await self.current()
        return self.kept.get(revision)
