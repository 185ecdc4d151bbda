"""Recordings of calls: which there are, and by which names the API knows them. The files are elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal_column, select

from openivr.store.cdr.cdr_lists import ROWS, select_of
from openivr.store.tables import CALL, CDR_ROW


@dataclass(frozen=True, slots=True)
class RecordingQuery:
    """Conditions, order and page of a list of recordings. None and () are no condition; times are seconds."""

    since: int | None = None
    until: int | None = None  # included
    caller: str | None = None
    callee: str | None = None
    uid: str | None = None
    ids: Sequence[int] = ()
    sort: str = "id"
    is_descending: bool = False
    offset: int = 0
    limit: int = 10_000


def select_recordings() -> Select[Any]:
    """Select the routing stages that name a recording which has not been deleted."""
    columns = (CALL.c.answered, CALL.c.ended.label("call_ended"))
    recorded = select_of(ROWS).add_columns(*columns)
    # Not a parameter: only a constant lets the database use the index of these rows.
    return recorded.where(CDR_ROW.c.is_recorded == literal_column("1"), CALL.c.recording != "")


def list_recordings(connection: Connection, wanted: RecordingQuery) -> tuple[int, list[Row[Any]]]:
    """Return the number of recordings that are wanted, and a page of them."""
    query = select_recordings()
    if wanted.since is not None:
        query = query.where(CDR_ROW.c.started >= wanted.since)
    if wanted.until is not None:
        query = query.where(CDR_ROW.c.started <= wanted.until)
    for column, value in (("call_from", wanted.caller), ("call_to", wanted.callee), ("uid", wanted.uid)):
        if value is not None:
            query = query.where(CDR_ROW.c[column] == value)
    if wanted.ids:
        query = query.where(CDR_ROW.c.id.in_(wanted.ids))
    total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    order = [CDR_ROW.c[name] for name in dict.fromkeys((wanted.sort, "id"))]
    page = query.order_by(*(column.desc() if wanted.is_descending else column for column in order))
    return total, list(connection.execute(page.offset(wanted.offset).limit(wanted.limit)))


def find_recording(connection: Connection, id_: int) -> Row[Any] | None:
    """Return the recording with an id, None if there is none or it was deleted."""
    return connection.execute(select_recordings().where(CDR_ROW.c.id == id_)).first()


def find_of_second(connection: Connection, second: int) -> list[Row[Any]]:
    """Return the recordings of calls that began in a second of Unix time."""
    began = CALL.c.started.between(second * 1000, second * 1000 + 999)
    return list(connection.execute(select_recordings().where(began)))
