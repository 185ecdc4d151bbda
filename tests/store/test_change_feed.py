"""The change feed: what was committed is noticed, and read once and in order."""

import asyncio
from itertools import pairwise

import pytest
from sqlalchemy import Connection

from openivr.store.caches.change_feed import (
    ChangeFeed,
    RevisionCache,
    TooManyChanges,
    read_changes,
    read_revision,
)
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.non_menu_config import NonMenuConfig
from openivr.store.database import Database
from tests.store.bodies import create, delete, extension, ivr, update


def revision(database: Database) -> int:
    with database.reading() as connection:
        return read_revision(connection)


def changes(database: Database, since: int, limit: int | None = None) -> list[tuple[str, int]]:
    with database.reading() as connection:
        return read_changes(connection, since, limit)


def test_changes_are_read_once_each_in_the_order_in_which_they_came(database: Database) -> None:
    start = revision(database)
    menu = create(database, "ivr", ivr())
    phone = create(database, "extension", extension())
    update(database, "ivr", menu, {"name": "Again"})
    assert changes(database, start) == [("ivr", menu), ("extension", phone)]
    middle = revision(database)
    delete(database, "ivr", menu)
    assert changes(database, middle) == [("ivr", menu)]
    assert changes(database, revision(database)) == []


def test_more_changes_than_the_limit_are_refused(database: Database) -> None:
    start = revision(database)
    for number in ("6200", "6201", "6202"):
        create(database, "ivr", ivr(number))
    assert len(changes(database, start, 3)) == 3
    with pytest.raises(TooManyChanges):
        changes(database, start, 2)


def test_a_log_that_does_not_reach_back_is_refused(database: Database) -> None:
    start = revision(database)
    create(database, "ivr", ivr())
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM change")
    create(database, "ivr", ivr("6201"))
    with pytest.raises(TooManyChanges):
        changes(database, start)


def test_every_commit_of_another_process_changes_the_version(database: Database) -> None:
    feed = ChangeFeed(database)
    versions = [feed.version()]
    for number in ("6200", "6201"):
        create(database, "ivr", ivr(number))
        versions.append(feed.version())
    assert feed.version() == versions[-1]
    feed.close()
    if database.is_sqlite:
        assert all(before != after for before, after in pairwise(versions))
    else:
        assert versions == [None] * 3


class Revisions(RevisionCache[list[int]]):
    """Notes each revision that it is brought to."""

    def follow(self, connection: Connection, old: list[int]) -> list[int]:
        new = read_revision(connection)
        return old if old[-1:] == [new] else [*old, new]


def test_a_cache_is_refreshed_only_when_something_was_committed(database: Database) -> None:
    async def ask() -> None:
        cache = Revisions(ChangeFeed(database), [])
        first = await cache.refresh()
        assert await cache.refresh() is first
        assert cache.done == (1 if database.is_sqlite else 2)
        create(database, "ivr", ivr())
        assert not cache.is_fresh()
        assert (await cache.refresh())[-1] == first[-1] + 1
        cache.feed.close()

    asyncio.run(ask())


def test_a_change_of_menus_leaves_everything_else_as_it_is(database: Database) -> None:
    async def ask() -> None:
        live = ListCache(database)
        config = NonMenuConfig(live.feed)
        first = await config.current()
        create(database, "ivr", ivr())
        assert await config.current() is first
        create(database, "extension", extension())
        second = await config.current()
        assert second is not first
        assert len(second.extensions) == 1
        live.close()

    asyncio.run(ask())
