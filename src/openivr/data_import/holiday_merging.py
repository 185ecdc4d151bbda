"""Compares holidays from outside with the stored ones of a calendar: new, same or changed.

Nothing is doubled: what has the same name and days is the same, and so is a day that is a holiday already by
another rule. A date of the same name in the same year has changed. Stored holidays that the source lacks
stay as they are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from openivr.data_import.merge_action import MergeAction
from openivr.hours.calendar import MAX_DAYS, WHOLE_DAY, Holiday, HolidayType
from openivr.resources.errors import Invalid
from openivr.resources.fields import Body
from openivr.resources.hours import HOLIDAY, TIMEZONE
from openivr.resources.resource_type import Values
from openivr.store.config import resources
from openivr.store.config.calendars import DEFAULT, holiday
from openivr.store.database import ConfigTransaction


@dataclass(frozen=True, slots=True)
class MergedHoliday:
    """A holiday of the source, and what is done with it.

    `id` and `old` are the stored holiday that it changes or is. `problem` says why it is refused.
    """

    action: MergeAction
    fields: Body
    id: int = 0
    old: Values | None = None
    problem: str = ""


def merge(bodies: Iterable[Body], stored: Mapping[int, Values]) -> list[MergedHoliday]:
    """Compare holidays with the stored ones of their calendar, in the order of the source."""
    results: dict[int, MergedHoliday] = {}
    rows: list[tuple[int, Body, Values]] = []
    for place, body in enumerate(bodies):
        try:
            values = HOLIDAY.parse(body)
        except Invalid as error:
            results[place] = MergedHoliday(MergeAction.REFUSED, body, problem=str(error))
            continue
        if all(values != other for _, _, other in rows):
            rows.append((place, body, values))
    left = dict(stored)
    for is_exact in (True, False):
        for place, body, values in rows:
            if place in results:
                continue
            said = body if is_exact else None
            id_ = next((key for key, old in left.items() if matches(values, old, said)), 0)
            if id_:
                action = MergeAction.SAME if is_exact else MergeAction.CHANGED
                results[place] = MergedHoliday(action, body, id_, left.pop(id_))
    known = [holiday(id_, values) for id_, values in stored.items()]
    for place, body, values in rows:
        if place not in results:
            cover = find_cover(holiday(0, values), known)
            action = MergeAction.SAME if cover else MergeAction.NEW
            results[place] = MergedHoliday(action, body, cover.id if cover else 0)
    return [results[place] for place in sorted(results)]


COMPARED = ("type", "date", "month", "how_week", "weekday", "time_period")


def matches(values: Values, old: Values, body: Body | None) -> bool:
    """Return True if a stored holiday has the same name and all that the source says of it (`body`).

    Without that, it has the same type and, of dates, the same year.
    """
    if values["name"].casefold() != old["name"].casefold() or values["type"] != old["type"]:
        return False
    if body is not None:
        return all(values[name] == old[name] for name in COMPARED if name in body)
    return values["type"] != HolidayType.DATE or str(values["date"])[:4] == str(old["date"])[:4]


def find_cover(row: Holiday, known: Iterable[Holiday]) -> Holiday | None:
    """Return a stored holiday that has all days of a date for the whole day or the same time of day."""
    if row.type is not HolidayType.DATE or (row.last - row.first).days > MAX_DAYS:
        return None
    days = list(list_days(row.first, row.last))
    for other in known:
        is_whole = other.span in (WHOLE_DAY, row.span)
        if is_whole and all(other.includes(day) for day in days):
            return other
    return None


def list_days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(offset) for offset in range((last - first).days + 1))


def load_holidays(connection: Any, timezone_id: int) -> dict[int, Values]:
    """Return the stored holidays of a calendar by id. 0 is the default one, also where it is named."""
    named = {timezone_id}
    zones = dict(resources.fetch_all(connection, TIMEZONE))
    default = next((id_ for id_, values in zones.items() if values["is_default"]), DEFAULT)
    if timezone_id in (DEFAULT, default):
        named = {DEFAULT, default}
    return {
        id_: values
        for id_, values in resources.fetch_all(connection, HOLIDAY)
        if values["timezone_id"] in named
    }


def preview(connection: Any, bodies: Iterable[Body], timezone_id: int) -> list[MergedHoliday]:
    """Say what an import would do to a calendar. Changes nothing."""
    return merge(bodies, load_holidays(connection, timezone_id))


def carry_out(change: ConfigTransaction, bodies: Iterable[Body], timezone_id: int) -> list[MergedHoliday]:
    """Import holidays into a calendar and return what was done. Those that are refused are left out."""
    merged = preview(change.connection, bodies, timezone_id)
    for row in merged:
        if row.action is MergeAction.NEW:
            resources.create(change, HOLIDAY, {**row.fields, "timezone_id": timezone_id})
        elif row.action is MergeAction.CHANGED:
            resources.update(change, HOLIDAY, row.id, row.fields)
    return merged
