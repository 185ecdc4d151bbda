"""What is read around one menu is enough: the check says of it what it says with all menus in view."""

import asyncio
import random

import pytest

from openivr.ivr.analysis.check import check, check_one
from openivr.ivr.analysis.diagram import draw
from openivr.ivr.model import DestinationKind
from openivr.resources import KINDS
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.non_menu_config import NonMenuConfig
from openivr.store.config import ivr_snapshot, menu_graph, resources
from openivr.store.config.menu_graph import MenuNeighbourhood, load_neighbourhood
from openivr.store.database import Database
from openivr.web.menus.menu_view import find_findings
from tests.store import bodies
from tests.store.bodies import create, update

IVR = KINDS["ivr"]


def fill(database: Database, seed: int, count: int) -> list[int]:
    """Menus whose keys lead to one another at random, some behind a ring group."""
    chance = random.Random(seed)
    person = create(database, "extension", bodies.extension())
    group = {"number": "6300", "name": "G", "ring_strategy": "ring_all", "ring_timeout": 9}
    ring = create(database, "ring_group", {**group, "member_list": [person]})
    ids = [create(database, "ivr", bodies.ivr(str(7000 + at))) for at in range(count)]
    for id_ in ids:
        changes: dict[str, str] = {}
        for stem in ("press1_dest", "press2_dest", "timeout_dest"):
            kind = chance.choice(("ivr", "ivr", "ring_group", "end_call", ""))
            value = {"ivr": chance.choice(ids), "ring_group": ring}.get(kind, "")
            changes |= {stem: kind, stem + "_value": str(value)}
        update(database, "ivr", id_, changes)
    update(database, "ring_group", ring, {"fail_dest": "ivr", "fail_dest_value": str(chance.choice(ids))})
    create(database, "inbound_route", {"name": "R", "def_dest": "ivr", "def_dest_value": str(ids[0])})
    return ids


@pytest.mark.parametrize("seed", range(8))
def test_the_check_and_the_picture_say_the_same(database: Database, seed: int) -> None:
    ids = fill(database, seed, 12)
    with database.reading() as connection:
        whole = ivr_snapshot.load_snapshot(connection)
        office = ivr_snapshot.load_without_menus(connection)
        assert office.ivrs == {}
        for id_ in ids:
            around = load_neighbourhood(connection, office, id_, resources.fetch(connection, IVR, id_))
            assert around.is_whole
            assert find_findings(around, id_) == find_findings(MenuNeighbourhood(whole, True), id_)
            own = [row for row in check(whole) if (row.target.type, row.target.id) == ("ivr", id_)]
            assert [one for one in check_one(around.snapshot, id_) if one.rule.code != "IVR102"] == [
                one for one in own if one.rule.code != "IVR102"
            ]
            starts = [(DestinationKind.IVR, id_)]
            assert draw(around.snapshot, starts) == draw(whole, starts)
    assert check(whole) != []


def test_what_is_too_much_is_cut_and_says_so(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = fill(database, 1, 30)
    monkeypatch.setattr(menu_graph, "MAX_MENUS", 3)
    with database.reading() as connection:
        office = ivr_snapshot.load_without_menus(connection)
        around = load_neighbourhood(connection, office, ids[0], resources.fetch(connection, IVR, ids[0]))
    assert not around.is_whole
    nodes = draw(around.snapshot, [(DestinationKind.IVR, ids[0])]).nodes
    assert not any(node.is_missing for node in nodes)
    assert all(one.code != "IVR103" for found in find_findings(around, ids[0]).values() for one in found)


async def see_twice(database: Database) -> tuple[object, object, object]:
    live = ListCache(database)
    office = NonMenuConfig(live.feed)
    first = await office.current()
    create(database, "extension", bodies.extension())
    second = await office.current()
    third = await office.current()
    live.close()
    return first, second, third


def test_the_office_is_read_again_when_something_in_it_changes(database: Database) -> None:
    first, second, third = asyncio.run(see_twice(database))
    assert first is not second
    assert second is third
