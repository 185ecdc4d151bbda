"""The outbox: numbers in the order of commits, gaps that are stated, bounds."""

import json
import queue
from pathlib import Path
from typing import Any

import pytest

from openivr.resources import KINDS
from openivr.resources.errors import ObjectError
from openivr.store.backup import backup, restore
from openivr.store.config import resources
from openivr.store.database import Database
from openivr.store.events import outbox
from openivr.store.events.notifications import Listener
from openivr.store.events.outbox import EventReport, OutboxRange
from tests.store import bodies


def write(database: Database, count: int, at: int = 1000) -> None:
    with database.writing() as connection:
        outbox.append(connection, [EventReport(30011, at + index, {"n": index}) for index in range(count)])


def read(database: Database, after: int = 0) -> list[tuple[int, int, Any]]:
    with database.reading() as connection:
        return [(one.id, one.type, json.loads(one.message)) for one in outbox.read_after(connection, after)]


def find_range(database: Database) -> OutboxRange:
    with database.reading() as connection:
        return outbox.read_range(connection)


def test_events_are_numbered_in_the_order_of_commits(database: Database) -> None:
    assert find_range(database) == OutboxRange(1, 0)
    write(database, 2)
    write(database, 1)
    assert read(database) == [(1, 30011, {"n": 0}), (2, 30011, {"n": 1}), (3, 30011, {"n": 0})]
    assert [id_ for id_, _, _ in read(database, 2)] == [3]
    assert find_range(database) == OutboxRange(1, 3)


def test_a_transaction_that_fails_takes_no_number(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            outbox.append(connection, [EventReport(30011, 1, {})])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    write(database, 1)
    assert [id_ for id_, _, _ in read(database)] == [1]


@pytest.mark.parametrize(
    ("after", "gap"), [(0, (1, 4)), (3, (4, 4)), (4, None), (9, None), (10, None), (11, (5, 10))]
)
def test_a_consumer_that_comes_too_late_learns_what_it_missed(
    after: int, gap: tuple[int, int] | None
) -> None:
    assert OutboxRange(5, 10).find_gap(after) == gap


def test_an_empty_outbox_has_a_gap_for_those_before_its_last_number() -> None:
    assert OutboxRange(8, 7).find_gap(5) == (6, 7)
    assert OutboxRange(8, 7).find_gap(7) is None
    assert OutboxRange(1, 0).find_gap(0) is None


def test_old_events_and_those_beyond_the_bound_are_deleted(database: Database) -> None:
    write(database, 5, at=0)
    write(database, 5, at=outbox.MAX_AGE_MS)
    with database.writing() as connection:
        assert outbox.delete_old(connection, outbox.MAX_AGE_MS + 1000) == 5
        assert outbox.delete_old(connection, outbox.MAX_AGE_MS + 1000) == 0
        assert outbox.delete_old(connection, outbox.MAX_AGE_MS, most=2) == 3
    assert [id_ for id_, _, _ in read(database)] == [9, 10]
    assert find_range(database).find_gap(0) == (1, 8)


def test_changes_of_the_configuration_are_reported_with_the_change(database: Database) -> None:
    extension, trunk = KINDS["extension"], KINDS["trunk"]
    with database.changing() as change:
        id_ = resources.create(change, extension, bodies.extension("1000"))
    with database.changing() as change:
        resources.create(change, trunk, {"name": "Line", "type": "peer", "hostname": "192.0.2.1"})
        resources.update(change, extension, id_, {"first_name": "Eva"})
    with database.changing() as change:
        resources.delete(change, extension, id_)

    def fail() -> None:
        with database.changing() as change:
            resources.create(change, extension, bodies.extension("1001"))
            resources.delete(change, extension, 99)

    with pytest.raises(ObjectError):
        fail()
    told = [(type_, message) for _, type_, message in read(database)]
    assert [message for type_, message in told if type_ == 30022] == [
        {"ext_number": "1000", "option": "CREATE"},
        {"ext_number": "1000", "option": "UPDATE"},
        {"ext_number": "1000", "option": "DELETE"},
    ]
    assert [message for type_, message in told if type_ == 30023] == [
        {"trunk_name": "Line", "option": "CREATE"}
    ]
    ours = [message for type_, message in told if type_ == 90003]
    assert [(one["kind"], one["option"]) for one in ours] == [
        ("extension", "CREATE"),
        ("trunk", "CREATE"),
        ("extension", "UPDATE"),
        ("extension", "DELETE"),
    ]
    assert ours[0]["id"] == id_
    assert ours[0]["revision"] < ours[1]["revision"] == ours[2]["revision"] < ours[3]["revision"]


def test_after_a_restore_every_consumer_learns_of_a_gap(database: Database, tmp_path: Path) -> None:
    write(database, 3)
    backup(database, tmp_path / "copy.db", lambda _rows: None)
    write(database, 4)
    restore(tmp_path / "copy.db", database, lambda _rows: None)
    kept = find_range(database)
    assert all(kept.find_gap(after) is not None for after in range(8))
    write(database, 1)
    assert [id_ for id_, _, _ in read(database)] == [kept.last + 1]


def test_postgresql_nudges_with_the_commit(database: Database) -> None:
    """The nudge comes for what was committed before, and again for each commit, never for what was undone."""
    if database.is_sqlite:
        pytest.skip("SQLite shows a commit without a nudge")
    nudges: queue.SimpleQueue[None] = queue.SimpleQueue()
    listener = Listener(database.engine, lambda: nudges.put(None))
    try:
        nudges.get(timeout=60)
        write(database, 1)
        nudges.get(timeout=60)
        write(database, 1)
        nudges.get(timeout=60)
    finally:
        listener.close()
        listener.join()
