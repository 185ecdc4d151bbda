"""Snapshots: always the newest state, made from the one before, and the same as loading anew."""

import asyncio
import time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openivr.resources import KINDS
from openivr.resources.order import ListQuery
from openivr.resources.secret import fingerprint
from openivr.store.auth import clients, tokens
from openivr.store.caches import change_feed
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.list_snapshot import EMPTY, ListSnapshot, apply_changes
from openivr.store.database import Database
from tests.effort import scale
from tests.store.bodies import create, delete, extension, ivr, update

ALL = ListQuery(0, 10_000, "name", True)


def texts(state: ListSnapshot) -> dict[str, bytes]:
    return {
        name: b"|".join(
            b",".join(index.page(ListQuery(0, 10_000, sort))) for sort in ("id", *KINDS[name].sorts)
        )
        for name, index in state.lists.items()
    }


def load(database: Database, old: ListSnapshot = EMPTY) -> ListSnapshot:
    with database.reading() as connection:
        return apply_changes(connection, old)


OPERATIONS = st.lists(st.tuples(st.sampled_from("cud"), st.integers(0, 5)), max_size=10)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=scale(5))
@given(operations=OPERATIONS)
def test_advancing_is_the_same_as_loading_anew(database: Database, operations: list[tuple[str, int]]) -> None:
    state = load(database)
    for action, at in operations:
        present = {row["number"]: row["id"] for row in rows(state)}
        number = f"62{at:02d}"
        if action == "c" and number not in present:
            create(database, "ivr", ivr(number))
        elif action == "u" and number in present:
            update(database, "ivr", present[number], {"name": f"Renamed {time.monotonic_ns()}"})
        elif action == "d" and number in present:
            delete(database, "ivr", present[number])
        state = load(database, state)
    assert texts(state) == texts(load(database))


def rows(state: ListSnapshot) -> list[dict[str, Any]]:
    import msgspec

    found: list[dict[str, Any]] = msgspec.json.decode(
        b"[" + b",".join(state.lists["ivr"].page(ListQuery(0, 10_000))) + b"]"
    )
    return found


def test_a_reader_far_behind_loads_anew(database: Database, monkeypatch: Any) -> None:
    monkeypatch.setattr(change_feed, "MAX_CHANGES", 2)
    state = load(database)
    for at in range(5):
        create(database, "ivr", ivr(f"620{at}"))
    assert len(rows(load(database, state))) == 5


def test_a_reader_behind_the_log_loads_anew(database: Database) -> None:
    state = load(database)
    create(database, "ivr", ivr("6200"))
    with database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM change")
    create(database, "ivr", ivr("6201"))
    assert len(rows(load(database, state))) == 2


def test_what_did_not_change_is_shared(database: Database) -> None:
    create(database, "extension", extension())
    state = load(database)
    create(database, "ivr", ivr())
    later = load(database, state)
    assert later.lists["extension"] is state.lists["extension"]
    assert later.lists["ivr"] is not state.lists["ivr"]
    assert later.tokens is state.tokens
    assert state.lists["ivr"].total == 0


async def check_freshness(database: Database) -> None:
    other = Database(str(database.url))  # as another worker would have it
    live = ListCache(database)
    try:
        for at in range(20):
            id_ = await asyncio.to_thread(create, other, "ivr", ivr(f"6{at:03d}"))
            state = await live.current()
            assert state.lists["ivr"].total == at + 1
            assert any(row["id"] == id_ for row in rows(state))
    finally:
        live.close()
        other.close()


def test_the_next_request_sees_what_another_worker_committed(database: Database) -> None:
    asyncio.run(check_freshness(database))


async def check_many(database: Database) -> None:
    live = ListCache(database)
    try:
        await live.current()
        create(database, "ivr", ivr())
        states = await asyncio.gather(*(live.current() for _ in range(50)))
        assert {state.lists["ivr"].total for state in states} == {1}
        assert live.done <= 3  # those who wait together share one look
    finally:
        live.close()


def test_requests_that_wait_together_share_one_look(database: Database) -> None:
    asyncio.run(check_many(database))


def test_tokens_are_seen_and_forgotten(database: Database) -> None:
    now = int(time.time())
    with database.changing("auth") as change:
        clients.add(change.connection, "one", "one", "secret")
        pair = tokens.issue(change.connection, tokens.TokenPolicy(), "one", now)
    assert isinstance(pair, tokens.TokenPair)
    state = load(database)
    assert list(state.tokens) == [fingerprint(pair.access)]
    with database.changing("auth") as change:
        clients.revoke(change.connection, "one")
    assert not load(database, state).tokens
