"""Transactions of several writers at once."""

from concurrent.futures import ThreadPoolExecutor

from openivr.resources import KINDS
from openivr.resources.errors import Duplicate
from openivr.store.config import resources
from openivr.store.database import Database
from tests.store.bodies import ivr, revision


def test_a_writer_that_reads_first_is_never_turned_away(database: Database) -> None:
    """SQLite refuses a reader that turns into a writer once somebody else has written."""

    def read_then_write(_at: int) -> None:
        with database.writing() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM ivr").scalar()
            connection.exec_driver_sql("UPDATE revision SET auth = auth + 1")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read_then_write, range(80)))


def test_changes_at_once_are_made_one_after_the_other(database: Database) -> None:
    """Of many who want one number, one gets it; every other change is counted."""

    def create(at: int) -> bool:
        try:
            with database.changing() as change:
                resources.create(change, KINDS["ivr"], ivr("6200" if at % 2 else f"7{at:03d}"))
        except Duplicate:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(create, range(40)))
    assert sum(made) == 21
    assert revision(database) == 21
