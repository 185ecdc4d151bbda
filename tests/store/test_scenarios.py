"""Stored test cases: with their menu, under a name of their own, no more than there is room for."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from openivr.resources import KINDS
from openivr.resources.errors import Duplicate, Invalid, NotFound
from openivr.store.config import resources, scenarios
from openivr.store.database import Database
from tests.store.bodies import create, ivr

FIRST = {"scenario": "First", "calls": "1", "steps": ["hangs_up"]}


@pytest.fixture
def menu(database: Database) -> int:
    return create(database, "ivr", ivr("6200"))


def add(database: Database, menu: int, name: str) -> int:
    with database.changing() as change:
        return scenarios.add(change.connection, menu, FIRST | {"scenario": name})


def names(database: Database) -> list[str]:
    with database.reading() as connection:
        return [stored.name for stored in scenarios.find_all(connection)]


def test_a_scenario_calls_the_number_that_its_menu_has(database: Database, menu: int) -> None:
    id_ = add(database, menu, " First ")
    with database.reading() as connection:
        (stored,) = scenarios.find_all(connection, menu)
        assert scenarios.find_all(connection, menu + 1) == []
    assert stored == scenarios.StoredScenario(id_, menu, "First", FIRST | {"calls": "6200"})


def test_a_scenario_goes_with_its_menu(database: Database, menu: int) -> None:
    add(database, menu, "First")
    with database.changing() as change:
        resources.delete(change, KINDS["ivr"], menu)
    assert names(database) == []


def test_names_are_unique_in_a_menu(database: Database, menu: int) -> None:
    id_, other = add(database, menu, "First"), create(database, "ivr", ivr("6201"))
    add(database, other, "First")
    with pytest.raises(Duplicate):
        add(database, menu, "First")
    add(database, menu, "Second")
    with database.changing() as change:
        scenarios.rename(change.connection, menu, id_, "First")  # its own
        with pytest.raises(Duplicate):
            scenarios.rename(change.connection, menu, id_, "Second")
        scenarios.rename(change.connection, menu, id_, "Third")
    assert names(database) == ["Third", "Second", "First"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "two\nlines", "nul\0", "\x1b[31m"])
def test_a_name_is_one_line(database: Database, menu: int, name: str) -> None:
    with pytest.raises(Invalid):
        add(database, menu, name)


@pytest.mark.parametrize("id_", [77, 0, -1, 2**31, 2**70])
def test_what_is_not_there_or_is_anothers_is_not_found(database: Database, menu: int, id_: int) -> None:
    own = add(database, menu, "First")
    with database.changing() as change:
        for one, two in ((menu, id_), (menu + 1, own)):
            with pytest.raises(NotFound):
                scenarios.rename(change.connection, one, two, "Other")
            with pytest.raises(NotFound):
                scenarios.remove(change.connection, one, two)
        with pytest.raises(NotFound):
            scenarios.add(change.connection, id_ + 10, FIRST)
        scenarios.remove(change.connection, menu, own)
    assert names(database) == []


def test_a_menu_has_room_for_so_many(database: Database, menu: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scenarios, "MAX_SCENARIOS", 2)
    add(database, menu, "1")
    add(database, menu, "2")
    with pytest.raises(Invalid, match="2 already"):
        add(database, menu, "3")


def test_two_who_give_the_same_name_at_once(database: Database, menu: int) -> None:
    """One gets it; the other waits for that and is told, whichever database it is."""
    both = threading.Barrier(2)

    def save(_: int) -> int:
        with database.writing() as connection:
            if not database.is_sqlite:  # where the second writer can get this far
                both.wait()
            return scenarios.add(connection, menu, FIRST)

    with ThreadPoolExecutor(2) as pool:
        found = [pool.submit(save, place) for place in range(2)]
        problems = [one.exception() for one in found]
    assert sorted(str(type(one)) for one in problems) == sorted(map(str, (type(None), Duplicate)))
    assert names(database) == ["First"]
