"""The configuration as calls see it, for whoever asks now and then: the newest, and the last few."""

import asyncio

from openivr.ivr.model import IvrSnapshot
from openivr.store.caches import call_config_cache
from openivr.store.caches.call_config_cache import LoadedConfig
from openivr.store.caches.list_cache import ListCache

KEPT = 4  # snapshots


class MenuCache:
    """The newest snapshot, brought up to date when somebody asks for it and something has changed since.

    A few older ones are kept, for what was begun on them: a call never changes its snapshot.
    """

    def __init__(self, live: ListCache) -> None:
        self.live = live
        self.known: LoadedConfig | None = None
        self.kept: dict[int, IvrSnapshot] = {}  # by revision, oldest first
        self.lock = asyncio.Lock()

    async def current(self) -> IvrSnapshot:
        """A snapshot of a state not older than this call."""
        revision = (await self.live.current()).config
        async with self.lock:
            if self.known is None or self.known.revision < revision:
                self.known = await self.live.database.read(call_config_cache.advance, self.known)
                self.kept[self.known.revision] = self.known.configuration.snapshot
                for old in sorted(self.kept)[:-KEPT]:
                    del self.kept[old]
            return self.known.configuration.snapshot

    async def at(self, revision: int) -> IvrSnapshot | None:
        """The snapshot of a revision, while it is kept."""
        if revision not in self.kept:
            await self.current()
        return self.kept.get(revision)
