"""One committed state, in memory and immutable: what the hot reads are answered from.

A snapshot is made from the one before it and the log of changes since, so its cost follows the change and
not the size. Encoding, and what a row shows, come from `objects`.
"""

import ipaddress
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, func, select

from openivr.resources import KINDS, ResourceType
from openivr.resources.order import ListQuery
from openivr.store.auth import clients, tokens
from openivr.store.caches.encoded_list import EncodedList
from openivr.store.config.resources import order
from openivr.store.tables import CHANGE, OBJECTS, REVISION

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
ENCODE = msgspec.json.Encoder().encode
MAX_STEPS = 2_000  # changes applied one by one; more are cheaper to load anew


@dataclass(frozen=True, slots=True)
class ListSnapshot:
    """`config` and `auth` are the revisions that it shows; `tokens` maps fingerprints to their end."""

    config: int
    auth: int
    lists: Mapping[str, EncodedList]
    tokens: Mapping[str, int]
    networks: tuple[Network, ...]


EMPTY = ListSnapshot(-1, -1, {}, {}, ())


class TooManyChanges(Exception):
    """More has changed than was to be applied."""


def advance(
    connection: Connection,
    old: ListSnapshot,
    kinds: Mapping[str, ResourceType] = KINDS,
    most: int | None = None,
) -> ListSnapshot:
    """The state that the connection sees, sharing with `old` whatever has not changed.

    Where more than `most` changes lie in between it raises FarBehind; without `most` it takes what it takes.
    """
    row = connection.execute(select(REVISION.c.config, REVISION.c.auth)).one()
    lists = old.lists if row.config == old.config else advance_lists(connection, old, kinds, most)
    if row.auth == old.auth:
        return ListSnapshot(row.config, row.auth, lists, old.tokens, old.networks)
    networks = tuple(ipaddress.ip_network(network) for network in clients.allowed(connection))
    return ListSnapshot(
        row.config, row.auth, lists, tokens.live_tokens(connection, int(time.time())), networks
    )


def advance_lists(
    connection: Connection, old: ListSnapshot, kinds: Mapping[str, ResourceType], most: int | None
) -> dict[str, EncodedList]:
    steps = MAX_STEPS if most is None else most
    oldest = connection.execute(select(func.min(CHANGE.c.revision))).scalar()
    newer = select(CHANGE.c.kind, CHANGE.c.object_id).where(CHANGE.c.revision > old.config)
    changed = connection.execute(newer.order_by(CHANGE.c.id).limit(steps + 1)).all()
    if not old.lists or len(changed) > steps or (oldest or 0) > old.config + 1:
        if most is not None:
            raise TooManyChanges
        return {name: load_list(connection, kind) for name, kind in kinds.items()}
    lists = dict(old.lists)
    for name, id_ in dict.fromkeys(map(tuple, changed)):
        lists[name] = lists[name].change(id_, encode_one(connection, kinds[name], id_))
    return lists


def load_list(connection: Connection, kind: ResourceType) -> EncodedList:
    """A whole list from the database, which does the sorting."""
    table = OBJECTS[kind.name]
    names = ("id", *kind.listed, *kind.states)
    listed = select(*(table.c[name] for name in names)).order_by(table.c.id)
    records = connection.execution_options(yield_per=10_000).execute(listed)
    rows = {record[0]: ENCODE(kind.row(dict(zip(names, record, strict=True)))) for record in records}

    def ordered(sort: str) -> Iterator[int]:
        ids = order(select(table.c.id), table, ListQuery(0, 0, sort))
        return iter(connection.execution_options(yield_per=10_000).execute(ids).scalars())

    return EncodedList.build(kind.sorts, rows, ordered)


def encode_one(connection: Connection, kind: ResourceType, id_: int) -> bytes | None:
    table = OBJECTS[kind.name]
    columns = [table.c.id, *(table.c[name] for name in (*kind.listed, *kind.states))]
    record = connection.execute(select(*columns).where(table.c.id == id_)).first()
    return ENCODE(kind.row(dict(record._mapping))) if record else None
