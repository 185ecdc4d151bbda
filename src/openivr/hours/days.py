"""Questions about the days of calendars: does a rule ever hold, do two meet, is a holiday near."""

from datetime import UTC, date, datetime, timedelta

from openivr.hours.calendar import Calendar, Holiday, OfficeHours

FIRST, LAST = date(2024, 1, 1), date(2051, 12, 31)  # 28 years, after which weekdays and dates come again
YEAR = 365  # days


def comes(rule: OfficeHours | Holiday) -> bool:
    """Return True if there is a day on which business hours hold or a holiday of every year falls."""
    return any(rule.includes(FIRST + timedelta(day)) for day in range((LAST - FIRST).days))


def meet(first: OfficeHours, second: OfficeHours) -> bool:
    """Return True if two rules hold on one day."""
    if not (first.weekdays & second.weekdays and first.months & second.months and first.days & second.days):
        return False
    days = (FIRST + timedelta(day) for day in range((LAST - FIRST).days))
    return any(first.includes(day) and second.includes(day) for day in days)


def days_since(holiday: Holiday, calendar: Calendar, moment: float) -> int:
    """Return how many days ago the last day of a date was, negative if it lies ahead."""
    return (datetime.fromtimestamp(moment, calendar.clock).date() - holiday.last).days


def has_holidays(calendar: Calendar, moment: float, days: int, years_ago: int = 0) -> bool:
    """Return True if a holiday falls into so many days from a moment on, or from years before it."""
    first = datetime.fromtimestamp(moment, calendar.clock).date() - timedelta(YEAR * years_ago)
    return any(calendar.holidays_on(first + timedelta(day)) for day in range(days))


def show_moment(calendar: Calendar | None, moment: float) -> str:
    """Return a moment as clocks of a calendar show it."""
    return f"{datetime.fromtimestamp(moment, calendar.clock if calendar else UTC):%Y-%m-%d %H:%M}"
