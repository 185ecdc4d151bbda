"""Lists of call detail records for the API: pages by the indexes, and the rows that they show."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from openivr.store.cdr.call_records import CallRecord, as_record, batches
from openivr.store.cdr.cdr_index import CdrIndex, Filter, IndexLayout, IndexOrder
from openivr.store.cdr.routing_stages import uid_key
from openivr.store.tables import CALL, CDR_CALL, CDR_ROW

ROWS = IndexLayout(
    table=CDR_ROW,
    numbers=("ended", "started", "leg", "duration", "ring_duration", "talk_duration"),
    converted={"uid": uid_key},
    texts=(
        *("call_from", "call_to", "disposition", "call_type", "src_trunk", "dst_trunk"),
        *("did_number", "dod_number", "to_kind"),
    ),
    last="last_row",
)
CALLS = IndexLayout(
    table=CDR_CALL,
    numbers=("ended", "started", "call_duration", "routing_duration", "handling_duration"),
    converted={"uid": uid_key},
    texts=("call_type", "last_status", "call_from", "call_to"),
    last="last_call",
)
NUMBERS = ("call_from", "call_to", "did_number")  # columns of rows
MAX_NUMBERS = 1000  # that a query names
OF_CALL = (CALL.c.started.label("call_started"), CALL.c.recording)


@dataclass(frozen=True, slots=True)
class CdrQuery:
    """Conditions and order of a page, with its first row and its size."""

    filters: Sequence[Filter] = ()
    order: IndexOrder = field(default_factory=IndexOrder)
    offset: int = 0
    limit: int = 10_000


# Runs a function in a transaction of its own, as `Database.read` does.
Reader = Callable[[Callable[[Connection], bool]], Awaitable[bool]]


class CdrLists:
    """The indexes of one worker. They are built when they are first asked for."""

    def __init__(self) -> None:
        self.rows, self.calls = CdrIndex(ROWS), CdrIndex(CALLS)
        self.building = asyncio.Lock()

    async def build(self, read: Reader, index: CdrIndex) -> None:
        """Bring an index near to the database, some rows in a transaction, so that no thread waits long."""
        async with self.building:
            while not await read(index.follow_some):
                pass

    def find_numbers(self, connection: Connection, part: str) -> tuple[str, ...] | None:
        """Return the numbers of callers and callees that contain a text. None: there are too many."""
        numbers = {number for name in NUMBERS for number in self.rows.find_texts(connection, name, part)}
        return tuple(sorted(numbers)) if len(numbers) <= MAX_NUMBERS else None

    def list_rows(self, connection: Connection, query: CdrQuery) -> tuple[int, list[Row[Any]]]:
        """Return the number of routing stages that are wanted, and a page of them."""
        return read_page(connection, self.rows, query)

    def list_calls(self, connection: Connection, query: CdrQuery) -> tuple[int, list[Row[Any]]]:
        """Return the number of calls that are wanted, and a page of them."""
        return read_page(connection, self.calls, query)


def read_page(connection: Connection, index: CdrIndex, query: CdrQuery) -> tuple[int, list[Row[Any]]]:
    page = index.page(connection, query.filters, query.order, query.offset, query.limit)
    table = index.layout.table
    found: dict[int, Row[Any]] = {}
    for ids in batches(page.ids, 500):
        found |= {
            row.id: row for row in connection.execute(select_of(index.layout).where(table.c.id.in_(ids)))
        }
    return page.total, [found[id_] for id_ in page.ids if id_ in found]


def select_of(layout: IndexLayout) -> Select[Any]:
    """Select the rows of a table with the start of the call and its recording."""
    table = layout.table
    return select(table, *OF_CALL).select_from(table.join(CALL, CALL.c.id == table.c.call_id))


def find_call(connection: Connection, uid: str) -> tuple[Row[Any], CallRecord, list[Row[Any]]] | None:
    """Return a call by the id that the API has for it: its whole, its record and its stages in order."""
    whole = connection.execute(select_of(CALLS).where(CDR_CALL.c.uid == uid)).first()
    if whole is None:
        return None
    record = connection.execute(select(CALL).where(CALL.c.id == whole.call_id)).one()
    stages = connection.execute(select_stages(CDR_ROW.c.call_id == whole.call_id)).all()
    return whole, as_record(record), list(stages)


def select_stages(condition: ColumnElement[bool]) -> Select[Any]:
    return select_of(ROWS).where(condition).order_by(CDR_ROW.c.leg)
