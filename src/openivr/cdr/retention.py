"""Retention: what is deleted, and by which time.

A wrong wall clock must not delete data: a step of more than a day is believed only after it has lasted for a
week. A turn deletes a bounded number of records, messages and recordings.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import structlog

from openivr import clock

log = structlog.get_logger(__name__)
DAY = 86_400.0
MAX_STEP = DAY  # seconds that the wall clock may differ from what is expected
BELIEVE_SECONDS = 7 * DAY  # for which a larger step has to last
FILE = "retention-clock.json"


@dataclass(frozen=True, slots=True)
class RetentionPolicy:
    """Days to keep records, recordings and messages, 0 for ever; and how much."""

    records: int = 0
    recordings: int = 0  # of calls; deleted with the record at the latest
    messages: int = 0
    recording_bytes: int = 0  # beyond which the oldest recordings are deleted; 0: no limit

    def recording_days(self) -> int:
        """Return the days to keep recordings, which no record names once it is deleted."""
        return min((days for days in (self.recordings, self.records) if days), default=0)


KEEP_ALL = RetentionPolicy()


@dataclass(frozen=True, slots=True)
class Anchor:
    """A time that is believed, in Unix seconds, with its steady time and start of the machine."""

    time: float
    steady: float
    boot: str
    last: float  # newest time that was believed
    seen: float  # steady time of the last look
    doubt: float = 0.0  # seconds for which the wall clock has differed by more than a day


class RetentionClock:
    """The time by which data is old: the wall clock, unless that has stepped by more than a day.

    What it believes is kept in `folder`. Without that, `newest` is believed: the time of the newest record in
    Unix seconds, or 0 if there is none.
    """

    def __init__(
        self,
        folder: Path,
        newest: float,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = clock.steady,
        boot_id: str = "",
    ) -> None:
        self._path, self._wall, self._steady, self._boot = folder / FILE, wall, steady, boot_id
        now = steady()
        self._anchor = read_anchor(folder) or Anchor(newest or wall(), now, boot_id, newest or wall(), now)
        if self._anchor.boot != boot_id:
            self._anchor = replace(self._anchor, time=self._anchor.last, steady=now, boot=boot_id, seen=now)

    def now(self) -> float:
        """Return the time in Unix seconds by which data may be deleted, and keep it for later starts."""
        wall, steady, anchor = self._wall(), self._steady(), self._anchor
        expected = anchor.time + max(steady - anchor.steady, 0.0)
        step, doubt = wall - expected, anchor.doubt + max(steady - anchor.seen, 0.0)
        if abs(step) <= MAX_STEP:
            if anchor.doubt:
                log.info("clock is right again, old data is deleted as usual")
            is_old = steady - anchor.steady >= BELIEVE_SECONDS  # small steps must not add up within that
            self._anchor = (
                Anchor(wall, steady, self._boot, wall, steady)
                if is_old
                else replace(anchor, last=wall, seen=steady, doubt=0.0)
            )
        elif anchor.doubt and doubt >= BELIEVE_SECONDS:
            log.warning("clock has stepped, and is believed now", seconds=round(step))
            self._anchor = Anchor(wall, steady, self._boot, wall, steady)
        else:
            if not anchor.doubt:
                log.error("clock has stepped, nothing is deleted by it", seconds=round(step))
                doubt = 1e-3
            self._anchor = replace(anchor, last=expected, seen=steady, doubt=doubt)
        self._write()
        return min(wall, self._anchor.last)

    def _write(self) -> None:
        part = self._path.with_suffix(".part")
        try:
            part.write_bytes(msgspec.json.encode(self._anchor))
            part.replace(self._path)
        except OSError as error:
            log.warning("retention clock cannot be kept", error=error.strerror)


class RecordClock:
    """The time of records: the wall clock, unless that is more than a day behind what retention believes.

    Records that a clock of the past has stamped would be old as soon as the clock is right again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        wall: Callable[[], int] = clock.wall_ms,
        steady: Callable[[], float] = clock.steady,
        boot_id: str = "",
    ) -> None:
        self._folder, self._wall, self._steady, self._boot = folder, wall, steady, boot_id
        self._time, self._at = 0.0, steady()
        self.reload()

    def reload(self) -> None:
        """Read what retention believes now."""
        anchor = read_anchor(self._folder)
        if anchor is not None and anchor.boot == self._boot:
            self._time, self._at = anchor.time, anchor.steady
        elif anchor is not None and anchor.last > self._time:
            self._time, self._at = anchor.last, self._steady()

    def now(self) -> int:
        """Return the time in Unix milliseconds."""
        wall, expected = self._wall(), round(1000 * (self._time + self._steady() - self._at))
        return wall if wall >= expected - 1000 * MAX_STEP else expected


def read_anchor(folder: Path) -> Anchor | None:
    """Return what the retention clock in this folder believes; None if nothing was kept."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Anchor)
    except (OSError, msgspec.DecodeError):
        return None
