"""Calendars, business hours and holidays (P-Series: add-a-business-hour, add-a-holiday).

A calendar is what the P-Series calls a time zone. Hours and holidays belong to one by `timezone_id`. 0 is the
default calendar, which always exists. Its zone is that of the machine until another calendar is made the
default one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from openivr.hours import reading
from openivr.hours.calendar import HolidayType
from openivr.hours.reading import HoursError
from openivr.resources.errors import Problem
from openivr.resources.fields import (
    Body,
    ChoiceField,
    IntegerField,
    InvalidValue,
    TableField,
    TextField,
    flag,
)
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinkField, PromptsField
from openivr.resources.resource_type import ResourceType, Row, Values

DATED = (HolidayType.DATE, HolidayType.MONTH)


def canonical(text: str, read: Callable[[str], Any], write: Callable[[Any], str]) -> str:
    """Read a text of hours and write it as the API does. Raises InvalidValue."""
    try:
        return write(read(text))
    except HoursError as error:
        raise InvalidValue(ProblemCode(error.fault), part=error.part[:40]) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursField(TextField):
    """A text that `openivr.hours.reading` reads, kept as `write` makes it."""

    read_text: Callable[[str], Any]
    write_value: Callable[[Any], str] = str

    def parse(self, raw: Any) -> str:
        text = TextField.parse(self, raw)
        if not text.strip():
            return ""
        return canonical(text, self.read_text, self.write_value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpansField(TableField):
    """Spans of a day, each {"value": "HH:MM-HH:MM"}. Files have plain texts."""

    columns: tuple[Any, ...] = ()

    def parse(self, raw: Any) -> list[dict[str, Any]]:
        if isinstance(raw, list):
            raw = [{"value": item} if isinstance(item, str) else item for item in raw]
        return TableField.parse(self, raw)

    def dump(self, value: Any, names: Any) -> Iterator[tuple[str, Any]]:
        if value:
            yield self.name, [row["value"] for row in value]


def spans(name: str, *, required: bool = False) -> SpansField:
    """A field of spans, at most 20 of them."""
    value = HoursField(
        name="value", required=True, high=20, read_text=reading.read_span, write_value=reading.write_span
    )
    return SpansField(name=name, required=required, columns=(value,), most=20)


def timezone_row(values: Values) -> Row:
    return {name: values[name] for name in ("id", "name", "timezone", "is_default")}


TIMEZONE = ResourceType(
    name="timezone",
    paths=("timezone",),
    title="Calendar",
    fields=(
        TextField(name="name", required=True, low=1, high=63),
        HoursField(name="timezone", required=True, low=1, high=63, read_text=reading.read_zone),
        flag("is_default"),
    ),
    listed=("name", "timezone", "is_default"),
    row=timezone_row,
    sorts=("name",),
    unique=("name", "is_default"),
)


def check_hours(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    if not values["time_condition_switch"] and not values["days_of_week"]:
        yield Problem("days_of_week", ProblemCode.REQUIRED)
    if not values["office_times"]:
        yield Problem("office_times", ProblemCode.REQUIRED)


HOURS_FIELDS = (
    "timezone_id",
    "time_condition_switch",
    "days_of_week",
    "months",
    "days",
    "office_times",
    "reset_times",
    "remark",
)


def hours_row(values: Values) -> Row:
    return {"id": values["id"], **{name: values[name] for name in HOURS_FIELDS}}


def describe_hours(values: Values) -> str:
    """Return hours in words of the API: "mon tue 09:00-18:00"."""
    days = values["days_of_week"]
    if values["time_condition_switch"]:
        days = f"{values['months'] or reading.ALL} {values['days'] or reading.ALL}"
    return " ".join([days, *(row["value"] for row in values["office_times"])])


BUSINESSHOUR = ResourceType(
    name="businesshour",
    paths=("businesshour",),
    title="Business hour",
    fields=(
        LinkField(name="timezone_id", kind="timezone"),
        flag("time_condition_switch"),
        HoursField(name="days_of_week", read_text=reading.read_weekdays, write_value=reading.write_weekdays),
        HoursField(name="months", read_text=reading.read_months, write_value=reading.write_months),
        HoursField(name="days", read_text=reading.read_days, write_value=reading.write_days),
        spans("office_times", required=True),
        spans("reset_times"),
        TextField(name="remark"),
    ),
    listed=HOURS_FIELDS,
    row=hours_row,
    sorts=("remark",),
    check=check_hours,
    describe=describe_hours,
)


def read_dates(text: str) -> str:
    """Read the dates of a holiday, of one year or of every year, and write them as the API does."""
    try:
        return reading.write_dates(*reading.read_dates(text))
    except HoursError as error:
        if error.fault is not reading.HoursFault.DATE_FORMAT:
            raise
        return reading.write_yearly(*reading.read_yearly(text))


def check_holiday(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    kind = HolidayType(values["type"])
    needed = ("date",) if kind in DATED else ("month", "how_week", "weekday")
    for name in needed:
        if not values[name]:
            yield Problem(name, ProblemCode.REQUIRED)
    if kind is HolidayType.DATE and values["date"] and len(values["date"]) < 21:
        yield Problem("date", ProblemCode.DATE_FORMAT, {"part": values["date"]}, values["date"])


HOLIDAY_FIELDS = (
    "timezone_id",
    "name",
    "type",
    "month",
    "how_week",
    "weekday",
    "date",
    "time_period",
    "prompt",
)


def holiday_row(values: Values) -> Row:
    return {"id": values["id"], **{name: values[name] for name in HOLIDAY_FIELDS}}


HOLIDAY = ResourceType(
    name="holiday",
    paths=("holidays",),
    title="Holiday",
    fields=(
        LinkField(name="timezone_id", kind="timezone"),
        TextField(name="name", required=True, low=1),
        ChoiceField(name="type", required=True, values=tuple(HolidayType)),
        ChoiceField(name="month", values=("", *reading.MONTHS)),
        IntegerField(name="how_week", low=0, high=5, default=0),
        ChoiceField(name="weekday", values=("", *reading.WEEKDAYS)),
        HoursField(name="date", high=40, read_text=read_dates),
        HoursField(name="time_period", high=20, read_text=reading.read_span, write_value=reading.write_span),
        PromptsField(name="prompt"),
    ),
    listed=HOLIDAY_FIELDS,
    row=holiday_row,
    sorts=("name",),
    check=check_holiday,
)
