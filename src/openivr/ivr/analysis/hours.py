"""Findings about calendars, about what leads elsewhere by the period, and about announcements until a time.

Those that depend on the present are reported only where the moment is known.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from openivr.hours.calendar import DAY, Calendar, Holiday, HolidayType, OfficeHours, PeriodKind, TimeSpan
from openivr.hours.days import YEAR, comes, days_since, has_holidays, meet, show_moment
from openivr.hours.period import PeriodDecision, PeriodReason
from openivr.ivr.analysis.graph import KEYPAD
from openivr.ivr.analysis.rules import Finding, FindingTarget, Part, finding
from openivr.ivr.model import ByPeriod, Destination, DestinationKind, Ivr, IvrSnapshot
from openivr.ivr.periods import lead
from openivr.ivr.policy import reach

COMING = 60  # days in which a holiday is expected if there was one a year before
SWITCHES = {PeriodKind.CLOSED: "closed", PeriodKind.HOLIDAY: "holiday"}
PARTS = {"timeout": Part.TIMEOUT, "invalid": Part.INVALID}


def check_hours(snapshot: IvrSnapshot, moment: int) -> Iterator[Finding]:
    """Check calendars, routes and announcements. Menus are checked by `check_periods`."""
    used = list(used_calendars(snapshot))
    for calendar in {row.id: row for row in snapshot.calendars.values()}.values():
        target = FindingTarget("timezone", calendar.id)
        is_used = any(row.id == calendar.id for row in used)
        if is_used and not any(opens(rule) for rule in calendar.hours):
            yield finding("IVR901", target, "never" if calendar.hours else "no_hours")
        yield from check_rules(calendar)
        for holiday in calendar.holidays:
            yield from check_holiday(calendar, holiday, moment)
        if moment:
            yield from check_present(calendar, moment)
    yield from check_routes(snapshot)
    for row in snapshot.announcements.values():
        if moment and row.end <= moment:
            until = show_moment(snapshot.calendars.get(0), row.end)
            yield finding("IVR910", FindingTarget("announcement", row.id), date=until)


def used_calendars(snapshot: IvrSnapshot) -> Iterator[Calendar]:
    """List the calendars that inbound routes and menus depend on."""
    rows = [route.by_period for route in snapshot.inbound_routes.values() if route.enabled]
    for by in (*rows, *(by for ivr in snapshot.ivrs.values() for by in ivr.by_period.values())):
        found = (snapshot.calendars.get(by.calendar) or snapshot.calendars.get(0)) if by else None
        if found:
            yield found


def opens(rule: OfficeHours) -> bool:
    """Return True if a rule opens the office at some time of some day."""
    return comes(rule) and any(not is_hidden(span, rule.breaks) for span in rule.office)


def is_hidden(span: TimeSpan, breaks: Iterable[TimeSpan]) -> bool:
    """Return True if breaks cover a span."""
    start = span.start
    for pause in sorted(breaks, key=lambda row: row.start):
        if pause.start <= start < pause.end:
            start = pause.end
    return start >= span.end


def check_rules(calendar: Calendar) -> Iterator[Finding]:
    """Find business hours that never hold, that breaks hide, or that overlap others of a day."""
    for place, rule in enumerate(calendar.hours):
        target = FindingTarget("businesshour", rule.id)
        if not comes(rule):
            yield finding("IVR904", target, "no_day")
            continue
        for span in rule.office:
            if is_hidden(span, rule.breaks):
                yield finding("IVR904", target, "hidden", span=show_span(span))
        for first, second in overlaps(rule.office):
            yield finding("IVR904", target, "overlap", span=show_span(first), other=show_span(second))
        for earlier in calendar.hours[:place]:
            both = next((pair for pair in overlaps(earlier.office, rule.office) if meet(earlier, rule)), None)
            if both:
                span, other = both[1], both[0]
                yield finding("IVR904", target, "twice", span=show_span(span), other=show_span(other))
                break


def overlaps(
    spans: tuple[TimeSpan, ...], others: tuple[TimeSpan, ...] | None = None
) -> Iterator[tuple[TimeSpan, TimeSpan]]:
    """List the pairs of spans that overlap, within one list or between two."""
    for place, first in enumerate(spans):
        for second in spans[place + 1 :] if others is None else others:
            if first.start < second.end and second.start < first.end:
                yield first, second


def check_holiday(calendar: Calendar, holiday: Holiday, moment: int) -> Iterator[Finding]:
    """Find a holiday that never comes, or that was over a year ago."""
    target = FindingTarget("holiday", holiday.id)
    if holiday.span.start >= holiday.span.end:
        yield finding("IVR905", target, "no_time")
    elif holiday.type is HolidayType.DATE:
        if holiday.last < holiday.first:
            yield finding("IVR905", target, "no_day")
        elif moment and days_since(holiday, calendar, moment) > YEAR:
            yield finding("IVR905", target, "over", date=holiday.last.isoformat())
    elif not comes(holiday):
        yield finding("IVR905", target, "no_day")


def check_present(calendar: Calendar, moment: int) -> Iterator[Finding]:
    """Find a switch by hand that may be forgotten, and coming weeks without the holidays of last year."""
    target = FindingTarget("timezone", calendar.id)
    switch = calendar.switch
    if switch and switch.until is None and moment - switch.at > DAY * 60:
        days = (moment - switch.at) // (DAY * 60)
        yield finding("IVR906", target, period=switch.period.value, by=switch.by or "?", days=days)
    if not has_holidays(calendar, moment, COMING) and has_holidays(calendar, moment, COMING, years_ago=1):
        yield finding("IVR909", target, days=COMING)


def check_routes(snapshot: IvrSnapshot) -> Iterator[Finding]:
    """Find inbound routes that lead nowhere in a period, so that calls are rejected."""
    for route in snapshot.inbound_routes.values():
        for period in SWITCHES if route.enabled and route.by_period else ():
            if route.by_period and led(route.destination, route.by_period, period) is None:
                target = FindingTarget("inbound_route", route.id)
                yield finding("IVR902", target, "rejected", period=SWITCHES[period])
                break  # a holiday without a destination leads where closed hours do


def led(normal: Destination | None, by: ByPeriod, period: PeriodKind) -> Destination | None:
    """Return the destination in a period."""
    return lead(normal, by, PeriodDecision(period, PeriodReason.HOURS))


def check_periods(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Finding]:
    """Check what the keys, the time-out and the wrong key of a menu do in each period."""
    if not ivr.by_period:
        return
    for period, name in SWITCHES.items():
        if period is PeriodKind.HOLIDAY and not any(by.holiday for by in ivr.by_period.values()):
            return
        yield from check_period(snapshot, ivr, period, name)


def check_period(snapshot: IvrSnapshot, ivr: Ivr, period: PeriodKind, name: str) -> Iterator[Finding]:
    """Check a menu in one period: what leads nowhere, and what leads to the menu itself."""
    menu = FindingTarget(DestinationKind.IVR, ivr.id)
    lost = []
    is_left = any(key not in ivr.by_period for key in ivr.keys)
    for key, by in sorted(ivr.by_period.items(), key=lambda row: KEYPAD.find(row[0])):
        normal = {"timeout": ivr.timeout, "invalid": ivr.invalid}.get(key, ivr.keys.get(key))
        to = led(normal, by, period)
        target = replace(menu, part=PARTS[key]) if key in PARTS else replace(menu, part=Part.KEY, key=key)
        if to and (to.kind, to.target) == (DestinationKind.IVR, ivr.id) and to != normal and key != "invalid":
            yield finding("IVR903", target, period=name)
        if key in PARTS:
            if to is None and normal:
                yield finding("IVR902", target, "ended", period=name)
        elif to is not None:
            is_left = True
        elif normal:
            lost.append(key)
    scope = reach(snapshot, ivr.policy)
    if lost and not is_left and not scope.ordered and not scope.shapes:
        yield finding("IVR908", menu, period=name)
    elif lost:
        yield finding("IVR907", menu, keys=tuple(lost), period=name)


def show_span(span: TimeSpan) -> str:
    """Return a span as people read it."""
    return f"{span.start // 60:02}:{span.start % 60:02}-{span.end // 60:02}:{span.end % 60:02}"
