"""Blocked and allowed numbers.

P-Series: add-a-blocked-number-rule; administrator guide: add-allowed-numbers.
"""

from openivr.resources.destination import DestinationField
from openivr.resources.fields import ChoiceField, SeparatedField
from openivr.resources.resource_type import ResourceType, Row, Values
from openivr.resources.route import INBOUND_TYPES, INBOUND_UNSERVED, NAME, caller_pattern

MAX_NUMBERS = 200  # of one list
LISTED = ("name", "limit_type", "number_list")
NUMBERS = SeparatedField(
    name="number_list",
    required=True,
    columns=(caller_pattern("number"),),
    separator="&",
    most=MAX_NUMBERS,
)
LIMIT_TYPE = ChoiceField(name="limit_type", required=True, values=("inbound", "outbound", "both"))


def number_row(values: Values) -> Row:
    return {
        "id": values["id"],
        "name": values["name"],
        "limit_type": values["limit_type"],
        "number_list": NUMBERS.join(values["number_list"]),
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
