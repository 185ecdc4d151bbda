"""The lists that the API and the web admin show, kept at the newest revision."""

from collections.abc import Mapping

from sqlalchemy import Connection

from openivr.resources import KINDS, ResourceType
from openivr.store.caches.change_feed import ChangeFeed, RevisionCache, TooManyChanges
from openivr.store.caches.list_snapshot import EMPTY, ListSnapshot, apply_changes
from openivr.store.database import Database

FEW_CHANGES = 10  # taken over on the event loop


class ListCache(RevisionCache[ListSnapshot]):
    """Keeps the lists, the tokens and the allow list. Its `feed` serves the other caches of the process."""

    def __init__(self, database: Database, kinds: Mapping[str, ResourceType] = KINDS) -> None:
        super().__init__(ChangeFeed(database), EMPTY)
        self.database, self.kinds = database, kinds

    def follow(self, connection: Connection, old: ListSnapshot) -> ListSnapshot:
        return apply_changes(connection, old, self.kinds)

    async def current(self) -> ListSnapshot:
        """Return a snapshot of a revision not older than this call."""
        if self.is_fresh() or self.apply_few_changes():
            return self.snapshot
        return await self.refresh()

    def apply_few_changes(self) -> bool:
        """Apply the changes on the event loop if they are few. Return True if the snapshot is now the newest.

        That takes two milliseconds at any size. A thread would take many times as long, because it has to
        wrest the interpreter from a busy loop again and again.
        """
        version = self.feed.version()
        if version is None or not self.snapshot.lists:
            return False
        try:
            with self.database.reading() as connection:
                self.snapshot = apply_changes(connection, self.snapshot, self.kinds, FEW_CHANGES)
        except TooManyChanges:
            return False
        self.seen = version
        return True

    def close(self) -> None:
        """Close the feed."""
        self.feed.close()
