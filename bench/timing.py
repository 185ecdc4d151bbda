"""Times of repeated work."""

import time
from collections.abc import Callable
from typing import Any


def repeat(work: Callable[[], Any], runs: int, seconds: float) -> list[float]:
    """Return the times of so many runs in ms, shortest first. There are fewer if that takes too long."""
    until = time.monotonic() + seconds
    times = [timed(work)]
    while len(times) < runs and time.monotonic() < until:
        times.append(timed(work))
    return sorted(times)


def timed(work: Callable[[], Any]) -> float:
    """Return how long something takes, in ms."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
