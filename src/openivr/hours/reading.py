"""Texts of the API and of forms as hours and holidays. Each function raises `HoursError` with a fault.

Times are "HH:MM", spans "HH:MM-HH:MM" within one day. An end of 23:59 is the end of the day, so that a night
can be written as "22:00-23:59" and "00:00-06:00" of the next day.
"""

import re
from datetime import date, datetime
from enum import StrEnum, unique
from zoneinfo import ZoneInfo

from openivr.hours.calendar import DAY, EVERY_DAY, EVERY_MONTH, EVERY_WEEKDAY, TimeSpan

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ALL = "all"
LEAP_YEAR = 2000  # stands for any year: dates without one may be 29 February

SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2}) *[-–] *([0-9]{1,2}):([0-9]{2})", re.ASCII)
FULL = r"([0-9]{4})([/.-])([0-9]{1,2})\2([0-9]{1,2})"
SHORT = r"(?:--)?([0-9]{1,2})[/-]([0-9]{1,2})"
TO = r" *(?:-|–|/|\.\.| to ) *"
DATES = re.compile(rf"{FULL}(?:{TO}{FULL.replace(chr(92) + '2', chr(92) + '6')})?", re.ASCII)
LOCAL = re.compile(FULL + r"[ T]+([0-9]{1,2}):([0-9]{2})(?::00)?", re.ASCII)
YEARLY = re.compile(rf"{SHORT}(?:{TO}{SHORT})?", re.ASCII)


@unique
class HoursFault(StrEnum):
    """Faults of a text of business hours."""

    SPAN_FORMAT = "span_format"
    NO_SUCH_TIME = "no_such_time"  # 24:00, 25:00, 12:60
    SPAN_ORDER = "span_order"  # the end is not after the start
    DATE_FORMAT = "date_format"
    LOCAL_FORMAT = "local_format"
    NO_SUCH_DATE = "no_such_date"  # 31 February
    DATE_ORDER = "date_order"
    UNKNOWN_WORD = "unknown_word"  # not a weekday, month or day
    UNKNOWN_ZONE = "unknown_zone"


class HoursError(ValueError):
    """A text cannot be read. `part` is the text that is wrong."""

    def __init__(self, fault: HoursFault, part: str) -> None:
        super().__init__(f"{fault}: {part}")
        self.fault, self.part = fault, part


def read_span(text: str, *, overnight: bool = False) -> TimeSpan:
    """Read "HH:MM-HH:MM". With `overnight`, an end before the start lies on the next day."""
    match = SPAN.fullmatch(text.strip())
    if not match:
        raise HoursError(HoursFault.SPAN_FORMAT, text)
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    if max(start_hour, end_hour) > 23 or max(start_minute, end_minute) > 59:
        raise HoursError(HoursFault.NO_SUCH_TIME, text)
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if overnight and end < start:
        end += DAY
    if end <= start:
        raise HoursError(HoursFault.SPAN_ORDER, text)
    return TimeSpan(start, DAY if end == DAY - 1 else end)


def write_time(minute: int) -> str:
    """Write a minute of the day, its end as 23:59."""
    minute = DAY - 1 if minute == DAY else minute % DAY
    return f"{minute // 60:02}:{minute % 60:02}"


def write_span(span: TimeSpan) -> str:
    """Write a span as the API does."""
    return f"{write_time(span.start)}-{write_time(span.end)}"


def read_weekdays(text: str) -> frozenset[int]:
    """Read "mon tue" or "all" as numbers, 0 for Monday."""
    return _read_words(text, WEEKDAYS, EVERY_WEEKDAY, 0)


def write_weekdays(days: frozenset[int]) -> str:
    """Write weekdays in the order of the week."""
    return ALL if days == EVERY_WEEKDAY else " ".join(WEEKDAYS[day] for day in sorted(days))


def read_months(text: str) -> frozenset[int]:
    """Read "jan feb" or "all" as numbers, 1 for January."""
    return _read_words(text, MONTHS, EVERY_MONTH, 1)


def write_months(months: frozenset[int]) -> str:
    """Write months in the order of the year."""
    return ALL if months == EVERY_MONTH else " ".join(MONTHS[month - 1] for month in sorted(months))


def read_days(text: str) -> frozenset[int]:
    """Read "1 15" or "all" as days of the month."""
    return _read_words(text, tuple(str(day) for day in sorted(EVERY_DAY)), EVERY_DAY, 1)


def write_days(days: frozenset[int]) -> str:
    """Write days of the month in ascending order."""
    return ALL if days == EVERY_DAY else " ".join(str(day) for day in sorted(days))


def _read_words(text: str, words: tuple[str, ...], every: frozenset[int], base: int) -> frozenset[int]:
    found = set()
    for word in text.replace(",", " ").lower().split():
        if word == ALL:
            return every
        if word not in words:
            raise HoursError(HoursFault.UNKNOWN_WORD, word)
        found.add(words.index(word) + base)
    return frozenset(found)


def read_dates(text: str) -> tuple[date, date]:
    """Read a date or a range: "2026/12/25-2026/12/26", as the PBX displays dates, or in ISO 8601."""
    match = DATES.fullmatch(text.strip())
    if not match:
        raise HoursError(HoursFault.DATE_FORMAT, text)
    year, _, month, day, to_year, _, to_month, to_day = match.groups()
    first = _date(text, year, month, day)
    last = _date(text, to_year, to_month, to_day) if to_year else first
    if last < first:
        raise HoursError(HoursFault.DATE_ORDER, text)
    return first, last


def write_dates(first: date, last: date) -> str:
    """Write a range as the API does."""
    return f"{first:%Y/%m/%d}-{last:%Y/%m/%d}"


def read_yearly(text: str) -> tuple[date, date]:
    """Read a day or a range of every year: "12/24-12/26" or "12-24". It may go past New Year."""
    match = YEARLY.fullmatch(text.strip())
    if not match:
        raise HoursError(HoursFault.DATE_FORMAT, text)
    month, day, to_month, to_day = match.groups()
    first = _date(text, str(LEAP_YEAR), month, day)
    return first, _date(text, str(LEAP_YEAR), to_month, to_day) if to_month else first


def write_yearly(first: date, last: date) -> str:
    """Write a range of every year as the API does."""
    return f"{first:%m/%d}-{last:%m/%d}"


def read_local(text: str) -> datetime:
    """Read a time by a local clock: "2026/12/24 18:00", as the PBX displays dates, or in ISO 8601."""
    match = LOCAL.fullmatch(text.strip())
    if not match:
        raise HoursError(HoursFault.LOCAL_FORMAT, text)
    year, _, month, day, hour, minute = match.groups()
    if int(hour) > 23 or int(minute) > 59:
        raise HoursError(HoursFault.NO_SUCH_TIME, text)
    at = _date(text, year, month, day)
    return datetime(at.year, at.month, at.day, int(hour), int(minute))


def write_local(moment: datetime) -> str:
    """Write a local time as the API does. Such texts compare as their times do."""
    return f"{moment:%Y/%m/%d %H:%M}"


def _date(text: str, year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise HoursError(HoursFault.NO_SUCH_DATE, text) from error


def read_zone(text: str) -> str:
    """Return the name of a time zone if the database of this machine has it."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise HoursError(HoursFault.UNKNOWN_ZONE, text) from error
    except KeyError as error:
        raise HoursError(HoursFault.UNKNOWN_ZONE, text) from error
    return text
