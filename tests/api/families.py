"""One good object of every family, with what belongs to each: bodies for create and a change to make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

NUMBERS = count(1_000_000)  # far from the demo's, each used once
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    """A family's path; fields for a new object, to which a fresh number or name is added; a valid change."""

    path: str
    fields: Mapping[str, Any]
    change: Mapping[str, Any]
    has_number: bool = False
    secrets: Mapping[str, Any] = field(default_factory=dict)
    masked: Mapping[str, Any] = field(default_factory=dict)  # secrets that answers mask, and how
    required: tuple[str, ...] = ()
    derived: frozenset[str] = frozenset()  # of an answer: what follows from other objects and from the change

    def body(self, **changes: Any) -> Body:
        """The body of a create that succeeds whenever it is sent."""
        fresh = str(next(NUMBERS))
        names = {"name": f"{self.path} {fresh}"} | ({"number": fresh} if self.has_number else {})
        if self.path == "businesshour":
            names = {"remark": f"Office {fresh}"}
        if self.path == "company_contact":
            names = {"first_name": f"Ada {fresh}"}
        if self.path == "extension":
            names = {"number": fresh, "reg_name": f"phone{fresh}"}
        return {**names, **self.fields, **self.secrets, **changes}


IVR = Family(
    "ivr",
    {
        "prompt": "default",
        "prompt_repeat": 3,
        "resp_timeout": 5,
        "digit_timeout": 3,
        "dial_ext_option": "disable",
    },
    {"prompt_repeat": 2},
    has_number=True,
    required=(
        "number",
        "name",
        "prompt",
        "prompt_repeat",
        "resp_timeout",
        "digit_timeout",
        "dial_ext_option",
    ),
)
EXTENSION = Family(
    "extension",
    {"type": "SIP", "presence_status": "available", "concurrent_registrations": 1, "first_name": "Eve"},
    {
        "presence_status": "off_work",
        "presence_list": [
            {
                **{"status": "away", "ring_timeout": 20, "enb_ring_mobile": 1, "mobile_prefix": "9"},
                **{
                    "enb_ex_busy_forward": 0,
                    "enb_in_always_forward": 1,
                    "in_always_forward_dest": "extension",
                },
                "in_always_forward_value": "1",
            }
        ],
    },
    has_number=True,
    secrets={
        "reg_password": "Secret-of-Phone-1",
        "user_password": "Secret-of-User-1",
        "vm_pin": "975310",
        "hours_pin": "864209",
    },
    required=(
        "type",
        "number",
        "presence_status",
        "concurrent_registrations",
        "reg_name",
        "reg_password",
        "user_password",
    ),
)
RING = {"ring_strategy": "ring_all", "ring_timeout": 30, "member_list": [{"value": "1", "type": "extension"}]}
RINGGROUP = Family(
    "ringgroup",
    RING,
    {"ring_strategy": "sequentially"},
    has_number=True,
    required=("number", "name", "ring_strategy", "ring_timeout"),
)
RING_GROUP = Family(
    "ring_group",
    RING,
    {"ring_timeout": 10},
    has_number=True,
    required=("number", "name", "ring_strategy", "ring_timeout"),
)
EXTENSION_GROUP = Family(
    "extension_group",
    {"member_list": [{"value": "2", "type": "extension"}]},
    {"member_list": []},
    required=("name",),
)
TRUNK = Family(
    "trunk",
    {"type": "register", "hostname": "sip.example.net", "username": "us"},
    {"port": 5070},
    secrets={"password": "Secret-of-Trunk-1"},
    required=("name", "type", "hostname", "username"),
)
INBOUND_ROUTE = Family(
    "inbound_route",
    {"did_pattern_list": [{"did_pattern": "+44X."}], "def_dest": "ivr", "def_dest_value": "3"},
    {"def_dest": "end_call"},
    required=("name", "def_dest", "def_dest_value"),
)
OUTBOUND_ROUTE = Family(
    "outbound_route",
    {"dial_pattern_list": [{"pattern": "9X.", "strip": 1, "prepend": "0"}], "max_calls": 3},
    {"max_calls_per_hour": 7},
    required=("name",),
)
BLOCK_NUMBERS = Family(
    "block_numbers",
    {"limit_type": "inbound", "number_list": "1386011111&010879378"},
    {"limit_type": "both"},
    required=("name", "limit_type", "number_list"),
)
ALLOW_NUMBERS = Family(
    "allow_numbers",
    {"limit_type": "both", "number_list": "90X."},
    {"number_list": "anonymous"},
    required=("name", "limit_type", "number_list"),
)
PIN_LIST = Family(
    "pin_list",
    {"enb_record_cdr": 1},
    {"enb_record_cdr": 0},
    secrets={"pin_list": "228391"},
    masked={"pin_list": "****"},
    required=("name", "pin_list"),
)
TIMEZONE = Family(
    "timezone", {"timezone": "Europe/Berlin"}, {"timezone": "Asia/Kathmandu"}, required=("name", "timezone")
)
BUSINESSHOUR = Family(
    "businesshour",
    {"days_of_week": "mon tue", "office_times": [{"value": "09:00-18:00"}]},
    {"remark": "shanghai"},
    required=("office_times",),
)
HOLIDAYS = Family(
    "holidays",
    {"type": "date", "date": "2026/12/25-2026/12/26"},
    {"date": "2027/12/25-2027/12/26"},
    required=("name", "type"),
)
ANNOUNCEMENT = Family(
    "announcement",
    {
        "prompt": "default",
        "before_list": [{"value": "3", "type": "ivr"}],
        "end_time": "2026/12/24 18:00",
    },
    {"end_time": "2026/12/24 19:00"},
    required=("name", "prompt", "before_list", "end_time"),
)
COMPANY_CONTACT = Family(
    "company_contact",
    {"number_list": [{"num_type": "business_number", "number": "+442071838750"}], "company": "Byron & Co"},
    {"company": "Analytical Engines"},
    required=("first_name", "number_list"),
)
PHONEBOOK = Family(
    "phonebook",
    {},
    {"member_select": "sel_all"},
    required=("name",),
    derived=frozenset(("contacts_list", "total")),
)
FAMILIES = (
    TIMEZONE,
    BUSINESSHOUR,
    HOLIDAYS,
    IVR,
    EXTENSION,
    RINGGROUP,
    RING_GROUP,
    EXTENSION_GROUP,
    TRUNK,
    INBOUND_ROUTE,
    OUTBOUND_ROUTE,
    BLOCK_NUMBERS,
    ALLOW_NUMBERS,
    PIN_LIST,
    ANNOUNCEMENT,
    COMPANY_CONTACT,
    PHONEBOOK,
)
