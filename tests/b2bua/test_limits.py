"""Limits against toll fraud."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.limits import HOUR, Limit, OutboundCall, Usage
from openivr.ivr.model import Limits

LIMITS = Limits(simultaneous=2, per_hour=5, per_caller_hour=3)


def call(usage: Usage, at: float, caller: str = "1", trunk: int = 1, most: int = 0) -> Limit | None:
    start = OutboundCall(7, caller, at)
    limit = usage.refuse(start, LIMITS, trunk, most)
    if limit is None:
        usage.begin(start, trunk)
    return limit


def test_calls_at_a_time() -> None:
    usage = Usage()
    assert [call(usage, at) for at in range(3)] == [None, None, Limit.SIMULTANEOUS]
    usage.end(7, 1)
    assert call(usage, 3) is None


def test_calls_in_an_hour_of_a_caller_and_of_all() -> None:
    usage = Usage()
    made = []
    for at in range(4):
        made.append(call(usage, at, "1"))
        if made[-1] is None:
            usage.end(7, 1)
    assert made == [None, None, None, Limit.PER_CALLER]
    for at in range(4, 7):
        made.append(call(usage, at, "2"))
        if made[-1] is None:
            usage.end(7, 1)
    assert made[4:] == [None, None, Limit.PER_HOUR]
    assert call(usage, HOUR + 0.5, "3") is None


def test_a_refused_call_counts_for_nothing() -> None:
    usage = Usage()
    call(usage, 0)
    call(usage, 0)
    for at in range(100):
        assert call(usage, at) is Limit.SIMULTANEOUS
    usage.end(7, 1)
    assert call(usage, 101) is None


def test_a_trunk_has_its_own_limit_that_calls_from_it_use_too() -> None:
    usage = Usage()
    usage.arrive(1)
    assert call(usage, 0, most=1) is Limit.TRUNK
    usage.leave(1)
    assert call(usage, 0, most=1) is None
    assert call(usage, 0, trunk=2, most=1) is None


def test_zero_allows_nothing() -> None:
    assert Usage().refuse(OutboundCall(1, "", 0), Limits(simultaneous=0), 1, 0) is Limit.SIMULTANEOUS
    assert Usage().refuse(OutboundCall(1, "", 0), Limits(per_hour=0), 1, 0) is Limit.PER_HOUR
    assert Usage().refuse(OutboundCall(1, "", 0), Limits(per_caller_hour=0), 1, 0) is Limit.PER_CALLER


def test_a_restart_forgets_nothing_of_the_last_hour() -> None:
    usage = Usage()
    usage.remember(OutboundCall(7, "1", at) for at in (30.0, 10.0, 20.0))
    assert call(usage, 100, "1") is Limit.PER_CALLER
    assert call(usage, HOUR + 15, "1") is None


@given(st.lists(st.tuples(st.floats(0, 2 * HOUR), st.sampled_from("123"), st.booleans()), max_size=60))
def test_no_hour_has_more_than_is_allowed(wishes: list[tuple[float, str, bool]]) -> None:
    usage, made = Usage(), []
    for at, caller, is_long in sorted(wishes):
        if call(usage, at, caller) is None:
            made.append((at, caller))
            if not is_long:
                usage.end(7, 1)
    for at, caller in made:
        hour = [other for other in made if at - HOUR < other[0] <= at]
        assert len(hour) <= LIMITS.per_hour
        assert sum(other[1] == caller for other in hour) <= LIMITS.per_caller_hour
