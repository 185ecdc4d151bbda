"""The period of a report, in days of the server's clock."""

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from openivr.store.cdr.reports import HOUR, Span, Zone

SECONDS = 86_400
MAX_DAYS = 1098  # three years
FARTHEST = 16 * 3600  # seconds that a clock may be away from UTC, and some
PRESETS = {"today": 1, "week": 7, "month": 30}
DEFAULT = "month"

Clock = Callable[[int], int]  # the offset from UTC, in seconds, at a Unix time


def server_clock(second: int) -> int:
    """The clock of this machine, or of the TZ that the server was started with."""
    return time.localtime(second).tm_gmtoff


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `first` to `last`. `preset` is the name of the choice, "" for days that were typed.

    `problem` is the text that could not be read, "" if there is none.
    """

    first: date
    last: date
    preset: str
    span: Span
    zone: Zone
    problem: str = ""

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(n) for n in range((self.last - self.first).days + 1)]

    @property
    def query(self) -> str:
        """The part of an address that names it."""
        return f"range={self.preset}" if self.preset else f"from={self.first}&to={self.last}"

    @property
    def zone_words(self) -> str:
        """The offsets from UTC in the order in which they apply."""
        return ", ".join(f"UTC{show_offset(offset)}" for _, offset in self.zone)

    @property
    def most(self) -> int:
        return MAX_DAYS

    def offset(self, at: int) -> int:
        """The offset from UTC at a Unix time, both in milliseconds."""
        place = bisect_right(self.zone, at, key=lambda change: change[0])
        return self.zone[max(place - 1, 0)][1]

    def local(self, at: int) -> datetime:
        """The clock's time at a Unix time."""
        return datetime.fromtimestamp((at + self.offset(at)) / 1000, UTC)

    def hours(self) -> Iterator[int]:
        """The start of each hour of the clock, as `reports.count_hours` has it."""
        quarters = range(self.span.since, self.span.until, HOUR // 4)  # no zone is off by less
        yield from dict.fromkeys(self.hour_of(at) for at in quarters)

    def hour_of(self, at: int) -> int:
        offset = self.offset(at)
        return (at + offset) // HOUR * HOUR - offset

    def day(self, day: date) -> Span:
        """One of its days."""
        clock: Clock = lambda second: self.offset(second * 1000) // 1000  # noqa: E731
        return Span(midnight(day, clock), midnight(day + timedelta(1), clock))


def read_period(preset: str, first: str, last: str, now: int, clock: Clock = server_clock) -> Period:
    """The period that the query asks for. `now` is in Unix seconds. An invalid one is the last 30 days."""
    today = datetime.fromtimestamp(now + clock(now), UTC).date()
    if first or last:
        days = read_days(first, last, today)
        if days is not None:
            return make_period(*days, "", clock)
    chosen = preset if preset in PRESETS else DEFAULT
    problem = first or last
    return make_period(today - timedelta(PRESETS[chosen] - 1), today, chosen, clock, problem)


def read_days(first: str, last: str, today: date) -> tuple[date, date] | None:
    """Two days in the order of time. A missing first day is the last one, a missing last day is today."""
    try:
        begin, end = date.fromisoformat(first or last), date.fromisoformat(last or str(today))
    except ValueError:
        return None
    begin, end = min(begin, end), max(begin, end)
    is_known = begin.year >= 1971 and end.year <= 9000
    return (begin, end) if is_known and (end - begin).days < MAX_DAYS else None


def make_period(first: date, last: date, preset: str, clock: Clock, problem: str = "") -> Period:
    span = Span(midnight(first, clock), midnight(last + timedelta(1), clock))
    return Period(first, last, preset, span, tuple(find_zone(span, clock)), problem)


def midnight(day: date, clock: Clock) -> int:
    """The start of a day in Unix milliseconds: the first second that the clock shows of it."""
    begins = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return search(begins - FARTHEST, begins + FARTHEST, lambda at: at + clock(at) >= begins) * 1000


def find_zone(span: Span, clock: Clock) -> Iterator[tuple[int, int]]:
    """The offset at the start of a span, and each change of it."""
    at, end = span.since // 1000, span.until // 1000
    yield at * 1000, clock(at) * 1000
    for later in (*range(at + SECONDS, end, SECONDS), end):
        while (offset := clock(at)) != clock(later):
            at = search(at, later, lambda second, before=offset: clock(second) != before)  # type: ignore[misc]
            yield at * 1000, clock(at) * 1000
        at = later


def search(low: int, high: int, is_there: Callable[[int], bool]) -> int:
    """The first second after `low` for which a condition is true that is true for `high`."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_there(middle) else (middle, high)
    return high


def show_offset(milliseconds: int) -> str:
    """An offset from UTC as ISO 8601 has it: "+01:00"."""
    minutes = abs(milliseconds) // 60_000
    return f"{'-' if milliseconds < 0 else '+'}{minutes // 60:02}:{minutes % 60:02}"
