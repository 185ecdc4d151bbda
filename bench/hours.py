"""Measures decisions about business hours: the period of a moment with 200 holidays, and its next change.

python -m bench.hours
"""

import random
import statistics
from collections.abc import Callable
from datetime import date
from time import perf_counter

from openivr.hours.calendar import Calendar, Holiday, HolidayType, OfficeHours, TimeSpan
from openivr.hours.period import next_change, period

YEAR = 1_767_225_600  # 2026-01-01 in UTC
ROUNDS = 9


def holidays() -> tuple[Holiday, ...]:
    """Of each type, spread over the year: 200 in all."""
    days = [(1 + n % 12, 1 + n % 28) for n in range(100)]
    once = (
        Holiday(f"Once {m}/{d}", HolidayType.DATE, 0, date(2026, m, d), date(2026, m, d)) for m, d in days
    )
    yearly = (
        Holiday(f"Yearly {m}/{d}", HolidayType.MONTH, 0, date(2000, m, d), date(2000, m, d))
        for m, d in days[:50]
    )
    nth = (
        Holiday(f"Nth {n}", HolidayType.WEEKDAY, month=1 + n % 12, nth=1 + n % 5, weekday=n % 7)
        for n in range(50)
    )
    return (*once, *yearly, *nth)


def office() -> Calendar:
    week = OfficeHours(1, frozenset(range(5)), office=(TimeSpan(540, 1080),), breaks=(TimeSpan(720, 780),))
    saturday = OfficeHours(2, frozenset({5}), office=(TimeSpan(540, 720),))
    return Calendar("Europe/Berlin", hours=(week, saturday), holidays=holidays())


def measure(decide: Callable[[float, Calendar], object], count: int) -> list[float]:
    """Return the microseconds of one decision in each round."""
    calendar, dice = office(), random.Random(15)
    moments = [YEAR + dice.randrange(365 * 86_400) for _ in range(count)]
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        for moment in moments:
            decide(moment, calendar)
        times.append((perf_counter() - start) / count * 1e6)
    return times


def main() -> None:
    for name, decide, count in (("period", period, 20_000), ("next change", next_change, 500)):
        times = measure(decide, count)
        print(f"{name:12} {statistics.median(times):7.1f} us, at best {min(times):.1f} us")


if __name__ == "__main__":
    main()
