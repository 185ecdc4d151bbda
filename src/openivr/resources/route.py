"""Routes: destinations of calls from trunks, and trunks of dialled numbers.

P-Series: add-an-inbound-route. `pos` orders routes. The first match counts.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openivr.ivr.digits import PatternError, parse_pattern
from openivr.resources.destination import UNSERVED, DestinationField
from openivr.resources.errors import Problem
from openivr.resources.fields import (
    Body,
    ChoiceField,
    IntegerField,
    InvalidValue,
    TableField,
    TextField,
    flag,
)
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinkField, LinksField
from openivr.resources.resource_type import ResourceType, Row, Values

NAME = TextField(name="name", required=True, low=1, high=63)
POSITION = IntegerField(name="pos", low=0, high=2**31 - 1, default=0)
INBOUND_TYPES = (
    "disabled",
    "end_call",
    "extension",
    "ext_vm",
    "ivr",
    "ring_group",
    "external_num",
    "play_greeting",
)
INBOUND_UNSERVED = (*UNSERVED, "pattern_to_ext", "range_to_ext", "pattern_to_ext_list")


def caller_pattern(name: str) -> TextField:
    """A number or pattern of inbound calls (P-Series: importing inbound routes)."""
    return TextField(name=name, required=True, low=1, high=31, pattern=r"[A-Za-z0-9\[\]*#().+!-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class DialPatternsField(TextField):
    """Numbers that may be dialled: digits, X, Z, N, [sets], and `.` or `!` at the end."""

    def parse(self, raw: Any) -> str:
        # Not super(): the class that slots=True makes is another one than the method's.
        text = TextField.parse(self, raw)
        try:
            parse_pattern(text)
        except PatternError as error:
            part = {"part": error.part} if error.part else {}
            raise InvalidValue(ProblemCode(error.fault), **part) from error
        return text


def check_inbound(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    if not values["def_dest"]["dest"]:
        yield Problem("def_dest", ProblemCode.REQUIRED)


def inbound_row(values: Values) -> Row:
    destination = values["def_dest"]
    return {
        "id": values["id"],
        "pos": values["pos"],
        "name": values["name"],
        "did_option": values["did_option"],
        "did_pattern_list": values["did_pattern_list"],
        "def_dest": destination["dest"],
        "def_dest_prefix": destination["prefix"],
        "def_dest_value": destination["value"],
    }


INBOUND_ROUTE = ResourceType(
    name="inbound_route",
    paths=("inbound_route",),
    title="Inbound route",
    fields=(
        NAME,
        POSITION,
        TextField(name="alert_info", high=31, pattern="[A-Za-z0-9]+"),
        ChoiceField(
            name="did_option", values=("patterns",), unserved=INBOUND_UNSERVED[-3:], default="patterns"
        ),
        TableField(name="did_pattern_list", columns=(caller_pattern("did_pattern"),)),
        ChoiceField(name="cid_option", values=("patterns",), unserved=("phonebook",), default="patterns"),
        TableField(name="cid_pattern_list", columns=(caller_pattern("cid_pattern"),)),
        LinksField(name="trunk_list", kinds=("trunk",)),
        DestinationField(
            name="def_dest", stems=("def_dest",), types=("", *INBOUND_TYPES), unserved=INBOUND_UNSERVED
        ),
        flag("enb_time_condition"),
        ChoiceField(
            name="time_condition", values=("global",), unserved=("route_scope", "custom"), default="global"
        ),
        LinkField(name="timezone_id", kind="timezone"),
        *(
            DestinationField(
                name=name, stems=(name,), types=("", *INBOUND_TYPES[1:]), unserved=INBOUND_UNSERVED
            )
            for name in ("office_time_dest", "outoffice_time_dest", "holiday_dest")
        ),
    ),
    listed=("name", "pos", "did_option", "did_pattern_list", "def_dest"),
    row=inbound_row,
    sorts=("name", "pos"),
    unique=("name",),
    check=check_inbound,
)


def outbound_row(values: Values) -> Row:
    names = ("pos", "name", "dial_pattern_list", "max_calls", "max_calls_per_hour", "max_calls_per_caller")
    return {"id": values["id"], **{name: values[name] for name in names}}


OUTBOUND_ROUTE = ResourceType(
    name="outbound_route",
    paths=("outbound_route",),
    title="Outbound route",
    fields=(
        NAME,
        POSITION,
        TableField(
            name="dial_pattern_list",
            columns=(
                DialPatternsField(name="pattern", required=True, low=1, high=31),
                IntegerField(name="strip", low=0, high=15, default=0),
                TextField(name="prepend", high=15, pattern=r"\+?[0-9*#]*"),
            ),
        ),
        LinksField(name="trunk_list", kinds=("trunk",)),
        LinksField(name="ext_list", kinds=("extension", "ext_group")),
        # Limits against toll fraud: on unless someone raises them.
        IntegerField(name="max_calls", low=0, high=10_000, default=2),
        IntegerField(name="max_calls_per_hour", low=0, high=100_000, default=30),
        IntegerField(name="max_calls_per_caller", low=0, high=100_000, default=5),
    ),
    listed=("name", "pos", "dial_pattern_list", "max_calls", "max_calls_per_hour", "max_calls_per_caller"),
    row=outbound_row,
    sorts=("name", "pos"),
    unique=("name",),
)
