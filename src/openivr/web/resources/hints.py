"""What a form says about an object beside its fields: who reaches it, and how a phone is set up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from openivr.resources import KINDS
from openivr.resources.resource_type import Values
from openivr.store.config import resources
from openivr.store.runtime import registrations
from openivr.web.core.templates import clock
from openivr.web.messages import t
from openivr.web.resources.pattern_labels import is_wide

MAX_MENUS = 5  # that are named


@dataclass(frozen=True, slots=True)
class Hint:
    """Sentences under a title, which is the key of its words."""

    title: str
    sentences: tuple[str, ...]
    is_warning: bool = False


def find_notes(connection: Connection, kind: str, ident: int | None) -> list[Hint]:
    """What there is to say of an object as it is kept; nothing of a new one."""
    if ident is None or kind not in WRITERS:
        return []
    values = resources.fetch(connection, KINDS[kind], ident)
    return [write(connection, ident, values) for write in WRITERS[kind]]


def tell_strangers(connection: Connection, ident: int, values: Values) -> Hint:
    """Which callers of a menu can dial outside over a route: whoever calls in could."""
    users = resources.users(connection, KINDS["outbound_route"], ident)
    menus = [user.label for user in users if user.kind == "ivr"]
    if not menus:
        return Hint("note.strangers", (t("note.no_menu"),))
    if not values["dial_pattern_list"]:
        return Hint("note.strangers", (t("note.no_pattern"),))
    named = ", ".join(menus[:MAX_MENUS]) + (" …" if len(menus) > MAX_MENUS else "")
    told = [
        t("note.menus", count=len(menus), menus=named),
        t(
            "note.limits",
            calls=values["max_calls"],
            hour=values["max_calls_per_hour"],
            caller=values["max_calls_per_caller"],
        ),
    ]
    if any(is_wide(row["pattern"]) for row in values["dial_pattern_list"]):
        told.append(t("note.wide"))
    return Hint("note.strangers", tuple(told), is_warning=True)


def tell_phones(connection: Connection, ident: int, _values: Values) -> Hint:
    """Which phones are registered, as what they call themselves."""
    told = []
    for phone in registrations.list_registrations(connection, ident):
        name, until = phone.data.get("user_agent") or phone.contact, clock(phone.expires, "%H:%M")
        told.append(t("note.registered", name=name, until=until))
    return Hint("note.phones", tuple(told) or (t("note.no_phone"),))


def tell_setup(_connection: Connection, _ident: int, values: Values) -> Hint:
    """What to put into a phone."""
    user = t("note.phone_user", user=values["reg_name"])
    return Hint("note.phone", (user, t("note.phone_server"), t("note.phone_password")))


def tell_trunk(connection: Connection, ident: int, values: Values) -> Hint:
    """How a trunk is, seen from each node, and since when."""
    if not values["enable"]:
        return Hint("note.trunk", (t("note.trunk_off"),))
    found = [state for state in registrations.list_trunks(connection) if state.trunk_id == ident]
    told = []
    for one in found:
        since = clock(one.since // 1000, "%Y-%m-%d %H:%M")
        told.append(t("note.trunk_is", state=t(f"state.{one.state}"), since=since))
        if one.detail:
            told.append(one.detail)
    is_down = any(one.state == "down" for one in found)
    return Hint("note.trunk", tuple(told) or (t("note.trunk_unknown"),), is_down)


WRITERS: Mapping[str, tuple[Callable[[Connection, int, Values], Hint], ...]] = {
    "outbound_route": (tell_strangers,),
    "extension": (tell_phones, tell_setup),
    "trunk": (tell_trunk,),
}
