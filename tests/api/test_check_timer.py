"""When a worker checks for overdue clients, by the times of its ticks."""

import pytest

from openivr.api.slow_clients import CheckTimer


@pytest.mark.parametrize(
    ("ticks", "checks"),
    [
        ([0.4, 0.8, 1.2, 1.6, 2.0, 2.4], [1.2, 2.4]),
        ([0.9, 31.0, 31.1, 31.9, 32.1], [31.1, 32.1]),  # it stood still, and reads first what has come
        ([0.5, 2.5, 4.5, 6.5, 8.5], [4.5, 6.5, 8.5]),  # it is always late
        ([5.0, 5.5, 10.0, 10.1], [5.5, 10.1]),
    ],
)
def test_ticks_that_check(ticks: list[float], checks: list[float]) -> None:
    timer = CheckTimer(1.0, 0.0)
    assert [now for now in ticks if timer.is_due(now)] == checks
