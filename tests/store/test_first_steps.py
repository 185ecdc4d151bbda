"""The checklist of an empty server, and the numbers that are proposed."""

from dataclasses import asdict

from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallRecord
from openivr.store.config import first_steps
from openivr.store.config.first_steps import FirstSteps
from openivr.store.database import Database
from tests.store.bodies import create, extension, ivr, update


def done(database: Database) -> set[str]:
    with database.reading() as connection:
        found = first_steps.find_first_steps(connection)
    return {name for name, is_done in asdict(found).items() if is_done}


def test_each_step_ticks_itself(database: Database) -> None:
    assert done(database) == set()
    create(database, "extension", extension())
    assert done(database) == {"people"}
    trunk = create(database, "trunk", {"name": "Line", "type": "peer", "hostname": "192.0.2.1", "enable": 0})
    assert done(database) == {"people"}
    update(database, "trunk", trunk, {"enable": 1})
    menu = create(database, "ivr", ivr())
    assert done(database) == {"people", "line", "menu"}
    create(database, "inbound_route", {"name": "In", "def_dest": "ivr", "def_dest_value": str(menu)})
    create(database, "businesshour", {"days_of_week": "mon", "office_times": [{"value": "09:00-18:00"}]})
    assert done(database) == {"people", "line", "menu", "number", "hours"}
    with database.writing() as connection:
        call_records.save(connection, [CallRecord(id="one", started=1)])
    assert done(database) == {"people", "line", "menu", "number", "hours", "call"}


def test_a_server_is_in_use_once_a_call_has_reached_it() -> None:
    nothing = FirstSteps(*[False] * 7)
    assert not nothing.is_in_use
    assert FirstSteps(True, False, True, False, False, False, True).is_in_use
    assert not FirstSteps(True, True, True, True, True, True, False).is_in_use


def test_the_checklist_is_hidden_once_and_for_all(database: Database) -> None:
    with database.writing() as connection:
        assert not first_steps.is_hidden(connection)
        first_steps.hide(connection)
        first_steps.hide(connection)
        assert first_steps.is_hidden(connection)


def test_the_next_free_number_is_proposed(database: Database) -> None:
    def propose(kind: str, first: str) -> str:
        with database.reading() as connection:
            return first_steps.propose_number(connection, kind, first)

    assert propose("extension", "1000") == "1000"
    create(database, "extension", extension("0098"))
    assert propose("extension", "1000") == "0099"
    create(database, "ivr", ivr("0099"))
    assert propose("extension", "1000") == "0100"
    assert propose("ivr", "6200") == "0100"
    create(database, "extension", extension("99"))
    assert propose("extension", "1000") == ""
    assert propose("ring_group", "6300") == "6300"
