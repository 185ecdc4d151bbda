"""A slow second opinion about calendars: it paints a year, minute by minute, instead of deciding.

It shares no code with `openivr.hours`. Local time comes from the C library, nth weekdays from the tables of
the `calendar` module. A calendar is given as texts, as the API has them.
"""

import calendar
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from typing import Any

Spec = dict[str, Any]
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
MARGIN = 3  # local days painted before and after the year


@contextmanager
def time_zone(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


def first_minute(year: int) -> int:
    """The first minute of a year in UTC, in minutes since 1970."""
    return calendar.timegm((year, 1, 1, 0, 0, 0)) // 60


@cache
def local_minutes(zone: str, year: int) -> list[int]:
    """The place on the painted strip of each minute of the year in UTC."""
    start, base = first_minute(year), (date(year, 1, 1) - timedelta(MARGIN)).toordinal()
    with time_zone(zone):
        return [
            (date(now.tm_year, now.tm_mon, now.tm_mday).toordinal() - base) * 1440
            + now.tm_hour * 60
            + now.tm_min
            for now in (time.localtime(minute * 60) for minute in range(start, first_minute(year + 1)))
        ]


def paint(spec: Spec, year: int) -> list[str]:
    """The local minutes of a year and its margins, each as "open", "break", "closed" or "holiday NAME"."""
    days = [date(year, 1, 1) + timedelta(n) for n in range(-MARGIN, 366 + MARGIN)]
    length = 1440 * len(days)
    opened = paused = 0  # a bit for each minute
    for rule in spec["hours"]:
        masks = {"office": 0, "breaks": 0}
        for place, day in enumerate(days):
            if holds(rule, day):
                for name in masks:
                    for span in rule[name]:
                        start, end = ends(span)
                        masks[name] |= ((1 << (end - start)) - 1) << (place * 1440 + start)
        opened |= masks["office"] & ~masks["breaks"]
        paused |= masks["breaks"]
    names = {("1", "0"): "open", ("1", "1"): "open", ("0", "1"): "break", ("0", "0"): "closed"}
    bits = [format(mask & ((1 << length) - 1), f"0{length}b")[::-1] for mask in (opened, paused)]
    strip = [names[pair] for pair in zip(*bits, strict=True)]
    for holiday in reversed(spec["holidays"]):  # what is painted last is seen
        start, end = ends(holiday["time_period"] or "00:00-23:59")
        for place, day in enumerate(days):
            if falls(holiday, day):
                strip[place * 1440 + start : place * 1440 + end] = ["holiday " + holiday["name"]] * (
                    end - start
                )
    return strip


def ends(span: str) -> tuple[int, int]:
    start, end = ((int(clock[:2]) * 60 + int(clock[3:])) for clock in span.split("-"))
    if end == 1439:
        end = 1440
    return start, end if end > start else end + 1440


def holds(rule: Spec, day: date) -> bool:
    words = (
        (rule["days_of_week"], DAYS[day.weekday()]),
        (rule["months"], MONTHS[day.month - 1]),
        (rule["days"], str(day.day)),
    )
    return all(text == "all" or word in text.split() for text, word in words)


def falls(holiday: Spec, day: date) -> bool:
    if holiday["type"] == "date":
        first, last = holiday["date"].split("-")
        return bool(first <= day.strftime("%Y/%m/%d") <= last)
    if holiday["type"] == "month":
        first, last = holiday["date"].split("-")
        present = day.strftime("%m/%d")
        return first <= present <= last if first <= last else present >= first or present <= last
    if MONTHS[day.month - 1] != holiday["month"]:
        return False
    weeks = calendar.Calendar().monthdayscalendar(day.year, day.month)
    column = [week[DAYS.index(holiday["weekday"])] for week in weeks]
    if holiday["type"] == "weekday":
        column = [number for number in column if number]
    place = holiday["how_week"] - 1 if holiday["how_week"] < 5 else len(column) - 1
    return place < len(column) and column[place] == day.day


def random_spec(seed: int) -> Spec:
    """A calendar of few or many rules, with nights, odd minutes and holidays that meet."""
    dice = random.Random(seed)
    return {
        "hours": [random_rule(dice) for _ in range(dice.choice((0, 1, 2, 3, 5)))],
        "holidays": [random_holiday(dice, number) for number in range(dice.choice((0, 1, 3, 8, 20)))],
    }


def random_rule(dice: random.Random) -> Spec:
    weekly = dice.random() < 0.7
    chosen = [str(n) for n in range(1, 32) if dice.random() < 0.4] or ["31"]
    return {
        "days_of_week": words(dice, DAYS) if weekly else "all",
        "months": "all" if weekly else words(dice, MONTHS),
        "days": "all" if weekly or dice.random() < 0.3 else " ".join(chosen),
        "office": [random_span(dice) for _ in range(dice.choice((1, 1, 2, 3)))],
        "breaks": [random_span(dice) for _ in range(dice.choice((0, 0, 1, 2)))],
    }


def words(dice: random.Random, names: list[str]) -> str:
    return " ".join(name for name in names if dice.random() < 0.6) or dice.choice(["all", names[0]])


def random_span(dice: random.Random, *, overnight: bool = True) -> str:
    """A span whose ends are often round, at midnight or in the hours in which clocks change."""
    round_ones = [0, 60, 90, 105, 120, 150, 180, 540, 720, 780, 1080, 1320, 1439]
    ends = [dice.choice(round_ones) if dice.random() < 0.7 else dice.randrange(1440) for _ in range(2)]
    if ends[0] == ends[1]:
        return random_span(dice, overnight=overnight)
    start, end = ends if overnight else sorted(ends)
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def random_holiday(dice: random.Random, number: int) -> Spec:
    kind = dice.choice(("date", "month", "week", "weekday"))
    first = date(2024, 1, 1) + timedelta(dice.randrange(2200))
    last = first + timedelta(dice.choice((0, 0, 1, 3, 20, 500 if kind == "date" else 40)))
    pattern = "%Y/%m/%d" if kind == "date" else "%m/%d"
    is_dated = kind in ("date", "month")
    return {
        "name": f"H{number}",
        "type": kind,
        "date": f"{first.strftime(pattern)}-{last.strftime(pattern)}" if is_dated else "",
        "month": "" if is_dated else dice.choice(MONTHS),
        "how_week": 0 if is_dated else dice.randint(1, 5),
        "weekday": "" if is_dated else dice.choice(DAYS),
        "time_period": dice.choice(("", random_span(dice, overnight=False))),
    }
