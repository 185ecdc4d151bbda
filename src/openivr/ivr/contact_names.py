"""The names of callers by their numbers, as the company contacts have them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class NamedNumbers(NamedTuple):
    """A contact as calls need it: its name, and its numbers as they are written there."""

    name: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ContactNames:
    """The contacts by id, and an index of their numbers.

    A number that several contacts have belongs to the one with the lowest id. An index of 100,000 contacts
    takes some 50 MB, and a search in it less than a microsecond.
    """

    contacts: Mapping[int, NamedNumbers] = field(default_factory=dict)
    owners: Mapping[str, int] = field(default_factory=dict)  # number -> id of its contact

    def find(self, forms: Iterable[str]) -> str:
        """Return the name of the contact with a number, given in its spellings; "" if there is none."""
        for number in forms:
            id_ = self.owners.get(number)
            if id_ is not None:
                return self.contacts[id_].name
        return ""

    def change(self, changes: Mapping[int, NamedNumbers | None]) -> "ContactNames":
        """Return the contacts with others in the place of those with these ids, None for deleted ones."""
        contacts, owners = dict(self.contacts), dict(self.owners)
        released: set[str] = set()
        for id_, row in changes.items():
            if (old := contacts.pop(id_, None)) is not None:
                released.update(number for number in old.numbers if owners.get(number) == id_)
            if row is not None:
                contacts[id_] = row
        for number in released:
            del owners[number]
        claims = {id_: row.numbers for id_, row in changes.items() if row is not None}
        if released:  # other contacts may have them too
            others = contacts.items()
            claims |= {id_: row.numbers for id_, row in others if not released.isdisjoint(row.numbers)}
        for id_, numbers in claims.items():
            for number in numbers:
                owners[number] = min(id_, owners.get(number, id_))
        return ContactNames(contacts, owners)


NO_CONTACTS = ContactNames()


def index_contacts(contacts: Mapping[int, NamedNumbers]) -> ContactNames:
    """Make the index of all contacts."""
    owners: dict[str, int] = {}
    for id_ in sorted(contacts, reverse=True):
        owners.update(dict.fromkeys(contacts[id_].numbers, id_))
    return ContactNames(contacts, owners)
