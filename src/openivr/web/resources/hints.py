"""Hints beside a form: who can dial over a route, the phones of a person, the state of a trunk."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from openivr.resources import KINDS
from openivr.resources.resource_type import Values
from openivr.store.cdr.call_records import last_over_trunk
from openivr.store.config import resources
from openivr.store.config.ivr_snapshot import announcement, load_calendars
from openivr.store.events import webhook_queue
from openivr.store.runtime import registrations
from openivr.web.core.notices import find_notices
from openivr.web.core.templates import clock
from openivr.web.messages import t, t_code
from openivr.web.resources.pattern_labels import is_wide

MAX_MENUS = 5  # that a hint names
MAX_TRUNKS = 100  # whose calls are looked for


@dataclass(frozen=True, slots=True)
class Hint:
    """Sentences under a title, which is a key of `messages`."""

    title: str
    sentences: tuple[str, ...]
    is_warning: bool = False


def find_hints(connection: Connection, kind: str, id_: int) -> list[Hint]:
    """The hints about a stored resource."""
    if kind not in WRITERS:
        return []
    values = resources.fetch(connection, KINDS[kind], id_)
    hints = (write(connection, id_, values) for write in WRITERS[kind])
    return [hint for hint in hints if hint is not None]


def describe_outside_dialling(connection: Connection, id_: int, values: Values) -> Hint:
    """The menus whose callers can dial outside over a route."""
    users = resources.users(connection, KINDS["outbound_route"], id_)
    menus = [user.label for user in users if user.kind == "ivr"]
    if not menus:
        return Hint("note.strangers", (t("note.no_menu"),))
    if not values["dial_pattern_list"]:
        return Hint("note.strangers", (t("note.no_pattern"),))
    named = ", ".join(menus[:MAX_MENUS]) + (" …" if len(menus) > MAX_MENUS else "")
    sentences = [
        t("note.menus", count=len(menus), menus=named),
        t(
            "note.limits",
            calls=values["max_calls"],
            hour=values["max_calls_per_hour"],
            caller=values["max_calls_per_caller"],
        ),
    ]
    if any(is_wide(row["pattern"]) for row in values["dial_pattern_list"]):
        sentences.append(t("note.wide"))
    return Hint("note.strangers", tuple(sentences), is_warning=True)


def describe_phones(connection: Connection, id_: int, _values: Values) -> Hint:
    """The registered phones by their User-Agent."""
    sentences = []
    for phone in registrations.list_registrations(connection, id_):
        name, until = phone.data.get("user_agent") or phone.contact, clock(phone.expires, "%H:%M")
        sentences.append(t("note.registered", name=name, until=until))
    return Hint("note.phones", tuple(sentences) or (t("note.no_phone"),))


def describe_trunk(connection: Connection, id_: int, values: Values) -> Hint:
    """The state of a trunk on each node, and since when."""
    if not values["enable"]:
        return Hint("note.trunk", (t("note.trunk_off"),))
    states = [state for state in registrations.list_trunks(connection) if state.trunk_id == id_]
    sentences = []
    for state in states:
        since = clock(state.since // 1000, "%Y-%m-%d %H:%M")
        sentences.append(t("note.trunk_is", state=t(f"state.{state.state}"), since=since))
        if state.answer:
            sentences.append(t("trunk_reason.answer", answer=state.answer))
        elif state.detail:
            sentences.append(t_code("trunk_reason", state.detail))
    is_down = any(state.state == "down" for state in states)
    return Hint("note.trunk", tuple(sentences) or (t("note.trunk_unknown"),), is_down)


def describe_announcements(connection: Connection, id_: int, _values: Values) -> Hint:
    """The announcements that callers of an inbound route hear first."""
    calendars = load_calendars(connection)
    rows = [announcement(*row, calendars) for row in resources.fetch_all(connection, KINDS["announcement"])]
    own = [row for row in rows if id_ in row.inbound_route_ids]
    sentences = [notice.text for notice in find_notices(calendars[0], own, int(time.time()))]
    return Hint("notice.title", tuple(sentences) or (t("notice.none"),), bool(sentences))


def describe_deliveries(connection: Connection, id_: int, values: Values) -> Hint:
    """What a webhook has got, what waits and what was given up."""
    if not values["enable"]:
        return Hint("webhook.state_title", (t("webhook.off"),))
    status = webhook_queue.read_status(connection, id_)
    sentences = []
    if status.delivered_at is not None:
        sentences.append(t("webhook.delivered", at=clock(status.delivered_at // 1000, "%Y-%m-%d %H:%M")))
    if status.failed_at is not None and status.is_failing:
        at = clock(status.failed_at // 1000, "%Y-%m-%d %H:%M")
        sentences.append(t("webhook.failed", at=at, failure=failure_words(status.failure)))
    if not sentences:
        sentences.append(t("webhook.none"))
    if status.waiting:
        sentences.append(t("webhook.waiting", count=status.waiting))
    if status.dead:
        sentences.append(t("webhook.dead", count=status.dead))
    if status.missed:
        sentences.append(t("webhook.missed", count=status.missed))
    return Hint("webhook.state_title", tuple(sentences), status.is_failing)


def failure_words(failure: str) -> str:
    """Why an event was not accepted, in words."""
    code, _, detail = failure.partition(" ")
    return t("webhook_failure.answer", status=detail) if code == "answer" else t_code("webhook_failure", code)


def describe_arrivals(connection: Connection, trunk_ids: Iterable[int]) -> Hint | None:
    """The number of the last call over each trunk, as the provider sent it. None if there was no call."""
    calls = (last_over_trunk(connection, trunk_id) for trunk_id in list(trunk_ids)[:MAX_TRUNKS])
    sentences = []
    for started, number, trunk in sorted(filter(None, calls), reverse=True)[:MAX_MENUS]:
        at = clock(started // 1000, "%Y-%m-%d %H:%M")
        sentences.append(t("note.arrival", trunk=trunk, number=number, at=at))
    return Hint("note.arrivals", tuple(sentences)) if sentences else None


def describe_trunk_arrivals(connection: Connection, id_: int, _values: Values) -> Hint | None:
    """The number of the last call over a trunk."""
    return describe_arrivals(connection, [id_])


def describe_route_arrivals(connection: Connection, _id: int, values: Values) -> Hint | None:
    """The numbers of the last calls over the trunks of an inbound route."""
    return describe_arrivals(connection, trunks_of(connection, values))


def trunks_of(connection: Connection, values: Values) -> list[int]:
    """The trunks of an inbound route: those that it names, or all."""
    named = [int(link["id"]) for link in values["trunk_list"]]
    return named or [id_ for id_, _ in resources.fetch_all(connection, KINDS["trunk"])]


def find_new_hints(connection: Connection, kind: str) -> list[Hint]:
    """The hints beside the form of a new resource."""
    hint = describe_route_arrivals(connection, 0, {"trunk_list": []}) if kind == "inbound_route" else None
    return [hint] if hint else []


WRITERS: Mapping[str, tuple[Callable[[Connection, int, Values], Hint | None], ...]] = {
    "outbound_route": (describe_outside_dialling,),
    "extension": (describe_phones,),
    "trunk": (describe_trunk, describe_trunk_arrivals),
    "inbound_route": (describe_route_arrivals, describe_announcements),
    "webhook": (describe_deliveries,),
}
