"""One heap of timers for all transactions and legs, over one timer of the event loop.

Thousands of calls have tens of thousands of timers, nearly all of which are cancelled or run out unnoticed:
each costs a push on a heap here.
"""

from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Any

import structlog

log = structlog.get_logger(__name__)
MAX_CALLBACKS_PER_TURN = 64  # callbacks in one turn of the loop, so that media need not wait for more
Timer = list[Any]  # when, a number that breaks ties, the callback (None once cancelled), its arguments


class Timers:
    """Callbacks at times of a clock; `wake` is told when `run` should be called next."""

    __slots__ = ("_cancelled", "_clock", "_heap", "_next", "_numbers", "_wake")

    def __init__(self, clock: Callable[[], float], wake: Callable[[float], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._heap: list[Timer] = []
        self._numbers = count()
        self._cancelled = 0
        self._next = float("inf")  # when `run` was asked for

    def __len__(self) -> int:
        """How many timers are running."""
        return len(self._heap) - self._cancelled

    def set(self, seconds: float, callback: Callable[..., None], *arguments: Any) -> Timer:
        """Call back after so many seconds, unless cancelled."""
        when = self._clock() + seconds
        timer: Timer = [when, next(self._numbers), callback, arguments]
        heappush(self._heap, timer)
        if when < self._next:
            self._next = when
            self._wake(when)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Forget a timer; one that has fired or was cancelled may be cancelled again."""
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
        """Call back what is due, at most `BURST` at once."""
        now = self._clock()
        left = MAX_CALLBACKS_PER_TURN
        while self._heap and left and (self._heap[0][2] is None or self._heap[0][0] <= now):
            _, _, callback, arguments = timer = heappop(self._heap)
            if callback is None:
                self._cancelled -= 1
                continue
            timer[2:] = None, ()  # the timer may be kept by what it is for
            left -= 1
            try:
                callback(*arguments)
            except Exception:  # one call's trouble must not take the timers of the others
                log.exception("timer failed")
        self._next = self._heap[0][0] if self._heap else float("inf")
        if self._heap:
            self._wake(self._next)
