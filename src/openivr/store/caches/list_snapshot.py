"""One committed state of the lists, immutable and in memory. The API answers list requests from it.

A snapshot is made from the one before it and the log of changes since, so its cost follows the change and
not the size.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select

from openivr.clock import lifetime
from openivr.resources import KINDS, ResourceType
from openivr.resources.order import ListQuery
from openivr.store.auth import clients, tokens
from openivr.store.caches.change_feed import TooManyChanges, read_changes
from openivr.store.caches.encoded_list import EncodedList
from openivr.store.config.resources import order
from openivr.store.tables import OBJECTS, REVISION

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ENCODE = msgspec.json.Encoder().encode
IN_PARTS = {"yield_per": 10_000}  # rows that are read from the server at a time


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """`config` and `auth` are the revisions that it shows; `tokens` maps fingerprints to their end."""

    config: int
    auth: int
    lists: Mapping[str, EncodedList]
    tokens: Mapping[str, int]
    networks: tuple[Network, ...]


EMPTY = ListSnapshot(-1, -1, {}, {}, ())


def apply_changes(
    connection: Connection,
    old: ListSnapshot,
    kinds: Mapping[str, ResourceType] = KINDS,
    limit: int | None = None,
) -> ListSnapshot:
    """Return the state that the connection sees. It shares with `old` whatever has not changed.

    More than `limit` changes raise TooManyChanges. Without a limit they make it load the lists again.
    """
    row = connection.execute(select(REVISION.c.config, REVISION.c.auth)).one()
    if (row.config, row.auth) == (old.config, old.auth):
        return old
    lists = old.lists if row.config == old.config else change_lists(connection, old, kinds, limit)
    if row.auth == old.auth:
        return ListSnapshot(row.config, row.auth, lists, old.tokens, old.networks)
    networks = tuple(ipaddress.ip_network(network) for network in clients.allowed(connection))
    return ListSnapshot(
        row.config, row.auth, lists, tokens.live_tokens(connection, int(lifetime.now())), networks
    )


def change_lists(
    connection: Connection, old: ListSnapshot, kinds: Mapping[str, ResourceType], limit: int | None
) -> dict[str, EncodedList]:
    try:
        if not old.lists:
            raise TooManyChanges
        changed = read_changes(connection, old.config, limit)
    except TooManyChanges:
        if limit is not None:
            raise
        return {name: load_list(connection, kind) for name, kind in kinds.items()}
    lists = dict(old.lists)
    for name, id_ in changed:
        if name not in kinds:  # its list is not kept
            continue
        lists[name] = lists[name].change(id_, encode_one(connection, kinds[name], id_))
    return lists


def load_list(connection: Connection, kind: ResourceType) -> EncodedList:
    """A whole list from the database, which does the sorting."""
    table = OBJECTS[kind.name]
    names = ("id", *kind.listed, *kind.states)
    listed = select(*(table.c[name] for name in names)).order_by(table.c.id)
    with connection.execute(listed, execution_options=IN_PARTS) as records:
        rows = {record[0]: ENCODE(kind.row(dict(zip(names, record, strict=True)))) for record in records}

    def ordered(sort: str) -> Iterator[int]:
        ids = order(select(table.c.id), table, ListQuery(0, 0, sort))
        with connection.execute(ids, execution_options=IN_PARTS) as found:
            yield from found.scalars()

    return EncodedList.build(kind.sorts, rows, ordered)


def encode_one(connection: Connection, kind: ResourceType, id_: int) -> bytes | None:
    table = OBJECTS[kind.name]
    columns = [table.c.id, *(table.c[name] for name in (*kind.listed, *kind.states))]
    record = connection.execute(select(*columns).where(table.c.id == id_)).first()
    return ENCODE(kind.row(dict(record._mapping))) if record else None
