"""The look of each resource type: the columns of its list and the sections of its form.

The fields themselves, and what they may contain, are described in `openivr.resources`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from openivr.resources import KINDS, ResourceType
from openivr.resources.fields import Field
from openivr.web.core.urls import RESOURCE_URLS
from openivr.web.forms.draft import FormSpec


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: a field, or something that `forms.cells` computes from the resource."""

    name: str
    sort: str = ""  # the API's name of this order, if there is one
    is_minor: bool = False  # hidden on narrow screens
    is_title: bool = False  # names the row and links to it


@dataclass(frozen=True, slots=True)
class FormSection:
    """Fields that stand together in a form, folded away if few people need them."""

    name: str
    fields: tuple[str, ...]
    is_folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceView:
    """The pages of a resource type. `start` is what the form of a new resource has in it."""

    kind: ResourceType
    columns: tuple[Column, ...]
    sections: tuple[FormSection, ...]
    sort: str = "name"
    start: Mapping[str, Any] = field(default_factory=dict)
    first_number: str = ""  # that is proposed for the first one, if they have numbers
    fixed: Mapping[str, Any] = field(default_factory=dict)  # fields with one valid value, not in the form
    generated: tuple[str, ...] = ()  # secrets that the server generates on request and shows once
    filled: tuple[str, ...] = ()  # secrets that few people need, generated for a new resource

    @property
    def path(self) -> str:
        """The path of its list. The other pages are below it."""
        return RESOURCE_URLS[self.kind.name].list

    @property
    def where(self) -> str:
        """The section of the rail that it belongs to."""
        return self.path[: self.path.index("/", 1)]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the form, in its order."""
        known = {field.name: field for field in self.kind.fields}
        return tuple(known[name] for section in self.sections for name in section.fields)

    @property
    def form(self) -> FormSpec:
        return FormSpec(self.kind, self.fields, self.fixed)


EXTENSION = ResourceView(
    kind=KINDS["extension"],
    columns=(
        Column("number", "number"),
        Column("caller_id_name", "caller_id_name", is_title=True),
        Column("online"),
        Column("email_addr", is_minor=True),
        Column("mobile_number", is_minor=True),
    ),
    sections=(
        FormSection("person", ("number", "first_name", "last_name", "email_addr", "mobile_number", "title")),
        FormSection("phone", ("reg_name", "reg_password", "concurrent_registrations", "ring_timeout")),
        FormSection("voicemail", ("enb_vm", "vm_pin", "new_vm_notify", "after_vm_notify")),
        FormSection("forwarding", ("presence_status", "presence_list")),
        FormSection("hours", ("enb_switch_hours", "hours_pin"), is_folded=True),
        FormSection("more", ("caller_id",), is_folded=True),
    ),
    sort="number",
    start={"presence_status": "available", "concurrent_registrations": 1},
    first_number="1000",
    fixed={"type": "SIP"},
    generated=("reg_password",),
    filled=("user_password",),
)
EXTENSION_GROUP = ResourceView(
    kind=KINDS["ext_group"],
    columns=(Column("name", "name", is_title=True), Column("member_list")),
    sections=(FormSection("group", ("name", "member_list")),),
)
RING_GROUP = ResourceView(
    kind=KINDS["ring_group"],
    columns=(
        Column("number", "number"),
        Column("name", "name", is_title=True),
        Column("ring_strategy", is_minor=True),
        Column("member_list"),
        Column("fail_dest", is_minor=True),
    ),
    sections=(
        FormSection("group", ("number", "name")),
        FormSection("ringing", ("member_list", "ring_strategy", "ring_timeout")),
        FormSection("no_answer", ("fail_dest",)),
        FormSection("greeting", ("join_prompt", "play_full_join_prompt"), is_folded=True),
    ),
    sort="number",
    start={"ring_strategy": "ring_all", "ring_timeout": 30},
    first_number="6300",
)
COMPANY_CONTACT = ResourceView(
    kind=KINDS["company_contact"],
    columns=(
        Column("contact_name", "contact_name", is_title=True),
        Column("company", "company"),
        Column("number_list"),
        Column("email", is_minor=True),
        Column("phonebook_id_list", is_minor=True),
    ),
    sections=(
        FormSection("person", ("first_name", "last_name", "company", "email")),
        FormSection("numbers", ("number_list",)),
        FormSection("more", ("phonebook_id_list", "remark")),
        FormSection("address", ("street", "zip_code", "city", "state", "country"), is_folded=True),
    ),
    sort="contact_name",
)
PHONEBOOK = ResourceView(
    kind=KINDS["phonebook"],
    columns=(Column("name", "name", is_title=True), Column("member_select")),
    sections=(FormSection("phonebook", ("name", "member_select")),),
)
TRUNK = ResourceView(
    kind=KINDS["trunk"],
    columns=(
        Column("name", "name", is_title=True),
        Column("state"),
        Column("hostname"),
        Column("type", is_minor=True),
        Column("transport", is_minor=True),
    ),
    sections=(
        FormSection("provider", ("name", "enable", "type", "hostname", "port", "transport", "domain")),
        FormSection("account", ("username", "auth_name", "password")),
        FormSection("calls", ("def_outbound_cid", "max_calls", "get_caller_id_from", "follow_redirects")),
        FormSection("numbers", ("country_code", "national_prefix", "outbound_number_format")),
    ),
    start={"type": "register"},
)
INBOUND_ROUTE = ResourceView(
    kind=KINDS["inbound_route"],
    columns=(
        Column("pos", "pos"),
        Column("name", "name", is_title=True),
        Column("did_pattern_list"),
        Column("trunk_list", is_minor=True),
        Column("def_dest"),
    ),
    sections=(
        FormSection("route", ("name", "pos")),
        FormSection("which_calls", ("did_pattern_list", "cid_pattern_list", "trunk_list")),
        FormSection("where_to", ("def_dest",)),
        FormSection(
            "by_hours",
            ("enb_time_condition", "timezone_id", "office_time_dest", "outoffice_time_dest", "holiday_dest"),
        ),
        FormSection("more", ("alert_info",), is_folded=True),
    ),
    sort="pos",
)
OUTBOUND_ROUTE = ResourceView(
    kind=KINDS["outbound_route"],
    columns=(
        Column("pos", "pos"),
        Column("name", "name", is_title=True),
        Column("dial_pattern_list"),
        Column("trunk_list", is_minor=True),
        Column("limits", is_minor=True),
    ),
    sections=(
        FormSection("route", ("name", "pos")),
        FormSection("numbers", ("dial_pattern_list",)),
        FormSection("lines", ("trunk_list",)),
        FormSection("who", ("ext_list",)),
        FormSection("limits", ("max_calls", "max_calls_per_hour", "max_calls_per_caller")),
    ),
    sort="pos",
)

BLOCK_NUMBERS = ResourceView(
    kind=KINDS["block_numbers"],
    columns=(
        Column("name", "name", is_title=True),
        Column("number_list"),
        Column("limit_type", is_minor=True),
        Column("def_dest", is_minor=True),
    ),
    sections=(
        FormSection("numbers", ("name", "number_list", "limit_type")),
        FormSection("where_to", ("def_dest",)),
    ),
    start={"limit_type": "inbound"},
)
ALLOW_NUMBERS = ResourceView(
    kind=KINDS["allow_numbers"],
    columns=(
        Column("name", "name", is_title=True),
        Column("number_list"),
        Column("limit_type", is_minor=True),
    ),
    sections=(FormSection("numbers", ("name", "number_list", "limit_type")),),
    start={"limit_type": "inbound"},
)
PIN_LIST = ResourceView(
    kind=KINDS["pin_list"],
    columns=(Column("name", "name", is_title=True), Column("pin_list")),
    sections=(FormSection("pins", ("name", "pin_list")),),
)
BUSINESSHOUR = ResourceView(
    kind=KINDS["businesshour"],
    columns=(
        Column("when", is_title=True),
        Column("office_times"),
        Column("reset_times", is_minor=True),
        Column("remark", "remark", is_minor=True),
        Column("timezone_id", is_minor=True),
    ),
    sections=(
        FormSection("days", ("days_of_week",)),
        FormSection("times", ("office_times", "reset_times")),
        FormSection("more", ("remark", "timezone_id")),
        FormSection("dated", ("time_condition_switch", "months", "days"), is_folded=True),
    ),
    sort="remark",
    start={"days_of_week": "mon tue wed thu fri"},
)
HOLIDAY = ResourceView(
    kind=KINDS["holiday"],
    columns=(
        Column("name", "name", is_title=True),
        Column("comes"),
        Column("time_period", is_minor=True),
        Column("timezone_id", is_minor=True),
    ),
    sections=(
        FormSection("holiday", ("name", "type")),
        FormSection("dates", ("date",)),
        FormSection("weekday", ("how_week", "weekday", "month")),
        FormSection("more", ("time_period", "prompt", "timezone_id"), is_folded=True),
    ),
    start={"type": "date"},
)
TIMEZONE = ResourceView(
    kind=KINDS["timezone"],
    columns=(
        Column("name", "name", is_title=True),
        Column("timezone"),
        Column("is_default"),
    ),
    sections=(FormSection("calendar", ("name", "timezone", "is_default")),),
)
ANNOUNCEMENT = ResourceView(
    kind=KINDS["announcement"],
    columns=(
        Column("name", "name", is_title=True),
        Column("before_list"),
        Column("prompt", is_minor=True),
        Column("begin_time", is_minor=True),
        Column("end_time"),
    ),
    sections=(
        FormSection("announcement", ("name", "prompt")),
        FormSection("times", ("end_time", "begin_time")),
        FormSection("before", ("before_list",)),
        FormSection("more", ("timezone_id",), is_folded=True),
    ),
)
WEBHOOK = ResourceView(
    kind=KINDS["webhook"],
    columns=(
        Column("name", "name", is_title=True),
        Column("enable"),
        Column("event_ids", is_minor=True),
        Column("delivery"),
    ),
    sections=(
        FormSection("receiver", ("name", "enable", "url", "secret")),
        FormSection("events", ("event_ids",)),
        FormSection("more", ("request_method", "timeout", "retry_count"), is_folded=True),
    ),
    generated=("secret",),
)
RESOURCE_VIEWS: Mapping[str, ResourceView] = MappingProxyType(
    {
        view.kind.name: view
        for view in (
            *(EXTENSION, EXTENSION_GROUP, RING_GROUP, COMPANY_CONTACT, PHONEBOOK),
            *(BUSINESSHOUR, HOLIDAY, ANNOUNCEMENT, TIMEZONE),
            *(INBOUND_ROUTE, OUTBOUND_ROUTE, TRUNK, BLOCK_NUMBERS, ALLOW_NUMBERS, PIN_LIST),
            WEBHOOK,
        )
    }
)
