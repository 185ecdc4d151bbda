"""The configuration as the menu core sees it: one immutable `IvrSnapshot` per revision."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import starmap
from typing import Any

from sqlalchemy import Connection, select

from openivr.hours import reading
from openivr.hours.calendar import Calendar
from openivr.ivr import model
from openivr.ivr.number_format import NumberFormat, OutboundFormat
from openivr.resources import KINDS
from openivr.resources.contact import CONTACT_TYPES
from openivr.resources.destination import NOWHERE, OUTSIDE, PIN_LIST, PLAYS, TARGETS
from openivr.resources.import_remarks import restore_remark
from openivr.resources.pin_list import digits_of
from openivr.resources.presence import CONDITIONS, OWN_MAILBOX, rule_of
from openivr.resources.resource_type import Values
from openivr.store.config.calendars import KINDS_OF_HOURS, make_calendars
from openivr.store.config.hours_switch import SWITCHES, fetch_switches
from openivr.store.config.resources import fetch_all
from openivr.store.tables import REVISION

Link = Mapping[str, Any]
KEYS = {"hash": "#", "star": "*"}
LISTS = {
    model.ExtensionRule.ALLOW: "dial_ext_list",
    model.ExtensionRule.RESTRICT: "restrict_dial_ext_list",
}


def load_snapshot(connection: Connection) -> model.IvrSnapshot:
    """Everything that a call needs, at the revision that the connection sees."""
    return build(connection, [name for name in KINDS if name not in CONTACT_TYPES])


def load_without_menus(connection: Connection) -> model.IvrSnapshot:
    """Everything but the menus."""
    return build(connection, [name for name in KINDS if name not in {"ivr", *CONTACT_TYPES}])


def build(connection: Connection, names: Iterable[str]) -> model.IvrSnapshot:
    """Make a snapshot of what the connection sees of these kinds."""
    revision: int = connection.execute(select(REVISION.c.config)).scalar_one()
    kinds = {name: list(fetch_all(connection, KINDS[name])) for name in names}
    return make_snapshot(revision, {**kinds, SWITCHES: fetch_switches(connection).items()})


def make_snapshot(
    revision: int,
    kinds: Mapping[str, Collection[tuple[int, Values]]],
    makers: tuple[Callable[[int, Values], model.Ivr], Callable[[int, Values], model.Extension]] | None = None,
) -> model.IvrSnapshot:
    """Make a snapshot of the stored values of every type, by id. Menus can be missing.

    `makers` of menus and extensions can be caching ones, because there can be many.
    """
    make_ivr, make_extension = makers or (ivr, extension)
    groups = {id_: link_ids(values["member_list"], "extension") for id_, values in kinds["ext_group"]}
    calendars = make_calendars(kinds)
    return model.IvrSnapshot(
        revision=revision,
        ivrs=model.by_id(starmap(make_ivr, kinds.get("ivr", ()))),
        extensions=model.by_id(starmap(make_extension, kinds["extension"])),
        extension_groups=model.by_id(
            model.ExtensionGroup(id_, values["name"], frozenset(groups[id_]))
            for id_, values in kinds["ext_group"]
        ),
        ring_groups=model.by_id(ring_group(*pair, groups) for pair in kinds["ring_group"]),
        trunks=model.by_id(starmap(trunk, kinds["trunk"])),
        outbound_routes=model.by_id(outbound_route(*pair, groups) for pair in kinds["outbound_route"]),
        inbound_routes=model.by_id(starmap(inbound_route, kinds["inbound_route"])),
        block_rules=model.by_id(starmap(number_rule, kinds["block_numbers"])),
        allow_rules=model.by_id(starmap(number_rule, kinds["allow_numbers"])),
        pin_lists=model.by_id(starmap(pin_list, kinds["pin_list"])),
        prompts={
            v["name"]: model.Prompt(v["name"], v["duration"], v["loudness"])
            for _, v in kinds["custom_prompt"]
        },
        calendars=calendars,
        announcements=model.by_id(announcement(*pair, calendars) for pair in kinds.get("announcement", ())),
    )


def link_ids(links: Iterable[Link], kind: str) -> tuple[int, ...]:
    """The ids of those links that are of a kind, in their order."""
    return tuple(link["id"] for link in links if link["type"] == kind)


def trunk(id_: int, values: Values) -> model.Trunk:
    return model.Trunk(id_, values["name"], bool(values["enable"]), number_format(values))


def number_format(values: Values) -> NumberFormat:
    """Return how the network behind a trunk writes numbers."""
    return NumberFormat(
        values["country_code"], values["national_prefix"], OutboundFormat(values["outbound_number_format"])
    )


def ivr(id_: int, values: Values) -> model.Ivr:
    named = {KEYS.get(key, key): destination(value) for key, value in values["keys"].items()}
    return model.Ivr(
        id=id_,
        number=values["number"],
        name=values["name"],
        prompts=tuple(name for name in values["prompt"].split(",") if name),
        prompt_repeat=values["prompt_repeat"],
        resp_timeout=values["resp_timeout"],
        digit_timeout=values["digit_timeout"],
        max_invalid=values["max_invalid"],
        alert_info=values["alert_info"],
        policy=policy(values),
        keys={key: one for key, one in named.items() if one and key not in {"timeout", "invalid"}},
        timeout=named.get("timeout"),
        invalid=named.get("invalid"),
        by_period=keys_by_period(values),
        key_pins={
            KEYS.get(key, key): one[PIN_LIST] for key, one in values["keys"].items() if PIN_LIST in one
        },
        import_remarks=tuple(map(restore_remark, values["import_remarks"])),
    )


def keys_by_period(values: Values) -> dict[str, model.ByPeriod]:
    """Return the destinations of keys that depend on the period."""
    if not values["enb_time_condition"]:
        return {}
    for_all = values["time_condition_scope"] == "all_keys"
    return {
        KEYS.get(key, key): model.ByPeriod(
            values["timezone_id"] if for_all else value.get("timezone_id", 0),
            closed=destination(value.get("closed", NOWHERE)),
            holiday=destination(value.get("holiday", NOWHERE)),
        )
        for key, value in values["keys"].items()
        if for_all or value.get("timed")
    }


def policy(values: Values) -> model.DialPolicy:
    rule = model.ExtensionRule(values["dial_ext_option"])
    lists = {
        model.ExtensionRule.ALLOW: "dial_ext_list",
        model.ExtensionRule.RESTRICT: "restrict_dial_ext_list",
    }
    links = values[lists[rule]] if rule in lists else ()
    return model.DialPolicy(
        extensions=rule,
        extension_ids=frozenset(link_ids(links, "extension")),
        extension_group_ids=frozenset(link_ids(links, "ext_group")),
        call_numbers=bool(values["enb_dial_call_number"]),
        ring_group_ids=frozenset(link_ids(values["dial_call_number_list"], "ring_group")),
        outbound=bool(values["enb_dial_outb_routes"]),
        outbound_route_ids=link_ids(values["dial_outb_route_list"], "outbound_route"),
        check_voicemail=bool(values["enb_dial_check_vm"]),
    )


def destination(value: Mapping[str, str]) -> model.Destination | None:
    """Return a stored destination. None if there is none."""
    if value["dest"] in {"", "disabled"}:
        return None
    kind, text = model.DestinationKind(value["dest"]), value["value"]
    if kind in TARGETS:
        return model.Destination(kind, target=int(text))
    if kind in PLAYS:
        return model.Destination(kind, prompt=text, plays=int(value["prefix"]))
    if kind == OUTSIDE:
        return model.Destination(kind, number=text, prefix=value["prefix"])
    return model.Destination(kind)


def extension(id_: int, values: Values) -> model.Extension:
    setting = values["presence_list"].get(values["presence_status"], {})
    own = model.Destination(model.DestinationKind.VOICEMAIL, id_) if values["enb_vm"] else None
    return model.Extension(
        id=id_,
        number=values["number"],
        first_name=values["first_name"],
        last_name=values["last_name"],
        voicemail=bool(values["enb_vm"]),
        has_pin=bool(values["vm_pin"]),
        weak_pin=bool(values["weak_pin"]),
        ring_seconds=setting.get("ring_timeout") or values["ring_timeout"],
        do_not_disturb=values["presence_status"] == "do_not_disturb",
        may_switch_hours=bool(values["enb_switch_hours"]),
        has_hours_pin=bool(values["hours_pin"]),
        inside=forwarding(setting, "in", own),
        outside=forwarding(setting, "ex", own),
        mobile=mobile(setting, values["mobile_number"]),
    )


def forwarding(setting: Values, side: str, own: model.Destination | None) -> model.Forwarding:
    """Return where calls are forwarded. `own` is the mailbox of the extension, None if it has none."""
    if not setting:
        return model.Forwarding(busy=own, no_answer=own)
    to = {condition: rule_of(setting, f"{side}_{condition}") for condition in CONDITIONS}
    return model.Forwarding(
        **{condition: own if row == OWN_MAILBOX else destination(row) for condition, row in to.items()}
    )


def mobile(setting: Values, number: str) -> str:
    """Return the number that rings together with the phones, "" for none. `number` is the extension's."""
    if not setting.get("enb_ring_mobile"):
        return ""
    text: str = setting.get("mobile_number") or number
    digits = "".join(char for char in text if char.isdecimal() or char == "+")
    prefix: str = setting.get("mobile_prefix", "")
    return prefix + (digits.removeprefix("+") if prefix else digits)


def ring_group(id_: int, values: Values, groups: Mapping[int, tuple[int, ...]]) -> model.RingGroup:
    return model.RingGroup(
        id=id_,
        number=values["number"],
        name=values["name"],
        member_ids=tuple(dict.fromkeys(members(values["member_list"], groups))),
        strategy=model.RingStrategy(values["ring_strategy"]),
        ring_seconds=values["ring_timeout"],
        fail=destination(values["fail_dest"]),
        join_prompt=values["join_prompt"],
        play_full_join_prompt=bool(values["play_full_join_prompt"]),
    )


def members(links: Iterable[Link], groups: Mapping[int, tuple[int, ...]]) -> Iterator[int]:
    """Extensions in ringing order, groups in the place where they are named."""
    for link in links:
        yield from groups[link["id"]] if link["type"] == "ext_group" else (link["id"],)


def outbound_route(id_: int, values: Values, groups: Mapping[int, tuple[int, ...]]) -> model.OutboundRoute:
    return model.OutboundRoute(
        id=id_,
        name=values["name"],
        patterns=tuple(model.DialPattern(**row) for row in values["dial_pattern_list"]),
        trunk_ids=link_ids(values["trunk_list"], "trunk"),
        position=values["pos"],
        limits=model.Limits(
            simultaneous=values["max_calls"],
            per_hour=values["max_calls_per_hour"],
            per_caller_hour=values["max_calls_per_caller"],
        ),
        extension_ids=frozenset(members(values["ext_list"], groups)),
    )


def pin_list(id_: int, values: Values) -> model.PinList:
    digits = [digits_of(pin) for pin in values["pin_list"]]
    return model.PinList(id_, values["name"], len(digits), min(digits, default=0), max(digits, default=0))


def inbound_route(id_: int, values: Values) -> model.InboundRoute:
    return model.InboundRoute(
        id=id_,
        name=values["name"],
        destination=destination(values["def_dest"]),
        did_patterns=tuple(row["did_pattern"] for row in values["did_pattern_list"]),
        caller_patterns=tuple(row["cid_pattern"] for row in values["cid_pattern_list"]),
        trunk_ids=link_ids(values["trunk_list"], "trunk"),
        alert_info=values["alert_info"],
        position=values["pos"],
        enabled=values["def_dest"]["dest"] != "disabled",
        by_period=route_by_period(values),
    )


def route_by_period(values: Values) -> model.ByPeriod | None:
    """Return the destinations of a route that depend on the period."""
    if not values["enb_time_condition"]:
        return None
    return model.ByPeriod(
        values["timezone_id"],
        destination(values["office_time_dest"]),
        destination(values["outoffice_time_dest"]),
        destination(values["holiday_dest"]),
    )


def number_rule(id_: int, values: Values) -> model.NumberRule:
    return model.NumberRule(
        id=id_,
        name=values["name"],
        numbers=tuple(row["number"] for row in values["number_list"]),
        inbound=values["limit_type"] in {"inbound", "both"},
        outbound=values["limit_type"] in {"outbound", "both"},
        destination=destination(values["def_dest"]) if "def_dest" in values else None,
    )


def announcement(id_: int, values: Values, calendars: Mapping[int, Calendar]) -> model.Announcement:
    """Make an announcement. Its local times are those of its calendar."""
    clock = calendars[values["timezone_id"]].clock

    def moment(text: str) -> int:
        return int(reading.read_local(text).replace(tzinfo=clock).timestamp()) if text else 0

    return model.Announcement(
        id_,
        values["name"],
        values["prompt"],
        link_ids(values["before_list"], "ivr"),
        link_ids(values["before_list"], "inbound_route"),
        moment(values["begin_time"]),
        moment(values["end_time"]),
    )


def load_calendars(connection: Connection) -> Mapping[int, Calendar]:
    """Load the calendars alone, by id. 0 is the default one."""
    kinds = {name: list(fetch_all(connection, KINDS[name])) for name in KINDS_OF_HOURS}
    return make_calendars({**kinds, SWITCHES: fetch_switches(connection).items()})
