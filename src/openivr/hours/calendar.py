"""Calendars: weekly hours, dates, holidays and the switch by hand of one time zone, as immutable values.

P-Series: add-a-business-hour, add-a-holiday. Minutes count from local midnight of the day that a span begins
on. Moments are Unix seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum, unique
from operator import itemgetter
from types import MappingProxyType
from zoneinfo import ZoneInfo

DAY = 1440  # minutes
EVERY_WEEKDAY = frozenset(range(7))
EVERY_MONTH = frozenset(range(1, 13))
EVERY_DAY = frozenset(range(1, 32))
LAST_WEEK = 5  # the last one of its month, which may be the fourth
MAX_DAYS = 400  # a longer range of dates is compared every day


@unique
class PeriodKind(StrEnum):
    """The kinds of time that calls are routed by. A break counts as open unless it leads elsewhere."""

    OPEN = "open"
    BREAK = "break"
    CLOSED = "closed"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """Minutes of a day, from `start` until before `end`. Past 1440 they belong to the next day."""

    start: int
    end: int


WHOLE_DAY = TimeSpan(0, DAY)


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Hours that hold on the days which all three sets name.

    A break hides the office hours of this rule only, and may also lie beside them.
    """

    id: int = 0
    weekdays: frozenset[int] = EVERY_WEEKDAY  # 0 is Monday
    months: frozenset[int] = EVERY_MONTH
    days: frozenset[int] = EVERY_DAY  # of the month
    office: tuple[TimeSpan, ...] = ()
    breaks: tuple[TimeSpan, ...] = ()
    remark: str = ""
    goes_past_midnight: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        late = any(span.end > DAY for span in (*self.office, *self.breaks))
        object.__setattr__(self, "goes_past_midnight", late)

    def includes(self, day: date) -> bool:
        """Return True if the rule holds on this day."""
        return day.day in self.days and day.month in self.months and day.weekday() in self.weekdays


@unique
class HolidayType(StrEnum):
    """The rules by which holidays come, spelled as the API spells them."""

    DATE = "date"  # once: from a date to a date
    MONTH = "month"  # every year: from a day of a month to another
    WEEK = "week"  # every year: a weekday of the nth week of a month
    WEEKDAY = "weekday"  # every year: the nth such weekday of a month


@dataclass(frozen=True, slots=True)
class Holiday:
    """A holiday. Only the fields of its type are set.

    `first` and `last` are dates; for `HolidayType.MONTH` their years mean nothing, and a range whose end lies
    before its start goes past New Year. A week begins on Monday, and the first one holds the first of the
    month. A weekday of a week that lies in another month is no holiday.
    """

    name: str
    type: HolidayType
    id: int = 0
    first: date = date.min
    last: date = date.min
    month: int = 0
    nth: int = 0  # 1 to 4, or `LAST_WEEK`
    weekday: int = 0  # 0 is Monday
    span: TimeSpan = WHOLE_DAY  # of each of its days
    prompt: str = ""  # played before the call goes on

    def includes(self, day: date) -> bool:
        """Return True if the holiday falls on this day."""
        if self.type is HolidayType.DATE:
            return self.first <= day <= self.last
        if self.type is HolidayType.MONTH:
            first, last = (self.first.month, self.first.day), (self.last.month, self.last.day)
            present = day.month, day.day
            if first <= last:
                return first <= present <= last
            return present >= first or present <= last
        if day.month != self.month or day.weekday() != self.weekday:
            return False
        length = month_length(day)
        if self.type is HolidayType.WEEKDAY:
            if self.nth == LAST_WEEK:
                return day.day + 7 > length
            return (day.day - 1) // 7 + 1 == self.nth
        lead = day.replace(day=1).weekday()
        week = (day.day - 1 + lead) // 7 + 1
        return week == ((length - 1 + lead) // 7 + 1 if self.nth == LAST_WEEK else self.nth)

    def keys(self) -> list[int] | None:
        """List the keys of `day_keys` that it may fall on. None: too many, look at it every day."""
        if self.type in (HolidayType.WEEK, HolidayType.WEEKDAY):
            return [_weekday_key(self.month, self.weekday)]
        first, last = self.first.toordinal(), self.last.toordinal()
        if self.type is HolidayType.MONTH and last < first:
            last += 366
        if last - first > MAX_DAYS:
            return None
        days = range(first, last + 1)
        if self.type is HolidayType.DATE:
            return list(days)
        return [_yearly_key(date.fromordinal(day)) for day in days]


def _yearly_key(day: date) -> int:
    return day.month * 100 + day.day  # below every ordinal that is used


def _weekday_key(month: int, weekday: int) -> int:
    return -(month * 10 + weekday)


def month_length(day: date) -> int:
    """Return the number of days of the month that a day lies in."""
    following = day.replace(day=28).toordinal() + 4
    return date.fromordinal(following - date.fromordinal(following).day).day


@dataclass(frozen=True, slots=True)
class ManualSwitch:
    """A person's decision against the calendar, until a moment or until it is taken back."""

    period: PeriodKind  # open, closed or holiday
    until: int | None = None
    note: str = ""
    by: str = ""
    at: int = 0

    def holds(self, moment: float) -> bool:
        """Return True if the switch is still on at this moment."""
        return self.until is None or moment < self.until


Placed = tuple[int, Holiday]  # with its place in the calendar
HolidayIndex = Mapping[int, tuple[Placed, ...]]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The hours and holidays of one time zone. `zone` is a name of the IANA database.

    Of two holidays at one moment the first counts.
    """

    zone: str
    id: int = 0
    name: str = ""
    hours: tuple[OfficeHours, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    switch: ManualSwitch | None = None

    # Derived: the clock of the zone, and the holidays of each day, so that a decision looks at few of them.
    clock: ZoneInfo = field(init=False, repr=False, compare=False)
    by_day: HolidayIndex = field(init=False, repr=False, compare=False)
    always: tuple[Placed, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[int, list[Placed]] = {}
        always = []
        for placed in enumerate(self.holidays):
            keys = placed[1].keys()
            if keys is None:
                always.append(placed)
            for key in keys or ():
                index.setdefault(key, []).append(placed)
        object.__setattr__(self, "clock", ZoneInfo(self.zone))
        object.__setattr__(self, "by_day", MappingProxyType({k: tuple(v) for k, v in index.items()}))
        object.__setattr__(self, "always", tuple(always))

    def holidays_on(self, day: date) -> list[Holiday]:
        """List the holidays that fall on a day, in their order."""
        index = self.by_day
        near = (
            *index.get(day.toordinal(), ()),
            *index.get(_yearly_key(day), ()),
            *index.get(_weekday_key(day.month, day.weekday()), ()),
            *self.always,
        )
        found = [placed for placed in near if placed[1].includes(day)]
        if len(found) > 1:
            found.sort(key=itemgetter(0))
        return [holiday for _, holiday in found]
