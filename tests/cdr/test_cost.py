"""The work of the CDR worker for a call and without one: counted, because times depend on the load."""

from pathlib import Path

import sqlalchemy.sql.coercions
from sqlalchemy import event

from openivr.cdr.journal.writer import Journal
from openivr.cdr.worker import CdrWorker
from openivr.ivr.model import IvrSnapshot
from openivr.store.database import Database
from tests.call_counter import count_python_calls
from tests.cdr.simulated_calls import record

MAX_CALLS = 8_000  # of functions, for a transaction with three calls; 17,000 if statements are made each time


def write_three_calls(journal: Journal, snapshot: IvrSnapshot, name: str) -> None:
    for at in range(3):
        for entry in record(snapshot, f"{name}-{at}", "3").end():
            journal.write(entry)


def test_storing_calls_makes_no_statements(database: Database, snapshot: IvrSnapshot, tmp_path: Path) -> None:
    """Making a statement costs more than running it, and a transaction has about twenty-five."""
    journal, worker = Journal(tmp_path), CdrWorker(database, "node", tmp_path)
    for name in ("first", "second"):  # statements are made when they are first needed
        write_three_calls(journal, snapshot, name)
        worker.work()
    write_three_calls(journal, snapshot, "third")
    calls = count_python_calls(worker.work)
    assert calls[sqlalchemy.sql.coercions.__file__] == 0
    assert 0 < calls.total() < MAX_CALLS
    journal.close()


def test_a_journal_that_does_not_change_costs_no_query(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    statements: list[str] = []
    journal, worker = Journal(tmp_path), CdrWorker(database, "node", tmp_path)
    event.listen(database.engine, "before_cursor_execute", lambda *values: statements.append(values[2]))
    assert not worker.is_at_rest()
    write_three_calls(journal, snapshot, "first")
    worker.work()
    assert not worker.is_at_rest()  # more may have been written meanwhile
    worker.work()
    statements.clear()
    assert worker.is_at_rest()
    assert not statements
    write_three_calls(journal, snapshot, "second")
    assert not worker.is_at_rest()
    worker.catch_up()
    assert worker.is_at_rest()
    Journal(tmp_path).close()  # another process begins a file of its own
    assert not worker.is_at_rest()
    journal.close()
