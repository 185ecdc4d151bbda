"""The dialplan: where a number leads that a phone dials or a trunk delivers. Pure."""

from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.cdr.journal.entries import CallEndReason
from openivr.config.call_config import CallConfig, SipAccount
from openivr.hours.period import PeriodDecision
from openivr.ivr.call_state import NO_DESTINATION
from openivr.ivr.hours_code import NO_REQUEST, HoursRequest, find_request
from openivr.ivr.inbound_route import IncomingCall, RuleType, decide_inbound
from openivr.ivr.model import Destination, DestinationKind
from openivr.ivr.policy import attempts, find_internal, is_blocked_outside, is_number


@unique
class NoMatch(StrEnum):
    """Reasons why a number leads nowhere, and the final response for each."""

    UNKNOWN = CallEndReason.UNKNOWN_NUMBER.value
    NO_ROUTE = CallEndReason.NO_INBOUND_ROUTE.value
    NOT_ALLOWED = CallEndReason.NO_OUTBOUND_ROUTE.value
    CALLER_BLOCKED = CallEndReason.CALLER_BLOCKED.value
    NUMBER_BLOCKED = CallEndReason.NUMBER_BLOCKED.value

    @property
    def reason(self) -> CallEndReason:
        """Return the code for the record of the call."""
        return CallEndReason(self.value)

    @property
    def status(self) -> int:
        """Return the status of the response: 603 (Decline) to who is blocked, 404 to others."""
        return 603 if self is NoMatch.CALLER_BLOCKED else 403 if self is NoMatch.NUMBER_BLOCKED else 404


@dataclass(frozen=True, slots=True)
class DialplanMatch:
    """Destination of a number. `route_ids`: the outbound routes for an outside number, in order.

    `decision` is the period by which an inbound route chose it, if it has a time condition.
    """

    destination: Destination
    route_ids: tuple[int, ...] = ()
    decision: PeriodDecision | None = None
    alert_info: str = ""  # of the inbound route, for phones that the call rings
    announcements: tuple[str, ...] = ()  # prompts that the inbound route has played for a time
    hours: HoursRequest = NO_REQUEST  # of a feature code for business hours


def leads_outside(match: DialplanMatch | NoMatch) -> bool:
    """Return True if the dialled number is or may be an outside number, which must not be logged."""
    if isinstance(match, NoMatch):
        return match not in (NoMatch.NO_ROUTE, NoMatch.CALLER_BLOCKED)
    return match.destination.kind is DestinationKind.EXTERNAL


def dial_from_phone(config: CallConfig, account: SipAccount, number: str) -> DialplanMatch | NoMatch:
    """Look up a number that a phone dials.

    Internal numbers come first, then feature codes, then the outbound routes that list the extension.
    """
    snapshot = config.snapshot
    destination = find_internal(snapshot, number)
    if destination is not None:
        return DialplanMatch(destination)
    if request := find_request(snapshot, account.extension, number):
        return DialplanMatch(NO_DESTINATION, hours=request)
    if not is_number(number.removeprefix("+")):
        return NoMatch.UNKNOWN
    routes = routes_for(config, account.extension)
    if is_blocked_outside(snapshot, routes, number):
        return NoMatch.NUMBER_BLOCKED
    if next(attempts(snapshot, routes, number), None) is None:
        return NoMatch.NOT_ALLOWED
    return DialplanMatch(Destination(DestinationKind.EXTERNAL, number=number), routes)


def routes_for(config: CallConfig, extension: int) -> tuple[int, ...]:
    """Return the outbound routes that an extension may use, in their order."""
    routes = config.snapshot.outbound_routes
    allowed = (routes[id_] for id_, users in config.outside.items() if extension in users)
    return tuple(route.id for route in sorted(allowed, key=lambda route: (route.position, route.id)))


def dial_from_trunk(config: CallConfig, call: IncomingCall) -> DialplanMatch | NoMatch:
    """Look up where a call goes that a trunk delivers."""
    step = decide_inbound(config.snapshot, call)
    if step is not None and step.destination is not None:
        route = config.snapshot.inbound_routes.get(step.id) if step.rule is RuleType.INBOUND_ROUTE else None
        alert_info = route.alert_info if route else ""
        return DialplanMatch(
            step.destination,
            decision=step.decision,
            alert_info=alert_info,
            announcements=step.announcements,
        )
    is_blocked_caller = step is not None and step.rule is RuleType.BLOCK_NUMBERS
    return NoMatch.CALLER_BLOCKED if is_blocked_caller else NoMatch.NO_ROUTE
