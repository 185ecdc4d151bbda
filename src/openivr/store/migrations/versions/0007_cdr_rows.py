"""Add the rows of call detail records, one for each routing stage, and build them for the calls so far."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from alembic import op

from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.routing_stages import Names, ObjectName, make_call, make_rows

revision = "0007"
down_revision = "0006"

BATCH = 500
TEXTS = ("to_kind", "call_to", "call_to_name", "call_type", "call_from", "call_from_name")
ROW_TEXTS = (*TEXTS, "uid", "disposition", "src_trunk", "dst_trunk", "did_number", "dod_number")
ROW_NUMBERS = ("leg", "to_id", "duration", "ring_duration", "talk_duration", "is_recorded")
CALL_TEXTS = (*TEXTS, "uid", "last_status")
CALL_NUMBERS = ("to_id", "call_duration", "routing_duration", "handling_duration")
RECORD = sa.table(
    "call_record",
    *map(sa.column, ("id", "started", "answered", "ended", "updated", "caller", "caller_name", "called")),
    *map(sa.column, ("source_kind", "source_id", "source", "path", "outcome", "reason")),
    sa.column("legs", sa.JSON),
)
NOTE_FIELDS = ("topic", "ivr", "input", "kind", "target", "number", "trunk", "detail")
NOTE = sa.table("call_note", *map(sa.column, ("call_id", "place", "at", *NOTE_FIELDS)))
KINDS = {
    "ivr": ("number", "name"),
    "ring_group": ("number", "name"),
    "extension": ("number", "first_name", "last_name", "caller_id"),
    "trunk": ("name", "def_outbound_cid"),
}


def upgrade() -> None:
    row = make_table("cdr_row", ROW_TEXTS, ROW_NUMBERS)
    call = make_table("cdr_call", CALL_TEXTS, CALL_NUMBERS)
    op.create_index("ix_cdr_row_call_id", "cdr_row", ["call_id"])
    op.create_index("ix_cdr_call_uid", "cdr_call", ["uid"])
    state = op.create_table(
        "cdr_state",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("last_row", sa.Integer(), nullable=False),
        sa.Column("last_call", sa.Integer(), nullable=False),
        sa.Column("horizon", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_cdr_state"),
    )
    connection = op.get_bind()
    last_row, last_call = build(connection, row, call)
    values = {"id": 1, "last_row": last_row, "last_call": last_call, "horizon": 0, "epoch": 1}
    connection.execute(sa.insert(state).values(values))


def make_table(name: str, texts: Iterable[str], numbers: Iterable[str]) -> sa.Table:
    unique = (sa.UniqueConstraint("call_id", name="uq_cdr_call_call_id"),) if name == "cdr_call" else ()
    return op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        *(sa.Column(column, sa.Text(), nullable=False) for column in texts),
        *(sa.Column(column, sa.Integer(), nullable=False) for column in numbers),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(
            ["call_id"], ["call_record.id"], name=f"fk_{name}_call_id", ondelete="CASCADE"
        ),
        *unique,
    )


def build(connection: sa.Connection, row: sa.Table, call: sa.Table) -> tuple[int, int]:
    """Fill both tables. Return the last ids."""
    names = load_names(connection)
    last_row = last_call = 0
    for part in walk_ended(connection):
        notes = load_notes(connection, [record.id for record in part])
        rows: list[dict[str, Any]] = []
        calls: list[dict[str, Any]] = []
        for record in part:
            stages = make_rows(record, notes.get(record.id, []), names)
            for stage in stages:
                last_row += 1
                rows.append(values_of(row, {"id": last_row, "ended": record.ended, **asdict(stage)}))
            last_call += 1
            whole = make_call(record, stages)
            calls.append(values_of(call, {"id": last_call, "ended": record.ended, **asdict(whole)}))
        connection.execute(sa.insert(row), rows)
        connection.execute(sa.insert(call), calls)
    return last_row, last_call


def values_of(table: sa.Table, values: dict[str, Any]) -> dict[str, Any]:
    """Return the values that there are columns for: later releases may know more."""
    return {name: value for name, value in values.items() if name in table.c}


def walk_ended(connection: sa.Connection) -> Iterator[list[Any]]:
    """Yield the calls that are over in the order of their ends, some at a time."""
    last: tuple[int, str] | None = None
    key: sa.ColumnElement[str] = sa.type_coerce(RECORD.c.id, sa.Text)
    if connection.dialect.name == "postgresql":
        key = sa.collate(key, "C")  # the same order on both databases
    while True:
        query = sa.select(RECORD).where(RECORD.c.ended.is_not(None))
        if last is not None:
            is_later = (RECORD.c.ended > last[0]) | ((RECORD.c.ended == last[0]) & (key > last[1]))
            query = query.where(RECORD.c.ended >= last[0], is_later)
        found = connection.execute(query.order_by(RECORD.c.ended, key).limit(BATCH))
        part = [SimpleNamespace(**record._mapping) for record in found]
        if not part:
            return
        yield part
        last = (part[-1].ended, part[-1].id)


def load_notes(connection: sa.Connection, ids: list[str]) -> dict[str, list[tuple[int, Note]]]:
    notes: dict[str, list[tuple[int, Note]]] = {}
    query = sa.select(NOTE).where(NOTE.c.call_id.in_(ids)).order_by(NOTE.c.call_id, NOTE.c.place)
    for row in connection.execute(query):
        values = {name: getattr(row, name) for name in NOTE_FIELDS}
        values |= {"topic": Topic(row.topic), "kind": DestinationKind(row.kind) if row.kind else None}
        notes.setdefault(row.call_id, []).append((row.at, Note(**values)))
    return notes


def load_names(connection: sa.Connection) -> Names:
    """Return the present number and name of what a call can lead to."""
    names: dict[tuple[str, int], ObjectName] = {}
    for kind, columns in KINDS.items():
        table = sa.table(kind, *map(sa.column, ("id", *columns)))
        for row in connection.execute(sa.select(table)):
            if kind == "trunk":
                names[kind, row.id] = ObjectName("", row.name, row.def_outbound_cid)
            elif kind == "extension":
                person = f"{row.first_name} {row.last_name}".strip()
                names[kind, row.id] = ObjectName(row.number, person, row.caller_id)
            else:
                names[kind, row.id] = ObjectName(row.number, row.name)
    return names


def downgrade() -> None:
    for name in ("cdr_state", "cdr_call", "cdr_row"):
        op.drop_table(name)
