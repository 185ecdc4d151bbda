"""What a list shows of an object: a cell for each column, in people's words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openivr.resources import ResourceType
from openivr.resources.destination import TARGETS, DestinationField
from openivr.resources.fields import ChoiceField, Field, IntegerField, LinksField, Names, TableField
from openivr.resources.resource_type import Row, Values
from openivr.web.forms.inputs import DestinationInput, ResourceRef, show_item
from openivr.web.messages import t
from openivr.web.resources.views import Column

FEW = 3  # of a list that are named


@dataclass(frozen=True, slots=True)
class ListCell:
    """`shape` names the macro that draws `value`; `more` counts what is not named."""

    column: Column
    shape: str
    value: Any
    more: int = 0


def make_cells(
    columns: Sequence[Column], kind: ResourceType, row: Row, values: Values, names: Names
) -> Iterator[ListCell]:
    """The cells of an object; `row` is as the API lists it, `values` as it is kept."""
    fields = {field.name: field for field in kind.fields}
    for column in columns:
        if column.name in MADE:
            yield ListCell(column, *MADE[column.name](row))
        else:
            yield make_cell(column, fields[column.name], kind, values[column.name], names)


def make_cell(column: Column, field: Field, kind: ResourceType, value: Any, names: Names) -> ListCell:
    match field:
        case DestinationField():
            return ListCell(column, "goal", show_goal(value, names))
        case LinksField():
            items = [show_item(link["type"], link["id"], names) for link in value[:FEW]]
            return ListCell(column, "items", items, max(0, len(value) - FEW))
        case TableField():
            first = field.columns[0].name
            return ListCell(column, "codes", [row[first] for row in value[:FEW]], max(0, len(value) - FEW))
        case ChoiceField():
            return ListCell(column, "text", t(f"choice.{kind.name}.{field.name}.{value}"))
        case IntegerField(low=0, high=1):
            return ListCell(column, "flag", bool(value))
    return ListCell(column, "number" if field.name in ("number", "pos") else "text", value)


def show_goal(value: Mapping[str, str], names: Names) -> tuple[DestinationInput, ResourceRef | None]:
    """A stored destination, and the object that it is."""
    kind, text = value["dest"], value["value"]
    item = show_item(TARGETS[kind], int(text), names) if kind in TARGETS else None
    return DestinationInput(kind, value["prefix"], item.text if item else text), item


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
    """How a trunk is: one that is switched off is nothing else."""
    return "state", row.get("state", "unknown") if row["enable"] else "off"


def show_name(row: Row) -> tuple[str, str]:
    return "text", row["caller_id_name"]


# Columns that are no field of their own, by what the API's row says.
MADE: Mapping[str, Callable[[Row], tuple[str, Any]]] = {
    "caller_id_name": show_name,
    "online": show_online,
    "state": show_state,
    "limits": show_limits,
}
