"""What the page Hours shows of a calendar, as values for its template."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from openivr.hours.calendar import DAY, WHOLE_DAY, Calendar, Holiday, ManualSwitch
from openivr.hours.period import PeriodChange, PeriodDecision, next_change, next_changes, period
from openivr.hours.reading import WEEKDAYS, write_span
from openivr.web.core.office_now import local, say_moment, say_now, say_reason, say_switch
from openivr.web.messages import t

SHOWN = 7  # changes, and days of the week's picture


@dataclass(frozen=True, slots=True)
class PeriodView:
    """A period from a moment on, in words."""

    period: str
    since: str
    reason: str


@dataclass(frozen=True, slots=True)
class DayPart:
    """A part of a day in one period, in minutes of the local clock."""

    start: int
    end: int
    period: str
    words: str


@dataclass(frozen=True, slots=True)
class HolidayView:
    """The days of a holiday in a year that follow each other."""

    id: int
    name: str
    days: str
    time: str  # "" for the whole day


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the page shows of a calendar at a moment."""

    sentence: str
    period: str
    is_empty: bool  # it has neither hours nor holidays
    switch: ManualSwitch | None  # None unless it is on
    switched: str  # when and until when, in words
    changes: tuple[PeriodView, ...]
    week: tuple[tuple[str, tuple[DayPart, ...]], ...]
    years: tuple[tuple[int, tuple[HolidayView, ...]], ...]  # this one and the next


def make_overview(calendar: Calendar, now: int) -> Overview:
    """Return what the page shows. Takes milliseconds for a calendar that hardly ever changes."""
    decision, changes = period(now, calendar), next_changes(now, calendar, SHOWN)
    until = say_moment(changes[0].at, now, calendar) if changes else ""
    year = local(now, calendar).year
    return Overview(
        sentence=say_now(decision, until),
        period=decision.period.value,
        is_empty=not calendar.hours and not calendar.holidays,
        switch=decision.switch,
        switched=say_switch(decision, now, calendar),
        changes=tuple(make_change(change, now, calendar) for change in changes),
        week=tuple(make_week(calendar, local(now, calendar).date())),
        years=tuple((it, tuple(make_holidays(calendar, it))) for it in (year, year + 1)),
    )


def make_change(change: PeriodChange, now: int, calendar: Calendar) -> PeriodView:
    """Return a change in words."""
    since = say_moment(change.at, now, calendar)
    return PeriodView(change.decision.period.value, since, say_reason(change.decision))


def say_then(decision: PeriodDecision) -> str:
    """Return the period of another moment and the reason in one sentence."""
    return t("hours.then", period=t(f"period.{decision.period}"), reason=say_reason(decision))


def make_week(calendar: Calendar, today: date) -> Iterator[tuple[str, tuple[DayPart, ...]]]:
    """The parts of seven days from today on, as hours and holidays plan them."""
    plan = replace(calendar, switch=None)
    days = [today + timedelta(offset) for offset in range(SHOWN + 1)]
    starts = [int(datetime(day.year, day.month, day.day, tzinfo=plan.clock).timestamp()) for day in days]
    pieces = [(starts[0], period(starts[0], plan))]
    while (change := next_change(pieces[-1][0], plan)) and change.at < starts[-1]:
        pieces.append((change.at, change.decision))
    for number, day in enumerate(days[:-1]):
        first, end = starts[number], starts[number + 1]
        ends = [*(start for start, _ in pieces[1:]), starts[-1]]
        parts = tuple(
            make_part(plan, decision, max(start, first), min(stop, end), (first, end))
            for (start, decision), stop in zip(pieces, ends, strict=True)
            if start < end and stop > first
        )
        yield t("hours.day", weekday=t(f"weekday.{WEEKDAYS[day.weekday()]}"), date=day.isoformat()), parts


def make_part(
    plan: Calendar, decision: PeriodDecision, start: int, stop: int, day: tuple[int, int]
) -> DayPart:
    """Make the part of a day from a moment to another. `day` is its beginning and its end."""
    begin = 0 if start == day[0] else minute_of(start, plan)
    end = DAY if stop == day[1] else minute_of(stop, plan)
    words = t(f"period.{decision.period}")
    if decision.name:
        words = t("hours.named", period=words, name=decision.name)
    words = f"{clock_of(begin)}–{clock_of(end)} {words}"
    return DayPart(begin, max(begin, end), decision.period.value, words)


def minute_of(moment: int, calendar: Calendar) -> int:
    at = local(moment, calendar)
    return at.hour * 60 + at.minute


def clock_of(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def make_holidays(calendar: Calendar, year: int) -> Iterator[HolidayView]:
    """The holidays of a year in the order of their days. Days that follow each other are one line."""
    running: dict[int, tuple[Holiday, date]] = {}
    lines: list[tuple[date, date, Holiday]] = []
    day = date(year, 1, 1)
    while day.year == year:
        today = {holiday.id: holiday for holiday in calendar.holidays_on(day)}
        for id_ in [id_ for id_ in running if id_ not in today]:
            holiday, first = running.pop(id_)
            lines.append((first, day - timedelta(1), holiday))
        for id_, holiday in today.items():
            running.setdefault(id_, (holiday, day))
        day += timedelta(1)
    lines += [(first, date(year, 12, 31), holiday) for holiday, first in running.values()]
    for first, last, holiday in sorted(lines, key=lambda line: line[:2]):
        weekday = t(f"weekday.{WEEKDAYS[first.weekday()]}")
        days = t("hours.day", weekday=weekday, date=first.isoformat())
        if last > first:
            days = t("cell.dates", first=days, last=last.isoformat())
        time = "" if holiday.span == WHOLE_DAY else write_span(holiday.span)
        yield HolidayView(holiday.id, holiday.name, days, time)
