"""IVR: a menu (P-Series: add-an-ivr, edit-an-ivr, query-information-of-an-ivr)."""

from collections.abc import Iterator

from openivr.resources.destination import DestinationField, KeyCondition, Keys
from openivr.resources.errors import Problem
from openivr.resources.fields import Body, ChoiceField, IntegerField, TextField, flag, number
from openivr.resources.import_remarks import ImportRemarksField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinkField, LinksField, PromptsField
from openivr.resources.resource_type import ResourceType, Row, Values

DIAL_KEYS = (*"0123456789", "hash", "star")
LISTED = ("number", "name", "dial_ext_option", "enb_dial_outb_routes")


def key_stem(key: str) -> str:
    return f"press{key}_dest" if key.isdigit() else f"press_{key}_dest"


def stems_of(key: str) -> tuple[str, ...]:
    """Return the spellings of a key's destination. The original misspells one, programs use both."""
    if key == "invalid":
        return ("invaild_dest", "invalid_dest")
    return (f"{key}_dest",) if key == "timeout" else (key_stem(key),)


def condition_of(key: str) -> KeyCondition:
    """Return the fields of a key for other periods. The P-Series has them, their names are our choice."""
    bases = [stem.removesuffix("dest") for stem in stems_of(key)]
    return KeyCondition(
        periods={
            period: DestinationField(name=f"{key} {period}", stems=tuple(base + name for base in bases))
            for period, name in (("closed", "outoffice_time_dest"), ("holiday", "holiday_dest"))
        },
        enabled=tuple(flag(base + "enb_time_condition") for base in bases),
        timezone=tuple(LinkField(name=base + "timezone_id", kind="timezone") for base in bases),
    )


KEYS = Keys(
    name="keys",
    conditions={key: condition_of(key) for key in (*DIAL_KEYS, "timeout", "invalid")},
    keys={key: DestinationField(name=key, stems=stems_of(key)) for key in (*DIAL_KEYS, "timeout", "invalid")},
    # The P-Series has keys of the input type "pin_list"; the field's name is our choice.
    pins={
        key: LinkField(name=key_stem(key).removesuffix("dest") + "pin_list_id", kind="pin_list")
        for key in DIAL_KEYS
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
        flag("enb_time_condition"),
        ChoiceField(name="time_condition_scope", values=("all_keys", "each_key"), default="all_keys"),
        LinkField(name="timezone_id", kind="timezone"),
        ImportRemarksField(name="import_remarks", former_names=("note",)),
    ),
    listed=(*LISTED, "client_unique_ringtone"),
    row=list_row,
    check=check,
)
