"""Random calendars, read by `openivr.hours` and compared with the oracle at every minute of a year.

`python -m tests.hours.comparison --calendars 1000` is the whole, on all cores (`make hours`).
"""

import argparse
import multiprocessing
import time
from collections.abc import Iterator

from openivr.hours import reading
from openivr.hours.calendar import WHOLE_DAY, Calendar, Holiday, HolidayType, OfficeHours
from openivr.hours.period import PeriodDecision, next_change, period
from tests.hours.oracle import ZONES, Spec, first_minute, local_minutes, paint, random_spec

YEARS = (2024, 2025, 2026, 2027, 2028)


def read(spec: Spec, zone: str) -> Calendar:
    hours = tuple(
        OfficeHours(
            number,
            reading.read_weekdays(rule["days_of_week"]),
            reading.read_months(rule["months"]),
            reading.read_days(rule["days"]),
            tuple(reading.read_span(span, overnight=True) for span in rule["office"]),
            tuple(reading.read_span(span, overnight=True) for span in rule["breaks"]),
        )
        for number, rule in enumerate(spec["hours"])
    )
    return Calendar(zone, hours=hours, holidays=tuple(map(read_holiday, spec["holidays"])))


def read_holiday(spec: Spec) -> Holiday:
    kind = HolidayType(spec["type"])
    span = reading.read_span(spec["time_period"]) if spec["time_period"] else WHOLE_DAY
    if kind in (HolidayType.DATE, HolidayType.MONTH):
        first, last = (reading.read_dates if kind is HolidayType.DATE else reading.read_yearly)(spec["date"])
        return Holiday(spec["name"], kind, first=first, last=last, span=span)
    (month,), (weekday,) = reading.read_months(spec["month"]), reading.read_weekdays(spec["weekday"])
    return Holiday(spec["name"], kind, month=month, nth=spec["how_week"], weekday=weekday, span=span)


def color(decision: PeriodDecision) -> str:
    return f"{decision.period} {decision.name}".strip()


def differences(seed: int, zone: str, year: int, step: int = 1) -> Iterator[str]:
    """Each minute, of every `step`, at which decision and oracle differ, and each change that does."""
    spec = random_spec(seed)
    calendar, strip = read(spec, zone), paint(spec, year)
    places, start = local_minutes(zone, year), first_minute(year) * 60
    seen = [strip[place] for place in places]
    for minute in range(seed % step, len(seen), step):
        found = color(period(start + minute * 60 + 59.9, calendar))
        if found != seen[minute]:
            yield f"{seed} {zone} {start + minute * 60}: {found}, not {seen[minute]}"
    changes = [at for at in range(1, len(seen)) if seen[at] != seen[at - 1]]
    moment: float = start
    for at in changes:
        change = next_change(moment, calendar)
        if change is None or (change.at, color(change.decision)) != (start + at * 60, seen[at]):
            yield f"{seed} {zone}: after {moment} {change}, not {start + at * 60} {seen[at]}"
            return
        moment = change.at
    change = next_change(moment, calendar)
    if change and change.at < start + len(seen) * 60:
        yield f"{seed} {zone}: after {moment} {change}, not unchanged"


def compare(seed: int) -> tuple[int, list[str]]:
    year = YEARS[seed % len(YEARS)]
    minutes = sum(len(local_minutes(zone, year)) for zone in ZONES)
    return minutes, [line for zone in ZONES for line in differences(seed, zone, year)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calendars", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first calendar")
    chosen = parser.parse_args()
    began, total, wrong = time.monotonic(), 0, 0
    with multiprocessing.Pool() as pool:
        seeds = range(chosen.first, chosen.first + chosen.calendars)
        for count, (minutes, lines) in enumerate(pool.imap_unordered(compare, seeds), 1):
            total, wrong = total + minutes, wrong + len(lines)
            for line in lines[:10]:
                print(line, flush=True)
            if count % 10 == 0 or count == chosen.calendars:
                spent = time.monotonic() - began
                print(f"{count} calendars, {total:,} minutes, {wrong} differences, {spent:.0f} s", flush=True)
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
