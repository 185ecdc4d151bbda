"""A copy of a menu: the same but for number and name, and it leads back to itself."""

import pytest

from openivr.resources import KINDS
from openivr.resources.errors import Duplicate, Invalid, NotFound
from openivr.resources.ivr import IVR
from openivr.store.config import resources, scenarios
from openivr.store.config.menu_copy import copy_menu, find_free_number
from openivr.store.database import Database
from tests.store.bodies import update
from tests.store.test_import_export import fill

MAIN = 1  # 6200, the first menu of `fill`


def test_a_copy_is_the_same_but_for_number_and_name(database: Database) -> None:
    fill(database)
    update(database, "ivr", MAIN, {"timeout_dest": "ivr", "timeout_dest_value": str(MAIN)})
    remarks = [{"code": "other", "text": "Key 9 led to a room"}]
    with database.changing() as change:
        menu = resources.fetch(change.connection, IVR, MAIN)
        resources.save(change, IVR, MAIN, menu | {"import_remarks": remarks}, is_new=False)
    with database.changing() as change:
        copy_id = copy_menu(change, MAIN, "6250", "Copy")
    with database.reading() as connection:
        menu = resources.fetch(connection, IVR, MAIN)
        copy = resources.fetch(connection, IVR, copy_id)
        assert resources.find_users(connection, IVR, copy_id) == []
        assert scenarios.find_all(connection, copy_id) == []
        prompt_users = connection.exec_driver_sql("select count(*) from reference").scalar_one()
    keys = menu["keys"] | {"timeout": menu["keys"]["timeout"] | {"value": str(copy_id)}}
    assert menu["keys"]["timeout"]["value"] == str(MAIN)
    assert copy == menu | {"number": "6250", "name": "Copy", "keys": keys, "import_remarks": []}
    assert prompt_users > 0


def test_what_a_copy_uses_cannot_be_deleted(database: Database) -> None:
    fill(database)
    with database.changing() as change:
        copy_menu(change, MAIN, "6250", "Copy")
    with database.reading() as connection:
        group = resources.fetch(connection, IVR, MAIN)["keys"]["1"]
        users = resources.users(connection, KINDS["ring_group"], int(group["value"]))
    assert [user.label for user in users if user.kind == "ivr"] == ["6200", "6250"]


@pytest.mark.parametrize(
    ("id_", "number", "name", "error"),
    [
        (77, "6250", "Copy", NotFound),
        (MAIN, "6200", "Copy", Duplicate),
        (MAIN, "x", "Copy", Invalid),
        (MAIN, "6250", "", Invalid),
        (MAIN, "", "Copy", Invalid),
    ],
)
def test_a_copy_that_cannot_be_made_changes_nothing(
    database: Database, id_: int, number: str, name: str, error: type[Exception]
) -> None:
    fill(database)
    with database.reading() as connection:
        before = dict(resources.fetch_all(connection, IVR))
    with pytest.raises(error), database.changing() as change:
        copy_menu(change, id_, number, name)
    with database.reading() as connection:
        assert dict(resources.fetch_all(connection, IVR)) == before


@pytest.mark.parametrize(
    ("number", "free"), [("6200", "6202"), ("0099", "0100"), ("6203", "6204"), ("9999", ""), ("x", "")]
)
def test_the_next_free_number_is_as_long(database: Database, number: str, free: str) -> None:
    fill(database)  # 6200 and 6201 are taken
    with database.reading() as connection:
        assert find_free_number(connection, number) == free
