"""The page "What happens if someone calls": one call from the outside, led through the inbound routes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from openivr.clock import wall_ms
from openivr.ivr.analysis.diagram import make_node
from openivr.ivr.inbound_route import RoutingReason, RoutingStep, RuleEffect, RuleType
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot, Trunk
from openivr.ivr.number_rule import ANONYMOUS
from openivr.simulate.arrival import (
    RoutedCall,
    UnusableMoment,
    UnusableNumber,
    read_caller,
    read_moment,
    read_number,
    route_over,
    usual_trunks,
)
from openivr.simulate.simulation import Simulation
from openivr.simulate.words import routing_code
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.core.urls import resource_url
from openivr.web.menus.finding_labels import show_node
from openivr.web.menus.flow import url_of
from openivr.web.messages import t
from openivr.web.simulator.handset import describe_line

PATH = "/routes/what-if"
MAX_LINES = 40  # of a transcript
MAX_TRUNKS = 200  # that are offered
SIGNS = {RuleEffect.PASSES: "nowhere", RuleEffect.TAKES: "check", RuleEffect.REJECTS: "wrong"}


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in words, with its page. `effect` is that of the rule."""

    effect: str
    icon: str
    type_label: str
    name: str
    url: str
    sentence: str


@dataclass(frozen=True, slots=True)
class WhatIfResult:
    """The destination of a call over one trunk, or over several that do the same."""

    over: str
    destination: str  # in words, "" if the call is rejected
    url: str  # of the destination, "" if it has no page
    kind: str
    reason: str
    rules: tuple[RuleLine, ...]
    lines: tuple[dict[str, Any], ...]  # the transcript
    try_url: str  # "" if the call does not come to a menu


@dataclass(slots=True)
class WhatIfForm:
    """The form as it was filled in, and what is wrong with it by field."""

    called: str
    caller: str
    trunk: str
    at: str = ""  # local time of the default calendar, "": now
    problems: dict[str, str] = field(default_factory=dict)


async def what_if_page(request: PageRequest) -> Response:
    """The form, and below it what happens to the call that it describes."""
    form = WhatIfForm(
        request.query("called"), request.query("caller"), request.query("trunk"), request.query("at")
    )
    snapshot = await request.app.menus.current()
    is_asked = "called" in request.http.query_params
    results = await request.database.run_in_thread(answer, snapshot, form) if is_asked else []
    trunks = [*snapshot.trunks.values()][:MAX_TRUNKS]
    numbers = own_numbers(snapshot)
    return request.render(
        "what_if.html",
        status=422 if form.problems else 200,
        where="/routes",
        form=form,
        trunks=trunks,
        numbers=numbers,
        results=results,
        is_timed=snapshot.is_timed,
    )


def own_numbers(snapshot: IvrSnapshot) -> list[str]:
    """The called numbers that inbound routes name without wildcards, for the form to propose."""
    patterns = (pattern for route in snapshot.inbound_routes.values() for pattern in route.did_patterns)
    return [*dict.fromkeys(pattern for pattern in patterns if pattern.removeprefix("+").isdecimal())]


def answer(snapshot: IvrSnapshot, form: WhatIfForm) -> list[WhatIfResult]:
    """Return what happens to the call of a form. None if the form has problems, which are noted in it."""
    called = read_field(form, "called")
    caller = read_field(form, "caller")
    trunks, moment = choose_trunks(snapshot, form), choose_moment(snapshot, form)
    if form.problems:
        return []
    routed = route_over(snapshot, trunks, called, caller, moment)
    return [describe(snapshot, call, form.at) for call in routed]


def read_field(form: WhatIfForm, name: str) -> str:
    """Read one of the two numbers."""
    try:
        return read_number(form.called) if name == "called" else read_caller(form.caller)
    except UnusableNumber:
        form.problems[name] = t(f"what_if.problem_{name}")
        return ""


def choose_trunks(snapshot: IvrSnapshot, form: WhatIfForm) -> list[Trunk]:
    """The trunk of the form, or those that calls come over."""
    if not form.trunk:
        return usual_trunks(snapshot)
    trunk = snapshot.trunks.get(int(form.trunk)) if form.trunk.isdecimal() and len(form.trunk) < 10 else None
    if trunk is None:
        form.problems["trunk"] = t("what_if.problem_trunk")
    return [trunk] if trunk else []


def choose_moment(snapshot: IvrSnapshot, form: WhatIfForm) -> float:
    """The moment of the form in Unix seconds, or now."""
    try:
        return read_moment(snapshot, form.at) if form.at else wall_ms() / 1000
    except UnusableMoment:
        form.problems["at"] = t("what_if.problem_at")
        return 0


def describe(snapshot: IvrSnapshot, routed: RoutedCall, at: str) -> WhatIfResult:
    """A routing in words, with what the caller hears after it. `at` is the moment as it was filled in."""
    routing, names = routed.routing, [trunk.name for trunk in routed.trunks]
    destination = routing.destination
    simulation = Simulation(snapshot, start=int(routed.call.moment))
    simulation.receive(routed.call)
    simulation.finish()
    node = make_node(snapshot, destination) if destination else None
    return WhatIfResult(
        over=reduce(lambda first, second: t("what_if.and", first=first, second=second), names),
        destination=show_node(node) if node else "",
        url=url_of(node.id, node.kind) if node else "",
        kind=destination.kind.value if destination else "end_call",
        reason=explain(routing.decisive, is_taken=destination is not None),
        rules=tuple(describe_rules(routing.steps)),
        lines=tuple(describe_line(line) for line in simulation.lines[:MAX_LINES]) if destination else (),
        try_url=make_try_url(routed, destination, at),
    )


def explain(decisive: RoutingStep | None, *, is_taken: bool) -> str:
    """Why the call goes where it goes, in one sentence."""
    if decisive is None:
        return t("what_if.rejected_none")
    if decisive.rule is RuleType.BLOCK_NUMBERS:
        return t("what_if.by_blocked" if is_taken else "what_if.rejected_blocked", route=decisive.name)
    if is_taken:
        return t("what_if.by", route=decisive.name)
    if decisive.rule is RuleType.TRUNK:
        is_unknown = decisive.reason is RoutingReason.UNKNOWN
        return t("what_if.rejected_unknown" if is_unknown else "what_if.rejected_trunk")
    return t("what_if.rejected_route", route=decisive.name)


def describe_rules(steps: tuple[RoutingStep, ...]) -> Iterator[RuleLine]:
    """Each rule with what it says to the call."""
    for step in steps:
        is_open = step.rule is RuleType.TRUNK and step.effect is RuleEffect.PASSES
        yield RuleLine(
            step.effect.value,
            "check" if is_open else SIGNS[step.effect],
            t(f"rule.{step.rule}"),
            step.name,
            resource_url(step.rule.value, step.id),
            say_routing(step),
        )


def say_routing(step: RoutingStep) -> str:
    """Return what a rule says to a call. The pattern for withheld numbers is said in words."""
    params = {
        name: ", ".join(t("routing.anonymous") if part == ANONYMOUS else part for part in text.split(", "))
        for name, text in step.params.items()
    }
    return t(f"routing.{routing_code(step)}", **params) + say_period(step)


def say_period(step: RoutingStep) -> str:
    """The period that a step depends on, "" if it depends on none."""
    if not step.params.get("period"):
        return ""
    period, holiday = t(f"period.{step.params['period']}").lower(), step.params.get("holiday", "")
    return t("what_if.in_holiday" if holiday else "what_if.in_period", period=period, holiday=holiday)


def make_try_url(routed: RoutedCall, destination: Destination | None, at: str) -> str:
    """The simulator with this call filled in."""
    if destination is None or destination.kind is not DestinationKind.IVR:
        return ""
    query = {
        "trunk": routed.trunks[0].name,
        "called": routed.routing.called,
        "from": routed.call.caller,
        "at": at,
    }
    query = {name: value for name, value in query.items() if value or name != "at"}
    return f"/menus/{destination.target}/try?{urlencode(query)}"


ROUTES = (PageRoute(path=PATH, handle=what_if_page),)
