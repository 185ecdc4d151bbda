"""The search for the largest number of calls, on results that are known."""

from collections.abc import Callable

import pytest

from bench.calls import EVEN, TRIES, search
from bench.phones import Found


def result(calls: int, *, passes: bool) -> Found:
    counts = dict.fromkeys(("refused", "unanswered", "dropped", "missed_byes", "full"), 0)
    counts |= dict.fromkeys(("silent", "unheard", "stray", "lost"), 0)
    jitter = EVEN / 2 if passes else EVEN * 2
    return {**counts, "answered": calls, "sent": 1000, "received": 1000, "jitter_p99": jitter}


def carrier(capacity: int, failing: Callable[[int], bool]) -> Callable[[int], Found]:
    """A server that carries `capacity` calls, on a machine that spoils the trials that `failing` chooses."""
    count = 0

    def trial(calls: int) -> Found:
        nonlocal count
        count += 1
        return result(calls, passes=calls <= capacity and not failing(count))

    return trial


def test_the_search_finds_the_capacity_of_a_quiet_machine() -> None:
    found = search(carrier(3200, lambda count: False))
    assert 3200 * 15 / 16 <= found <= 3200


@pytest.mark.parametrize("first", range(1, TRIES + 1))
def test_one_spoiled_trial_in_a_row_does_not_end_the_search(first: int) -> None:
    found = search(carrier(3200, lambda count: count % TRIES == first % TRIES))
    assert 3200 * 15 / 16 <= found <= 3200


def test_a_step_that_fails_again_counts() -> None:
    assert search(carrier(3200, lambda count: True)) == 0
