"""Writes the rows of call detail records beside the records of calls that are over, in their transaction.

The ids of rows grow in the order of commits, over all nodes: the row of `cdr_state` is locked until then.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import fields
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Select, bindparam, insert, select, update

from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallRecord, as_note, batches, is_among_ids
from openivr.store.cdr.routing_stages import (
    CdrCall,
    CdrRow,
    Clock,
    Names,
    ObjectName,
    make_call,
    make_rows,
    named_kind,
)
from openivr.store.tables import CALL_NOTE, CDR_CALL, CDR_ROW, CDR_STATE, OBJECTS

KINDS = {
    "ivr": ("number", "name"),
    "ring_group": ("number", "name"),
    "extension": ("number", "first_name", "last_name", "caller_id"),
    "trunk": ("name", "def_outbound_cid"),
}
# Statements are made once, because making one costs more than running it.
KNOWN = select(CDR_CALL.c.call_id).where(is_among_ids(CDR_CALL.c.call_id))
NOTES = (
    select(CALL_NOTE)
    .where(is_among_ids(CALL_NOTE.c.call_id))
    .order_by(CALL_NOTE.c.call_id, CALL_NOTE.c.place)
)
RESERVE = (
    update(CDR_STATE)
    .values(
        last_row=CDR_STATE.c.last_row + bindparam("rows", type_=Integer),
        last_call=CDR_STATE.c.last_call + bindparam("calls", type_=Integer),
    )
    .returning(CDR_STATE.c.last_row, CDR_STATE.c.last_call)
)
INSERT_ROWS, INSERT_CALLS = insert(CDR_ROW), insert(CDR_CALL)
ROW_NAMES, CALL_NAMES = (tuple(column.name for column in fields(type_)) for type_ in (CdrRow, CdrCall))


class EndedCallRows(NamedTuple):
    """A call that has ended, and the rows that were written of it."""

    record: CallRecord
    call: CdrCall
    rows: list[CdrRow]


def save_rows(
    connection: Connection, ended: Sequence[CallRecord], local: Clock = time.localtime
) -> list[EndedCallRows]:
    """Write the rows of calls that have ended, and return them. Calls that have rows already keep them."""
    known = find_known(connection, [record.id for record in ended])
    records = [record for record in ended if record.id not in known]
    if not records:
        return []
    notes = load_notes(connection, [record.id for record in records])
    names = load_names(connection, list_objects(records, notes))
    rows: list[tuple[int, CdrRow]] = []
    calls: list[tuple[int, CdrCall]] = []
    written: list[EndedCallRows] = []
    for record in sorted(records, key=lambda record: (record.ended, record.id)):
        stages = make_rows(record, notes.get(record.id, []), names, local)
        rows += [(record.ended or 0, stage) for stage in stages]
        call = make_call(record, stages)
        calls.append((record.ended or 0, call))
        written.append(EndedCallRows(record, call, stages))
    last_row, last_call = reserve_ids(connection, len(rows), len(calls))
    connection.execute(INSERT_ROWS, number_values(rows, ROW_NAMES, last_row - len(rows)))
    connection.execute(INSERT_CALLS, number_values(calls, CALL_NAMES, last_call - len(calls)))
    return written


def number_values(
    items: Iterable[tuple[int, CdrRow | CdrCall]], names: Sequence[str], last: int
) -> list[dict[str, Any]]:
    """Return the values of table rows with the ids after `last`."""
    return [
        {"id": last + at, "ended": ended} | {name: getattr(item, name) for name in names}
        for at, (ended, item) in enumerate(items, 1)
    ]


def find_known(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return those of the calls that have rows."""
    known: set[str] = set()
    for part in batches(ids, 500):
        known.update(connection.execute(KNOWN, {"ids": part}).scalars())
    return known


def load_notes(connection: Connection, ids: Sequence[str]) -> dict[str, list[tuple[int, Any]]]:
    """Return the notes of calls with their times."""
    notes: dict[str, list[tuple[int, Any]]] = {}
    for part in batches(ids, 500):
        for row in connection.execute(NOTES, {"ids": part}):
            stored = as_note(row)
            notes.setdefault(row.call_id, []).append((stored.at, stored.note))
    return notes


def list_objects(
    records: Iterable[CallRecord], notes: dict[str, list[tuple[int, Any]]]
) -> set[tuple[str, int]]:
    """Return the objects that calls came from and led to, as kind and id."""
    wanted: set[tuple[str, int]] = set()
    for record in records:
        wanted.add((record.source_kind, record.source_id))
        wanted.update((DestinationKind.EXTENSION.value, leg["target"]) for leg in record.legs if leg)
        for _, note in notes.get(record.id, []):
            wanted.add((named_kind(note.kind or ""), note.target))
            wanted.update((("ivr", note.ivr), ("trunk", note.trunk)))
    return wanted


def load_names(connection: Connection, wanted: Collection[tuple[str, int]]) -> Names:
    """Return the present numbers and names of objects."""
    names: dict[tuple[str, int], ObjectName] = {}
    for kind in KINDS:
        ids = sorted(id_ for other, id_ in wanted if other == kind and id_)
        for part in batches(ids, 500):
            for row in connection.execute(select_names(kind), {"ids": part}):
                names[kind, row.id] = make_party(kind, row)
    return names


@cache
def select_names(kind: str) -> Select[Any]:
    """Return the query for the numbers and names of the objects `ids`."""
    table = OBJECTS[kind]
    return select(table.c.id, *(table.c[name] for name in KINDS[kind])).where(is_among_ids(table.c.id))


def make_party(kind: str, row: Any) -> ObjectName:
    match kind:
        case "trunk":
            return ObjectName("", row.name, row.def_outbound_cid)
        case "extension":
            return ObjectName(row.number, f"{row.first_name} {row.last_name}".strip(), row.caller_id)
    return ObjectName(row.number, row.name)


def reserve_ids(connection: Connection, rows: int, calls: int) -> tuple[int, int]:
    """Raise the last ids by so many, and return them. Other nodes wait until this transaction ends."""
    row = connection.execute(RESERVE, {"rows": rows, "calls": calls}).one()
    return row.last_row, row.last_call


def move_horizon(connection: Connection, before: int) -> None:
    """Note that calls which ended before a time are being deleted: no list of the API shows them."""
    connection.execute(update(CDR_STATE).where(CDR_STATE.c.horizon != before).values(horizon=before))
