"""One heap of timers for all transactions and legs, on one timer of the event loop.

Thousands of calls have tens of thousands of timers, nearly all of which are cancelled or expire without
effect. Here each costs one push on a heap.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import structlog

log = structlog.get_logger(__name__)
MAX_CALLBACKS_PER_TURN = 64  # bounds the delay of media in one turn of the loop
Timer = list[Any]  # time, tie-breaker, callback (None once cancelled), arguments


class Timers:
    """Callbacks by the time of a clock. `wake` is called with the time of the next `run`."""

    __slots__ = ("_cancelled", "_clock", "_heap", "_next", "_numbers", "_wake")

    def __init__(self, clock: Callable[[], float], wake: Callable[[float], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._heap: list[Timer] = []
        self._numbers = count()
        self._cancelled = 0
        self._next = float("inf")  # the time last passed to `wake`

    def __len__(self) -> int:
        """Return the number of running timers."""
        return len(self._heap) - self._cancelled

    def set(self, seconds: float, callback: Callable[..., None], *arguments: Any) -> Timer:
        """Start a timer that calls back after so many seconds."""
        when = self._clock() + seconds
        timer: Timer = [when, next(self._numbers), callback, arguments]
        heappush(self._heap, timer)
        if when < self._next:
            self._next = when
            self._wake(when)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Cancel a timer. One that has fired or was cancelled may be cancelled again."""
        if timer[2] is None:
            return
        timer[2] = None
        timer[3] = ()
        self._cancelled += 1
        if self._cancelled > 1000 and self._cancelled > len(self._heap) // 2:
            self._heap = [kept for kept in self._heap if kept[2] is not None]
            heapify(self._heap)
            self._cancelled = 0

    def run(self) -> None:
        """Run the callbacks that are due, at most `MAX_CALLBACKS_PER_TURN`."""
        now = self._clock()
        left = MAX_CALLBACKS_PER_TURN
        while self._heap and left and (self._heap[0][2] is None or self._heap[0][0] <= now):
            _, _, callback, arguments = timer = heappop(self._heap)
            if callback is None:
                self._cancelled -= 1
                continue
            timer[2:] = None, ()  # its owner may keep the timer
            left -= 1
            try:
                callback(*arguments)
            except Exception:  # a callback that fails must not stop the timers of other calls
                log.exception("timer failed")
        self._next = self._heap[0][0] if self._heap else float("inf")
        if self._heap:
            self._wake(self._next)
