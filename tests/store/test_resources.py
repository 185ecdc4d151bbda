"""Objects on both databases: whole changes or none, one owner a number, nothing that dangles."""

from typing import Any

import pytest

from openivr.resources import KINDS
from openivr.resources.errors import Duplicate, InUse, Invalid, NotFound
from openivr.store.config import resources
from openivr.store.config.resources import ResourceUser
from openivr.store.database import Database
from tests.store.bodies import create, delete, extension, ivr, revision, show, update


def test_what_was_created_is_shown(database: Database) -> None:
    one = create(database, "extension", extension())
    menu = create(database, "ivr", ivr(press1_dest="extension", press1_dest_value=str(one)))
    row = show(database, "ivr", menu)
    assert (row["id"], row["number"], row["press1_dest_value"]) == (menu, "6200", str(one))


def test_an_update_changes_only_what_it_names(database: Database) -> None:
    menu = create(database, "ivr", ivr(press1_dest="end_call", alert_info="ring"))
    before = show(database, "ivr", menu)
    update(database, "ivr", menu, {"name": "Other"})
    assert show(database, "ivr", menu) == before | {"name": "Other"}


def test_each_change_raises_the_revision_by_one(database: Database) -> None:
    start = revision(database)
    menu = create(database, "ivr", ivr())
    update(database, "ivr", menu, {"name": "Other"})
    delete(database, "ivr", menu)
    assert revision(database) == start + 3


@pytest.mark.parametrize(
    "body",
    [
        ivr("1000"),  # an extension's number
        ivr("6300", press1_dest="extension", press1_dest_value="77"),
        ivr("6300", press1_dest="queue", press1_dest_value="1"),
        ivr("6300", prompt="missing.wav"),
        ivr("6300", dial_ext_option="allow", dial_ext_list=[{"value": "9"}]),
        ivr("6300", prompt_repeat=6),
    ],
)
def test_what_is_refused_leaves_no_trace(database: Database, body: dict[str, Any]) -> None:
    create(database, "extension", extension())
    before = revision(database)
    with pytest.raises((Duplicate, Invalid)):
        create(database, "ivr", body)
    assert revision(database) == before
    with pytest.raises(NotFound):
        show(database, "ivr", 1)


def test_a_number_is_free_again_after_its_owner(database: Database) -> None:
    one = create(database, "extension", extension("1000"))
    delete(database, "extension", one)
    assert create(database, "ivr", ivr("1000")) == 1


def test_ids_are_never_used_again(database: Database) -> None:
    first = create(database, "ivr", ivr("6200"))
    delete(database, "ivr", first)
    assert create(database, "ivr", ivr("6200")) == first + 1


def test_an_update_to_a_taken_number_is_refused(database: Database) -> None:
    create(database, "extension", extension("1000"))
    menu = create(database, "ivr", ivr("6200"))
    with pytest.raises(Duplicate) as caught:
        update(database, "ivr", menu, {"number": "1000"})
    assert (caught.value.field, caught.value.kind, caught.value.name) == ("number", "extension", "1000")


def test_what_is_pointed_to_cannot_go(database: Database) -> None:
    one = create(database, "extension", extension())
    group = create(database, "ext_group", {"name": "Sales", "member_list": [{"value": str(one)}]})
    menu = create(
        database, "ivr", ivr(dial_ext_option="allow", dial_ext_list=[{"value": group, "type": "ext_group"}])
    )
    for kind, id_, users in (("extension", one, ["ext_group Sales"]), ("ext_group", group, ["ivr 6200"])):
        with pytest.raises(InUse) as caught:
            delete(database, kind, id_)
        assert caught.value.users == users
    delete(database, "ivr", menu)
    delete(database, "ext_group", group)
    delete(database, "extension", one)


def test_the_users_of_an_object_are_named_and_counted(database: Database) -> None:
    used, free = (
        create(database, "extension", extension("1000")),
        create(database, "extension", extension("1001")),
    )
    to_used = {"press1_dest": "extension", "press1_dest_value": str(used)}
    twice = create(database, "ivr", ivr("6200", **to_used, press2_dest="ext_vm", press2_dest_value=str(used)))
    once = create(database, "ivr", ivr("6201", **to_used))
    group = create(database, "ext_group", {"name": "Sales", "member_list": [{"value": str(used)}]})
    with database.reading() as connection:
        found = resources.users(connection, KINDS["extension"], used)
        assert found == [
            ResourceUser("ext_group", group, "Sales"),
            ResourceUser("ivr", twice, "6200"),
            ResourceUser("ivr", once, "6201"),
        ]
        counts = resources.count_users(connection, KINDS["extension"], [used, free])
    assert counts == {used: {"ext_group": 1, "ivr": 2}}


def test_an_object_is_found_by_what_people_call_it(database: Database) -> None:
    person = create(database, "extension", extension("1000"))
    group = create(database, "ext_group", {"name": "Sales"})
    with database.reading() as connection:
        assert resources.find_named(connection, KINDS["extension"], "1000") == person
        assert resources.find_named(connection, KINDS["ring_group"], "1000") is None
        assert resources.find_named(connection, KINDS["ext_group"], "Sales") == group
        assert resources.find_named(connection, KINDS["ext_group"], "Sal") is None
        assert resources.find_named(connection, KINDS["ext_group"], "\0") is None


def test_objects_are_fetched_together(database: Database) -> None:
    first, second = (create(database, "extension", extension(number)) for number in ("1001", "1000"))
    with database.reading() as connection:
        names = resources.namer(connection, [("extension", first), ("extension", 99), ("extension", 2**40)])
        assert [names("extension", one)[1] for one in (first, second)] == ["1001", "1000"]
        with pytest.raises(NotFound):
            names("extension", 99)
        found = resources.fetch_many(connection, KINDS["extension"], [second, 99, first])
        assert found == {one: resources.fetch(connection, KINDS["extension"], one) for one in (first, second)}


def test_what_points_to_itself_counts_for_nothing(database: Database) -> None:
    id_ = create(database, "ivr", ivr("6200"))
    update(database, "ivr", id_, {"press1_dest": "ivr", "press1_dest_value": str(id_)})
    with database.reading() as connection:
        assert resources.users(connection, KINDS["ivr"], id_) == []
        assert resources.count_users(connection, KINDS["ivr"], [id_]) == {}


def test_a_menu_may_lead_to_itself_and_still_be_deleted(database: Database) -> None:
    menu = create(database, "ivr", ivr())
    update(database, "ivr", menu, {"timeout_dest": "ivr", "timeout_dest_value": str(menu)})
    delete(database, "ivr", menu)
    with pytest.raises(NotFound):
        show(database, "ivr", menu)


def test_routes_line_up_behind_one_another(database: Database) -> None:
    routes = [create(database, "outbound_route", {"name": name}) for name in ("a", "b")]
    assert [show(database, "outbound_route", route)["pos"] for route in routes] == [1, 2]


def test_a_new_registration_name_needs_the_password(database: Database) -> None:
    one = create(database, "extension", extension())
    with pytest.raises(Invalid) as caught:
        update(database, "extension", one, {"reg_name": "other"})
    assert caught.value.problems[0].field == "reg_password"
    update(database, "extension", one, {"reg_name": "other", "reg_password": "registration"})
    assert show(database, "extension", one)["reg_name"] == "other"


@pytest.mark.parametrize("pattern", ["[", "9[]X", "X.X", "Q", "[5-2]", "9 1"])
def test_a_pattern_that_means_nothing_is_refused(database: Database, pattern: str) -> None:
    with pytest.raises(Invalid, match="dial_pattern_list has an item whose pattern"):
        create(database, "outbound_route", {"name": "Out", "dial_pattern_list": [{"pattern": pattern}]})
