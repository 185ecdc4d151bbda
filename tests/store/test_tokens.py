"""Tokens on both databases, with the clock in the test's hand."""

import pytest
from sqlalchemy import Connection

from openivr.resources.errors import NotFound
from openivr.resources.secret import fingerprint
from openivr.store.auth import clients, tokens
from openivr.store.auth.tokens import TokenPair, TokenPolicy, TooManyTokens, UnknownToken
from openivr.store.database import Database

POLICY = TokenPolicy()
NOW = 1_000_000


@pytest.fixture
def known(database: Database) -> Database:
    """A database with the client "one"."""
    with database.changing("auth") as change:
        clients.add(change.connection, "one", "one", "secret")
    return database


def issue(database: Database, now: int = NOW) -> TokenPair:
    with database.changing("auth") as change:
        pair = tokens.issue(change.connection, POLICY, "one", now)
    assert isinstance(pair, TokenPair)
    return pair


def refresh(database: Database, token: str, now: int = NOW) -> TokenPair | TooManyTokens | UnknownToken:
    with database.changing("auth") as change:
        return tokens.refresh(change.connection, POLICY, token, now)


def is_good(database: Database, pair: TokenPair, now: int) -> bool:
    with database.reading() as connection:
        return fingerprint(pair.access) in tokens.live_tokens(connection, now)


def test_an_access_token_lives_half_an_hour(known: Database) -> None:
    pair = issue(known)
    assert is_good(known, pair, NOW + 1799)
    assert not is_good(known, pair, NOW + 1800)


def test_the_ninth_waits_for_one_to_end(known: Database) -> None:
    pairs = [issue(known, NOW + at) for at in range(8)]
    with known.changing("auth") as change:
        assert isinstance(tokens.issue(change.connection, POLICY, "one", NOW + 8), TooManyTokens)
    assert all(is_good(known, pair, NOW + 8) for pair in pairs)
    assert is_good(known, issue(known, NOW + 1800), NOW + 1800)


def test_room_is_made_by_ending_the_oldest(known: Database) -> None:
    pairs = [issue(known, NOW + at) for at in range(8)]
    with known.changing("auth") as change:
        tokens.make_room(change.connection, POLICY, "one", NOW + 8)
    issue(known, NOW + 8)
    assert [is_good(known, pair, NOW + 8) for pair in pairs] == [False] + [True] * 7


def test_refreshing_gives_a_new_pair_and_a_minute_of_grace(known: Database) -> None:
    old = issue(known)
    new = refresh(known, old.refresh, NOW + 100)
    assert isinstance(new, TokenPair)
    assert is_good(known, new, NOW + 100)
    assert is_good(known, old, NOW + 159)
    assert not is_good(known, old, NOW + 160)


def test_grace_never_lengthens_a_life(known: Database) -> None:
    old = issue(known)
    assert isinstance(refresh(known, old.refresh, NOW + 1790), TokenPair)
    assert not is_good(known, old, NOW + 1800)


def test_a_full_client_can_still_refresh(known: Database) -> None:
    pairs = [issue(known) for _ in range(8)]
    assert isinstance(refresh(known, pairs[0].refresh), TokenPair)


def test_a_refresh_token_used_twice_ends_its_family_and_no_other(known: Database) -> None:
    old, other = issue(known), issue(known)
    new = refresh(known, old.refresh)
    assert isinstance(new, TokenPair)
    assert isinstance(refresh(known, old.refresh), UnknownToken)
    assert not is_good(known, old, NOW)
    assert not is_good(known, new, NOW)
    assert isinstance(refresh(known, new.refresh), UnknownToken)
    assert is_good(known, other, NOW)


def test_an_old_or_unknown_refresh_token_is_refused(known: Database) -> None:
    pair = issue(known)
    assert isinstance(refresh(known, pair.refresh, NOW + 86_400), UnknownToken)
    assert isinstance(refresh(known, "nothing"), UnknownToken)


def test_revoking_ends_both_tokens(known: Database) -> None:
    pair = issue(known)
    with known.changing("auth") as change:
        tokens.revoke(change.connection, fingerprint(pair.access))
    assert not is_good(known, pair, NOW)
    assert isinstance(refresh(known, pair.refresh), UnknownToken)


def fail(connection: Connection, at: int, login_kind: str = tokens.API) -> int | None:
    """A wrong login, as it is counted: reserved before the check, and left so after it."""
    return fail_at(connection, NOW + at, login_kind)


def fail_at(connection: Connection, now: int, login_kind: str = tokens.API) -> int | None:
    tokens.reserve(connection, POLICY, "192.0.2.1", now, login_kind)
    return tokens.fail(connection, POLICY, "192.0.2.1", now, login_kind)


def test_the_fifth_failure_locks_an_address_out(database: Database) -> None:
    with database.changing("auth") as change:
        connection = change.connection
        assert [fail(connection, at) for at in range(5)] == [None] * 4 + [NOW + 604]
        assert tokens.blocked_until(connection, "192.0.2.1", NOW + 603) == NOW + 604
        assert tokens.blocked_until(connection, "192.0.2.1", NOW + 604) is None
        assert tokens.blocked_until(connection, "192.0.2.2", NOW + 10) is None
        assert fail(connection, 700) is None  # and counting begins anew


def test_f12_workers_together_check_no_more_logins_at_once_than_may_fail(database: Database) -> None:
    with database.changing("auth") as change:
        connection, address = change.connection, "192.0.2.1"
        limit = POLICY.failures
        reserved = [tokens.reserve(connection, POLICY, address, NOW) for _ in range(limit + 2)]
        assert reserved == [None] * limit + [tokens.WAIT] * 2
        assert tokens.reserve(connection, POLICY, "192.0.2.2", NOW) is None
        tokens.forgive(connection, address)  # one of them was right
        assert tokens.reserve(connection, POLICY, address, NOW) is None


def test_the_api_and_the_admin_lock_nobody_out_of_each_other(database: Database) -> None:
    with database.changing("auth") as change:
        connection, address, later = change.connection, "192.0.2.1", NOW + 100
        for at in range(4):
            fail(connection, at, tokens.ADMIN)
        tokens.forgive(connection, address)  # by a client's right secret: it says nothing about the admin
        assert fail(connection, 4, tokens.ADMIN) == NOW + 604
        assert tokens.blocked_until(connection, address, later, tokens.ADMIN) == NOW + 604
        assert tokens.blocked_until(connection, address, later) is None
        for at in range(5, 10):
            fail(connection, at)
        assert [found for found, _until in clients.blocked(connection, NOW + 100)] == [address]
        clients.unblock(connection, address)
        assert tokens.blocked_until(connection, address, later, tokens.ADMIN) is None


def test_failures_are_forgotten_with_time_and_success(database: Database) -> None:
    with database.changing("auth") as change:
        connection = change.connection
        assert [fail(connection, at) for at in (0, 1, 2, 3, 604)] == [None] * 5
        tokens.forgive(connection, "192.0.2.1")
        assert [fail(connection, 605 + at) for at in range(4)] == [None] * 4


def test_live_tokens_are_listed_without_what_they_are(known: Database) -> None:
    first, second = issue(known), issue(known, NOW + 10)
    with known.reading() as connection:
        found = tokens.list_live(connection, NOW + 20)
    assert [(one.client_id, one.access_expires, one.refresh_expires) for one in found] == [
        ("one", NOW + POLICY.access_life, NOW + POLICY.refresh_life),
        ("one", NOW + 10 + POLICY.access_life, NOW + 10 + POLICY.refresh_life),
    ]
    assert first.access not in repr(found)
    assert second.refresh not in repr(found)


def test_a_refreshed_or_expired_token_is_not_listed(known: Database) -> None:
    refresh(known, issue(known).refresh, NOW + 5)
    with known.reading() as connection:
        assert [one.access_expires for one in tokens.list_live(connection, NOW + 6)] == [
            NOW + 5 + POLICY.access_life
        ]
        assert tokens.list_live(connection, NOW + 5 + POLICY.access_life) == []


def test_a_token_is_ended_by_its_number_with_all_its_family(known: Database) -> None:
    other, pair = issue(known), issue(known)
    renewed = refresh(known, pair.refresh, NOW + 5)
    assert isinstance(renewed, TokenPair)
    with known.changing("auth") as change:
        tokens.end(change.connection, tokens.list_live(change.connection, NOW + 6)[-1].id)
    assert not is_good(known, pair, NOW + 6)
    assert not is_good(known, renewed, NOW + 6)
    assert is_good(known, other, NOW + 6)
    with pytest.raises(NotFound), known.changing("auth") as change:
        tokens.end(change.connection, 999)
