"""Calendars from stored rows: those by id, and the default one as 0."""

from collections.abc import Collection, Mapping
from datetime import date
from types import MappingProxyType

from openivr.clock import read_zone_name
from openivr.hours import reading
from openivr.hours.calendar import (
    EVERY_DAY,
    EVERY_MONTH,
    EVERY_WEEKDAY,
    WHOLE_DAY,
    Calendar,
    Holiday,
    HolidayType,
    OfficeHours,
    TimeSpan,
)
from openivr.resources.resource_type import Values
from openivr.store.config.hours_switch import switches_in

Rows = Collection[tuple[int, Values]]
KINDS_OF_HOURS = ("timezone", "businesshour", "holiday")
DEFAULT = 0  # the id by which everything refers to the default calendar


def make_calendars(kinds: Mapping[str, Rows]) -> Mapping[int, Calendar]:
    """Make all calendars from the stored values of these kinds."""
    zones = dict(kinds.get("timezone", ()))
    chosen = next((id_ for id_, values in zones.items() if values["is_default"]), DEFAULT)
    hours: dict[int, list[OfficeHours]] = {}
    holidays: dict[int, list[Holiday]] = {}
    for id_, values in kinds.get("businesshour", ()):
        hours.setdefault(values["timezone_id"] or chosen, []).append(office_hours(id_, values))
    for id_, values in kinds.get("holiday", ()):
        holidays.setdefault(values["timezone_id"] or chosen, []).append(holiday(id_, values))
    names = {id_: (values["name"], values["timezone"]) for id_, values in zones.items()}
    if chosen == DEFAULT:
        names[DEFAULT] = ("", read_zone_name())
    switches = switches_in(kinds)
    calendars = {
        id_: Calendar(
            zone,
            id_,
            name,
            tuple(hours.get(id_, ())),
            tuple(holidays.get(id_, ())),
            switches.get(id_) or (switches.get(DEFAULT) if id_ == chosen else None),
        )
        for id_, (name, zone) in names.items()
    }
    return MappingProxyType({**calendars, DEFAULT: calendars[chosen]})


def office_hours(id_: int, values: Values) -> OfficeHours:
    """Make a rule of the stored values of business hours."""
    is_dated = values["time_condition_switch"]
    return OfficeHours(
        id_,
        EVERY_WEEKDAY if is_dated else reading.read_weekdays(values["days_of_week"]),
        reading.read_months(values["months"]) or EVERY_MONTH if is_dated else EVERY_MONTH,
        reading.read_days(values["days"]) or EVERY_DAY if is_dated else EVERY_DAY,
        read_spans(values["office_times"]),
        read_spans(values["reset_times"]),
        values["remark"],
    )


def read_spans(rows: list[dict[str, str]]) -> tuple[TimeSpan, ...]:
    """Read stored spans."""
    return tuple(reading.read_span(row["value"]) for row in rows)


def holiday(id_: int, values: Values) -> Holiday:
    """Make a holiday of its stored values."""
    kind = HolidayType(values["type"])
    span = reading.read_span(values["time_period"]) if values["time_period"] else WHOLE_DAY
    name, prompt = values["name"], values["prompt"]
    if kind in (HolidayType.WEEK, HolidayType.WEEKDAY):
        month = reading.MONTHS.index(values["month"]) + 1
        weekday = reading.WEEKDAYS.index(values["weekday"])
        nth = values["how_week"]
        return Holiday(name, kind, id_, month=month, nth=nth, weekday=weekday, span=span, prompt=prompt)
    first, last = read_stored_dates(kind, values["date"])
    return Holiday(name, kind, id_, first, last, span=span, prompt=prompt)


def read_stored_dates(kind: HolidayType, text: str) -> tuple[date, date]:
    """Read dates. A holiday of every year may have been written with a year."""
    is_full = len(text.partition("-")[0]) == len("YYYY/MM/DD")
    first, last = (reading.read_dates if is_full else reading.read_yearly)(text)
    if kind is HolidayType.MONTH:
        return first.replace(year=reading.LEAP_YEAR), last.replace(year=reading.LEAP_YEAR)
    return first, last
