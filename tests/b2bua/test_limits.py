"""Limits against toll fraud."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.limits import HOUR, CallLimiter, Limit, OutboundCall, RouteSlot
from openivr.ivr.model import Limits

SLOT = RouteSlot(7, 1)
LIMITS = Limits(simultaneous=2, per_hour=5, per_caller_hour=3)


def call(
    limiter: CallLimiter, at: float, caller: str = "1", trunk: int = 1, max_calls: int = 0
) -> Limit | None:
    start = OutboundCall(7, caller, at)
    limit = limiter.exceeded(start, LIMITS, trunk, max_calls)
    if limit is None:
        limiter.begin_outbound(start, trunk)
    return limit


def test_calls_at_a_time() -> None:
    limiter = CallLimiter()
    assert [call(limiter, at) for at in range(3)] == [None, None, Limit.SIMULTANEOUS]
    limiter.end_outbound(SLOT)
    assert call(limiter, 3) is None


def test_calls_in_an_hour_of_a_caller_and_of_all() -> None:
    limiter = CallLimiter()
    made = []
    for at in range(4):
        made.append(call(limiter, at, "1"))
        if made[-1] is None:
            limiter.end_outbound(SLOT)
    assert made == [None, None, None, Limit.PER_CALLER]
    for at in range(4, 7):
        made.append(call(limiter, at, "2"))
        if made[-1] is None:
            limiter.end_outbound(SLOT)
    assert made[4:] == [None, None, Limit.PER_HOUR]
    assert call(limiter, HOUR + 0.5, "3") is None


def test_a_refused_call_counts_for_nothing() -> None:
    limiter = CallLimiter()
    call(limiter, 0)
    call(limiter, 0)
    for at in range(100):
        assert call(limiter, at) is Limit.SIMULTANEOUS
    limiter.end_outbound(SLOT)
    assert call(limiter, 101) is None


def test_a_trunk_has_its_own_limit_that_calls_from_it_use_too() -> None:
    limiter = CallLimiter()
    limiter.begin_inbound(1)
    assert call(limiter, 0, max_calls=1) is Limit.TRUNK
    limiter.end_inbound(1)
    assert call(limiter, 0, max_calls=1) is None
    assert call(limiter, 0, trunk=2, max_calls=1) is None


def test_zero_allows_nothing() -> None:
    assert CallLimiter().exceeded(OutboundCall(1, "", 0), Limits(simultaneous=0), 1, 0) is Limit.SIMULTANEOUS
    assert CallLimiter().exceeded(OutboundCall(1, "", 0), Limits(per_hour=0), 1, 0) is Limit.PER_HOUR
    assert CallLimiter().exceeded(OutboundCall(1, "", 0), Limits(per_caller_hour=0), 1, 0) is Limit.PER_CALLER


def test_a_restart_forgets_nothing_of_the_last_hour() -> None:
    limiter = CallLimiter()
    limiter.restore(OutboundCall(7, "1", at) for at in (30.0, 10.0, 20.0))
    assert call(limiter, 100, "1") is Limit.PER_CALLER
    assert call(limiter, HOUR + 15, "1") is None


@given(st.lists(st.tuples(st.floats(0, 2 * HOUR), st.sampled_from("123"), st.booleans()), max_size=60))
def test_no_hour_has_more_than_is_allowed(wishes: list[tuple[float, str, bool]]) -> None:
    limiter, made = CallLimiter(), []
    for at, caller, is_long in sorted(wishes):
        if call(limiter, at, caller) is None:
            made.append((at, caller))
            if not is_long:
                limiter.end_outbound(SLOT)
    for at, caller in made:
        hour = [other for other in made if at - HOUR < other[0] <= at]
        assert len(hour) <= LIMITS.per_hour
        assert sum(other[1] == caller for other in hour) <= LIMITS.per_caller_hour
