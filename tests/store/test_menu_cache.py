"""The menus for whoever asks now and then: never stale, and for a while as they were."""

import asyncio
from collections.abc import Iterator

import pytest

from openivr.ivr.model import IvrSnapshot
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.menu_cache import KEPT, MenuCache
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from tests.store.bodies import create, ivr, update


@pytest.fixture
def menus(database: Database) -> Iterator[MenuCache]:
    live = ListCache(database)
    yield MenuCache(live.feed)
    live.close()


def load(database: Database) -> IvrSnapshot:
    with database.reading() as connection:
        return load_snapshot(connection)


def plain(snapshot: IvrSnapshot) -> tuple[object, ...]:
    """All of a snapshot that can be compared."""
    kinds = (
        snapshot.ivrs,
        snapshot.extensions,
        snapshot.ring_groups,
        snapshot.outbound_routes,
        snapshot.prompts,
    )
    return snapshot.revision, *(dict(kind) for kind in kinds), dict(snapshot.numbers)


def test_it_is_what_loading_anew_gives(database: Database, menus: MenuCache) -> None:
    async def ask() -> None:
        first = create(database, "ivr", ivr("6200"))
        assert plain(await menus.current()) == plain(load(database))
        create(database, "ivr", ivr("6201", press1_dest="ivr", press1_dest_value=first))
        update(database, "ivr", first, {"number": "6300"})
        assert plain(await menus.current()) == plain(load(database))
        assert await menus.current() is await menus.current()

    asyncio.run(ask())


def test_a_few_older_ones_are_kept(database: Database, menus: MenuCache) -> None:
    async def ask() -> None:
        id_ = create(database, "ivr", ivr("6200"))
        seen = [await menus.current()]
        for seconds in range(1, KEPT + 1):
            update(database, "ivr", id_, {"resp_timeout": seconds})
            seen.append(await menus.current())
        assert await menus.at(seen[0].revision) is None
        for snapshot in seen[1:]:
            assert await menus.at(snapshot.revision) is snapshot
        assert seen[-2].ivrs[id_].resp_timeout == KEPT - 1

    asyncio.run(ask())
