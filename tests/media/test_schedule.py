"""The schedule on a clock of its own."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.media.schedule import PERIOD, SLOTS, Schedule

SLOT = PERIOD // SLOTS
START = 1_000_000


def serve(schedule: Schedule, now: int) -> list[tuple[int, int]]:
    return list(schedule.due(now))


def test_each_slot_has_its_turn_once_a_period() -> None:
    schedule = Schedule(START)
    assert serve(schedule, START - 1) == []
    turns = [serve(schedule, START + tick * SLOT) for tick in range(2 * SLOTS)]
    assert turns == [[(tick % SLOTS, 0)] for tick in range(2 * SLOTS)]


def test_calls_in_between_serve_no_slot_twice() -> None:
    schedule = Schedule(START)
    assert serve(schedule, START) == [(0, 0)]
    assert serve(schedule, START) == []
    assert serve(schedule, START + SLOT - 1) == []


def test_slots_that_are_a_little_late_are_served_at_once() -> None:
    schedule = Schedule(START)
    serve(schedule, START)
    assert serve(schedule, START + 3 * SLOT) == [(1, 0), (2, 0), (3, 0)]


def test_after_a_stall_each_slot_is_served_once_with_its_missed_turns() -> None:
    schedule = Schedule(START)
    serve(schedule, START + 2 * SLOT)  # 0, 1, 2
    now = START + 2 * SLOT + 3 * PERIOD
    assert serve(schedule, now) == [(3, 2), (4, 2), (0, 2), (1, 2), (2, 2)]
    assert serve(schedule, now + SLOT) == [(3, 0)]


@given(st.lists(st.integers(0, 5 * PERIOD), max_size=60))
def test_turns_served_and_missed_are_those_of_the_clock_for_ever(steps: list[int]) -> None:
    schedule, now, turns = Schedule(START), START, [0] * SLOTS
    for step in steps:
        now += step
        served = serve(schedule, now)
        assert len({slot for slot, _ in served}) == len(served)
        for slot, missed in served:
            assert missed >= 0
            turns[slot] += 1 + missed
    last = (now - START) // SLOT
    if steps:
        assert turns == [(last - slot) // SLOTS + 1 if last >= slot else 0 for slot in range(SLOTS)]
        assert schedule.next_time == START + (last + 1) * SLOT
