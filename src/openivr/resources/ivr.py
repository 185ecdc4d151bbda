"""IVR: a menu (P-Series: add-an-ivr, edit-an-ivr, query-information-of-an-ivr)."""

from collections.abc import Iterator

from openivr.resources.destination import DestinationField, Keys
from openivr.resources.errors import Problem
from openivr.resources.fields import (
    Body,
    ChoiceField,
    IntegerField,
    LinksField,
    PromptsField,
    TextField,
    flag,
    number,
)
from openivr.resources.import_remarks import ImportRemarksField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values

DIAL_KEYS = (*"0123456789", "hash", "star")
LISTED = ("number", "name", "dial_ext_option", "enb_dial_outb_routes")


def key_stem(key: str) -> str:
    return f"press{key}_dest" if key.isdigit() else f"press_{key}_dest"


KEYS = Keys(
    name="keys",
    keys={
        **{key: DestinationField(name=key, stems=(key_stem(key),)) for key in DIAL_KEYS},
        "timeout": DestinationField(name="timeout", stems=("timeout_dest",)),
        # The original misspells the first of these; programs use both.
        "invalid": DestinationField(name="invalid", stems=("invaild_dest", "invalid_dest")),
    },
    opt_outs={
        **{key: (f"allow_out_record{key if key.isdigit() else '_' + key}",) for key in DIAL_KEYS},
        "timeout": ("allow_out_record_timeout",),
        "invalid": ("allow_out_record_invaild", "allow_out_record_invalid"),
    },
)


def check(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    """A permission to dial needs the list that it speaks of."""
    needed = {"allow": "dial_ext_list", "restrict": "restrict_dial_ext_list"}
    lists = [needed[values["dial_ext_option"]]] if values["dial_ext_option"] in needed else []
    if values["enb_dial_outb_routes"]:
        lists.append("dial_outb_route_list")
    for name in lists:
        if not values[name]:
            yield Problem(name, ProblemCode.REQUIRED_BY_OPTIONS)


def list_row(values: Values) -> Row:
    """Exactly the five keys of the page "Query IVR List", in its order."""
    return {"id": values["id"], **{name: values[name] for name in LISTED}}


EXTENSIONS = ("extension", "ext_group")

IVR = ResourceType(
    name="ivr",
    paths=("ivr",),
    title="IVR",
    fields=(
        number(),
        TextField(name="name", required=True, low=1),
        PromptsField(name="prompt", required=True, most=5, builtin=("default",)),
        IntegerField(name="prompt_repeat", required=True, low=1, high=5),
        IntegerField(name="resp_timeout", required=True, low=1, high=10),
        IntegerField(name="digit_timeout", required=True, low=1, high=10),
        ChoiceField(name="dial_ext_option", required=True, values=("disable", "all", "allow", "restrict")),
        flag("enb_dial_outb_routes"),
        flag("enb_dial_check_vm"),
        KEYS,
        LinksField(name="dial_ext_list", kinds=EXTENSIONS),
        LinksField(name="restrict_dial_ext_list", kinds=EXTENSIONS),
        flag("enb_dial_call_number"),
        LinksField(name="dial_call_number_list", kinds=("ring_group",), unserved=("queue", "conference")),
        LinksField(name="dial_outb_route_list", kinds=("outbound_route",)),
        TextField(name="alert_info", high=31, pattern="[A-Za-z0-9 ._;=/:<>-]+"),
        TextField(name="client_unique_ringtone", high=127, pattern=r"[^/\\]+\.(mp3|wav)"),
        IntegerField(name="max_invalid", low=0, high=10, default=0),  # ours: the P-Series has no such field
        ImportRemarksField(name="import_remarks", former_names=("note",)),
    ),
    listed=(*LISTED, "client_unique_ringtone"),
    row=list_row,
    check=check,
)
