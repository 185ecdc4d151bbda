"""The probe of a moment: the period, the destinations of inbound routes, and the menus as they are then."""

from collections.abc import Iterator
from dataclasses import dataclass

from openivr.hours.calendar import PeriodKind
from openivr.hours.period import PeriodDecision
from openivr.ivr.analysis.diagram import make_node
from openivr.ivr.inbound_route import in_order
from openivr.ivr.model import Destination, InboundRoute, IvrSnapshot
from openivr.ivr.periods import announcements, decide_period, lead
from openivr.web.core.office_now import say_reason
from openivr.web.core.urls import resource_url
from openivr.web.menus.finding_labels import show_node
from openivr.web.menus.flow import url_of
from openivr.web.messages import t

MAX_ROUTES, MAX_MENUS = 50, 50  # that are listed


@dataclass(frozen=True, slots=True)
class RouteThen:
    """An inbound route at a moment: where it leads (`kind` as icons have it) and why."""

    name: str
    url: str
    kind: str
    destination: str
    destination_url: str
    reason: str  # "" if it does not depend on the period
    prompts: str  # played before, "" for none


@dataclass(frozen=True, slots=True)
class MenuThen:
    """A menu whose keys depend on the period, with the page that shows it as it is then."""

    label: str
    url: str
    periods: str


@dataclass(frozen=True, slots=True)
class Then:
    """The state of a moment. `more` counts the routes and menus that are not listed."""

    routes: tuple[RouteThen, ...]
    menus: tuple[MenuThen, ...]
    more: int


def look_at(snapshot: IvrSnapshot, moment: float) -> Then:
    """Return where routes lead at a moment, in the order of their positions, and what menus are like."""
    routes = [route for route in in_order(snapshot) if route.enabled]
    menus = [ivr.id for ivr in snapshot.ivrs.values() if ivr.by_period]
    return Then(
        tuple(route_then(snapshot, route, moment) for route in routes[:MAX_ROUTES]),
        tuple(menu_then(snapshot, id_, moment) for id_ in menus[:MAX_MENUS]),
        max(0, len(routes) - MAX_ROUTES) + max(0, len(menus) - MAX_MENUS),
    )


def route_then(snapshot: IvrSnapshot, route: InboundRoute, moment: float) -> RouteThen:
    by = route.by_period
    decision = decide_period(snapshot, by.calendar, moment) if by else None
    to = lead(route.destination, by, decision) if by else route.destination
    kind, words, url = show_destination(snapshot, to)
    url_of_route = resource_url("inbound_route", route.id)
    prompts = ", ".join(announcements(decision))
    return RouteThen(route.name, url_of_route, kind, words, url, say_period(decision), prompts)


def show_destination(snapshot: IvrSnapshot, to: Destination | None) -> tuple[str, str, str]:
    """Return the kind of a destination, its words and its page."""
    if to is None:
        return "end_call", t("hours.rejected"), ""
    node = make_node(snapshot, to)
    return node.kind.value, show_node(node), url_of(node.id, node.kind)


def say_period(decision: PeriodDecision | None) -> str:
    """Return a period and its reason, "" for none."""
    if decision is None:
        return ""
    return t("hours.because", period=t(f"period.{decision.period}").lower(), reason=say_reason(decision))


def menu_then(snapshot: IvrSnapshot, id_: int, moment: float) -> MenuThen:
    ivr = snapshot.ivrs[id_]
    calendars = dict.fromkeys(by.calendar for by in ivr.by_period.values())
    kinds = [*dict.fromkeys(periods_of(snapshot, calendars, moment))]
    shown = kinds[0] if kinds else PeriodKind.OPEN
    shown = PeriodKind.OPEN if shown is PeriodKind.BREAK else shown
    words = ", ".join(t(f"period.{kind}").lower() for kind in kinds)
    return MenuThen(f"{ivr.number} {ivr.name}", f"{resource_url('ivr', id_)}?period={shown}", words)


def periods_of(snapshot: IvrSnapshot, calendars: dict[int, None], moment: float) -> Iterator[PeriodKind]:
    for calendar in calendars:
        decision = decide_period(snapshot, calendar, moment)
        if decision:
            yield decision.period
