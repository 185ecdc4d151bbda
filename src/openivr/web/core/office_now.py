"""The period of a moment in words, and the line about the office on every page."""

from dataclasses import dataclass
from datetime import datetime

from openivr.hours.calendar import Calendar
from openivr.hours.period import PeriodChange, PeriodDecision, next_change, period
from openivr.hours.reading import WEEKDAYS
from openivr.web.messages import t

NEAR = 7  # days in which a weekday says enough
DAY = 24 * 3600  # seconds


@dataclass(frozen=True, slots=True)
class OfficeNow:
    """The present period of the default calendar in words. `switched`: by whom, "" if it was not."""

    period: str
    sentence: str
    switched: str
    note: str


class OfficeNowCache:
    """Keeps the present period until it changes. To find the next change may take years of calendar."""

    def __init__(self) -> None:
        self._known: tuple[Calendar, PeriodDecision, PeriodChange | None] | None = None
        self._until = 0.0

    def read(self, calendar: Calendar, now: int) -> OfficeNow | None:
        """Return the line about a calendar. None: nothing says when the office is open."""
        if not (calendar.hours or calendar.holidays or calendar.switch):
            return None
        if self._known is None or self._known[0] is not calendar or now >= self._until:
            self._known = calendar, period(now, calendar), next_change(now, calendar)
            self._until = find_end(self._known[1], self._known[2], now)
        _, decision, change = self._known
        until = say_moment(change.at, now, calendar) if change else ""
        switch = decision.switch
        return OfficeNow(
            decision.period.value,
            say_now(decision, until),
            say_switch(decision, now, calendar),
            switch.note if switch else "",
        )


def find_end(decision: PeriodDecision, change: PeriodChange | None, now: int) -> int:
    """Return the moment from which on the words about a period may be others."""
    ends = [now + DAY] + ([change.at] if change else [])
    if decision.switch and decision.switch.until is not None:
        ends.append(decision.switch.until)
    return min(ends)


def local(moment: int, calendar: Calendar) -> datetime:
    """Return a moment as clocks of the calendar's zone show it."""
    return datetime.fromtimestamp(moment, calendar.clock)


def say_now(decision: PeriodDecision, until: str) -> str:
    """Return the present period, its end and the reason in one sentence."""
    words, reason = t(f"period.{decision.period}").lower(), say_reason(decision)
    if not until:
        return t("hours.now_always", period=words, reason=reason)
    return t("hours.now", period=words, until=until, reason=reason)


def say_reason(decision: PeriodDecision) -> str:
    """Return the rule that decided, in words."""
    return t(f"period_reason.{decision.reason}", name=decision.name)


def say_moment(moment: int, now: int, calendar: Calendar) -> str:
    """Return a moment as people say it: the time today, a weekday this week, a date later."""
    at, today = local(moment, calendar), local(now, calendar).date()
    day, days = t(f"weekday.{WEEKDAYS[at.weekday()]}"), (at.date() - today).days
    if days == 0:
        return f"{at:%H:%M}"
    return f"{day} {at:%H:%M}" if 0 < days < NEAR else f"{day} {at:%Y-%m-%d %H:%M}"


def say_switch(decision: PeriodDecision, now: int, calendar: Calendar) -> str:
    """Return who switched, when, and until when. "" if the period follows the calendar."""
    switch = decision.switch
    if switch is None:
        return ""
    since = say_moment(switch.at, now, calendar)
    if switch.until is None:
        return t("hours.switched_open_ended", by=switch.by, since=since)
    return t("hours.switched", by=switch.by, since=since, until=say_moment(switch.until, now, calendar))
