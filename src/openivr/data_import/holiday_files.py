"""Holidays in files: iCalendar (RFC 5545) by the library `icalendar`, and CSV with the columns of the API."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar import Calendar, Event

from openivr.data_import.errors import MAX_BYTES, ImportFailed, ImportFault
from openivr.data_import.table import read_table
from openivr.hours.calendar import DAY, TimeSpan
from openivr.hours.reading import write_dates, write_span
from openivr.resources.fields import Body, fold_text

MAX_EVENTS = 2000
MAX_SECONDS = 5.0  # for a whole file: a rule that never comes takes more than one
MAX_NAME = 127
COLUMNS = ("name", "type", "month", "how_week", "weekday", "date", "time_period", "prompt")
NEEDED = ("name", "type")


def read_file(
    data: bytes, years: Iterable[int], zone: ZoneInfo, clock: Callable[[], float] = time.monotonic
) -> list[Body]:
    """Return the holidays of a file as bodies for create. Raises ImportFailed.

    Of an iCalendar file these are the days of its events in some years, by the clocks of a zone. A CSV file
    has the fields of the API. `clock` limits the time that is taken.
    """
    if len(data) > MAX_BYTES:
        raise ImportFailed(ImportFault.TOO_LARGE, f"{MAX_BYTES} bytes")
    if data.lstrip(b"\xef\xbb\xbf \r\n")[:15].upper() == b"BEGIN:VCALENDAR":
        return read_icalendar(data, years, zone, clock)
    return read_csv(data)


def read_icalendar(
    data: bytes, years: Iterable[int], zone: ZoneInfo, clock: Callable[[], float] = time.monotonic
) -> list[Body]:
    """Return the events of an iCalendar file in some years, those with a time of day as of that time."""
    wanted, limit, found = sorted(set(years)), clock() + MAX_SECONDS, list[Body]()
    try:
        events = list(Calendar.from_ical(data.lstrip(b"\xef\xbb\xbf \r\n")).walk("VEVENT"))
        if len(events) > MAX_EVENTS:
            raise ImportFailed(ImportFault.TOO_LARGE, f"{MAX_EVENTS} events")
        for event in events:
            found += read_event(event, wanted, zone)
            if clock() > limit:
                raise ImportFailed(ImportFault.TOO_LARGE, f"{MAX_SECONDS:.0f} s of work")
        return sorted(found, key=lambda body: (body["date"], body["name"]))
    except ImportFailed:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError) as error:
        raise ImportFailed(ImportFault.NOT_CALENDAR) from error


def read_event(event: Any, years: list[int], zone: ZoneInfo) -> Iterator[Body]:
    """Return the days of an event in some years."""
    name = fold_text(str(event.get("SUMMARY", "")))[:MAX_NAME]
    if not name or str(event.get("STATUS", "")).upper() == "CANCELLED" or "DTSTART" not in event:
        return
    start = event.decoded("DTSTART")
    length = find_length(event, start)
    for begin in find_begins(event, start, years):
        yield from write_days(name, begin, length, zone)


def find_length(event: Event, start: date) -> timedelta:
    """Return the length of an event: by its end, its duration, or one day (RFC 5545, section 3.6.1)."""
    if "DTEND" in event:
        end = event.decoded("DTEND")
        if isinstance(start, datetime) and isinstance(end, datetime):
            return as_aware(end) - as_aware(start)
        return timedelta((end - start).days)
    if "DURATION" in event:
        duration: timedelta = event.decoded("DURATION")
        return duration
    return timedelta() if isinstance(start, datetime) else timedelta(1)


def as_aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def find_begins(event: Event, start: date, years: list[int]) -> Iterator[date]:
    """Return the begins of an event in some years: its own, and those of a rule that comes every year."""
    rule = event.get("RRULE")
    if rule is None:
        if start.year in years:
            yield start
        return
    if [str(part).upper() for part in rule.get("FREQ", ())] != ["YEARLY"]:
        raise ImportFailed(ImportFault.UNKNOWN_RULE, str(event.get("SUMMARY", "")))
    first = start if isinstance(start, datetime) else datetime(start.year, start.month, start.day)
    naive = first.replace(tzinfo=None)
    parts = rule.to_ical().decode().split(";")
    text = ";".join(part for part in parts if not part.upper().startswith("UNTIL="))
    last = find_until(rule)
    skipped = set(find_exceptions(event))
    found = rrulestr(text, dtstart=naive).between(
        datetime(years[0], 1, 1), datetime(years[-1] + 1, 1, 1) - timedelta(seconds=1), inc=True
    )
    for begin in found:
        if (last is None or begin.date() <= last) and begin.date() not in skipped:
            yield begin.replace(tzinfo=first.tzinfo) if isinstance(start, datetime) else begin.date()


def find_until(rule: Any) -> date | None:
    """Return the last day of a rule, if it has one."""
    for value in rule.get("UNTIL", ()):
        return value.date() if isinstance(value, datetime) else value
    return None


def find_exceptions(event: Event) -> Iterator[date]:
    """Return the days on which a repeated event does not come."""
    rows = event.get("EXDATE", [])
    for row in rows if isinstance(rows, list) else [rows]:
        for item in row.dts:
            yield item.dt.date() if isinstance(item.dt, datetime) else item.dt


def write_days(name: str, begin: date, length: timedelta, zone: ZoneInfo) -> Iterator[Body]:
    """Write an event as one holiday; if it begins or ends within a day, as one for each sort of day."""
    if not isinstance(begin, datetime):
        last = begin + max(length, timedelta(1)) - timedelta(1)
        yield body(name, begin, last)
        return
    first = (begin if begin.tzinfo else begin.replace(tzinfo=zone)).astimezone(zone)
    end = first + length
    day = first.date()
    while day <= end.date() and (end.date() - day).days < 400:
        start = minute_of(first) if day == first.date() else 0
        stop = minute_of(end) if day == end.date() else DAY
        if stop > start:
            yield body(name, day, day, TimeSpan(start, stop))
        day += timedelta(1)


def minute_of(moment: datetime) -> int:
    return moment.hour * 60 + moment.minute


def body(name: str, first: date, last: date, span: TimeSpan | None = None) -> Body:
    fields: dict[str, Any] = {"name": name, "type": "date", "date": write_dates(first, last)}
    if span and (span.start, span.end) != (0, DAY):
        fields["time_period"] = write_span(span)
    return fields


def read_csv(data: bytes) -> list[Body]:
    """Return the rows of a CSV file, whose first row has the names of the API's fields."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFailed(ImportFault.NOT_TABLE) from error
    rows = read_table(text, MAX_EVENTS)
    if not {*NEEDED} <= rows[0].keys():
        raise ImportFailed(ImportFault.NOT_TABLE)
    return [{name: row[name].strip() for name in COLUMNS if row.get(name)} for row in rows]
