"""Calls a function at every slot of the schedule. Uses a timerfd, which is more precise than loop timers."""

import asyncio
import ctypes
import os
import sys
import time
from collections.abc import Callable

from openivr.media.schedule import PERIOD, SLOTS

# timerfd_create(2); Python has it from 3.13 on
MONOTONIC, NONBLOCK, CLOEXEC, ABSOLUTE = 1, 0o4000, 0o2000000, 1


class Interval(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = [(name, ctypes.c_long) for name in ("again_s", "again_ns", "first_s", "first_ns")]


def open_timer(start: int) -> int | None:
    """Open a timer that becomes readable at `start` (monotonic ns) and at every slot after it, or None."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor: int = libc.timerfd_create(MONOTONIC, NONBLOCK | CLOEXEC)
    if descriptor < 0:
        return None
    interval = Interval(0, PERIOD // SLOTS, *divmod(start, 1_000_000_000))
    if libc.timerfd_settime(descriptor, ABSOLUTE, ctypes.byref(interval), None) < 0:
        os.close(descriptor)
        return None
    return descriptor


class Ticker:
    """Calls `tick` at `start` (ns of the monotonic clock) and every 4 ms after it, until closed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, start: int, tick: Callable[[], None]) -> None:
        self._loop, self._tick = loop, tick
        self._next = start
        self._handle: asyncio.TimerHandle | None = None
        self._timer = open_timer(start)
        if self._timer is None:
            self._call_later()
        else:
            loop.add_reader(self._timer, self._on_timer, self._timer)

    def _on_timer(self, timer: int) -> None:
        try:
            os.read(timer, 8)
        except BlockingIOError:
            return
        self._tick()

    def _call_later(self) -> None:
        now = time.monotonic_ns()
        self._next += max(1, -(-(now - self._next) // (PERIOD // SLOTS))) * (PERIOD // SLOTS)
        self._handle = self._loop.call_later((self._next - now) / 1e9, self._on_timeout)

    def _on_timeout(self) -> None:
        self._call_later()
        self._tick()

    def close(self) -> None:
        if self._handle:
            self._handle.cancel()
        if self._timer is not None:
            self._loop.remove_reader(self._timer)
            os.close(self._timer)
            self._timer = None
