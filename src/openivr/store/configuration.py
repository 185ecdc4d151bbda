"""The configuration as calls see it, kept at the newest revision while it changes.

A change is read from the log of changes and applied to what is known, so that its cost follows the change;
all of it happens in a thread, for the loop that sends a packet every 20 ms must not wait.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import Connection, func, select

from openivr.accounts import Account, Configuration, TrunkLine
from openivr.menu import model
from openivr.menu.policy import reach
from openivr.objects import KINDS
from openivr.objects.kind import Values
from openivr.store import menus
from openivr.store.database import Database
from openivr.store.live import open_watch
from openivr.store.objects import as_values
from openivr.store.tables import CHANGE, OBJECTS, REVISION

MOST_STEPS = 2_000  # changes applied one by one; more are cheaper to load anew
MOST_WARMED = 500  # dial policies worked out ahead for a new snapshot
Rows = dict[int, Values]


class Known:
    """The rows of every kind, and the configuration that they make."""

    def __init__(
        self, revision: int, rows: Mapping[str, Rows], changed_prompts: frozenset[str] = frozenset()
    ) -> None:
        self.revision, self.rows, self.changed_prompts = revision, rows, changed_prompts
        self.configuration = build(revision, rows)


def revision_of(connection: Connection) -> int:
    revision: int = connection.execute(select(REVISION.c.config)).scalar_one()
    return revision


def load(connection: Connection) -> Known:
    """Everything, from the database."""
    return Known(revision_of(connection), {name: fetch(connection, name) for name in KINDS})


def fetch(connection: Connection, kind: str, idents: Iterable[int] | None = None) -> Rows:
    """The rows of a kind, or those of them with these ids."""
    table = OBJECTS[kind]
    query = select(table).order_by(table.c.id)
    if idents is not None:
        query = query.where(table.c.id.in_(list(idents)))
    return {row.id: as_values(KINDS[kind], row) for row in connection.execute(query)}


def advance(connection: Connection, old: Known | None) -> Known:
    """The state that the connection sees; `old` itself if nothing has changed."""
    revision = revision_of(connection)
    if old is None:
        return load(connection)
    if revision == old.revision:
        return old
    newer = select(CHANGE.c.kind, CHANGE.c.object_id).where(CHANGE.c.revision > old.revision)
    changed = connection.execute(newer.limit(MOST_STEPS + 1)).all()
    oldest = connection.execute(select(func.min(CHANGE.c.revision))).scalar()
    if len(changed) > MOST_STEPS or (oldest or 0) > old.revision + 1:
        loaded = load(connection)
        loaded.changed_prompts = prompts_in(set(old.rows["custom_prompt"]), old.rows, loaded.rows)
        return loaded
    rows = {name: known.copy() for name, known in old.rows.items()}
    touched = {row.object_id for row in changed if row.kind == "custom_prompt"}
    for kind in {row.kind for row in changed}:
        idents = {row.object_id for row in changed if row.kind == kind}
        for ident in idents:
            rows[kind].pop(ident, None)
        rows[kind].update(fetch(connection, kind, idents))
    return Known(revision, rows, prompts_in(touched, old.rows, rows))


def prompts_in(idents: set[int], *known: Mapping[str, Rows]) -> frozenset[str]:
    """The names of these prompts, before and after a change."""
    kinds = (rows["custom_prompt"] for rows in known)
    return frozenset(kind[ident]["name"] for kind in kinds for ident in idents & kind.keys())


def build(revision: int, rows: Mapping[str, Rows]) -> Configuration:
    """Make the configuration of rows."""
    groups = {
        ident: menus.ids(values["member_list"], "extension") for ident, values in rows["ext_group"].items()
    }
    snapshot = menus.make_snapshot(revision, {name: kind.items() for name, kind in rows.items()})
    return Configuration(
        snapshot=snapshot,
        accounts={account.user: account for account in map(account_of, *zip_items(rows["extension"]))},
        trunks={trunk.id: trunk for trunk in map(trunk_of, *zip_items(rows["trunk"]))},
        outside={
            ident: frozenset(menus.members(values["ext_list"], groups))
            for ident, values in rows["outbound_route"].items()
        },
    )


def zip_items(rows: Rows) -> tuple[Iterable[int], Iterable[Values]]:
    return rows.keys(), rows.values()


def account_of(ident: int, values: Values) -> Account:
    return Account(
        extension=ident,
        number=values["number"],
        name=f"{values['first_name']} {values['last_name']}".strip(),
        user=values["reg_name"],
        secret=values["reg_password"],
        contacts=values["concurrent_registrations"],
        caller_id=values["caller_id"],
    )


def trunk_of(ident: int, values: Values) -> TrunkLine:
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
    return TrunkLine(
        id=ident,
        kind=values["type"],
        enabled=bool(values["enable"]),
        caller_id=values["def_outbound_cid"],
        **{name: values[name] for name in names},
    )


def warm(new: model.Snapshot, old: model.Snapshot) -> None:
    """Work out for a new snapshot what calls have asked the old one about, before they wait for it."""
    policies = [key for key in list(old.memo) if isinstance(key, model.DialPolicy)]
    for policy in policies[-MOST_WARMED:]:
        reach(new, policy)


class LiveConfiguration:
    """Keeps a configuration at the newest revision.

    `on_change` is called, on the loop, with each new one and the names of the prompts that have changed.
    """

    def __init__(
        self, database: Database, on_change: Callable[[Configuration, frozenset[str]], None]
    ) -> None:
        self.database, self.on_change = database, on_change
        self._known: Known | None = None
        self._watch = open_watch(database)
        self._seen = -1
        self._lock = asyncio.Lock()

    @property
    def configuration(self) -> Configuration:
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

    async def current(self) -> Configuration:
        """A configuration not older than this call."""
        if not self.is_current():
            async with self._lock:
                await self._refresh()
        return self.configuration

    async def _refresh(self) -> None:
        version = self._version()
        old = self._known
        known = await self.database.read(self._advance, old)
        self._known, self._seen = known, version
        if known is not old:
            self.on_change(known.configuration, known.changed_prompts)

    def _advance(self, connection: Connection, old: Known | None) -> Known:
        known = advance(connection, old)
        if old is not None and known is not old:
            warm(known.configuration.snapshot, old.configuration.snapshot)
        return known

    def close(self) -> None:
        if self._watch is not None:
            self._watch.connection.close()
