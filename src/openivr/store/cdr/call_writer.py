"""Writes and deletes calls with all that is kept beside them: notes, menus, rows for the API, and sums."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, delete, select

from openivr.store.cdr import call_records, cdr_rows, report_sums
from openivr.store.cdr.call_records import CallNote, CallRecord, batches
from openivr.store.cdr.cdr_rows import EndedCallRows
from openivr.store.tables import CALL

MAX_DELETED = 1000  # calls at a time


def write_calls(
    connection: Connection, records: Sequence[CallRecord], notes: Iterable[tuple[str, int, CallNote]]
) -> list[EndedCallRows]:
    """Write whole records, new or known, and notes by call and place. Return the rows of calls that ended."""
    ended = [record for record in records if not record.is_live]
    if not ended:
        save(connection, records, notes)
        return []
    with report_sums.keeping(connection, [record.id for record in ended]):
        save(connection, records, notes)
        call_records.save_menus(connection, [record.id for record in ended])
        return cdr_rows.save_rows(connection, ended)


def save(
    connection: Connection, records: Iterable[CallRecord], notes: Iterable[tuple[str, int, CallNote]]
) -> None:
    call_records.save(connection, records)
    call_records.save_notes(connection, notes)


def delete_old(connection: Connection, before: int) -> int:
    """Delete some of the calls that ended before a time, and return how many. 0: none are left."""
    report_sums.lock(connection)  # before the calls are chosen, so that two nodes do not choose the same
    old = select(CALL.c.id).where(CALL.c.ended < before).order_by(CALL.c.ended).limit(MAX_DELETED)
    ids = list(connection.execute(old).scalars())
    if ids:
        delete_calls(connection, ids)
    return len(ids)


def delete_calls(connection: Connection, ids: Sequence[str]) -> None:
    """Delete calls."""
    with report_sums.keeping(connection, ids):
        for part in batches(ids, 500):
            connection.execute(delete(CALL).where(CALL.c.id.in_(part)))
