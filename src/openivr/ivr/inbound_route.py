"""Routing of a call from the outside: which rule decides where it goes, and why the others do not. Pure.

The rules are the trunk, the blocked numbers, then the inbound routes by position (P-Series admin: inbound
routes). Real calls stop at the first rule that decides. The simulator, the command `route` and the check look
at all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum, unique

from openivr.hours.period import PeriodDecision
from openivr.ivr.digits import match_shape, read_shape
from openivr.ivr.model import Destination, InboundRoute, IvrSnapshot, NumberRule
from openivr.ivr.number_format import AS_WRITTEN, NumberFormat
from openivr.ivr.number_rule import ANONYMOUS, find_allowing, index_of
from openivr.ivr.periods import announced, decide_period, lead


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call as a trunk delivers it. Numbers may have a leading "+"."""

    trunk: int  # id
    called: tuple[str, ...]  # spellings of the called number, in the order to look them up
    caller: str = ""  # number of the caller, "": withheld
    caller_name: str = ""
    diverted_by: str = ""  # number that diverted the call to the called number
    moment: float = 0.0  # of its arrival, in Unix seconds. 0: unknown, and routes lead where open hours do


@unique
class RuleType(StrEnum):
    """Types of rules that decide where an incoming call goes."""

    TRUNK = "trunk"
    BLOCK_NUMBERS = "block_numbers"
    INBOUND_ROUTE = "inbound_route"


@unique
class RuleEffect(StrEnum):
    """Effects of a rule on a call."""

    PASSES = "passes"  # the next rule is looked at
    TAKES = "takes"  # the call goes to the destination of the rule
    REJECTS = "rejects"


@unique
class RoutingReason(StrEnum):
    """Why a rule has its effect. `RoutingStep.params` has the values that belong to it."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    UNKNOWN = "unknown"  # the trunk does not exist
    MATCH = "match"  # `did`, `caller`: the patterns that fit, "" where there are none; `period`, `holiday`
    EARLIER = "earlier"  # it would take the call, but `rule` comes first, with that `effect`
    OTHER_TRUNK = "other_trunk"  # `trunks`: the ones of the route
    OTHER_NUMBER = "other_number"  # `patterns`
    OTHER_CALLER = "other_caller"  # `patterns`
    WITHHELD = "withheld"  # the route takes stated callers only; `patterns`
    NOT_LISTED = "not_listed"  # the caller is not among the blocked numbers
    LISTED = "listed"  # `pattern`: the blocked number or pattern, "anonymous" for withheld numbers
    ALLOWED = "allowed"  # `pattern` is blocked, but `rule` lets the caller through
    NO_DESTINATION = "no_destination"  # it takes the call, but leads nowhere


@dataclass(frozen=True, slots=True)
class RoutingStep:
    """A rule and what it does with a call."""

    rule: RuleType
    id: int
    name: str
    effect: RuleEffect
    reason: RoutingReason
    params: Mapping[str, str] = field(default_factory=dict)
    destination: Destination | None = None  # of a rule that takes the call
    decision: PeriodDecision | None = None  # of a rule that depends on the period
    announcements: tuple[str, ...] = ()  # prompts that are played before its destination for a time


@dataclass(frozen=True, slots=True)
class Routing:
    """The routing of a call: the rules in order, and the spelling of the called number that they matched.

    `decisive`: the rule that took or rejected the call. None: no rule did, so the call is rejected.
    """

    called: str
    steps: tuple[RoutingStep, ...]
    decisive: RoutingStep | None = None

    @property
    def destination(self) -> Destination | None:
        """Return where the call goes. None: it is rejected."""
        return self.decisive.destination if self.decisive else None

    @property
    def announcements(self) -> tuple[str, ...]:
        """Return the prompts that the decisive rule has played before its destination for a time."""
        return self.decisive.announcements if self.decisive else ()

    @property
    def decision(self) -> PeriodDecision | None:
        """Return the period that the decisive rule depends on."""
        return self.decisive.decision if self.decisive else None


def find_inbound(snapshot: IvrSnapshot, call: IncomingCall) -> Destination | None:
    """Return the destination of a call, by the first spelling that leads anywhere. None: it is rejected."""
    decisive = decide_inbound(snapshot, call)
    return decisive.destination if decisive else None


def decide_inbound(snapshot: IvrSnapshot, call: IncomingCall) -> RoutingStep | None:
    """Return the rule that takes or rejects a call. None: no rule does, so the call is rejected."""
    decided = [next(filter(is_decisive, examine(snapshot, call, called)), None) for called in call.called]
    return next((step for step in decided if step and step.destination), decided[0])


def explain_inbound(snapshot: IvrSnapshot, call: IncomingCall) -> Routing:
    """Return the destination of a call as `find_inbound` does, with what each rule says.

    If no spelling leads anywhere, the first one is explained.
    """
    routings = [_explain(snapshot, call, called) for called in call.called]
    return next((routing for routing in routings if routing.destination), routings[0])


def _explain(snapshot: IvrSnapshot, call: IncomingCall, called: str) -> Routing:
    steps: list[RoutingStep] = []
    decisive: RoutingStep | None = None
    for step in examine(snapshot, call, called):
        if decisive is None and is_decisive(step):
            decisive = step
        elif decisive and is_decisive(step):
            step = _overtaken(step, decisive)  # noqa: PLW2901 - the step as it counts
        steps.append(step)
    return Routing(called, tuple(steps), decisive)


def _overtaken(step: RoutingStep, decisive: RoutingStep) -> RoutingStep:
    params = {"rule": decisive.name, "effect": decisive.effect.value}
    return replace(
        step, effect=RuleEffect.PASSES, reason=RoutingReason.EARLIER, params=params, destination=None
    )


def is_decisive(step: RoutingStep) -> bool:
    """Return True if a step ends the routing of a call."""
    return step.effect is not RuleEffect.PASSES


def examine(snapshot: IvrSnapshot, call: IncomingCall, called: str) -> Iterator[RoutingStep]:
    """Yield what each rule says to a call by itself, in order. The first decisive one counts."""
    yield _examine_trunk(snapshot, call.trunk)
    for rule in snapshot.block_rules.values():
        if rule.inbound:
            yield _examine_blocked(snapshot, rule, caller_forms(snapshot, call))
    for route in in_order(snapshot):
        yield _examine_route(snapshot, route, call, called)


def in_order(snapshot: IvrSnapshot) -> list[InboundRoute]:
    """Return the inbound routes in the order in which calls come to them."""
    return sorted(snapshot.inbound_routes.values(), key=lambda route: (route.position, route.id))


def _examine_trunk(snapshot: IvrSnapshot, id_: int) -> RoutingStep:
    trunk = snapshot.trunks.get(id_)
    if trunk is None:
        return RoutingStep(RuleType.TRUNK, id_, "", RuleEffect.REJECTS, RoutingReason.UNKNOWN)
    if not trunk.enabled:
        return RoutingStep(RuleType.TRUNK, id_, trunk.name, RuleEffect.REJECTS, RoutingReason.DISABLED)
    return RoutingStep(RuleType.TRUNK, id_, trunk.name, RuleEffect.PASSES, RoutingReason.ENABLED)


def _examine_blocked(snapshot: IvrSnapshot, rule: NumberRule, callers: tuple[str, ...]) -> RoutingStep:
    type_, index = RuleType.BLOCK_NUMBERS, index_of(snapshot, rule)
    pattern = next(filter(None, map(index.find, callers)), None)
    if pattern is None:
        return RoutingStep(type_, rule.id, rule.name, RuleEffect.PASSES, RoutingReason.NOT_LISTED)
    found = (find_allowing(snapshot, caller, is_inbound=True) for caller in callers)
    allowing = next(filter(None, found), None)
    if allowing is not None:
        params = {"pattern": pattern, "rule": allowing.name}
        return RoutingStep(type_, rule.id, rule.name, RuleEffect.PASSES, RoutingReason.ALLOWED, params)
    effect = RuleEffect.TAKES if rule.destination else RuleEffect.REJECTS
    params = {"pattern": pattern}
    return RoutingStep(type_, rule.id, rule.name, effect, RoutingReason.LISTED, params, rule.destination)


def _examine_route(
    snapshot: IvrSnapshot, route: InboundRoute, call: IncomingCall, called: str
) -> RoutingStep:
    reason, params = _find_reason(snapshot, route, call, called)
    if reason is not RoutingReason.MATCH:
        return RoutingStep(RuleType.INBOUND_ROUTE, route.id, route.name, RuleEffect.PASSES, reason, params)
    destination, decision = route.destination, None
    if route.by_period:
        decision = decide_period(snapshot, route.by_period.calendar, call.moment)
        destination = lead(destination, route.by_period, decision)
        if decision:
            params = {**params, "period": decision.period, "holiday": decision.name}
    effect = RuleEffect.TAKES if destination else RuleEffect.REJECTS
    if destination is None:
        reason = RoutingReason.NO_DESTINATION
    prompts = announced(snapshot, route=route.id, moment=call.moment) if destination else ()
    return RoutingStep(
        RuleType.INBOUND_ROUTE, route.id, route.name, effect, reason, params, destination, decision, prompts
    )


def _find_reason(
    snapshot: IvrSnapshot, route: InboundRoute, call: IncomingCall, called: str
) -> tuple[RoutingReason, Mapping[str, str]]:
    """Return why a route takes a call or does not, with the values that belong to the reason."""
    if not route.enabled:
        return RoutingReason.DISABLED, {}
    if route.trunk_ids and call.trunk not in route.trunk_ids:
        names = [snapshot.trunks[id_].name for id_ in route.trunk_ids if id_ in snapshot.trunks]
        return RoutingReason.OTHER_TRUNK, {"trunks": ", ".join(names)}
    did = find_pattern(route.did_patterns, number_format_of(snapshot, call).forms(called))
    if did is None:
        return RoutingReason.OTHER_NUMBER, {"patterns": ", ".join(route.did_patterns)}
    caller = find_pattern(route.caller_patterns, caller_forms(snapshot, call))
    if caller is None:
        reason = RoutingReason.OTHER_CALLER if call.caller else RoutingReason.WITHHELD
        return reason, {"patterns": ", ".join(route.caller_patterns)}
    return RoutingReason.MATCH, {"did": did, "caller": caller}


def number_format_of(snapshot: IvrSnapshot, call: IncomingCall) -> NumberFormat:
    """Return how the trunk of a call writes numbers."""
    trunk = snapshot.trunks.get(call.trunk)
    return trunk.number_format if trunk else AS_WRITTEN


def caller_forms(snapshot: IvrSnapshot, call: IncomingCall) -> tuple[str, ...]:
    """Return the spellings of the caller's number."""
    return number_format_of(snapshot, call).forms(call.caller or ANONYMOUS)


def find_pattern(patterns: tuple[str, ...], numbers: tuple[str, ...]) -> str | None:
    """Return the first pattern that a form of a number fits, "" without patterns. None: it fits none."""
    if not patterns:
        return ""
    return next((pattern for pattern in patterns for number in numbers if fits(pattern, number)), None)


def fits(pattern: str, number: str) -> bool:
    """Return True if a number is, or fits, a pattern. A leading "+" may be missing on either side.

    A pattern that cannot be read is taken literally.
    """
    bare, plain = pattern.removeprefix("+"), number.removeprefix("+")
    if bare == plain:
        return True
    shape = read_shape(bare)
    return shape is not None and match_shape(plain, shape)[0]
