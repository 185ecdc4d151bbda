"""Buckets and bans, on a clock of the test's own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.access.rate_limit import (
    Ban,
    RateDecision,
    RateLimiter,
    RateLimitPolicy,
    is_scanner,
    source_key,
)

HOST = "203.0.113.9"
POLICY = RateLimitPolicy(
    rate=1,
    burst=3,
    known_rate=10,
    known_burst=20,
    excess_limit=2,
    user_failures=3,
    all_failures=15,
    max_sources=50,
)


def guard(exempt: tuple[str, ...] = ()) -> RateLimiter:
    return RateLimiter(POLICY, exempt)


def admit(guard: RateLimiter, times: int, now: float = 0.0, **others: Any) -> list[RateDecision]:
    return [guard.admit(HOST, now, **others) for _ in range(times)]


ALLOW, REFUSE, DROP = RateDecision.ALLOW, RateDecision.REFUSE, RateDecision.DROP


def test_a_burst_then_refusals_then_a_ban() -> None:
    ours = guard()
    assert admit(ours, 7) == [ALLOW] * 3 + [REFUSE] * 2 + [DROP] * 2
    assert not ours.is_allowed(HOST, 59.9)
    assert ours.is_allowed(HOST, 60.0)
    assert ours.bans(1.0) == (Ban(HOST, 60.0, "too_many_requests"),)
    assert ours.bans(60.0) == ()


def test_who_keeps_to_the_rate_is_never_refused() -> None:
    ours = guard()
    assert {ours.admit(HOST, float(second)) for second in range(1000)} == {ALLOW}


def test_other_sources_are_not_touched() -> None:
    ours = guard()
    admit(ours, 20)
    assert ours.admit("203.0.113.10", 0.0) is ALLOW


def test_each_ban_is_twice_as_long_until_a_day_has_passed() -> None:
    ours, now, lengths = guard(), 0.0, []
    for _ in range(14):
        for _ in range(POLICY.user_failures):
            ours.record_failure(HOST, "ada", now)
        (ban,) = ours.bans(now)
        lengths.append(ban.until - now)
        now = ban.until
    assert lengths[:3] == [60, 120, 240]
    assert lengths[-1] == POLICY.max_ban
    now += POLICY.max_ban + 1
    for _ in range(POLICY.user_failures):
        ours.record_failure(HOST, "ada", now)
    assert ours.bans(now)[0].until == now + 60


def test_wrong_passwords_lead_to_a_ban_unless_they_are_rare_or_end_well() -> None:
    ours = guard()
    for minute in range(20):
        ours.record_failure(HOST, "ada", minute * (POLICY.window + 1))
    for turn in range(20):
        now = 20_000.0 + turn * (POLICY.window + 1)
        ours.record_failure(HOST, "ada", now)
        ours.record_failure(HOST, "ada", now)
        ours.record_success(HOST, "ada")
        assert ours.bans(now) == ()
    for _ in range(POLICY.user_failures):
        ours.record_failure(HOST, "ada", now)
    assert ours.bans(now) == (Ban(HOST, now + POLICY.ban, "wrong_passwords", "ada"),)
    assert not ours.is_allowed(HOST, now, "ada")


def test_one_phone_with_a_wrong_password_does_not_silence_its_neighbours() -> None:
    """A phone that never stops trying, as some do, beside others behind one address."""
    ours, now = RateLimiter(), 0.0
    for _ in range(5000):
        now += 0.5
        if ours.is_allowed(HOST, now, "ada"):
            ours.record_failure(HOST, "ada", now)
        assert ours.is_allowed(HOST, now)
        assert ours.is_allowed(HOST, now, "bob")


def test_who_tries_many_users_is_banned_altogether() -> None:
    ours = guard()
    for number in range(POLICY.all_failures):
        assert ours.is_allowed(HOST, 0.0)
        ours.record_failure(HOST, str(number), 0.0)
    assert not ours.is_allowed(HOST, 0.0)


def test_a_known_source_may_do_more_and_is_not_banned_for_what_may_be_forged() -> None:
    ours = guard()
    for _ in range(20):
        ours.record_malformed(HOST, 0.0, known=True)
        ours.admit(HOST, 0.0, known=True, user_agent="friendly-scanner")
    assert ours.is_allowed(HOST, 0.0)
    assert admit(guard(), 100, known=True)[:20] == [ALLOW] * 20
    assert ALLOW not in admit(guard(), 100, known=True)[20:]
    for number in range(10 * POLICY.all_failures):
        ours.record_failure(HOST, str(number), 1.0, known=True)
    assert ours.is_allowed(HOST, 1.0)


def test_exempt_networks_are_never_limited() -> None:
    ours = guard(("203.0.113.0/24", "2001:db8::1"))
    assert set(admit(ours, 100)) == {ALLOW}
    for _ in range(100):
        ours.record_failure(HOST, "ada", 0.0)
        ours.record_malformed(HOST, 0.0)
    assert ours.admit(HOST, 0.0, user_agent="sipvicious") is ALLOW
    assert len(ours) == 0
    ours.set_exempt(())
    assert ours.admit(HOST, 0.0, user_agent="sipvicious") is DROP


@pytest.mark.parametrize("agent", ["friendly-scanner", "SIPVicious 0.3", "sipcli/v1.8"])
def test_scanners_are_banned_at_once(agent: str) -> None:
    ours = guard()
    assert is_scanner(agent)
    assert ours.admit(HOST, 0.0, user_agent=agent) is DROP
    assert ours.bans(0.0)[0].reason == "scanner"


@pytest.mark.parametrize(
    "agent", ["", "Linphone/5.1", "baresip v1.0", "Yealink SIP-T46U 108.86.0.20", "Zoiper"]
)
def test_phones_are_no_scanners(agent: str) -> None:
    assert not is_scanner(agent)


def test_nonsense_leads_to_a_ban() -> None:
    ours = guard()
    for _ in range(POLICY.excess_limit + 2):
        ours.record_malformed(HOST, 0.0)
    assert not ours.is_allowed(HOST, 0.0)


def test_all_bans_can_be_lifted() -> None:
    ours = guard()
    admit(ours, 7)
    assert ours.unban_all(1.0) == (Ban(HOST, 60.0, "too_many_requests"),)
    assert admit(ours, 1, 1.0) == [ALLOW]
    assert ours.unban_all(2.0) == ()


def test_pardon() -> None:
    ours = guard()
    admit(ours, 20)
    ours.forget(HOST)
    assert ours.is_allowed(HOST, 0.0)
    assert len(ours) == 0


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "not an address"),
    ],
)
def test_what_counts_as_one_source(host: str, source: str) -> None:
    assert source_key(host) == source


def test_memory_is_bounded_and_bans_outlast_a_flood_of_sources() -> None:
    ours = guard()
    admit(ours, 20)
    for number in range(10_000):
        ours.admit(f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 0.0)
        ours.is_allowed(f"11.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(ours) == POLICY.max_sources
    assert not ours.is_allowed(HOST, 1.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["admit", "record_malformed", "record_failure", "is_allowed"]),
            st.sampled_from(["192.0.2.1", "2001:db8::1", "x", "192.0.2.2"]),
            st.floats(0, 100),
            st.booleans(),
        ),
        max_size=60,
    )
)
def test_any_course_keeps_the_promises(steps: list[tuple[str, str, float, bool]]) -> None:
    ours, now, granted = guard(), 0.0, 0
    for act, host, wait, known in steps:
        now += wait
        before = ours.is_allowed(host, now)
        if act == "is_allowed":
            continue
        if act != "admit":
            getattr(ours, act)(host, *(("ada",) if act == "record_failure" else ()), now, known=known)
        else:
            decision = ours.admit(host, now, known=known)
            assert (decision is DROP) or before
            granted += decision is ALLOW
        assert len(ours) <= POLICY.max_sources
    assert granted <= 4 * POLICY.known_burst + now * POLICY.known_rate * 4
