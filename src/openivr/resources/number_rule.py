"""Blocked and allowed numbers, and PIN lists.

P-Series: add-a-blocked-number-rule, add-a-pin-list; administrator guide: add-allowed-numbers.
"""

from openivr.resources.destination import DestinationField
from openivr.resources.fields import ChoiceField, SeparatedField, TextField, flag
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values
from openivr.resources.route import INBOUND_TYPES, INBOUND_UNSERVED, NAME, caller_pattern

MAX_NUMBERS, MAX_PINS = 200, 200  # of one list
LISTED = ("name", "limit_type", "number_list")
NUMBERS = SeparatedField(
    name="number_list",
    required=True,
    columns=(caller_pattern("number"),),
    separator="&",
    most=MAX_NUMBERS,
)
LIMIT_TYPE = ChoiceField(name="limit_type", required=True, values=("inbound", "outbound", "both"))
PINS = SeparatedField(
    name="pin_list",
    required=True,
    columns=(
        TextField(
            name="pin",
            required=True,
            low=3,
            high=15,
            pattern="[0-9]+",
            mismatch=ProblemCode.NOT_DIGITS,
            confidential=True,
        ),
    ),
    separator=",",
    most=MAX_PINS,
    confidential=True,
)


def number_row(values: Values) -> Row:
    return {
        "id": values["id"],
        "name": values["name"],
        "limit_type": values["limit_type"],
        "number_list": NUMBERS.join(values["number_list"]),
    }


def pin_row(values: Values) -> Row:
    return {
        "id": values["id"],
        "name": values["name"],
        "pin_list": PINS.join(values["pin_list"]),
        "enb_record_cdr": values["enb_record_cdr"],
    }


BLOCK_NUMBERS = ResourceType(
    name="block_numbers",
    paths=("block_numbers",),
    title="Blocked number rule",
    fields=(
        NAME,
        LIMIT_TYPE,
        NUMBERS,
        # Ours: where callers go in place of a rejection.
        DestinationField(
            name="def_dest",
            stems=("def_dest",),
            types=("", *(type_ for type_ in INBOUND_TYPES if type_ != "disabled")),
            unserved=INBOUND_UNSERVED,
        ),
    ),
    listed=LISTED,
    row=number_row,
    sorts=("name",),
    unique=("name",),
)
ALLOW_NUMBERS = ResourceType(
    name="allow_numbers",
    paths=("allow_numbers",),
    title="Allowed number rule",
    fields=(NAME, LIMIT_TYPE, NUMBERS),
    listed=LISTED,
    row=number_row,
    sorts=("name",),
    unique=("name",),
)
PIN_LIST = ResourceType(
    name="pin_list",
    paths=("pin_list",),
    title="PIN list",
    fields=(NAME, PINS, flag("enb_record_cdr")),
    listed=("name", "pin_list", "enb_record_cdr"),
    row=pin_row,
    sorts=("name",),
    unique=("name",),
)
