"""The period of a moment, the reason for it, and the next moment at which it changes.

A switch by hand comes before holidays, holidays before hours. Hours are those that clocks of the zone show.
An hour that is skipped in spring is never open, and one that comes twice in autumn is open twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum, unique

from openivr.hours.calendar import DAY, Calendar, Holiday, ManualSwitch, OfficeHours, PeriodKind, TimeSpan

HORIZON = 3000  # days that `next_change` looks ahead: a leap day may be eight years away


@unique
class PeriodReason(StrEnum):
    """The rule that decides about a moment."""

    SWITCH = "switch"  # by hand
    HOLIDAY = "holiday"
    HOURS = "hours"
    BREAK = "break"
    OUTSIDE = "outside"  # no rule has this moment


@dataclass(frozen=True, slots=True)
class PeriodDecision:
    """The period of a moment, and the rule that made it so."""

    period: PeriodKind
    reason: PeriodReason
    holiday: Holiday | None = None
    hours: OfficeHours | None = None
    switch: ManualSwitch | None = None

    @property
    def name(self) -> str:
        """The name of the holiday, else ""."""
        return self.holiday.name if self.holiday else ""

    def looks_like(self, other: "PeriodDecision") -> bool:
        """Return True if callers and people notice no difference."""
        return self.period is other.period and self.name == other.name


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """A moment at which another period begins."""

    at: int
    decision: PeriodDecision


def period(moment: float, calendar: Calendar) -> PeriodDecision:
    """Return the period of a moment, with the switch by hand."""
    switch = calendar.switch
    if switch and switch.holds(moment):
        return PeriodDecision(switch.period, PeriodReason.SWITCH, switch=switch)
    return scheduled(moment, calendar)


def scheduled(moment: float, calendar: Calendar) -> PeriodDecision:
    """Return the period of a moment by holidays and hours alone."""
    local = datetime.fromtimestamp(moment, calendar.clock)
    today = local.date()
    minute = local.hour * 60 + local.minute
    for holiday in calendar.holidays_on(today):
        if holiday.span.start <= minute < holiday.span.end:
            return PeriodDecision(PeriodKind.HOLIDAY, PeriodReason.HOLIDAY, holiday)
    return _by_hours(calendar, today, minute)


def _by_hours(calendar: Calendar, today: date, minute: int) -> PeriodDecision:
    """Return the period by hours: open before break, break before closed."""
    pause = None
    for rule in calendar.hours:
        is_today = rule.includes(today)
        is_open = is_today and _holds(rule.office, minute)
        is_break = is_today and _holds(rule.breaks, minute)
        if rule.goes_past_midnight and rule.includes(today - timedelta(1)):
            is_open = is_open or _holds(rule.office, minute + DAY)
            is_break = is_break or _holds(rule.breaks, minute + DAY)
        if is_open and not is_break:
            return PeriodDecision(PeriodKind.OPEN, PeriodReason.HOURS, hours=rule)
        if is_break and pause is None:
            pause = rule
    if pause:
        return PeriodDecision(PeriodKind.BREAK, PeriodReason.BREAK, hours=pause)
    return PeriodDecision(PeriodKind.CLOSED, PeriodReason.OUTSIDE)


def _holds(spans: tuple[TimeSpan, ...], minute: int) -> bool:
    for span in spans:  # noqa: SIM110 - `any` takes twice as long, and every call waits for this
        if span.start <= minute < span.end:
            return True
    return False


def next_change(moment: float, calendar: Calendar) -> PeriodChange | None:
    """Return the next change of the period after a moment. None: there is none within `HORIZON` days."""
    present = period(moment, calendar)
    switch = calendar.switch
    if switch and switch.holds(moment):
        if switch.until is None:
            return None
        after = period(switch.until, calendar)
        if not after.looks_like(present):
            return PeriodChange(switch.until, after)
        moment = switch.until
    return _next_scheduled(moment, calendar, present)


def next_changes(moment: float, calendar: Calendar, count: int) -> list[PeriodChange]:
    """List the next changes of the period, at most so many."""
    changes: list[PeriodChange] = []
    while len(changes) < count and (change := next_change(moment, calendar)):
        changes.append(change)
        moment = change.at
    return changes


def until_next_change(calendar: Calendar, switch: ManualSwitch, moment: float) -> ManualSwitch:
    """Return a switch that ends when the calendar itself would change next."""
    change = next_change(moment, replace(calendar, switch=None))
    return replace(switch, until=change.at if change else None)


def _next_scheduled(moment: float, calendar: Calendar, present: PeriodDecision) -> PeriodChange | None:
    if not calendar.hours and not calendar.holidays:
        return None
    first = datetime.fromtimestamp(moment, calendar.clock).date()
    for offset in range(HORIZON):
        for at in sorted(set(_boundaries(calendar, first + timedelta(offset)))):
            if at > moment:
                decision = scheduled(at, calendar)
                if not decision.looks_like(present):
                    return PeriodChange(at, decision)
    return None


def _boundaries(calendar: Calendar, day: date) -> Iterator[int]:
    """List the moments of a local day at which the period may change, in no order."""
    holidays = calendar.holidays_on(day)
    spans = [holiday.span for holiday in holidays]
    before = day - timedelta(1)
    for rule in calendar.hours:
        if rule.includes(day):
            spans += (*rule.office, *rule.breaks)
        if rule.includes(before):
            late = (span for span in (*rule.office, *rule.breaks) if span.end > DAY)
            spans += (TimeSpan(max(span.start - DAY, 0), span.end - DAY) for span in late)
    minutes = {minute for span in spans for minute in (span.start, span.end) if minute <= DAY} | {0}
    midnight = datetime(day.year, day.month, day.day, tzinfo=calendar.clock)
    for minute in minutes:
        wall = midnight + timedelta(minutes=minute)
        yield from {int(wall.timestamp()), int(wall.replace(fold=1).timestamp())}
    yield from _clock_change(midnight)


def _clock_change(midnight: datetime) -> Iterator[int]:
    """Find the moment of a day at which the clocks of its zone change, if they do."""
    low, high = int(midnight.timestamp()), int((midnight + timedelta(1)).timestamp())
    zone = midnight.tzinfo

    def offset(moment: int) -> timedelta | None:
        return datetime.fromtimestamp(moment, zone).utcoffset()

    before = offset(low)
    if offset(high) == before:
        return
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset(middle) == before else (low, middle)
    yield high
