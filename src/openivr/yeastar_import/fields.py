"""One field of an object from elsewhere as this server can have it."""

from collections.abc import Iterator
from typing import Any

from openivr.resources.fields import (
    MISSING,
    ChoiceField,
    Field,
    IntegerField,
    InvalidValue,
    TableField,
    TextField,
    whole,
)
from openivr.yeastar_import.remarks import Remark, adapted, lost


def fit(field: Field, value: Any, about: str) -> tuple[Any, list[Remark]]:
    """Return the value, corrected if the meaning is clear; MISSING if it cannot be kept."""
    try:
        field.parse(value)
    except InvalidValue as bad:
        return mend(field, value, about, bad)
    return value, []


def mend(field: Field, value: Any, about: str, bad: InvalidValue) -> tuple[Any, list[Remark]]:
    if isinstance(field, TableField) and isinstance(value, list):
        return mend_table(field, value, about)
    if isinstance(field, IntegerField) and bad.code.rule == "range":
        near = min(max(whole(value), field.low), field.high)
        return near, [adapted(about, f"{field.name} {value} became {near}")]
    if (
        isinstance(field, TextField)
        and bad.code.rule == "length"
        and len(value) > field.high
        and field.name != "number"
    ):
        cut = value[: field.high]
        return fit(field, cut, about)[0], [adapted(about, f"{field.name} was cut to {field.high} characters")]
    if isinstance(field, ChoiceField) and field.required:
        return field.values[0], [adapted(about, f"{field.name} {value} became {field.values[0]}")]
    if value in ("", None):
        return MISSING, []
    if field.required:
        return value, []  # the whole object cannot come over, and says so
    return MISSING, [lost(about, f"{field.name} {value}: {bad}")]


def mend_table(field: TableField, rows: list[Any], about: str) -> tuple[Any, list[Remark]]:
    """The rows that can be kept."""
    kept, remarks = [], []
    for row in rows:
        try:
            field.parse([row])
            kept.append(row)
        except InvalidValue as bad:
            remarks.append(lost(about, f"{field.name} {values_of(row)}: {bad}"))
    return kept, remarks


def values_of(row: Any) -> str:
    return " ".join(map(str, row.values())) if isinstance(row, dict) else str(row)


def is_nothing(value: Any) -> bool:
    """Return True if an unknown field has no effect."""
    return value in ("", None, 0, "0", [], {})


def unknown(extra: dict[str, Any]) -> Iterator[str]:
    """The names of fields that say something and are not known here."""
    return (name for name, value in extra.items() if not is_nothing(value))
