"""The usual week of a calendar: the minutes of seven days, as texts of a form and as business hours.

Each minute of a day is closed, open or a break. Business hours by date are no part of the week and stay.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import Connection

from openivr.hours import reading
from openivr.hours.calendar import DAY, Calendar, TimeSpan
from openivr.hours.reading import WEEKDAYS, HoursError
from openivr.resources.hours import BUSINESSHOUR, TIMEZONE
from openivr.resources.resource_type import Values
from openivr.store.config import resources
from openivr.store.config.calendars import office_hours
from openivr.store.database import ConfigTransaction
from openivr.web.forms.conflicts import EditConflict
from openivr.web.messages import has_text, t

CLOSED, OPEN, BREAK = range(3)
MAX_SPANS = 20  # of a day, as business hours have them
Stored = Mapping[int, Values]
Spans = tuple[TimeSpan, ...]
Day = tuple[Spans, Spans]  # open, with its breaks in it, and the breaks


@dataclass(slots=True)
class WeekForm:
    """The texts of the seven days as they were filled in, and what is wrong with them by the input's name."""

    texts: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def load_week(connection: Connection, calendar: Calendar, id_: int) -> dict[int, Values]:
    """Return the stored business hours of a calendar, by date too. 0 is the default calendar."""
    zones = dict(resources.fetch_all(connection, TIMEZONE))
    default = next((key for key, values in zones.items() if values["is_default"]), 0)
    named = {0, default} if id_ in (0, default) else {calendar.id}
    rows = resources.fetch_all(connection, BUSINESSHOUR)
    return {key: values for key, values in rows if values["timezone_id"] in named}


def weekly(stored: Stored) -> dict[int, Values]:
    """Return the hours that come every week."""
    return {id_: values for id_, values in stored.items() if not values["time_condition_switch"]}


def fingerprint(stored: Stored) -> str:
    """Return a short hash of the stored hours, to notice that another administrator has changed them."""
    rows = sorted(weekly(stored).items())
    return hashlib.blake2b(msgspec.json.encode(rows, order="sorted"), digest_size=8).hexdigest()


def paint(stored: Stored) -> list[bytearray]:
    """Return the minutes of each day. Where one rule is open, the break of another does not count."""
    week = [bytearray(DAY) for _ in WEEKDAYS]
    for id_, values in weekly(stored).items():
        rule = office_hours(id_, values)
        own = bytearray(DAY)
        fill(own, rule.office, OPEN)
        fill(own, rule.breaks, BREAK)
        for weekday in rule.weekdays:
            row = week[weekday]
            for minute, kind in enumerate(own):
                if kind == OPEN or (kind == BREAK and row[minute] == CLOSED):
                    row[minute] = kind
    return week


def fill(row: bytearray, spans: Iterable[TimeSpan], kind: int) -> None:
    for span in spans:
        row[span.start : span.end] = bytes([kind]) * (span.end - span.start)


def find_spans(row: bytearray, kinds: tuple[int, ...]) -> Iterator[TimeSpan]:
    """The spans of a day whose minutes are of these kinds."""
    start = None
    for minute in range(DAY + 1):
        is_inside = minute < DAY and row[minute] in kinds
        if is_inside and start is None:
            start = minute
        elif not is_inside and start is not None:
            yield TimeSpan(start, minute)
            start = None


def day_of(row: bytearray) -> Day:
    """Return a day as business hours have it. Breaks are inside of open hours where they touch them."""
    office = [span for span in find_spans(row, (OPEN, BREAK)) if OPEN in row[span.start : span.end]]
    return tuple(office), tuple(find_spans(row, (BREAK,)))


def write_texts(week: Iterable[bytearray]) -> dict[str, str]:
    """Return the texts of the form by the names of its inputs: "open-mon" and "break-mon"."""
    texts = {}
    for weekday, row in zip(WEEKDAYS, week, strict=True):
        office, breaks = day_of(row)
        texts[f"open-{weekday}"] = ", ".join(map(reading.write_span, office))
        texts[f"break-{weekday}"] = ", ".join(map(reading.write_span, breaks))
    return texts


def read_texts(form: WeekForm) -> list[bytearray]:
    """Return the minutes of each day. What is wrong is noted in the form."""
    week = [bytearray(DAY) for _ in WEEKDAYS]
    for prefix, kind in (("open", OPEN), ("break", BREAK)):
        for number, weekday in enumerate(WEEKDAYS):
            name = f"{prefix}-{weekday}"
            try:
                spans = list(read_spans(form.texts.get(name, "")))
            except HoursError as error:
                form.problems[name] = say_problem(error)
                continue
            if len(spans) > MAX_SPANS:
                form.problems[name] = t("week.too_many", high=MAX_SPANS)
            for span in spans:  # what goes past midnight belongs to the next day
                fill(week[number], (TimeSpan(span.start, min(span.end, DAY)),), kind)
                if span.end > DAY:
                    fill(week[(number + 1) % len(week)], (TimeSpan(0, span.end - DAY),), kind)
    for weekday, row in zip(WEEKDAYS, week, strict=True):
        office, breaks = day_of(row)
        if breaks and not office:
            form.problems.setdefault(f"break-{weekday}", t("week.break_alone"))
    return week


def read_spans(text: str) -> Iterator[TimeSpan]:
    """Read "09:00-12:00, 22:00-06:00". Raises HoursError."""
    for part in text.replace(";", ",").split(","):
        if part.strip():
            yield reading.read_span(part, overnight=True)


def say_problem(error: HoursError) -> str:
    key = f"week.{error.fault}"
    return t(key if has_text(key) else "week.span_format", part=error.part[:40])


def save_week(
    change: ConfigTransaction, calendar: Calendar, id_: int, week: list[bytearray], before: str
) -> None:
    """Store a week as business hours, one for the days that are alike.

    Raises EditConflict if another administrator has changed them, and Invalid for too many spans.
    """
    stored = load_week(change.connection, calendar, id_)
    if fingerprint(stored) != before:
        raise EditConflict
    wanted = list(make_bodies(week))
    left = weekly(stored)
    for body in [*wanted]:
        same = next((key for key, values in left.items() if is_same(values, body)), None)
        if same is not None:
            wanted.remove(body)
            del left[same]
    for key in left:
        if wanted:
            resources.update(change, BUSINESSHOUR, key, wanted.pop(0))
        else:
            resources.delete(change, BUSINESSHOUR, key)
    for body in wanted:
        resources.create(change, BUSINESSHOUR, {**body, "timezone_id": id_})


def make_bodies(week: list[bytearray]) -> Iterator[dict[str, object]]:
    """The business hours of a week in the names of the API."""
    days: dict[Day, list[str]] = {}
    for weekday, row in zip(WEEKDAYS, week, strict=True):
        days.setdefault(day_of(row), []).append(weekday)
    for (office, breaks), weekdays in days.items():
        if office:
            yield {
                "days_of_week": reading.write_weekdays(reading.read_weekdays(" ".join(weekdays))),
                "office_times": [{"value": reading.write_span(span)} for span in office],
                "reset_times": [{"value": reading.write_span(span)} for span in breaks],
            }


def is_same(values: Values, body: Mapping[str, object]) -> bool:
    return all(values[name] == value for name, value in body.items())
