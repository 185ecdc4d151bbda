"""Typed objects: rows as lists show them, and details as get and query answer them. Names are the API's.

Every field but the id may be missing. Lists ignore fields that are not known here; details keep them in
`extra`. Three names of a destination become one `Destination`; a menu's destinations are its `keys`, and both
spellings of the one for invalid keys are read and written.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

import msgspec

R = TypeVar("R")
Body = dict[str, Any]
PARTS = {"dest": "", "prefix": "_prefix", "value": "_value"}  # of a destination -> ending of its API name
DIGITS = "0123456789"
OWN = ("id", "sent", "extra")  # fields of details that are no fields of the API's body


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What a list shows of an object."""

    id: int


class Page(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """One page of a list; `total_number` is None where the server does not say."""

    total_number: int | None = None
    data: tuple[R, ...] = ()


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a call goes: a type, and a prefix and value whose meaning depends on it; "" is nowhere.

    `allow_out_record` (0 or 1) is the caller's right to opt out of recording by this key.
    """

    dest: str = ""
    prefix: str = ""
    value: str = ""
    allow_out_record: int = 0


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a list of other objects: id (`value`) and type, name (`text`) and number (`text2`)."""

    value: str
    type: str = ""
    text: str = ""
    text2: str = ""

    @classmethod
    def gather(cls, raw: Any) -> Any:
        """Items also come as {"id": 7} and as plain ids."""
        if not isinstance(raw, dict):
            return {"value": raw}
        return {"value": raw.get("id"), **raw}


class Option(Link, frozen=True, kw_only=True):
    """One choice of system/get_menuoptions; `item` are the choices below it."""

    item: tuple[Any, ...] = ()


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """An object whole, as the server has it.

    `sent` are the fields that the server did send, `extra` what it sent and this class does not know.
    """

    id: int
    sent: tuple[str, ...] = ()
    extra: Body = {}

    @classmethod
    def gather(cls, raw: Any) -> Any:
        """The object's fields as this class has them, the others in `extra`."""
        if not isinstance(raw, dict):
            return raw
        known = {name: raw[name] for name in raw if name in cls.__struct_fields__ and name not in OWN}
        extra = {name: raw[name] for name in raw if name not in known and name != "id"}
        return {**known, "id": raw.get("id"), "sent": list(known), "extra": extra}

    def body(self) -> Body:
        """The object as create and update take it: without id, `extra`, and what the server did not send."""
        return dict(self.fields())

    def fields(self) -> Iterator[tuple[str, Any]]:
        for name in self.sent or [name for name in self.__struct_fields__ if name not in OWN]:
            value = getattr(self, name)
            if isinstance(value, Destination):
                yield from spread(name, value)
            elif isinstance(value, tuple):
                yield name, [as_item(one) for one in value]
            else:
                yield name, value


def as_item(one: Any) -> Any:
    return {"value": one.value, "type": one.type} if isinstance(one, Link) else dict(one)


def spread(stem: str, destination: Destination) -> Iterator[tuple[str, str]]:
    for part, ending in PARTS.items():
        yield stem + ending, getattr(destination, part)


def take(raw: Body, stem: str) -> Body:
    """The destination of a stem, its names removed from `raw`."""
    return {part: raw.pop(stem + ending, None) for part, ending in PARTS.items()}


KEYS = (*DIGITS, "hash", "star", "timeout", "invalid")


def stems(key: str) -> tuple[str, ...]:
    """The spellings of a key's destination in the API."""
    if key == "invalid":
        return ("invaild_dest", "invalid_dest")
    if key == "timeout":
        return ("timeout_dest",)
    return (f"press{key}_dest" if key in DIGITS else f"press_{key}_dest",)


def opt_outs(key: str) -> tuple[str, ...]:
    """The spellings of a key's right to opt out of recording."""
    if key == "invalid":
        return ("allow_out_record_invaild", "allow_out_record_invalid")
    return (f"allow_out_record{key}" if key in DIGITS else f"allow_out_record_{key}",)


class Ivr(Detail, frozen=True, kw_only=True):
    """A menu. `keys` has those that lead somewhere: "0" to "9", "hash", "star", "timeout" and "invalid"."""

    number: str = ""
    name: str = ""
    prompt: str = ""
    prompt_repeat: int = 3
    resp_timeout: int = 5
    digit_timeout: int = 3
    dial_ext_option: str = "disable"
    enb_dial_outb_routes: int = 0
    enb_dial_check_vm: int = 0
    keys: dict[str, Destination] = {}
    dial_ext_list: tuple[Link, ...] = ()
    restrict_dial_ext_list: tuple[Link, ...] = ()
    enb_dial_call_number: int = 0
    dial_call_number_list: tuple[Link, ...] = ()
    dial_outb_route_list: tuple[Link, ...] = ()
    alert_info: str = ""
    client_unique_ringtone: str = ""

    @classmethod
    def gather(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        rest, keys = dict(raw), {}
        for key in KEYS:
            found = [take(rest, stem) for stem in stems(key)]
            flags = [rest.pop(name, None) for name in opt_outs(key)]
            chosen: Body = next((one for one in found if one["dest"]), {})
            flag = next((one for one in flags if str(one) not in {"0", "", "None", "False"}), None)
            if chosen or flag:
                keys[key] = {**chosen, "allow_out_record": flag}
        has_keys = any(name not in rest for name in raw)
        return super().gather({**rest, "keys": keys} if has_keys else rest)

    def fields(self) -> Iterator[tuple[str, Any]]:
        for name, value in super().fields():
            if name == "keys":
                yield from self.key_fields()
            else:
                yield name, value

    def key_fields(self) -> Iterator[tuple[str, Any]]:
        for key in KEYS:
            destination = self.keys.get(key, Destination())
            for stem in stems(key):
                yield from spread(stem, destination)
            for name in opt_outs(key):
                yield name, destination.allow_out_record


class IvrRow(Row, frozen=True, kw_only=True):
    """A menu in a list (P-Series: query-ivr-list)."""

    number: str = ""
    name: str = ""
    dial_ext_option: str = ""
    enb_dial_outb_routes: int = 0
    client_unique_ringtone: str = ""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Whether one of an extension's devices is registered."""

    status: int = 0
    ext_dev_type: str = ""


class ExtensionRow(Row, frozen=True, kw_only=True):
    """An extension in a list (P-Series: query-extension-list)."""

    number: str = ""
    caller_id_name: str = ""
    role_name: str = ""
    email_addr: str = ""
    mobile_number: str = ""
    presence_status: str = ""
    online_status: dict[str, Device] = {}


class Extension(Detail, frozen=True, kw_only=True):
    """An extension. Passwords are never answered; give them to create and update."""

    number: str = ""
    type: str = "SIP"
    first_name: str = ""
    last_name: str = ""
    email_addr: str = ""
    mobile_number: str = ""
    title: str = ""
    role_id: int = 0
    caller_id: str = ""
    presence_status: str = "available"
    concurrent_registrations: int = 1
    ring_timeout: int = 30
    enb_vm: int = 1
    reg_name: str = ""


class ExtensionGroupRow(Row, frozen=True, kw_only=True):
    """An extension group in a list."""

    name: str = ""


class ExtensionGroup(Detail, frozen=True, kw_only=True):
    """An extension group."""

    name: str = ""
    member_list: tuple[Link, ...] = ()


class RingGroupRow(Row, frozen=True, kw_only=True):
    """A ring group in a list."""

    number: str = ""
    name: str = ""
    ring_strategy: str = ""
    ring_timeout: int = 0


class WithDestination(Detail, frozen=True, kw_only=True):
    """An object with destinations outside of `keys`."""

    @classmethod
    def gather(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        rest = dict(raw)
        for name in [name for name, kind in cls.__annotations__.items() if kind is Destination]:
            if name in raw:
                rest[name] = take(rest, name)
        return super().gather(rest)


class RingGroup(WithDestination, frozen=True, kw_only=True):
    """A ring group (P-Series: add-a-ring-group)."""

    number: str = ""
    name: str = ""
    ring_strategy: str = "ring_all"
    ring_timeout: int = 0
    join_prompt: str = ""
    play_full_join_prompt: int = 0
    member_list: tuple[Link, ...] = ()
    fail_dest: Destination = Destination()


class TrunkRow(Row, frozen=True, kw_only=True):
    """A trunk in a list."""

    name: str = ""
    type: str = ""
    enable: int = 0
    transport: str = ""
    hostname: str = ""
    port: int = 0


class Trunk(Detail, frozen=True, kw_only=True):
    """A trunk; its password is never answered."""

    name: str = ""
    type: str = ""
    enable: int = 1
    transport: str = "udp"
    hostname: str = ""
    port: int = 5060
    domain: str = ""
    username: str = ""
    auth_name: str = ""
    def_outbound_cid: str = ""
    max_calls: int = 0


class InboundRouteRow(Row, frozen=True, kw_only=True):
    """An inbound route in a list."""

    pos: int = 0
    name: str = ""
    did_option: str = ""
    did_pattern_list: tuple[Mapping[str, Any], ...] = ()
    def_dest: str = ""
    def_dest_prefix: str = ""
    def_dest_value: str = ""


class InboundRoute(WithDestination, frozen=True, kw_only=True):
    """An inbound route (P-Series: add-an-inbound-route)."""

    name: str = ""
    pos: int = 0
    alert_info: str = ""
    did_option: str = "patterns"
    did_pattern_list: tuple[Mapping[str, Any], ...] = ()
    cid_option: str = "patterns"
    cid_pattern_list: tuple[Mapping[str, Any], ...] = ()
    trunk_list: tuple[Link, ...] = ()
    def_dest: Destination = Destination()


class OutboundRouteRow(Row, frozen=True, kw_only=True):
    """An outbound route in a list."""

    pos: int = 0
    name: str = ""
    dial_pattern_list: tuple[Mapping[str, Any], ...] = ()
    max_calls: int = 0
    max_calls_per_hour: int = 0
    max_calls_per_caller: int = 0


class OutboundRoute(Detail, frozen=True, kw_only=True):
    """An outbound route. The three limits are OpenIVR's own."""

    name: str = ""
    pos: int = 0
    dial_pattern_list: tuple[Mapping[str, Any], ...] = ()
    trunk_list: tuple[Link, ...] = ()
    ext_list: tuple[Link, ...] = ()
    max_calls: int = 0
    max_calls_per_hour: int = 0
    max_calls_per_caller: int = 0


class CustomPromptRow(Row, frozen=True, kw_only=True):
    """A custom prompt in a list; `size` in bytes, `duration` in seconds."""

    name: str = ""
    type: str = ""
    format: str = ""
    size: int = 0
    duration: int = 0


class CustomPrompt(Detail, frozen=True, kw_only=True):
    """A custom prompt; its sound is had by download."""

    name: str = ""
    type: str = ""
    format: str = ""
    size: int = 0
    duration: int = 0


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an upload; `exist_type` is "" where there was no prompt of that name."""

    id: int = 0
    exist_type: str = ""


class Information(msgspec.Struct, frozen=True, kw_only=True):
    """What the server is, and its time (P-Series: query-pbx-information); `up_time` in seconds."""

    device_name: str = ""
    model_name: str = ""
    sn: str = ""
    firmware_version: str = ""
    system_time: str = ""
    up_time: int = 0
    system_date_format: str = ""
    system_time_format: str = ""
    timestamp: int = 0
