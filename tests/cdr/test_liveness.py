"""What lists of calls go by is kept by the clerk: menus of calls that are over, and signs of life."""

from pathlib import Path

from openivr.cdr.journal.entries import CallEntry, Heartbeat
from openivr.cdr.journal.writer import Journal
from openivr.cdr.worker import CdrWorker
from openivr.clock import wall_ms as clock
from openivr.ivr.model import IvrSnapshot
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter
from openivr.store.database import Database
from openivr.store.runtime import liveness
from openivr.store.runtime.liveness import SILENT_MS
from tests.cdr.simulated_calls import record

NAVIGATOR, PROMPT = 3, 1


def write(folder: Path, entries: list[CallEntry]) -> Journal:
    journal = Journal(folder)
    for entry in entries:
        journal.write(entry)
    return journal


def through(database: Database, menu: int) -> list[str]:
    with database.reading() as connection:
        return [
            one.id for one in call_records.list_calls(connection, CallFilter(menu=menu, is_live=False))[1]
        ]


def test_a_call_that_is_over_is_found_by_each_of_its_menus(
    database: Database, snapshot: IvrSnapshot, tmp_path: Path
) -> None:
    write(tmp_path, record(snapshot, "one", "3", menu=NAVIGATOR).end()).close()
    CdrWorker(database, "node", tmp_path).catch_up()
    assert through(database, NAVIGATOR) == through(database, PROMPT) == ["one"]


def test_a_call_whose_process_died_too(database: Database, snapshot: IvrSnapshot, tmp_path: Path) -> None:
    write(tmp_path, record(snapshot, "one", menu=NAVIGATOR).entries).close()
    CdrWorker(database, "node", tmp_path).catch_up()
    assert through(database, NAVIGATOR) == []
    write(tmp_path, []).write(Heartbeat(at=1))
    CdrWorker(database, "node", tmp_path).catch_up()
    assert through(database, NAVIGATOR) == ["one"]


def test_signs_of_life(database: Database, tmp_path: Path) -> None:
    journal = write(tmp_path, [])
    began = clock()
    journal.write(Heartbeat(at=began + 5 * SILENT_MS))
    CdrWorker(database, "node", tmp_path).catch_up()
    with database.reading() as connection:
        assert not liveness.read_nodes(connection, began + 6 * SILENT_MS).are_silent
        assert liveness.read_nodes(connection, began + 6 * SILENT_MS + 1).are_silent
    journal.close()
