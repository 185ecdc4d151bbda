"""What a number means that somebody with an extension dials, or that a trunk brings: a pure function."""

from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.config.call_config import CallConfig, SipAccount
from openivr.ivr.inbound_route import find_inbound
from openivr.ivr.model import Destination, DestinationKind
from openivr.ivr.policy import VOICEMAIL_MAIN, attempts, is_number


@unique
class NoMatch(StrEnum):
    """Why a dialled number leads nowhere; the answer is 404 for all."""

    UNKNOWN = "nobody has this number"
    NO_ROUTE = "no inbound route takes this number"
    NOT_ALLOWED = "no outbound route that this extension may use takes this number"


@dataclass(frozen=True, slots=True)
class DialplanMatch:
    """Where a dialled number leads. `route_ids`: the routes for an outside number, in order."""

    destination: Destination
    route_ids: tuple[int, ...] = ()


def leads_outside(way: DialplanMatch | NoMatch) -> bool:
    """Whether the number dialled is somebody's outside, or may be: no log has those."""
    if isinstance(way, NoMatch):
        return way is not NoMatch.NO_ROUTE
    return way.destination.kind is DestinationKind.EXTERNAL


def dial_inside(configuration: CallConfig, account: SipAccount, number: str) -> DialplanMatch | NoMatch:
    """Where a number leads that a phone of this account dials.

    Numbers of the house first; the voicemail code; else the outside, over the routes that list the extension.
    """
    snapshot = configuration.snapshot
    owner = snapshot.numbers.get(number)
    if owner is not None:
        return DialplanMatch(owner)
    if number == snapshot.voicemail_code:
        return DialplanMatch(VOICEMAIL_MAIN)
    if not is_number(number.removeprefix("+")):
        return NoMatch.UNKNOWN
    routes = routes_for(configuration, account.extension)
    if next(attempts(snapshot, routes, number), None) is None:
        return NoMatch.NOT_ALLOWED
    return DialplanMatch(Destination(DestinationKind.EXTERNAL, number=number), routes)


def routes_for(configuration: CallConfig, extension: int) -> tuple[int, ...]:
    """The outbound routes that an extension may use, in their order."""
    routes = configuration.snapshot.outbound_routes
    allowed = (routes[ident] for ident, users in configuration.outside.items() if extension in users)
    return tuple(route.id for route in sorted(allowed, key=lambda route: (route.position, route.id)))


def dial_in(configuration: CallConfig, trunk: int, called: str, caller: str) -> DialplanMatch | NoMatch:
    """Where a call leads that comes over a trunk."""
    destination = find_inbound(configuration.snapshot, trunk, called, caller)
    return DialplanMatch(destination) if destination is not None else NoMatch.NO_ROUTE
