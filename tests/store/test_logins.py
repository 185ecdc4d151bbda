"""Logins: counted before they are checked, by a source that is a whole /64, in threads of their own."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.connections.shares import network_of
from openivr.resources import secret
from openivr.store.auth import clients, logins
from openivr.store.auth.logins import LoginResult, Logins, TooManyLogins
from openivr.store.auth.tokens import TokenPolicy
from openivr.store.caches.change_feed import read_revision
from openivr.store.database import Database

NOW = 1_700_000_000
POLICY = TokenPolicy()
FIND = partial(clients.find_hash, id_="client")


@pytest.fixture
def checked(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The passwords that Argon2 was asked about; the client's is "right"."""
    asked: list[str] = []

    def note(stored: str | None, password: str) -> bool:
        asked.append(password)
        return secret.matches(stored, password)

    monkeypatch.setattr(logins, "matches", note)
    with database.changing("auth") as change:
        clients.add(change.connection, "Client", "client", "right")
    return asked


def run(database: Database, scenario: Callable[[Logins], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        opened = Logins(database, POLICY, lambda: NOW)
        try:
            async with asyncio.timeout(120):
                await scenario(opened)
        finally:
            opened.close()

    asyncio.run(whole())


async def attempt(opened: Logins, address: str, password: str) -> LoginResult | None:
    """The result, or None if it was neither checked nor counted."""
    try:
        return await opened.check(address, FIND, password)
    except TooManyLogins:
        return None


def test_f12_of_many_wrong_logins_at_once_as_many_are_checked_as_may_fail(
    database: Database, checked: list[str]
) -> None:
    async def scenario(opened: Logins) -> None:
        other = Logins(Database(str(database.url)), POLICY, lambda: NOW)  # as another worker has it
        both = (opened, other)
        results = await asyncio.gather(*(attempt(both[n % 2], "192.0.2.1", f"wrong {n}") for n in range(120)))
        other.close()
        other._database.close()
        assert len(checked) == POLICY.failures
        assert not any(result is not None and result.is_right for result in results)
        assert await opened.check("192.0.2.1", FIND, "right") == LoginResult(False, NOW + POLICY.block)
        assert await opened.check("192.0.2.2", FIND, "right") == LoginResult(True)

    run(database, scenario)


def test_f12_many_right_logins_at_once_are_all_right(database: Database, checked: list[str]) -> None:
    async def scenario(opened: Logins) -> None:
        results = await asyncio.gather(*(opened.check("192.0.2.1", FIND, "right") for _ in range(12)))
        assert results == [LoginResult(True)] * 12

    run(database, scenario)


def test_the_fifth_wrong_login_locks_out_and_a_right_one_before_it_forgives(
    database: Database, checked: list[str]
) -> None:
    async def scenario(opened: Logins) -> None:
        for password in ("wrong",) * 4 + ("right",) + ("wrong",) * 4:
            assert (await opened.check("192.0.2.1", FIND, password)).blocked_until is None
        assert (await opened.check("192.0.2.1", FIND, "wrong")).blocked_until == NOW + POLICY.block

    run(database, scenario)


def test_f13_addresses_of_one_network_are_one_source(database: Database, checked: list[str]) -> None:
    async def scenario(opened: Logins) -> None:
        results = [await opened.check(f"2001:db8:1:2::{n}", FIND, "wrong") for n in range(1, 7)]
        assert [result.blocked_until for result in results] == [None] * 4 + [NOW + POLICY.block] * 2
        assert (await opened.check("2001:db8:1:3::1", FIND, "right")).is_right

    run(database, scenario)
    with database.changing("auth") as change:
        clients.unblock(change.connection, "2001:db8:1:2::77")


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_a_source_is_an_address_or_a_network_of_one_customer(address: str, source: str) -> None:
    assert network_of(address) == source


@given(st.ip_addresses(v=6), st.integers(0, 2**64 - 1))
def test_every_address_of_a_network_is_the_same_source(address: Any, host: int) -> None:
    other = type(address)((int(address) >> 64 << 64) | host)
    if address.ipv4_mapped is None and other.ipv4_mapped is None:
        assert network_of(str(address)) == network_of(str(other))


def test_f11_a_storm_of_logins_does_not_hold_up_what_reads(
    database: Database, checked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logins, "MAX_WAITING", 40)  # each check costs a twentieth of a second of CPU

    async def scenario(opened: Logins) -> None:
        await database.read(read_revision)
        started = time.monotonic()
        storm = [
            asyncio.create_task(attempt(opened, f"10.0.{n // 250}.{n % 250}", "wrong")) for n in range(400)
        ]
        await asyncio.sleep(0)
        slowest = 0.0
        while not all(task.done() for task in storm):
            before = time.monotonic()
            await database.read(read_revision)
            slowest = max(slowest, time.monotonic() - before)
            await asyncio.sleep(0.01)
        results = [task.result() for task in storm]
        assert sum(result is None for result in results) == 400 - logins.MAX_WAITING
        assert len(checked) == logins.MAX_WAITING
        assert slowest < max(1.0, (time.monotonic() - started) / 4)  # not behind the whole storm

    run(database, scenario)


def test_one_source_does_not_take_every_place(database: Database, checked: list[str]) -> None:
    async def scenario(opened: Logins) -> None:
        tasks = [asyncio.create_task(attempt(opened, "192.0.2.1", "wrong")) for _ in range(100)]
        await asyncio.sleep(0)
        assert (await opened.check("192.0.2.2", FIND, "right")).is_right
        results = await asyncio.gather(*tasks)
        assert results.count(None) == 100 - logins.MAX_WAITING_OF_SOURCE

    run(database, scenario)
