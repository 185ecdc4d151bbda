"""Company contacts and phonebooks in the database, beside what every type of resource has."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from sqlalchemy import Connection, Select, func, select

from openivr.ivr.contact_names import NamedNumbers
from openivr.resources.contact import (
    ALL_CONTACTS,
    COMPANY_CONTACT,
    MAX_PHONEBOOKS,
    PHONEBOOK,
    contact_row,
    full_name,
)
from openivr.resources.errors import Invalid, NotFound, Problem, shorten
from openivr.resources.fields import Body, InvalidValue, whole
from openivr.resources.order import ListQuery
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import Row, Values
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction
from openivr.store.tables import OBJECTS, REFERENCE

CONTACT = OBJECTS[COMPANY_CONTACT.name]
MAX_SHOWN = 10_000  # contacts of a phonebook in one answer
ADD, REMOVE = "add_contacts_id_list", "del_contacts_id_list"  # of the bodies for phonebooks
TOGETHER = 1000  # values in one query


def load_names(connection: Connection, ids: Iterable[int] | None = None) -> dict[int, NamedNumbers]:
    """Return the contacts as calls need them, all or those with these ids."""
    columns = (CONTACT.c.first_name, CONTACT.c.last_name, CONTACT.c.number_list)
    query = select(CONTACT.c.id, *columns).order_by(CONTACT.c.id)
    if ids is not None:
        query = query.where(CONTACT.c.id.in_(list(ids)))
    with connection.execute(query, execution_options={"yield_per": TOGETHER}) as rows:
        return {
            row.id: NamedNumbers(full_name(dict(row._mapping)), tuple(it["number"] for it in row.number_list))
            for row in rows
        }


def fetch_all(connection: Connection) -> list[Values]:
    """Return all contacts, by id."""
    return [values for _, values in resources.fetch_all(connection, COMPANY_CONTACT)]


def list_contacts(connection: Connection, text: str, page: ListQuery) -> tuple[int, list[Row]]:
    """Return the number of contacts with a text, and one page of them with the names of phonebooks."""
    total, rows = resources.search(connection, COMPANY_CONTACT, text, page)
    return total, name_phonebooks(connection, rows)


def name_phonebooks(connection: Connection, rows: list[Row]) -> list[Row]:
    """Fill in the names of the phonebooks of contacts."""
    ids = {link["id"] for row in rows for link in row["phonebook_list"]}
    books = resources.fetch_many(connection, PHONEBOOK, sorted(ids)) if ids else {}
    for row in rows:
        for link in row["phonebook_list"]:
            link["name"] = books[link["id"]]["name"]
    return rows


def fetch_contacts(connection: Connection, ids: Sequence[int]) -> list[Row]:
    """Return those contacts that exist, in this order: as in a list, with all fields."""
    stored = resources.fetch_many(connection, COMPANY_CONTACT, ids)
    known = {id_: stored[id_] for id_ in dict.fromkeys(ids) if id_ in stored}
    rows = name_phonebooks(connection, [contact_row({**values, "id": id_}) for id_, values in known.items()])
    for row, values in zip(rows, known.values(), strict=True):
        row.update(values, phonebook_id_list=[link["id"] for link in values["phonebook_id_list"]])
    return rows


def fetch_contact(connection: Connection, id_: int) -> Row:
    """Return a contact. Raises NotFound."""
    for row in fetch_contacts(connection, [id_]):
        return row
    raise NotFound(f"{COMPANY_CONTACT.name} {id_}")


def fetch_phonebooks(connection: Connection, ids: Sequence[int]) -> list[Row]:
    """Return those phonebooks that exist, in this order, with their contacts."""
    stored = resources.fetch_many(connection, PHONEBOOK, ids)
    return [
        {"id": id_, **stored[id_], **list_members(connection, id_, stored[id_])}
        for id_ in dict.fromkeys(ids)
        if id_ in stored
    ]


def fetch_phonebook(connection: Connection, id_: int) -> Row:
    """Return a phonebook. Raises NotFound."""
    for row in fetch_phonebooks(connection, [id_]):
        return row
    raise NotFound(f"{PHONEBOOK.name} {id_}")


def list_members(connection: Connection, id_: int, values: Values) -> Row:
    """Return the first contacts of a phonebook, and the number of all."""
    query = select(CONTACT)
    if values["member_select"] != ALL_CONTACTS:
        query = query.where(CONTACT.c.id.in_(members_of(id_)))
    total: int = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    rows = [
        contact_row(dict(row._mapping))
        for row in connection.execute(query.order_by(CONTACT.c.id).limit(MAX_SHOWN))
    ]
    for row in rows:
        del row["phonebook_list"]
    return {"contacts_list": rows, "total": total}


def members_of(id_: int) -> Select[tuple[int]]:
    """Return a query for the ids of the contacts of a phonebook."""
    owner = (REFERENCE.c.owner_kind == COMPANY_CONTACT.name) & (REFERENCE.c.target_kind == PHONEBOOK.name)
    return select(REFERENCE.c.owner_id).where(owner, REFERENCE.c.target_id == id_)


def create_phonebook(change: ConfigTransaction, body: Body) -> int:
    """Create a phonebook with the contacts that the body names, and return its id."""
    added = read_contacts(change.connection, body, ADD)
    id_ = resources.create(change, PHONEBOOK, body)
    move_contacts(change, id_, added, ())
    return id_


def update_phonebook(change: ConfigTransaction, id_: int, body: Body) -> None:
    """Change a phonebook, and add and remove the contacts that the body names."""
    added, removed = (read_contacts(change.connection, body, name) for name in (ADD, REMOVE))
    resources.update(change, PHONEBOOK, id_, body)
    move_contacts(change, id_, added, removed)


def read_contacts(connection: Connection, body: Body, name: str) -> list[int]:
    """Return the ids of contacts in a body. Raises Invalid if one is not readable or does not exist."""
    raw = body.get(name) or []
    if not isinstance(raw, list):
        raise Invalid(Problem(name, ProblemCode.NOT_ARRAY, value=shorten(raw)))
    if len(raw) > MAX_SHOWN:
        raise Invalid(Problem(name, ProblemCode.TOO_MANY_ITEMS, {"high": MAX_SHOWN}))
    try:
        ids = [whole(item) for item in raw]
    except InvalidValue as bad:
        raise Invalid(Problem(name, bad.code, bad.params, shorten(raw))) from bad
    missing = sorted(set(ids) - set(existing(connection, ids)))
    if missing:
        about: dict[str, str | int] = {"kind": COMPANY_CONTACT.name, "key": missing[0]}
        raise Invalid(Problem(name, ProblemCode.MISSING_OBJECT, about, str(missing[0])))
    return ids


def existing(connection: Connection, ids: Sequence[int]) -> Iterator[int]:
    """Return those of the ids that contacts have."""
    wanted = [id_ for id_ in ids if resources.can_be_stored(id_)]
    for start in range(0, len(wanted), TOGETHER):
        query = select(CONTACT.c.id).where(CONTACT.c.id.in_(wanted[start : start + TOGETHER]))
        yield from connection.execute(query).scalars()


def move_contacts(
    change: ConfigTransaction, id_: int, added: Collection[int], removed: Collection[int]
) -> None:
    """Put contacts into a phonebook and take others out of it. Those named in both are in it."""
    link = {"type": PHONEBOOK.name, "id": id_}
    for contact in dict.fromkeys((*added, *removed)):
        values = resources.fetch(change.connection, COMPANY_CONTACT, contact)
        others = [it for it in values["phonebook_id_list"] if it != link]
        links = [*others, link] if contact in added else others
        if len(links) > MAX_PHONEBOOKS:
            raise Invalid(Problem(ADD, ProblemCode.TOO_MANY_ITEMS, {"high": MAX_PHONEBOOKS}, str(contact)))
        if links != values["phonebook_id_list"]:
            new = {**values, "phonebook_id_list": links}
            resources.save(change, COMPANY_CONTACT, contact, new, is_new=False)


def delete_phonebook(change: ConfigTransaction, id_: int) -> None:
    """Delete a phonebook. Its contacts stay."""
    move_contacts(change, id_, (), list(change.connection.scalars(members_of(id_))))
    resources.delete(change, PHONEBOOK, id_)
