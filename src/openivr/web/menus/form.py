"""The form of a menu: the fields that it has, and the editor of the page that each of them is in."""

from dataclasses import dataclass

from openivr.resources.fields import Field
from openivr.resources.ivr import IVR, KEYS
from openivr.web.forms.draft import FormSpec

TIMES = ("prompt_repeat", "resp_timeout", "digit_timeout", "max_invalid")
# The editors beside those of the keys. What is in none of them is not in the form and stays as it is.
EDITORS: dict[str, tuple[str, ...]] = {
    "name": ("number", "name", "alert_info"),
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


def form_fields() -> tuple[Field, ...]:
    """The fields in the order of the resource type, each key on its own."""
    fields: list[Field] = []
    for field in IVR.fields:
        if field.name == KEYS.name:
            fields += KEYS.keys.values()
        elif field.name in IN_FORM:
            fields.append(field)
    return tuple(fields)


MENU_FORM = FormSpec(IVR, form_fields(), together=frozenset(EDITORS["reach"]))


@dataclass(frozen=True, slots=True)
class OpenEditor:
    """The editor that a page shows: a key or one of EDITORS, "" for none.

    While it `is_being_filled`, a field that is only not filled in yet is not reported.
    """

    name: str = ""
    is_being_filled: bool = False


def key_stem(key: str) -> str:
    """The API name of a key's destination: "press1_dest"."""
    return KEYS.keys[key].stems[0]


def editor_of(api_name: str) -> str:
    """The editor of a field: a key, or one of EDITORS."""
    field = MENU_FORM.field_of(api_name)
    if field is not None and field.name in KEYS.keys:
        return field.name
    return next((editor for editor, names in EDITORS.items() if api_name in names), "")
