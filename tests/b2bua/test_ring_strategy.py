"""Ring strategies: the rounds of a ring group."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.ring_strategy import MIN_ROUND_SECONDS, RingRound, plan_rounds
from openivr.ivr.model import RingStrategy as S

MEMBERS = st.lists(st.integers(1, 50), max_size=8, unique=True).map(tuple)


@pytest.mark.parametrize(
    ("strategy", "members", "seconds", "rounds"),
    [
        (S.ALL, (1, 2, 3), 60, [RingRound((1, 2, 3))]),
        (S.ALL, (), 60, []),
        (S.SEQUENTIAL, (1, 2, 3), 60, [RingRound((1,), 20), RingRound((2,), 20), RingRound((3,))]),
        (S.SEQUENTIAL, (7,), 60, [RingRound((7,))]),
        (S.SEQUENTIAL, (1, 2), 60, [RingRound((1,), 30), RingRound((2,))]),
        (S.MEMORY_HUNT, (1, 2), 60, [RingRound((1,), 30), RingRound((1, 2))]),
        (S.MEMORY_HUNT, (1, 2, 3), 30, [RingRound((1,), 10), RingRound((1, 2), 10), RingRound((1, 2, 3))]),
        (S.SEQUENTIAL, (1, 2, 3), 6, [RingRound((1,), 5), RingRound((2,), 5), RingRound((3,))]),
    ],
)
def test_rounds(strategy: S, members: tuple[int, ...], seconds: float, rounds: list[RingRound]) -> None:
    assert list(plan_rounds(strategy, members, seconds)) == rounds


@given(st.sampled_from(S), MEMBERS, st.floats(5, 300))
def test_everybody_has_a_turn_and_nobody_a_short_one(s: S, members: tuple[int, ...], seconds: float) -> None:
    rounds = plan_rounds(s, members, seconds)
    assert {member for round_ in rounds for member in round_.members} == set(members)
    assert all(round_.members for round_ in rounds)
    assert all(round_.seconds is not None and round_.seconds >= MIN_ROUND_SECONDS for round_ in rounds[:-1])
    assert not rounds or rounds[-1].seconds is None


@given(MEMBERS, st.floats(5, 300))
def test_memory_hunt_lets_who_rings_go_on_ringing(members: tuple[int, ...], seconds: float) -> None:
    rounds = plan_rounds(S.MEMORY_HUNT, members, seconds)
    for before, after in pairwise(rounds):
        assert set(before.members) < set(after.members)
