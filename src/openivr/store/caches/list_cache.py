"""The lists that the API and the web admin show, kept at the newest revision."""

import ipaddress
import time
from collections.abc import Iterable, Iterator, Mapping

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from openivr.resources import KINDS, ResourceType
from openivr.resources.order import ListQuery
from openivr.store.caches.change_feed import ChangeFeed, RevisionCache, TooManyChanges
from openivr.store.caches.encoded_list import DECODE, SEPARATOR, EncodedList, key_of
from openivr.store.caches.list_snapshot import EMPTY, ListSnapshot, apply_changes
from openivr.store.caches.saved_state import SavedLists
from openivr.store.database import BUSY_MS, LOOP_BUSY_MS, Database
from openivr.store.schema import HEAD

FEW_CHANGES = 10  # taken over on the event loop


class ListCache(RevisionCache[ListSnapshot]):
    """Keeps the lists, the tokens and the allow list. Its `feed` serves the other caches of the process."""

    def __init__(self, database: Database, kinds: Mapping[str, ResourceType] = KINDS) -> None:
        super().__init__(ChangeFeed(database), EMPTY)
        self.database = database
        self.kinds = {name: kind for name, kind in kinds.items() if not kind.is_large}

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
        if version is None or self.age or self.generation != self.feed.generation:
            return False
        if not self.snapshot.lists:
            return False
        try:
            with self.database.reading() as connection:
                connection.exec_driver_sql(f"PRAGMA busy_timeout={LOOP_BUSY_MS}")
                try:
                    self.snapshot = apply_changes(connection, self.snapshot, self.kinds, FEW_CHANGES)
                finally:
                    connection.exec_driver_sql(f"PRAGMA busy_timeout={BUSY_MS}")
        except (TooManyChanges, SQLAlchemyError):
            return False
        self.seen = version
        return True

    def start_from(self, saved: SavedLists) -> None:
        """Start with the lists kept on disk."""
        lists = {name: rebuild(self.kinds[name], rows) for name, rows in saved.lists.items()}
        networks = tuple(map(ipaddress.ip_network, saved.networks))
        self.restore(ListSnapshot(saved.config, saved.auth, lists, saved.tokens, networks), saved.age)

    def to_save(self) -> SavedLists | None:
        """Return what a start without a database needs; None while it is not the newest that is known."""
        if self.snapshot is EMPTY or self.age:
            return None
        return SavedLists(
            saved=time.time(),
            schema=HEAD,
            config=self.snapshot.config,
            auth=self.snapshot.auth,
            lists={name: list(map(msgspec.Raw, rows_of(rows))) for name, rows in self.snapshot.lists.items()},
            tokens=self.snapshot.tokens,
            networks=list(map(str, self.snapshot.networks)),
        )

    def close(self) -> None:
        """Close the feed."""
        self.feed.close()


def rows_of(rows: EncodedList) -> list[bytes]:
    """Return every row of a list, by id."""
    text = SEPARATOR.join(rows.page(ListQuery(0, rows.total)))
    return text.split(SEPARATOR) if text else []


def rebuild(kind: ResourceType, rows: Iterable[msgspec.Raw]) -> EncodedList:
    """Make a list from its rows by id. Python sorts them as the database does."""
    encoded = {DECODE(bytes(row))["id"]: bytes(row) for row in rows}

    def ordered(sort: str) -> Iterator[int]:
        key = key_of(sort)
        return iter(sorted(encoded, key=lambda id_: key(DECODE(encoded[id_]))))

    return EncodedList.build(kind.sorts, encoded, ordered)
