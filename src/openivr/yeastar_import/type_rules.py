"""Rules for whole objects of a type. A permission that cannot be imported is switched off."""

from collections.abc import Callable, Mapping
from typing import Any

from openivr.client.model_types import Detail, Link
from openivr.client.models import InboundRoute
from openivr.yeastar_import.remarks import Remark, adapted, lost

Fields = dict[str, Any]
Rule = Callable[[Fields, Detail, Fields, str], list[Remark]]
RING_SECONDS = 30

# What stands for fields that a server does not send.
FALLBACKS: Mapping[str, Fields] = {
    "extension": {"type": "SIP", "presence_status": "available", "concurrent_registrations": 1},
    "ring_group": {"ring_strategy": "ring_all"},
    "trunk": {"type": "peer"},
    "ivr": {
        "prompt": "default",
        "prompt_repeat": 3,
        "resp_timeout": 5,
        "digit_timeout": 5,
        "dial_ext_option": "disable",
    },
}


def extension(entry: Fields, _detail: Detail, _here: Fields, _about: str) -> list[Remark]:
    entry["reg_name"] = entry.get("reg_name") or entry.get("number", "")
    return []


def ring_group(entry: Fields, _detail: Detail, _here: Fields, about: str) -> list[Remark]:
    if not entry.get("name"):
        entry["name"] = entry.get("number", "")
    if entry.get("ring_timeout"):
        return []
    entry["ring_timeout"] = RING_SECONDS
    return [adapted(about, f"rings for {RING_SECONDS} s before it moves on")]


def trunk(entry: Fields, _detail: Detail, here: Fields, about: str) -> list[Remark]:
    """Two servers must not register the same account, and the password cannot be read anyway."""
    entry.pop("enable", None)
    if here:
        if "enable" in here:
            entry["enable"] = here["enable"]
        return []
    entry["enable"] = 0
    return [adapted(about, "came over switched off: set its password here, then switch it on")]


def ivr(entry: Fields, _detail: Detail, _here: Fields, about: str) -> list[Remark]:
    """A permission whose list did not come over is none."""
    remarks = []
    entry["name"] = entry.get("name") or entry.get("number", "")
    needed = {"allow": "dial_ext_list", "restrict": "restrict_dial_ext_list"}
    name = needed.get(str(entry.get("dial_ext_option")))
    if name and not entry.get(name):
        remarks.append(adapted(about, f"dialling extensions is switched off: {name} is empty"))
        entry["dial_ext_option"] = "disable"
    if str(entry.get("enb_dial_outb_routes", 0)) != "0" and not entry.get("dial_outb_route_list"):
        remarks.append(adapted(about, "dialling outside is switched off: no route of its list came over"))
        entry["enb_dial_outb_routes"] = 0
    return remarks


def inbound_route(entry: Fields, detail: Detail, _here: Fields, about: str) -> list[Remark]:
    """A route without its conditions would take every call."""
    if not isinstance(detail, InboundRoute):
        return []
    has_lost = (
        detail.did_option not in {"", "patterns"}
        or detail.cid_option not in {"", "patterns"}
        or (detail.did_pattern_list and not entry.get("did_pattern_list"))
        or (detail.cid_pattern_list and not entry.get("cid_pattern_list"))
        or (detail.trunk_list and not entry.get("trunk_list"))
        or (detail.enb_time_condition and detail.timezone_id and not entry.get("timezone_id"))
    )
    if has_lost or not entry.get("def_dest"):
        entry["def_dest"] = "disabled"
        return [lost(about, "is switched off: its conditions or its destination cannot be kept")]
    return []


def outbound_route(entry: Fields, detail: Detail, _here: Fields, about: str) -> list[Remark]:
    """Return a route. If its extensions are unknown, no extension may use it."""
    listed: tuple[Link, ...] = getattr(detail, "ext_list", ())
    if listed and not entry.get("ext_list"):
        entry["dial_pattern_list"] = []
        return [lost(about, "takes no number: nobody who may use it came over")]
    return []


RULES: Mapping[str, Rule] = {
    "extension": extension,
    "ring_group": ring_group,
    "trunk": trunk,
    "ivr": ivr,
    "inbound_route": inbound_route,
    "outbound_route": outbound_route,
}
