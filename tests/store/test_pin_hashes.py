"""PINs that the release before stored as they were typed are hashes after the migration."""

import importlib

from sqlalchemy import update

from openivr.resources.pin_list import PIN_LIST
from openivr.store.config import resources
from openivr.store.config.pin_lists import is_pin_right
from openivr.store.database import Database
from openivr.store.tables import OBJECTS
from tests.store.bodies import create

MIGRATION = importlib.import_module("openivr.store.migrations.versions.0016_pin_hashes")
PINS = ("028391827", "33017", "918273645")


def test_stored_pins_become_hashes_that_still_open(database: Database) -> None:
    id_ = create(database, "pin_list", {"name": "Warehouse", "pin_list": "111"})
    other = create(database, "pin_list", {"name": "Office", "pin_list": "111"})
    table = OBJECTS["pin_list"]
    with database.writing() as connection:  # as they were stored before
        plain = [{"pin": pin} for pin in PINS]
        connection.execute(update(table).where(table.c.id == id_).values(pin_list=plain))
        connection.execute(update(table).where(table.c.id == other).values(pin_list=[{"pin": "028391827"}]))
    with database.writing() as connection:
        MIGRATION.hash_all(connection)
    with database.reading() as connection:
        stored = resources.fetch(connection, PIN_LIST, id_)
        assert not any(pin in str(stored) for pin in PINS if len(pin) > 8)
        assert all(is_pin_right(connection, id_, pin) for pin in PINS)
        assert not is_pin_right(connection, id_, "111")
        assert is_pin_right(connection, other, "028391827")
        assert set(resources.fetch(connection, PIN_LIST, other)["pin_list"]).isdisjoint(stored["pin_list"])
    with database.changing() as change:
        resources.update(change, PIN_LIST, id_, {"remove_pins": "33017", "add_pins": "5555"})
    with database.reading() as connection:
        assert [is_pin_right(connection, id_, pin) for pin in (*PINS, "5555")] == [True, False, True, True]
    if database.is_sqlite:
        database.engine.dispose()
        kept = b"".join(path.read_bytes() for path in database.path.parent.glob(database.path.name + "*"))
        assert b"918273645" not in kept


def test_an_empty_list_and_one_that_does_not_exist_open_to_no_pin(database: Database) -> None:
    id_ = create(database, "pin_list", {"name": "Warehouse", "pin_list": "2283"})
    with database.changing() as change:
        resources.update(change, PIN_LIST, id_, {"remove_pins": "2283"})
    with database.reading() as connection:
        assert not any(is_pin_right(connection, one, "2283") for one in (id_, id_ + 1))
