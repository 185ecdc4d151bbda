"""The rows of every kind at one revision and the configuration that they make.

The next one is made from the one before and the log of changes, so its cost follows the change.
"""

from collections.abc import Callable, Container, Iterable, Mapping
from itertools import starmap
from typing import Generic, TypeVar

from sqlalchemy import Connection, select

from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.contact_names import NO_CONTACTS, ContactNames, index_contacts
from openivr.resources import KINDS
from openivr.resources.contact import COMPANY_CONTACT, CONTACT_TYPES
from openivr.resources.resource_type import Values
from openivr.store.caches.change_feed import TooManyChanges, read_changes, read_revision
from openivr.store.config import ivr_snapshot
from openivr.store.config.contacts import load_names
from openivr.store.config.hours_switch import SWITCHES, fetch_switches
from openivr.store.config.resources import as_values
from openivr.store.tables import OBJECTS

Rows = dict[int, Values]
T = TypeVar("T")


class RowMapper(Generic[T]):
    """Makes a value of each row, once: for a row that has not changed it returns the value made before."""

    def __init__(self, make: Callable[[int, Values], T]) -> None:
        self._make = make
        self._made: dict[int, tuple[Values, T]] = {}

    def __call__(self, id_: int, values: Values) -> T:
        known = self._made.get(id_)
        if known is None or known[0] is not values:
            known = self._made[id_] = (values, self._make(id_, values))
        return known[1]

    def forget_others(self, ids: Container[int]) -> None:
        """Drop the values of rows that are gone."""
        for id_ in [id_ for id_ in self._made if id_ not in ids]:
            del self._made[id_]


class RowMappers:
    """The mappers of kinds with many rows."""

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
        mappers: RowMappers,
        changed_prompts: frozenset[str] = frozenset(),
        contacts: ContactNames = NO_CONTACTS,
    ) -> None:
        self.revision, self.rows, self.mappers = revision, rows, mappers
        self.changed_prompts, self.contacts = changed_prompts, contacts
        self.configuration = build(revision, rows, mappers, contacts)


def load(connection: Connection, *, with_contacts: bool = False) -> LoadedConfig:
    """Load every kind from the database. `with_contacts`: the names of callers too."""
    rows = {name: fetch(connection, name) for name in KINDS if name not in CONTACT_TYPES}
    rows[SWITCHES] = fetch_switches(connection)
    contacts = index_contacts(load_names(connection)) if with_contacts else NO_CONTACTS
    return LoadedConfig(read_revision(connection), rows, RowMappers(), contacts=contacts)


def fetch(connection: Connection, kind: str, ids: Iterable[int] | None = None) -> Rows:
    """Read the rows of a kind, all of them or those with these ids."""
    table = OBJECTS[kind]
    query = select(table).order_by(table.c.id)
    if ids is not None:
        query = query.where(table.c.id.in_(list(ids)))
    return {row.id: as_values(KINDS[kind], row) for row in connection.execute(query)}


def apply_changes(
    connection: Connection, old: LoadedConfig | None, *, with_contacts: bool = False
) -> LoadedConfig:
    """Return the configuration that the connection sees; `old` itself if nothing has changed."""
    if old is None:
        return load(connection, with_contacts=with_contacts)
    revision = read_revision(connection)
    if revision == old.revision:
        return old
    try:
        changed = read_changes(connection, old.revision)
    except TooManyChanges:
        loaded = load(connection, with_contacts=with_contacts)
        loaded.changed_prompts = prompts_in(set(old.rows["custom_prompt"]), old.rows, loaded.rows)
        return loaded
    rows = {name: known.copy() for name, known in old.rows.items()}
    by_kind: dict[str, set[int]] = {}
    for kind, id_ in changed:
        by_kind.setdefault(kind, set()).add(id_)
    for kind, ids in by_kind.items():
        if kind in CONTACT_TYPES:
            continue
        for id_ in ids:
            rows[kind].pop(id_, None)
        rows[kind].update(fetch(connection, kind, ids))
    if "timezone" in by_kind:
        rows[SWITCHES] = fetch_switches(connection)
    for mapper, kind in ((old.mappers.ivr, "ivr"), (old.mappers.extension, "extension")):
        mapper.forget_others(rows[kind])
    prompts = prompts_in(by_kind.get("custom_prompt", set()), old.rows, rows)
    contacts = old.contacts
    if with_contacts and COMPANY_CONTACT.name in by_kind:
        ids = by_kind[COMPANY_CONTACT.name]
        contacts = contacts.change(dict.fromkeys(ids) | load_names(connection, ids))
    return LoadedConfig(revision, rows, old.mappers, prompts, contacts)


def prompts_in(ids: set[int], *known: Mapping[str, Rows]) -> frozenset[str]:
    """Return the names that these prompts have or had in several sets of rows."""
    kinds = (rows["custom_prompt"] for rows in known)
    return frozenset(kind[id_]["name"] for kind in kinds for id_ in ids & kind.keys())


def build(
    revision: int, rows: Mapping[str, Rows], mappers: RowMappers, contacts: ContactNames = NO_CONTACTS
) -> CallConfig:
    """Make the configuration from the rows of every kind."""
    kinds = {name: kind.items() for name, kind in rows.items()}
    snapshot = ivr_snapshot.make_snapshot(revision, kinds, (mappers.ivr, mappers.extension))
    return CallConfig(
        snapshot=snapshot,
        accounts={account.user: account for account in starmap(mappers.account, kinds["extension"])},
        trunks={trunk.id: trunk for trunk in starmap(trunk_of, kinds["trunk"])},
        outside={id_: route.extension_ids for id_, route in snapshot.outbound_routes.items()},
        contacts=contacts,
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
        "get_caller_id_from",
    )
    return TrunkAccount(
        id=id_,
        kind=values["type"],
        enabled=bool(values["enable"]),
        caller_id=values["def_outbound_cid"],
        follow_redirects=bool(values["follow_redirects"]),
        number_format=ivr_snapshot.number_format(values),
        **{name: values[name] for name in names},
    )
