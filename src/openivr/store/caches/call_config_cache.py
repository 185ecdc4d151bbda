"""The configuration as calls see it, kept at the newest revision while it changes.

A change is read from the log of changes and applied to what is known, so that its cost follows the change;
all of it happens in a thread, for the loop that sends a packet every 20 ms must not wait.
"""

import asyncio
from collections.abc import Callable, Container, Iterable, Mapping
from itertools import starmap
from typing import Generic, TypeVar

from sqlalchemy import Connection, func, select

from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr import model
from openivr.ivr.policy import reach
from openivr.resources import KINDS
from openivr.resources.resource_type import Values
from openivr.store.caches.list_cache import open_watch
from openivr.store.config import ivr_snapshot
from openivr.store.config.resources import as_values
from openivr.store.database import Database
from openivr.store.tables import CHANGE, OBJECTS, REVISION

MAX_STEPS = 2_000  # changes applied one by one; more are cheaper to load anew
MAX_WARMED = 500  # dial policies worked out ahead for a new snapshot
Rows = dict[int, Values]
T = TypeVar("T")


class RowMapper(Generic[T]):
    """Makes a value of each row, and of a row that has not changed gives again what it made before."""

    def __init__(self, make: Callable[[int, Values], T]) -> None:
        self._make = make
        self._made: dict[int, tuple[Values, T]] = {}

    def __call__(self, id_: int, values: Values) -> T:
        known = self._made.get(id_)
        if known is None or known[0] is not values:
            known = self._made[id_] = (values, self._make(id_, values))
        return known[1]

    def forget_others(self, ids: Container[int]) -> None:
        """Keep only what is still there."""
        for id_ in [id_ for id_ in self._made if id_ not in ids]:
            del self._made[id_]


class RowMappers:
    """Of the kinds that there are many of."""

    def __init__(self) -> None:
        self.ivr, self.extension, self.account = (
            RowMapper(ivr_snapshot.ivr),
            RowMapper(ivr_snapshot.extension),
            RowMapper(account_of),
        )


class LoadedConfig:
    """The rows of every kind at one revision, and the configuration that they make."""

    def __init__(
        self,
        revision: int,
        rows: Mapping[str, Rows],
        makers: RowMappers,
        changed_prompts: frozenset[str] = frozenset(),
    ) -> None:
        self.revision, self.rows, self.makers = revision, rows, makers
        self.changed_prompts = changed_prompts
        self.configuration = build(revision, rows, makers)


def revision_of(connection: Connection) -> int:
    revision: int = connection.execute(select(REVISION.c.config)).scalar_one()
    return revision


def load(connection: Connection) -> LoadedConfig:
    """Everything, from the database."""
    return LoadedConfig(
        revision_of(connection), {name: fetch(connection, name) for name in KINDS}, RowMappers()
    )


def fetch(connection: Connection, kind: str, ids: Iterable[int] | None = None) -> Rows:
    """The rows of a kind, or those of them with these ids."""
    table = OBJECTS[kind]
    query = select(table).order_by(table.c.id)
    if ids is not None:
        query = query.where(table.c.id.in_(list(ids)))
    return {row.id: as_values(KINDS[kind], row) for row in connection.execute(query)}


def advance(connection: Connection, old: LoadedConfig | None) -> LoadedConfig:
    """The state that the connection sees; `old` itself if nothing has changed."""
    revision = revision_of(connection)
    if old is None:
        return load(connection)
    if revision == old.revision:
        return old
    newer = select(CHANGE.c.kind, CHANGE.c.object_id).where(CHANGE.c.revision > old.revision)
    changed = connection.execute(newer.limit(MAX_STEPS + 1)).all()
    oldest = connection.execute(select(func.min(CHANGE.c.revision))).scalar()
    if len(changed) > MAX_STEPS or (oldest or 0) > old.revision + 1:
        loaded = load(connection)
        loaded.changed_prompts = prompts_in(set(old.rows["custom_prompt"]), old.rows, loaded.rows)
        return loaded
    rows = {name: known.copy() for name, known in old.rows.items()}
    touched = {row.object_id for row in changed if row.kind == "custom_prompt"}
    for kind in {row.kind for row in changed}:
        ids = {row.object_id for row in changed if row.kind == kind}
        for id_ in ids:
            rows[kind].pop(id_, None)
        rows[kind].update(fetch(connection, kind, ids))
    for maker, kind in ((old.makers.ivr, "ivr"), (old.makers.extension, "extension")):
        maker.forget_others(rows[kind])
    return LoadedConfig(revision, rows, old.makers, prompts_in(touched, old.rows, rows))


def prompts_in(ids: set[int], *known: Mapping[str, Rows]) -> frozenset[str]:
    """The names of these prompts, before and after a change."""
    kinds = (rows["custom_prompt"] for rows in known)
    return frozenset(kind[id_]["name"] for kind in kinds for id_ in ids & kind.keys())


def build(revision: int, rows: Mapping[str, Rows], makers: RowMappers) -> CallConfig:
    """Make the configuration of rows."""
    groups = {
        id_: ivr_snapshot.link_ids(values["member_list"], "extension")
        for id_, values in rows["ext_group"].items()
    }
    kinds = {name: kind.items() for name, kind in rows.items()}
    snapshot = ivr_snapshot.make_snapshot(revision, kinds, (makers.ivr, makers.extension))
    return CallConfig(
        snapshot=snapshot,
        accounts={account.user: account for account in starmap(makers.account, kinds["extension"])},
        trunks={trunk.id: trunk for trunk in starmap(trunk_of, kinds["trunk"])},
        outside={
            id_: frozenset(ivr_snapshot.members(values["ext_list"], groups))
            for id_, values in rows["outbound_route"].items()
        },
    )


def account_of(id_: int, values: Values) -> SipAccount:
    return SipAccount(
        extension=id_,
        number=values["number"],
        name=f"{values['first_name']} {values['last_name']}".strip(),
        user=values["reg_name"],
        secret=values["reg_password"],
        contacts=values["concurrent_registrations"],
        caller_id=values["caller_id"],
    )


def trunk_of(id_: int, values: Values) -> TrunkAccount:
    names = (
        "name",
        "transport",
        "hostname",
        "port",
        "domain",
        "username",
        "auth_name",
        "password",
        "max_calls",
    )
    return TrunkAccount(
        id=id_,
        kind=values["type"],
        enabled=bool(values["enable"]),
        caller_id=values["def_outbound_cid"],
        **{name: values[name] for name in names},
    )


def warm(new: model.IvrSnapshot, old: model.IvrSnapshot) -> None:
    """Work out for a new snapshot what calls have asked the old one about, before they wait for it."""
    policies = [key for key in list(old.memo) if isinstance(key, model.DialPolicy)]
    for policy in policies[-MAX_WARMED:]:
        reach(new, policy)


class CallConfigCache(Generic[T]):
    """Keeps a configuration at the newest revision.

    `prepare` makes of each new one, in the thread, what else is needed; `on_change` is called with that, on
    the loop, and with the names of the prompts that have changed.
    """

    def __init__(
        self,
        database: Database,
        prepare: Callable[[CallConfig], T],
        on_change: Callable[[T, frozenset[str]], None],
    ) -> None:
        self.database, self.prepare, self.on_change = database, prepare, on_change
        self._known: LoadedConfig | None = None
        self._watch = open_watch(database)
        self._seen = -1
        self._lock = asyncio.Lock()

    @property
    def configuration(self) -> CallConfig:
        """The newest that is known."""
        if self._known is None:
            raise RuntimeError("nothing has been loaded yet")
        return self._known.configuration

    def is_current(self) -> bool:
        """Whether nothing was committed since the last look; where that cannot be told, False."""
        return self._watch is not None and self._version() == self._seen

    def _version(self) -> int:
        if self._watch is None:
            return -1
        version: int = self._watch.execute("PRAGMA data_version").fetchone()[0]
        return version

    def at_hand(self) -> CallConfig | None:
        """The newest configuration, if it is known without asking the database for it."""
        return self.configuration if self.is_current() else None

    async def current(self) -> CallConfig:
        """A configuration not older than this call."""
        if not self.is_current():
            async with self._lock:
                await self._refresh()
        return self.configuration

    async def _refresh(self) -> None:
        version = self._version()
        old = self._known
        known, prepared = await self.database.read(self._advance, old)
        self._known, self._seen = known, version
        if prepared is not None:
            self.on_change(prepared, known.changed_prompts)

    def _advance(self, connection: Connection, old: LoadedConfig | None) -> tuple[LoadedConfig, T | None]:
        known = advance(connection, old)
        if known is old:
            return known, None
        if old is not None:
            warm(known.configuration.snapshot, old.configuration.snapshot)
        known.configuration.account_of(0)  # works out who has which number
        return known, self.prepare(known.configuration)

    def close(self) -> None:
        if self._watch is not None:
            self._watch.connection.close()
