"""Objects in the database: create, update, delete, get, search. Each function is one step of a transaction.

Whatever is refused raises an ObjectError before anything is written, so a transaction that ends in one
changes nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select, Table, func, insert, or_, select
from sqlalchemy import Row as Record

from openivr.clock import wall_ms
from openivr.ivr.number_format import remove_separators
from openivr.resources import KINDS, ResourceType
from openivr.resources.errors import Duplicate, InUse, Invalid, NotFound, Problem
from openivr.resources.fields import Body, Names, Reference, ResourceName, fold_text
from openivr.resources.order import ListQuery
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ORDERS, Row, Values
from openivr.store.database import ConfigTransaction
from openivr.store.events.event_types import EventType
from openivr.store.events.outbox import EventReport
from openivr.store.tables import COUNTER, NUMBER, OBJECTS, REFERENCE, SEARCH_TEXT, order_column

TOGETHER = 1000  # objects in one query: databases limit the values of one
MAX_USERS = 20  # that a refusal to delete names


def create(change: ConfigTransaction, kind: ResourceType, body: Body) -> int:
    """Create an object from the body of a request and return its id."""
    id_ = next_id(change.connection, kind)
    if "pos" in kind.sorts and "pos" not in body:
        table = OBJECTS[kind.name]
        last = change.connection.execute(select(func.coalesce(func.max(table.c.pos), 0))).scalar_one()
        body = {**body, "pos": last + 1}
    values = kind.parse(body)
    save(change, kind, id_, values, is_new=True)
    return id_


def update(change: ConfigTransaction, kind: ResourceType, id_: int, body: Body) -> None:
    """Change what the body names, and nothing else."""
    values = kind.parse(body, fetch(change.connection, kind, id_))
    save(change, kind, id_, values, is_new=False)


def delete(change: ConfigTransaction, kind: ResourceType, id_: int) -> None:
    """Delete an object that nothing else points to."""
    values = fetch(change.connection, kind, id_)
    users = find_users(change.connection, kind, id_)
    if users:
        raise InUse(users)
    release(change.connection, kind, id_)
    table = OBJECTS[kind.name]
    change.connection.execute(sa.delete(table).where(table.c.id == id_))
    change.log(kind.name, id_)
    report_change(change, kind, id_, values, "DELETE")


def save(change: ConfigTransaction, kind: ResourceType, id_: int, values: Values, *, is_new: bool) -> None:
    """Write a whole object after checking that its values are free and its references exist."""
    connection = change.connection
    check_unique(connection, kind, id_, values)
    targets = resolve(connection, kind, id_, values)
    if not is_new:
        release(connection, kind, id_)
    write_row(change, kind, id_, values, is_new=is_new)
    write_references(connection, kind, id_, targets)


def write_row(
    change: ConfigTransaction, kind: ResourceType, id_: int, values: Values, *, is_new: bool
) -> None:
    """Write the object's row and take its number."""
    table, row = OBJECTS[kind.name], values | order_values(kind, values)
    if is_new:
        change.connection.execute(insert(table).values(id=id_, **row))
    else:
        change.connection.execute(sa.update(table).where(table.c.id == id_).values(row))
    if "number" in values:
        owner = {"number": values["number"], "kind": kind.name, "object_id": id_}
        change.connection.execute(insert(NUMBER).values(owner))
    change.log(kind.name, id_)
    report_change(change, kind, id_, values, "CREATE" if is_new else "UPDATE")


def report_change(
    change: ConfigTransaction, kind: ResourceType, id_: int, values: Values, option: str
) -> None:
    """Report a change to subscribers: as an event of ours, and of extensions and trunks as the P-Series."""
    at = wall_ms()
    match kind.name:
        case "extension":
            message = {"ext_number": values["number"], "option": option}
            change.report(EventReport(EventType.EXTENSION_CHANGED, at, message))
        case "trunk":
            message = {"trunk_name": values["name"], "option": option}
            change.report(EventReport(EventType.TRUNK_CHANGED, at, message))
    message = {"kind": kind.name, "id": id_, "option": option, "revision": change.revision}
    change.report(EventReport(EventType.CONFIGURATION_CHANGED, at, message))


def write_references(
    connection: Connection, kind: ResourceType, id_: int, targets: Sequence[Reference]
) -> None:
    """Remember what the object points to."""
    owner = {"owner_kind": kind.name, "owner_id": id_}
    rows = [owner | {"field": t.field, "target_kind": t.kind, "target_id": t.key} for t in targets]
    if rows:
        connection.execute(insert(REFERENCE), rows)


def release(connection: Connection, kind: ResourceType, id_: int) -> None:
    """Give back the object's number and forget what it points to."""
    owned = (NUMBER.c.kind == kind.name) & (NUMBER.c.object_id == id_)
    connection.execute(sa.delete(NUMBER).where(owned))
    pointed = (REFERENCE.c.owner_kind == kind.name) & (REFERENCE.c.owner_id == id_)
    connection.execute(sa.delete(REFERENCE).where(pointed))


def order_values(kind: ResourceType, values: Values) -> Values:
    row = kind.row({**values, "id": 0})
    orders = {order_column(sort): ORDERS[sort](row[sort]) for sort in kind.sorts if sort in ORDERS}
    if kind.search_text:
        orders[SEARCH_TEXT] = kind.search_text(values).casefold()
    return orders


def next_id(connection: Connection, kind: ResourceType) -> int:
    raised = sa.update(COUNTER).where(COUNTER.c.kind == kind.name).values(last=COUNTER.c.last + 1)
    id_: int = connection.execute(raised.returning(COUNTER.c.last)).scalar_one()
    return id_


def check_unique(connection: Connection, kind: ResourceType, id_: int, values: Values) -> None:
    """Raise Duplicate where a number or another unique value belongs to another object."""
    if "number" in values:
        owner = connection.execute(select(NUMBER).where(NUMBER.c.number == values["number"])).first()
        if owner and (owner.kind, owner.object_id) != (kind.name, id_):
            name = label(connection, owner.kind, owner.object_id)
            raise Duplicate("number", values["number"], owner.kind, name)
    table = OBJECTS[kind.name]
    for field in kind.unique:
        taken = select(table.c.id).where(table.c[field] == values[field], table.c.id != id_)
        other = connection.execute(taken).scalar() if values[field] else None
        if other is not None:
            raise Duplicate(field, values[field], kind.name, label(connection, kind.name, other))


def resolve(connection: Connection, kind: ResourceType, id_: int, values: Values) -> list[Reference]:
    """Return the references of an object by id. Raises Invalid for each one that does not exist."""
    targets, problems = [], []
    for reference in kind.references(values):
        found = find(connection, reference)
        if found is None and (reference.kind, reference.key) != (kind.name, id_):
            about = {"kind": reference.kind, "key": reference.key}
            problem = Problem(reference.field, ProblemCode.MISSING_OBJECT, about, str(reference.key))
            problems.append(problem)
        targets.append(replace(reference, key=id_ if found is None else found))
    if problems:
        raise Invalid(*problems)
    return targets


def find(connection: Connection, reference: Reference) -> int | None:
    """Return the id of a reference. Prompts are referred to by name, other objects by id."""
    if not can_be_stored(reference.key):
        return None
    table = OBJECTS[reference.kind]
    column = table.c.id if isinstance(reference.key, int) else table.c.name
    return connection.execute(select(table.c.id).where(column == reference.key)).scalar()


def find_named(connection: Connection, kind: ResourceType, key: str) -> int | None:
    """The id of the object of this number or, of a kind without numbers, of this name."""
    table = OBJECTS[kind.name]
    column = table.c.number if "number" in table.c else table.c.name
    wanted = select(table.c.id).where(column == key)
    return connection.execute(wanted).scalar() if can_be_stored(key) else None


def can_be_stored(key: int | str) -> bool:
    """Return True if PostgreSQL accepts this id or name in a query."""
    return 0 <= key < 2**31 if isinstance(key, int) else "\0" not in key


@dataclass(frozen=True, slots=True)
class ResourceUser:
    """An object that points to another. `label` is its number, else its name."""

    kind: str
    id: int
    label: str

    def __str__(self) -> str:
        return f"{self.kind} {self.label}"


def users(connection: Connection, kind: ResourceType, id_: int, most: int = MAX_USERS) -> list[ResourceUser]:
    """Return the first `most` objects that point to an object, by type and id, without itself."""
    pointing = (REFERENCE.c.target_kind == kind.name) & (REFERENCE.c.target_id == id_)
    itself = (REFERENCE.c.owner_kind == kind.name) & (REFERENCE.c.owner_id == id_)
    columns = (REFERENCE.c.owner_kind, REFERENCE.c.owner_id)
    rows = connection.execute(select(*columns).where(pointing, ~itself).distinct().order_by(*columns))
    return [
        ResourceUser(row.owner_kind, row.owner_id, label(connection, row.owner_kind, row.owner_id))
        for row in rows.fetchmany(most)
    ]


def find_users(connection: Connection, kind: ResourceType, id_: int) -> list[str]:
    """The same in words: "ivr 6200"."""
    return [str(user) for user in users(connection, kind, id_)]


def count_users(connection: Connection, kind: ResourceType, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Count the objects that point to each of these, by type. Objects without references are left out.

    References to itself do not count, because they do not prevent deleting.
    """
    owner, target = (REFERENCE.c.owner_kind, REFERENCE.c.owner_id), REFERENCE.c.target_id
    itself = (REFERENCE.c.owner_kind == kind.name) & (REFERENCE.c.owner_id == target)
    pointing = (REFERENCE.c.target_kind == kind.name) & target.in_(ids) & ~itself
    distinct_owners = select(target, *owner).where(pointing).distinct().subquery()
    columns = (distinct_owners.c.target_id, distinct_owners.c.owner_kind)
    counts: dict[int, dict[str, int]] = {}
    for id_, name, count in connection.execute(select(*columns, func.count()).group_by(*columns)):
        counts.setdefault(id_, {})[name] = count
    return counts


def label(connection: Connection, kind: str, id_: int) -> str:
    return KINDS[kind].label(fetch(connection, KINDS[kind], id_))


def fetch(connection: Connection, kind: ResourceType, id_: int) -> Values:
    """An object's values, or NotFound."""
    table = OBJECTS[kind.name]
    wanted = select(table).where(table.c.id == id_)
    record = connection.execute(wanted).first() if can_be_stored(id_) else None
    if record is None:
        raise NotFound(f"{kind.name} {id_}")
    return as_values(kind, record)


def fetch_all(connection: Connection, kind: ResourceType) -> Iterable[tuple[int, Values]]:
    """Every object of a kind by id."""
    table = OBJECTS[kind.name]
    for record in connection.execute(select(table).order_by(table.c.id)):
        yield record.id, as_values(kind, record)


def fetch_many(connection: Connection, kind: ResourceType, ids: Sequence[int]) -> dict[int, Values]:
    """The values of those objects that exist, by id."""
    table = OBJECTS[kind.name]
    found = connection.execute(
        select(table).where(table.c.id.in_([one for one in ids if can_be_stored(one)]))
    )
    return {record.id: as_values(kind, record) for record in found}


def as_values(kind: ResourceType, record: Record[Any]) -> Values:
    return {field.name: record._mapping[field.name] for field in kind.fields}


def fetch_row(connection: Connection, kind: ResourceType, id_: int) -> Row:
    """An object as `get` answers it, with the present names of what it points to."""
    values = fetch(connection, kind, id_)
    ahead = [(r.kind, r.key) for r in kind.references(values) if isinstance(r.key, int)]
    return kind.serialize(id_, values, namer(connection, ahead))


def fetch_rows(connection: Connection, kind: ResourceType, ids: Sequence[int]) -> list[Row]:
    """Those objects that exist, in the order asked for."""
    rows = []
    for id_ in dict.fromkeys(ids):
        try:
            rows.append(fetch_row(connection, kind, id_))
        except NotFound:
            continue
    return rows


def list_members(connection: Connection, group: int) -> tuple[str, ...]:
    """Return the numbers of the extensions of a group. Raises NotFound."""
    values = fetch(connection, KINDS["ext_group"], group)
    ids = [link["id"] for link in values["member_list"] if link["type"] == "extension"]
    return tuple(member["number"] for member in fetch_many(connection, KINDS["extension"], ids).values())


def namer(connection: Connection, ahead: Iterable[tuple[str, int]] = ()) -> Names:
    """Return a function that looks up name and number of objects. Those in `ahead` are loaded together."""
    known: dict[tuple[str, int], ResourceName] = {}
    ids: dict[str, list[int]] = {}
    for kind, id_ in ahead:
        ids.setdefault(kind, []).append(id_)
    for kind, wanted in ids.items():
        for start in range(0, len(wanted), TOGETHER):
            found = fetch_many(connection, KINDS[kind], wanted[start : start + TOGETHER])
            known |= {(kind, id_): KINDS[kind].names(values) for id_, values in found.items()}

    def names(kind: str, id_: int) -> ResourceName:
        if (kind, id_) not in known:
            values = fetch(connection, KINDS[kind], id_)
            known[kind, id_] = KINDS[kind].names(values)
        return known[kind, id_]

    return names


def search(connection: Connection, kind: ResourceType, text: str, page: ListQuery) -> tuple[int, list[Row]]:
    """Objects with `text` in their number or name, case folded: how many, and one page of list rows.

    Without a text these are all objects.
    """
    table = OBJECTS[kind.name]
    matching = select(table)
    if text:
        matching = matching.where(contains(table, kind, fold_text(text).casefold()))
    total: int = connection.execute(select(func.count()).select_from(matching.subquery())).scalar_one()
    if page.offset >= total:
        return total, []
    found = order(matching, table, page).offset(page.offset).limit(page.limit)
    return total, [kind.row(dict(record._mapping)) for record in connection.execute(found)]


def contains(table: Table, kind: ResourceType, text: str) -> ColumnElement[bool]:
    if kind.search_text:  # numbers are kept without separators
        texts = {text, remove_separators(text) or text}
        return or_(*(table.c[SEARCH_TEXT].contains(text, autoescape=True) for text in sorted(texts)))
    names = [table.c[order_column(sort)] for sort in kind.sorts if sort in ORDERS and sort != "number"]
    columns = [table.c.number, *names] if "number" in table.c else names
    return or_(*(column.contains(text, autoescape=True) for column in columns))


def order(query: Select[Any], table: Table, page: ListQuery) -> Select[Any]:
    """In the page's total order."""
    key = table.c[order_column(page.sort) if page.sort in ORDERS else page.sort]
    columns = [key] if page.sort == "id" else [key, table.c.id]
    return query.order_by(*(column.desc() if page.is_descending else column for column in columns))
