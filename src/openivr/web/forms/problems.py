"""Problems of fields in sentences.

The sentence is that of the field and code ("problem.trunk.hostname.required"), else that of the sort of field
and code ("problem.list.required_by_options"), else that of the code ("problem.required").
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openivr.resources.destination import DestinationField
from openivr.resources.errors import Problem
from openivr.resources.fields import Field, IntegerField, TableField
from openivr.resources.presence import STATUSES, PresenceField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinksField
from openivr.web.forms.conflicts import api_names
from openivr.web.forms.labels import field_label
from openivr.web.messages import has_text, t

UNFILLED = (ProblemCode.LENGTH, ProblemCode.NOT_INTEGER, ProblemCode.BLANK, ProblemCode.CHARACTERS)
MAX_SHOWN = 10  # choices that a sentence lists


def problems_of(
    kind: str, field: Field, problems: Iterable[Problem], body: Mapping[str, Any]
) -> Iterator[str]:
    """The sentences about one field of a form."""
    names = api_names(field)
    for problem in problems:
        if problem.field in names or is_part(field, problem.field):
            yield problem_text(kind, field, problem, body)


def problem_text(kind: str, field: Field, problem: Problem, body: Mapping[str, Any]) -> str:
    """A problem of a field in a sentence."""
    code: str = problem.code
    if is_empty(field, body) and problem.code in UNFILLED:
        code = ProblemCode.REQUIRED
    if isinstance(field, TableField) and "column" in problem.params:
        code = "rows"
    if isinstance(field, PresenceField):
        return sentence([f"{kind}.{field.name}"], code, presence_label(problem), problem)
    return sentence(
        [f"{kind}.{field.name}", *more_keys(field, body)], code, field_label(kind, field), problem
    )


def is_part(field: Field, name: str) -> bool:
    """Return True if a name in a form is that of a part of the field."""
    return isinstance(field, PresenceField) and name.startswith(f"{field.name}.")


def presence_label(problem: Problem) -> str:
    """Name the status and the part of its settings that a problem is about."""
    if problem.field.count(".") == 2:
        _, status, part = problem.field.removesuffix("_value").split(".")
    else:
        row, part = problem.params.get("row", 1), str(problem.params.get("column", ""))
        status = STATUSES[int(row) - 1] if isinstance(row, int) else STATUSES[0]
        part = part.removeprefix("enb_") if "_forward" in part else part
        part = part.split("_forward")[0]
    return t(
        "presence.part", status=t(f"choice.extension.presence_status.{status}"), part=t(f"presence.{part}")
    )


def column_problem_text(kind: str, table: TableField, column: Field, problem: Problem) -> str:
    """A problem of one cell of a table."""
    name = f"{kind}.{table.name}.{column.name}"
    return sentence([name], problem.code, t(f"field.{name}"), problem)


def more_keys(field: Field, body: Mapping[str, Any]) -> list[str]:
    """Keys of sentences that fields of a sort share."""
    match field:
        case DestinationField():
            return [f"destination.{body.get(field.stems[0], '')}", "destination"]
        case LinksField():
            return ["list"]
    return []


def sentence(scopes: Iterable[str], code: str, label: str, problem: Problem) -> str:
    """The first sentence that there is for one of the scopes and the code."""
    keys = [f"problem.{scope}.{code}" for scope in scopes]
    key = next(filter(has_text, keys), f"problem.{code}")
    values = {name: show_parameter(name, value) for name, value in problem.params.items()}
    return t(key, **{"label": label, "value": problem.value or "", **values})


def show_parameter(name: str, value: str | int | tuple[str, ...]) -> str | int:
    if name == "kind":
        return t(f"kind.{value}").lower()
    if isinstance(value, tuple):
        return ", ".join(value[:MAX_SHOWN])
    return value


def is_empty(field: Field, body: Mapping[str, Any]) -> bool:
    """Return True if nothing was filled in where something is needed."""
    return body.get(field.name) == "" and (field.required or isinstance(field, IntegerField))


def is_unfilled(problem: Problem, body: Mapping[str, Any]) -> bool:
    """Return True if the problem is only that a choice has not been completed yet."""
    is_no_number = problem.code is ProblemCode.NOT_NUMBER and not body.get(problem.field)
    return is_no_number or problem.code.rule == "required"
