"""The configuration as calls see it, for the web admin: the newest, and the last few."""

from sqlalchemy import Connection

from openivr.ivr.model import IvrSnapshot
from openivr.store.caches.change_feed import ChangeFeed, RevisionCache
from openivr.store.caches.loaded_config import LoadedConfig, apply_changes

KEPT = 4  # snapshots


class MenuCache(RevisionCache[LoadedConfig | None]):
    """The newest configuration, and a few older ones for what was begun on them.

    A call never changes its snapshot, and a simulated call is no exception.
    """

    def __init__(self, feed: ChangeFeed) -> None:
        super().__init__(feed, None)
        self.kept: dict[int, IvrSnapshot] = {}  # by revision, oldest first

    def follow(self, connection: Connection, old: LoadedConfig | None) -> LoadedConfig:
        return apply_changes(connection, old)

    def on_new(self, snapshot: LoadedConfig | None, old: LoadedConfig | None) -> None:
        if snapshot is not None:
            self.kept[snapshot.revision] = snapshot.configuration.snapshot
        for revision in sorted(self.kept)[:-KEPT]:
            del self.kept[revision]

    async def current(self) -> IvrSnapshot:
        """Return a snapshot of a revision not older than this call."""
        loaded = await self.refresh()
        if loaded is None:
            raise RuntimeError("nothing has been loaded")
        return loaded.configuration.snapshot

    async def at(self, revision: int) -> IvrSnapshot | None:
        """Return the snapshot of a revision while it is kept, else None."""
        if revision not in self.kept:
            await self.refresh()
        return self.kept.get(revision)
