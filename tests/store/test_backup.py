"""Backups: one state of the data while it is written to, from either database and back into either."""

import threading
from pathlib import Path

from openivr.store.backup import backup, count_rows, restore
from openivr.store.caches import list_snapshot, loaded_config
from openivr.store.database import Database
from tests.store.bodies import create, ivr, revision, show
from tests.store.conftest import Opener
from tests.store.test_import_export import export, fill


def ignore(_rows: int) -> None:
    """No progress bar."""


def test_everything_comes_back(open_database: Opener, tmp_path: Path) -> None:
    first, second = open_database(), open_database()
    fill(first)
    create(second, "ivr", ivr("7000"))
    before = revision(second)
    backup(first, tmp_path / "copy", ignore)
    restore(tmp_path / "copy", second, ignore)
    assert export(second) == export(first)
    assert revision(second) > max(before, revision(first))
    assert create(second, "ivr", ivr("7000")) == 3
    assert show(second, "ivr", 3)["number"] == "7000"


def test_a_reader_of_the_last_change_notices_a_restore(open_database: Opener, tmp_path: Path) -> None:
    database = open_database()
    create(database, "ivr", ivr("7000"))
    backup(database, tmp_path / "copy", ignore)
    create(database, "ivr", ivr("7001"))
    with database.reading() as connection:
        lists = list_snapshot.apply_changes(connection, list_snapshot.EMPTY)
        calls = loaded_config.apply_changes(connection, None)
    restore(tmp_path / "copy", database, ignore)
    with database.reading() as connection:
        lists = list_snapshot.apply_changes(connection, lists)
        calls = loaded_config.apply_changes(connection, calls)
    assert lists.lists["ivr"].total == 1
    assert [menu.number for menu in calls.configuration.snapshot.ivrs.values()] == ["7000"]


def test_the_copy_is_one_file(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    backup(database, target / "copy", ignore)
    assert [path.name for path in target.iterdir()] == ["copy"]


def test_a_copy_made_while_others_write_is_one_state(database: Database, tmp_path: Path) -> None:
    started, finish = threading.Event(), threading.Event()

    def write() -> None:
        for at in range(2000):
            create(database, "ivr", ivr(f"{at:04d}"))
            started.set()
            if finish.is_set():
                return

    writer = threading.Thread(target=write)
    writer.start()
    started.wait(10)
    backup(database, tmp_path / "copy", ignore)
    finish.set()
    writer.join()
    copy = Database(f"sqlite:///{tmp_path / 'copy'}")
    with copy.reading() as connection:
        menus = connection.exec_driver_sql("SELECT count(*), max(id) FROM ivr").one()
        last = connection.exec_driver_sql("SELECT last FROM counter WHERE kind = 'ivr'").scalar()
        numbers = connection.exec_driver_sql("SELECT count(*) FROM number").scalar()
        assert count_rows(connection) > 0
    assert menus[0] == menus[1] == last == numbers
    assert revision(copy) == last
    copy.close()
