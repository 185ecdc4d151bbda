"""What a form says about an object beside its fields: who reaches it, and how a phone is set up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from openivr.objects import KINDS
from openivr.objects.kind import Values
from openivr.store import objects
from openivr.web.patterns import is_wide
from openivr.web.words import say

MOST_MENUS = 5  # that are named


@dataclass(frozen=True, slots=True)
class Note:
    """Sentences under a title, which is the key of its words."""

    title: str
    sentences: tuple[str, ...]
    is_warning: bool = False


def find_notes(connection: Connection, kind: str, ident: int | None) -> list[Note]:
    """What there is to say of an object as it is kept; nothing of a new one."""
    if ident is None or kind not in WRITERS:
        return []
    return [WRITERS[kind](connection, ident, objects.fetch(connection, KINDS[kind], ident))]


def tell_strangers(connection: Connection, ident: int, values: Values) -> Note:
    """Which callers of a menu can dial outside over a route: whoever calls in could."""
    users = objects.users(connection, KINDS["outbound_route"], ident)
    menus = [user.label for user in users if user.kind == "ivr"]
    if not menus:
        return Note("note.strangers", (say("note.no_menu"),))
    if not values["dial_pattern_list"]:
        return Note("note.strangers", (say("note.no_pattern"),))
    named = ", ".join(menus[:MOST_MENUS]) + (" …" if len(menus) > MOST_MENUS else "")
    told = [
        say("note.menus", count=len(menus), menus=named),
        say(
            "note.limits",
            calls=values["max_calls"],
            hour=values["max_calls_per_hour"],
            caller=values["max_calls_per_caller"],
        ),
    ]
    if any(is_wide(row["pattern"]) for row in values["dial_pattern_list"]):
        told.append(say("note.wide"))
    return Note("note.strangers", tuple(told), is_warning=True)


def tell_phone(_connection: Connection, _ident: int, values: Values) -> Note:
    """What to put into a phone."""
    user = say("note.phone_user", user=values["reg_name"])
    return Note("note.phone", (user, say("note.phone_server"), say("note.phone_password")))


WRITERS: Mapping[str, Callable[[Connection, int, Values], Note]] = {
    "outbound_route": tell_strangers,
    "extension": tell_phone,
}
