"""What lists of calls go by is kept by the clerk: menus of calls that are over, and signs of life."""

from pathlib import Path

from openivr.clerk.clerk import Clerk
from openivr.journal.entries import Alive, CallEntry
from openivr.journal.writer import Journal
from openivr.journal.writer import now as clock
from openivr.menu.model import Snapshot
from openivr.store import calls, pulse
from openivr.store.calls import Wanted
from openivr.store.database import Database
from openivr.store.pulse import SILENT_MS
from tests.clerk.recording import record

NAVIGATOR, PROMPT = 3, 1


def write(folder: Path, entries: list[CallEntry]) -> Journal:
    journal = Journal(folder)
    for entry in entries:
        journal.write(entry)
    return journal


def through(database: Database, menu: int) -> list[str]:
    with database.reading() as connection:
        return [one.id for one in calls.list_calls(connection, Wanted(menu=menu, is_live=False))[1]]


def test_a_call_that_is_over_is_found_by_each_of_its_menus(
    database: Database, snapshot: Snapshot, tmp_path: Path
) -> None:
    write(tmp_path, record(snapshot, "one", "3", menu=NAVIGATOR).end()).close()
    Clerk(database, "node", tmp_path).catch_up()
    assert through(database, NAVIGATOR) == through(database, PROMPT) == ["one"]


def test_a_call_whose_process_died_too(database: Database, snapshot: Snapshot, tmp_path: Path) -> None:
    write(tmp_path, record(snapshot, "one", menu=NAVIGATOR).entries).close()
    Clerk(database, "node", tmp_path).catch_up()
    assert through(database, NAVIGATOR) == []
    write(tmp_path, []).write(Alive(at=1))
    Clerk(database, "node", tmp_path).catch_up()
    assert through(database, NAVIGATOR) == ["one"]


def test_signs_of_life(database: Database, tmp_path: Path) -> None:
    journal = write(tmp_path, [])
    began = clock()
    journal.write(Alive(at=began + 5 * SILENT_MS))
    Clerk(database, "node", tmp_path).catch_up()
    with database.reading() as connection:
        assert not pulse.read_nodes(connection, began + 6 * SILENT_MS).are_silent
        assert pulse.read_nodes(connection, began + 6 * SILENT_MS + 1).are_silent
    journal.close()
