"""The configuration of the calls process, kept at the newest revision while it changes.

Changes are applied in a thread, because the event loop sends a packet every 20 ms and must not wait.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec
from sqlalchemy import Connection

from openivr.config.call_config import CallConfig
from openivr.ivr import model
from openivr.ivr.contact_names import NamedNumbers, index_contacts
from openivr.ivr.policy import reach
from openivr.store.caches.change_feed import ChangeFeed, RevisionCache
from openivr.store.caches.loaded_config import LoadedConfig, RowMappers, apply_changes
from openivr.store.caches.saved_state import SavedBinding, SavedConfig
from openivr.store.database import Database
from openivr.store.schema import HEAD

MAX_WARMED = 500  # dial policies worked out ahead for a new snapshot
ENCODE = msgspec.json.Encoder().encode
T = TypeVar("T")


class PreparedConfig(NamedTuple, Generic[T]):
    """A configuration, and what `prepare` made of it."""

    loaded: LoadedConfig
    prepared: T


def warm(new: model.IvrSnapshot, old: model.IvrSnapshot) -> None:
    """Compute for a new snapshot what calls asked of the old one, so that no call waits for it."""
    policies = [key for key in list(old.memo) if isinstance(key, model.DialPolicy)]
    for policy in policies[-MAX_WARMED:]:
        reach(new, policy)


class CallConfigCache(RevisionCache[PreparedConfig[T] | None]):
    """Keeps the configuration of calls.

    `prepare` makes what else is needed of each new one, in the thread. `on_change` is called with that and
    the names of the prompts that changed, on the event loop.
    """

    def __init__(
        self,
        database: Database,
        prepare: Callable[[CallConfig], T],
        on_change: Callable[[T, frozenset[str]], None],
    ) -> None:
        super().__init__(ChangeFeed(database), None)
        self.prepare, self.on_change = prepare, on_change

    @property
    def configuration(self) -> CallConfig:
        """The newest configuration that has been loaded."""
        if self.snapshot is None:
            raise RuntimeError("nothing has been loaded yet")
        return self.snapshot.loaded.configuration

    def cached(self) -> CallConfig | None:
        """Return the newest configuration, or None where the database has to be asked for it."""
        return self.configuration if self.is_fresh() else None

    async def current(self) -> CallConfig:
        """Return a configuration of a revision not older than this call."""
        await self.refresh()
        return self.configuration

    def follow(self, connection: Connection, old: PreparedConfig[T] | None) -> PreparedConfig[T]:
        loaded = apply_changes(connection, old.loaded if old else None, with_contacts=True)
        if old is not None and loaded is old.loaded:
            return old
        if old is not None:
            warm(loaded.configuration.snapshot, old.loaded.configuration.snapshot)
        loaded.configuration.account_of(0)  # fills the index of numbers
        return PreparedConfig(loaded, self.prepare(loaded.configuration))

    def on_new(self, snapshot: PreparedConfig[T] | None, old: PreparedConfig[T] | None) -> None:
        if snapshot is None:
            return
        changed = snapshot.loaded.changed_prompts
        if old is not None and snapshot.loaded.mappers is not old.loaded.mappers:  # nothing was compared
            changed = frozenset((*self.prompts_of(old), *self.prompts_of(snapshot)))
        self.on_change(snapshot.prepared, changed)

    @staticmethod
    def prompts_of(known: PreparedConfig[T]) -> Iterable[str]:
        return known.loaded.configuration.snapshot.prompts

    def start_from(self, saved: SavedConfig) -> None:
        """Start with the configuration kept on disk."""
        parts = (msgspec.json.decode(part, type=dict[int, NamedNumbers]) for part in saved.contacts)
        contacts = index_contacts({id_: row for part in parts for id_, row in part.items()})
        loaded = LoadedConfig(saved.revision, saved.rows, RowMappers(), contacts=contacts)
        loaded.configuration.account_of(0)
        self.restore(PreparedConfig(loaded, self.prepare(loaded.configuration)), saved.age)

    def to_save(self, bindings: Sequence[SavedBinding]) -> SavedConfig | None:
        """Return what a start without a database needs; None while it is not the newest that is known.

        May be called in a thread.
        """
        snapshot = self.snapshot
        if snapshot is None or self.age:
            return None
        loaded = snapshot.loaded
        return SavedConfig(
            saved=time.time(),
            schema=HEAD,
            revision=loaded.revision,
            rows=loaded.rows,
            bindings=bindings,
            contacts=[msgspec.Raw(ENCODE(shard)) for shard in loaded.contacts.contacts.shards if shard],
        )

    def close(self) -> None:
        """Close the feed."""
        self.feed.close()
