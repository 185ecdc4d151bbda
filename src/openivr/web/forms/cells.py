"""Cells of a list: what each column shows of a resource."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openivr.hours.reading import ALL, WEEKDAYS
from openivr.resources import ResourceType
from openivr.resources.destination import DestinationField
from openivr.resources.fields import ChoiceField, Field, IntegerField, Names, TableField
from openivr.resources.pin_list import PinsField
from openivr.resources.reference_fields import LinkField, LinksField
from openivr.resources.resource_type import Row, Values
from openivr.resources.webhook import EventsField
from openivr.web.forms.labels import value_words
from openivr.web.forms.references import make_destination, make_refs
from openivr.web.messages import t, t_code
from openivr.web.resources.views import Column

FEW = 3  # items of a list that a cell names


@dataclass(frozen=True, slots=True)
class ListCell:
    """`shape` names the macro that draws `value`. `more` counts the items that are not named."""

    column: Column
    shape: str
    value: Any
    more: int = 0


def make_cells(
    columns: Sequence[Column], kind: ResourceType, row: Row, values: Values, names: Names
) -> Iterator[ListCell]:
    """The cells of a resource. `row` is as the API lists it, `values` as it is stored."""
    fields = {field.name: field for field in kind.fields}
    for column in columns:
        if column.name in COMPUTED:
            yield ListCell(column, *COMPUTED[column.name](row))
        else:
            yield make_cell(column, fields[column.name], kind, values[column.name], names)


def make_cell(column: Column, field: Field, kind: ResourceType, value: Any, names: Names) -> ListCell:
    match field:
        case DestinationField():
            return ListCell(column, "goal", make_destination(value, names))
        case LinkField():
            return ListCell(column, "text", value_words(kind.name, field, value, names))
        case LinksField():
            return ListCell(column, "items", make_refs(value[:FEW], names), max(0, len(value) - FEW))
        case EventsField():
            return ListCell(column, "text", t("cell.events", count=len(value)))
        case PinsField():
            return ListCell(column, "number", len(value))
        case TableField():
            first = field.columns[0].name
            return ListCell(column, "codes", [row[first] for row in value[:FEW]], max(0, len(value) - FEW))
        case ChoiceField():
            return ListCell(column, "text", value_words(kind.name, field, value, names))
        case IntegerField(low=0, high=1):
            return ListCell(column, "flag", bool(value))
    return ListCell(column, "number" if field.name in ("number", "pos") else "text", value)


def show_limits(row: Row) -> tuple[str, str]:
    return "text", t(
        "cell.limits",
        calls=row["max_calls"],
        hour=row["max_calls_per_hour"],
        caller=row["max_calls_per_caller"],
    )


def show_online(row: Row) -> tuple[str, bool]:
    return "online", any(device["status"] for device in row["online_status"].values())


def show_state(row: Row) -> tuple[str, str]:
    """The state of a trunk. A disabled one is "off" whatever its state."""
    return "state", row.get("state", "unknown") if row["enable"] else "off"


def show_delivery(row: Row) -> tuple[str, str]:
    """The state of a webhook, as of a trunk."""
    return "state", row.get("delivery", "unknown") if row["enable"] else "off"


def show_name(row: Row) -> tuple[str, str]:
    return "text", row["caller_id_name"]


def show_contact(row: Row) -> tuple[str, str]:
    return "text", row["contact_name"]


def show_when(row: Row) -> tuple[str, str]:
    """The days of business hours."""
    return "text", say_days(row)


def say_days(values: Mapping[str, Any]) -> str:
    """Return the days of business hours in words: "Monday to Friday", "1, 15 of January"."""
    if not values["time_condition_switch"]:
        return ", ".join(join_weekdays(values["days_of_week"].split()))
    months = ", ".join(t_code("month", month) for month in (values["months"] or ALL).split())
    days = values["days"] or ALL
    return months if days == ALL else t("cell.dated", days=", ".join(days.split()), months=months)


def join_weekdays(days: Sequence[str]) -> Iterator[str]:
    """Name weekdays, three or more that follow each other by the first and the last."""
    runs: list[list[str]] = []
    for day in days:
        if runs and day in WEEKDAYS and WEEKDAYS.index(day) == WEEKDAYS.index(runs[-1][-1]) + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    for run in runs:
        if len(run) >= FEW:
            yield t("cell.dates", first=t_code("weekday", run[0]), last=t_code("weekday", run[-1]))
        else:
            yield from (t_code("weekday", day) for day in run)


def say_hours(values: Values) -> str:
    """Return business hours in words: "Monday to Friday 09:00–18:00"."""
    spans = ", ".join(row["value"].replace("-", "–") for row in values["office_times"])
    return t("cell.hours", days=say_days(values), spans=spans)


def show_comes(row: Row) -> tuple[str, str]:
    """The days of a holiday."""
    if row["type"] not in ("week", "weekday"):
        first, _, last = row["date"].partition("-")
        return "text", first if first == last else t("cell.dates", first=first, last=last)
    nth, day = t_code("nth", str(row["how_week"])), t_code("weekday", row["weekday"])
    month = t_code("month", row["month"])
    return "text", t(f"cell.comes_{row['type']}", nth=nth, weekday=day, month=month)


# Columns that are not fields, from the API's row.
COMPUTED: Mapping[str, Callable[[Row], tuple[str, Any]]] = {
    "when": show_when,
    "comes": show_comes,
    "caller_id_name": show_name,
    "contact_name": show_contact,
    "online": show_online,
    "state": show_state,
    "delivery": show_delivery,
    "limits": show_limits,
}
