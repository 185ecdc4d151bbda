"""Writes the rows of call detail records beside the records of calls that are over, in their transaction.

The ids of rows grow in the order of commits, over all nodes: the row of `cdr_state` is locked until then.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallRecord, as_note, batches
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
    connection.execute(insert(CDR_ROW), number_values(rows, last_row - len(rows)))
    connection.execute(insert(CDR_CALL), number_values(calls, last_call - len(calls)))
    return written


def number_values(items: Iterable[tuple[int, CdrRow | CdrCall]], last: int) -> list[dict[str, Any]]:
    """Return the values of table rows with the ids after `last`."""
    return [{"id": last + at, "ended": ended, **asdict(item)} for at, (ended, item) in enumerate(items, 1)]


def find_known(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Return those of the calls that have rows."""
    known: set[str] = set()
    for part in batches(ids, 500):
        query = select(CDR_CALL.c.call_id).where(CDR_CALL.c.call_id.in_(part))
        known.update(connection.execute(query).scalars())
    return known


def load_notes(connection: Connection, ids: Sequence[str]) -> dict[str, list[tuple[int, Any]]]:
    """Return the notes of calls with their times."""
    notes: dict[str, list[tuple[int, Any]]] = {}
    for part in batches(ids, 500):
        query = select(CALL_NOTE).where(CALL_NOTE.c.call_id.in_(part))
        for row in connection.execute(query.order_by(CALL_NOTE.c.call_id, CALL_NOTE.c.place)):
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
    for kind, columns in KINDS.items():
        table = OBJECTS[kind]
        ids = sorted(id_ for other, id_ in wanted if other == kind and id_)
        for start in range(0, len(ids), 500):
            query = select(table.c.id, *(table.c[name] for name in columns))
            for row in connection.execute(query.where(table.c.id.in_(ids[start : start + 500]))):
                names[kind, row.id] = make_party(kind, row)
    return names


def make_party(kind: str, row: Any) -> ObjectName:
    match kind:
        case "trunk":
            return ObjectName("", row.name, row.def_outbound_cid)
        case "extension":
            return ObjectName(row.number, f"{row.first_name} {row.last_name}".strip(), row.caller_id)
    return ObjectName(row.number, row.name)


def reserve_ids(connection: Connection, rows: int, calls: int) -> tuple[int, int]:
    """Raise the last ids by so many, and return them. Other nodes wait until this transaction ends."""
    raised = update(CDR_STATE).values(
        last_row=CDR_STATE.c.last_row + rows, last_call=CDR_STATE.c.last_call + calls
    )
    row = connection.execute(raised.returning(CDR_STATE.c.last_row, CDR_STATE.c.last_call)).one()
    return row.last_row, row.last_call


def move_horizon(connection: Connection, before: int) -> None:
    """Note that calls which ended before a time are being deleted: no list of the API shows them."""
    connection.execute(update(CDR_STATE).where(CDR_STATE.c.horizon != before).values(horizon=before))
