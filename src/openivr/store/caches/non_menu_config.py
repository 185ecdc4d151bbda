"""Everything but the menus: the people, groups, trunks, routes and prompts that menus refer to."""

from typing import NamedTuple

from sqlalchemy import Connection

from openivr.ivr.model import IvrSnapshot
from openivr.resources.contact import CONTACT_TYPES
from openivr.store.caches.change_feed import (
    ChangeFeed,
    RevisionCache,
    TooManyChanges,
    read_changes,
    read_revision,
)
from openivr.store.config import ivr_snapshot


class NonMenuSnapshot(NamedTuple):
    """A snapshot without menus, and the newest revision that it holds for."""

    revision: int
    config: IvrSnapshot


class NonMenuConfig(RevisionCache[NonMenuSnapshot]):
    """Keeps a snapshot without menus: changes of menus leave it as it is, any other loads it again."""

    def __init__(self, feed: ChangeFeed) -> None:
        super().__init__(feed, NonMenuSnapshot(-1, IvrSnapshot()))

    def follow(self, connection: Connection, old: NonMenuSnapshot) -> NonMenuSnapshot:
        revision = read_revision(connection)
        if revision == old.revision:
            return old
        if old.revision >= 0 and only_menus_changed(connection, old.revision):
            return old._replace(revision=revision)
        return NonMenuSnapshot(revision, ivr_snapshot.load_without_menus(connection))

    async def current(self) -> IvrSnapshot:
        """Return a snapshot without menus of a revision not older than this call."""
        return (await self.refresh()).config


def only_menus_changed(connection: Connection, since: int) -> bool:
    """Return True if the log says that after a revision only menus and contacts changed."""
    try:
        return {kind for kind, _ in read_changes(connection, since)} <= {"ivr", *CONTACT_TYPES}
    except TooManyChanges:
        return False
