"""How each kind of object looks in the admin: its list's columns and its form's parts.

Which fields there are, and what they may contain, comes from the kind's own description.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from openivr.resources import KINDS, ResourceType
from openivr.resources.fields import Field
from openivr.web.core.urls import RESOURCE_URLS


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a list: a field, or something that `cells` makes of the whole object."""

    name: str
    sort: str = ""  # what the API calls this order, where there is one
    is_minor: bool = False  # left out where there is little room
    is_title: bool = False  # what a row is called, and its link


@dataclass(frozen=True, slots=True)
class FormSection:
    """Fields that stand together in a form. A folded one is opened by who needs it."""

    name: str
    fields: tuple[str, ...]
    is_folded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceView:
    """One kind's pages. `start` is what a form for a new object has in it."""

    kind: ResourceType
    columns: tuple[Column, ...]
    parts: tuple[FormSection, ...]
    sort: str = "name"
    start: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)  # fields with one good value, in no form
    made: tuple[str, ...] = ()  # secrets that the server makes up on wish, and shows once
    filled: tuple[str, ...] = ()  # secrets that hardly anybody needs, made up where a new object has none
    is_ordered: bool = False  # its objects have a place, and the first that fits is taken

    @property
    def path(self) -> str:
        """The address of its list; the other pages are below it."""
        return RESOURCE_URLS[self.kind.name].list

    @property
    def where(self) -> str:
        """The part of the rail that it belongs to."""
        return self.path[: self.path.index("/", 1)]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of the form, in its order."""
        known = {one.name: one for one in self.kind.fields}
        return tuple(known[name] for part in self.parts for name in part.fields)


EXTENSION = ResourceView(
    kind=KINDS["extension"],
    columns=(
        Column("number", "number"),
        Column("caller_id_name", "caller_id_name", is_title=True),
        Column("online"),
        Column("email_addr", is_minor=True),
        Column("mobile_number", is_minor=True),
    ),
    parts=(
        FormSection("person", ("number", "first_name", "last_name", "email_addr", "mobile_number", "title")),
        FormSection("phone", ("reg_name", "reg_password", "concurrent_registrations", "ring_timeout")),
        FormSection("voicemail", ("enb_vm", "vm_pin")),
        FormSection("more", ("presence_status", "caller_id", "user_password"), is_folded=True),
    ),
    sort="number",
    start={"presence_status": "available", "concurrent_registrations": 1},
    fixed={"type": "SIP"},
    made=("reg_password",),
    filled=("user_password",),
)
EXTENSION_GROUP = ResourceView(
    kind=KINDS["ext_group"],
    columns=(Column("name", "name", is_title=True), Column("member_list")),
    parts=(FormSection("group", ("name", "member_list")),),
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
    parts=(
        FormSection("group", ("number", "name")),
        FormSection("ringing", ("member_list", "ring_strategy", "ring_timeout")),
        FormSection("no_answer", ("fail_dest",)),
        FormSection("greeting", ("join_prompt", "play_full_join_prompt"), is_folded=True),
    ),
    sort="number",
    start={"ring_strategy": "ring_all", "ring_timeout": 30},
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
    parts=(
        FormSection("provider", ("name", "enable", "type", "hostname", "port", "transport", "domain")),
        FormSection("account", ("username", "auth_name", "password")),
        FormSection("calls", ("def_outbound_cid", "max_calls")),
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
    parts=(
        FormSection("route", ("name", "pos")),
        FormSection("which_calls", ("did_pattern_list", "cid_pattern_list", "trunk_list")),
        FormSection("where_to", ("def_dest",)),
        FormSection("more", ("alert_info",), is_folded=True),
    ),
    sort="pos",
    is_ordered=True,
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
    parts=(
        FormSection("route", ("name", "pos")),
        FormSection("numbers", ("dial_pattern_list",)),
        FormSection("lines", ("trunk_list",)),
        FormSection("who", ("ext_list",)),
        FormSection("limits", ("max_calls", "max_calls_per_hour", "max_calls_per_caller")),
    ),
    sort="pos",
    is_ordered=True,
)

RESOURCE_VIEWS: Mapping[str, ResourceView] = MappingProxyType(
    {
        view.kind.name: view
        for view in (EXTENSION, EXTENSION_GROUP, RING_GROUP, INBOUND_ROUTE, OUTBOUND_ROUTE, TRUNK)
    }
)
