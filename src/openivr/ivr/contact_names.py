"""The names of callers by their numbers, as the company contacts have them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

SHARDS = 256  # a change copies those that it touches
K = TypeVar("K")
V = TypeVar("V")


class NamedNumbers(NamedTuple):
    """A contact as calls need it: its name, and its numbers as they are written there."""

    name: str
    numbers: tuple[str, ...]


class ShardedMapping(Mapping[K, V], Generic[K, V]):
    """An immutable mapping whose changed copy shares most of it, so that a change is cheap at any size."""

    __slots__ = ("shards",)

    def __init__(self, shards: tuple[dict[K, V], ...]) -> None:
        self.shards = shards

    @classmethod
    def of(cls, rows: Mapping[K, V]) -> "ShardedMapping[K, V]":
        """Make one of a plain mapping."""
        shards: tuple[dict[K, V], ...] = tuple({} for _ in range(SHARDS))
        for key, value in rows.items():
            shards[hash(key) % SHARDS][key] = value
        return cls(shards)

    def __getitem__(self, key: K) -> V:
        return self.shards[hash(key) % SHARDS][key]

    def __iter__(self) -> Iterator[K]:
        for shard in self.shards:
            yield from shard

    def __len__(self) -> int:
        return sum(map(len, self.shards))

    def change(self, changes: Mapping[K, V | None]) -> "ShardedMapping[K, V]":
        """Return it with other values for these keys, None for keys to be deleted."""
        shards = list(self.shards)
        for at in {hash(key) % SHARDS for key in changes}:
            shards[at] = shards[at].copy()
        for key, value in changes.items():
            shard = shards[hash(key) % SHARDS]
            if value is None:
                shard.pop(key, None)
            else:
                shard[key] = value
        return ShardedMapping(tuple(shards))


class ContactNames(NamedTuple):
    """The contacts by id, and the ids of the contacts with each number, ascending.

    A number that several contacts have names the one with the lowest id.
    """

    contacts: ShardedMapping[int, NamedNumbers]
    owners: ShardedMapping[str, tuple[int, ...]]

    def find(self, forms: Iterable[str]) -> str:
        """Return the name of the contact with a number, given in its spellings; "" if there is none."""
        for number in forms:
            ids = self.owners.get(number)
            if ids:
                return self.contacts[ids[0]].name
        return ""

    def change(self, changes: Mapping[int, NamedNumbers | None]) -> "ContactNames":
        """Return the contacts with others in the place of those with these ids, None for deleted ones."""
        owners: dict[str, set[int]] = {}
        for id_, row in changes.items():
            old = self.contacts.get(id_)
            for number in old.numbers if old else ():
                owners.setdefault(number, set(self.owners.get(number, ()))).discard(id_)
            for number in row.numbers if row else ():
                owners.setdefault(number, set(self.owners.get(number, ()))).add(id_)
        changed = {number: tuple(sorted(ids)) or None for number, ids in owners.items()}
        return ContactNames(self.contacts.change(changes), self.owners.change(changed))


NO_CONTACTS = ContactNames(ShardedMapping.of({}), ShardedMapping.of({}))


def index_contacts(contacts: Mapping[int, NamedNumbers]) -> ContactNames:
    """Make the index of all contacts."""
    owners: dict[str, tuple[int, ...]] = {}
    for id_ in sorted(contacts):
        for number in dict.fromkeys(contacts[id_].numbers):
            owners[number] = (*owners.get(number, ()), id_)
    return ContactNames(ShardedMapping.of(contacts), ShardedMapping.of(owners))
