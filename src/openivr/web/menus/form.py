"""The form of a menu: the fields that it has, and the editor of the page that each of them is in."""

from collections.abc import Iterator
from dataclasses import dataclass

from openivr.hours.calendar import PeriodKind
from openivr.resources.fields import Field
from openivr.resources.ivr import IVR, KEYS
from openivr.web.forms.draft import FormSpec

TIMES = ("prompt_repeat", "resp_timeout", "digit_timeout", "max_invalid")
# The editors beside those of the keys. What is in none of them is not in the form and stays as it is.
EDITORS: dict[str, tuple[str, ...]] = {
    "name": ("number", "name", "alert_info"),
    "hours": ("enb_time_condition", "time_condition_scope", "timezone_id"),
    "hear": ("prompt", *TIMES),
    "reach": (
        "dial_ext_option",
        "dial_ext_list",
        "restrict_dial_ext_list",
        "enb_dial_call_number",
        "dial_call_number_list",
        "enb_dial_outb_routes",
        "dial_outb_route_list",
        "enb_dial_check_vm",
    ),
}
FLAGS = ("enb_dial_call_number", "enb_dial_check_vm", "enb_dial_outb_routes")
LISTS = ("dial_ext_list", "restrict_dial_ext_list", "dial_call_number_list", "dial_outb_route_list")
IN_FORM = {name for names in EDITORS.values() for name in names}
PERIODS = (PeriodKind.OPEN, PeriodKind.CLOSED, PeriodKind.HOLIDAY)  # for which a key may have a destination


def key_fields(key: str) -> Iterator[tuple[Field, PeriodKind]]:
    """The fields of a key, with the period that they are edited in."""
    condition = KEYS.conditions[key]
    yield KEYS.keys[key], PeriodKind.OPEN
    for period, field in condition.periods.items():
        yield field, PeriodKind(period)
    yield condition.enabled[0], PeriodKind.OPEN
    yield condition.timezone[0], PeriodKind.OPEN
    if key in KEYS.pins:
        yield KEYS.pins[key], PeriodKind.OPEN


def form_fields() -> Iterator[Field]:
    """The fields in the order of the resource type, those of each key on their own."""
    for field in IVR.fields:
        if field.name == KEYS.name:
            yield from (own for key in KEYS.keys for own, _ in key_fields(key))
        elif field.name in IN_FORM:
            yield field


MENU_FORM = FormSpec(IVR, tuple(form_fields()), together=frozenset(EDITORS["reach"]))
# The key and the period of each field of keys, by the field's name.
KEY_FIELDS = {field.name: (key, period) for key in KEYS.keys for field, period in key_fields(key)}


@dataclass(frozen=True, slots=True)
class OpenEditor:
    """The editor that a page shows: a key or one of EDITORS, "" for none. Keys are shown as in a period.

    While it `is_being_filled`, a field that is only not filled in yet is not reported.
    """

    name: str = ""
    is_being_filled: bool = False
    period: PeriodKind = PeriodKind.OPEN


def key_stem(key: str, period: PeriodKind = PeriodKind.OPEN) -> str:
    """The API name of a key's destination in a period: "press1_dest", "press1_holiday_dest"."""
    if period is PeriodKind.OPEN:
        return KEYS.keys[key].stems[0]
    return KEYS.conditions[key].periods[period].stems[0]


def editor_of(api_name: str) -> str:
    """The editor of a field: a key, or one of EDITORS."""
    field = MENU_FORM.field_of(api_name)
    if field is not None and field.name in KEY_FIELDS:
        return KEY_FIELDS[field.name][0]
    return next((editor for editor, names in EDITORS.items() if api_name in names), "")


def period_of(api_name: str) -> PeriodKind:
    """The period in which a field is edited."""
    field = MENU_FORM.field_of(api_name)
    return KEY_FIELDS[field.name][1] if field and field.name in KEY_FIELDS else PeriodKind.OPEN


def read_period(text: str) -> PeriodKind:
    """Read the period that a page shows; any other text means open hours."""
    return next((period for period in PERIODS if period == text), PeriodKind.OPEN)
