"""Compares contacts from outside with the stored ones: new, same or changed. Nothing is deleted.

A contact is the stored one of the same name that has one of its numbers, its mail address or its company.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from openivr.data_import.merge_action import MergeAction
from openivr.resources.contact import COMPANY_CONTACT, PHONEBOOK, full_name
from openivr.resources.errors import Invalid
from openivr.resources.fields import Body
from openivr.resources.resource_type import Values
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction


@dataclass(frozen=True, slots=True)
class MergedContact:
    """A contact of the source, and what is done with it.

    `id` is that of the stored contact that it changes or is. `changes` is the body of the update, and
    `problem` says why it is refused.
    """

    action: MergeAction
    fields: Body
    id: int = 0
    changes: Body | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return " ".join(filter(None, (str(self.fields.get(it, "")) for it in ("first_name", "last_name"))))

    @property
    def numbers(self) -> str:
        return ", ".join(row["number"] for row in self.fields["number_list"])


def merge(
    bodies: Iterable[Body], stored: Mapping[int, Values], phonebook: int = 0
) -> Iterator[MergedContact]:
    """Compare contacts with the stored ones, in the order of the source, and put them into a phonebook."""
    named: dict[str, list[int]] = {}
    for id_, values in stored.items():
        named.setdefault(full_name(values).casefold(), []).append(id_)
    by_name: dict[str, list[Values]] = {}
    for body in bodies:
        try:
            values = COMPANY_CONTACT.parse(body)
        except Invalid as error:
            yield MergedContact(MergeAction.REFUSED, body, problem=str(error))
            continue
        name = full_name(values).casefold()
        if values in by_name.setdefault(name, []):
            continue  # twice in the source
        by_name[name].append(values)
        id_ = next((it for it in named.get(name, ()) if is_same(values, stored[it])), 0)
        if id_:
            named[name].remove(id_)
            changes = dict(find_changes(body, values, stored[id_], phonebook))
            yield MergedContact(
                MergeAction.CHANGED if changes else MergeAction.SAME, body, id_, changes or None
            )
        else:
            links = {"phonebook_id_list": [phonebook]} if phonebook else {}
            yield MergedContact(MergeAction.NEW, {**body, **links})


def numbers_of(values: Values) -> dict[str, str]:
    return {row["num_type"]: row["number"] for row in values["number_list"]}


def is_same(values: Values, old: Values) -> bool:
    """Return True if a stored contact of the same name is the person of the source."""
    if not {*numbers_of(values).values()}.isdisjoint(numbers_of(old).values()):
        return True
    known = [name for name in ("email", "company") if values[name] and old[name]]
    return any(values[name].casefold() == old[name].casefold() for name in known)


def find_changes(body: Body, values: Values, old: Values, phonebook: int) -> Iterator[tuple[str, Any]]:
    """Return what the source says otherwise. What it leaves out stays, and so do numbers of other types."""
    for name in body:
        if name in values and name != "number_list" and values[name] != old[name]:
            yield name, values[name]
    numbers = numbers_of(old)
    others = {type_: it for type_, it in numbers_of(values).items() if it not in numbers.values()}
    if others:
        merged = {**numbers, **others}
        yield "number_list", [{"num_type": type_, "number": number} for type_, number in merged.items()]
    ids = [link["id"] for link in old["phonebook_id_list"]]
    if phonebook and phonebook not in ids:
        yield "phonebook_id_list", [*ids, phonebook]


def preview(connection: Connection, bodies: Iterable[Body], phonebook: int = 0) -> list[MergedContact]:
    """Say what an import would do. Changes nothing. Raises NotFound for a phonebook that is not there."""
    if phonebook:
        resources.fetch(connection, PHONEBOOK, phonebook)
    return list(merge(bodies, dict(resources.fetch_all(connection, COMPANY_CONTACT)), phonebook))


def carry_out(change: ConfigTransaction, bodies: Iterable[Body], phonebook: int = 0) -> list[MergedContact]:
    """Import contacts and return what was done. Those that are refused are left out."""
    merged = preview(change.connection, bodies, phonebook)
    for row in merged:
        if row.action is MergeAction.NEW:
            resources.create(change, COMPANY_CONTACT, row.fields)
        elif row.changes:
            resources.update(change, COMPANY_CONTACT, row.id, row.changes)
    return merged
