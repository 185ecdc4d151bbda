"""Clocks that do not jump, for durations and life times.

The wall clock may step, by NTP or by a wrong RTC. It is read only for what people see and for calendars.
"""

import json
import os
import time
import zoneinfo
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

SLEW = 0.5  # seconds that a `SlewedClock` approaches the wall clock in a second
KEPT_SECONDS = 1.0  # from the wall clock, beyond which the time of a `SlewedClock` is kept on disk
LIFETIME_FILE = "lifetime-clock.json"  # in the data folder


def steady() -> float:
    """Return the seconds since the machine started, including those in which it was suspended."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wall_ms() -> int:
    """Return the wall-clock time in Unix milliseconds."""
    return time.time_ns() // 1_000_000


def read_boot_id() -> str:
    """Return an id of this start of the machine; times of `steady` compare within it only."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


class EventClock:
    """Times of a sequence of events in Unix milliseconds: wall-clock time at its start, steady from there.

    Differences are right and never negative, whatever happens to the wall clock.
    """

    __slots__ = ("_start", "_steady", "_steady_start")

    def __init__(self, wall: Callable[[], int] = wall_ms, steady: Callable[[], float] = steady) -> None:
        self._start, self._steady, self._steady_start = wall(), steady, steady()

    def now(self) -> int:
        """Return the time of an event that happens now."""
        return self._start + round((self._steady() - self._steady_start) * 1000)


class SlewedClock:
    """Unix time in seconds that never steps: it follows the wall clock at 0.5 to 1.5 times its usual speed.

    For expiry times that several processes compare. A step of an hour, corrected within a minute, moves it by
    half a minute; one that stays is followed within two hours. It never goes back.
    """

    __slots__ = ("_state", "_steady", "_wall")

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = steady) -> None:
        self._wall, self._steady = wall, steady
        self._state = wall(), steady()

    def now(self) -> float:
        """Return the time."""
        time_, at = self._state
        wall, now = self._wall(), self._steady()
        elapsed = max(now - at, 0.0)
        time_ = min(max(wall, time_ + elapsed * (1 - SLEW)), time_ + elapsed * (1 + SLEW))
        self._state = time_, now  # one assignment, because threads share the clock
        return time_

    def keep(self, path: Path, boot_id: str) -> None:
        """Write the time to a file while it is not that of the wall clock. Raises OSError."""
        if abs(self.now() - self._wall()) < KEPT_SECONDS:
            path.unlink(missing_ok=True)
            return
        part = path.with_name(f"{path.name}.{os.getpid()}")
        part.write_text(json.dumps([*self._state, boot_id]))
        part.replace(path)

    def follow(self, path: Path, boot_id: str) -> None:
        """Continue the time of the process that has kept it in a file, if that was since the last boot."""
        with suppress(OSError, ValueError):
            time_, at, boot = json.loads(path.read_text())
            if boot == boot_id and at <= self._steady():
                self._state = float(time_), float(at)


lifetime = SlewedClock()
"""The clock of expiry times. Processes that a server forks inherit it."""


def read_zone_name() -> str:
    """Return the name of the machine's time zone in the IANA database, "UTC" if it cannot be found."""
    for name in (os.environ.get("TZ", "").removeprefix(":"), *_configured_zones()):
        try:
            if name:
                return zoneinfo.ZoneInfo(name).key
        except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
            continue
    return "UTC"


def _configured_zones() -> Iterator[str]:
    """Yield the names that /etc says."""
    target = os.path.realpath("/etc/localtime")
    if "/zoneinfo/" in target:
        yield target.partition("/zoneinfo/")[2]
    try:
        yield Path("/etc/timezone").read_text().strip()
    except OSError:
        return
