"""What a number means that somebody with an extension dials, or that a trunk brings: a pure function."""

from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.accounts import Account, Configuration
from openivr.menu.inbound import find_inbound
from openivr.menu.model import Destination, Kind
from openivr.menu.policy import VOICEMAIL_MAIN, attempts, is_number


@unique
class Unreachable(StrEnum):
    """Why a dialled number leads nowhere; the answer is 404 for all."""

    UNKNOWN = "nobody has this number"
    NO_ROUTE = "no inbound route takes this number"
    NOT_ALLOWED = "no outbound route that this extension may use takes this number"


@dataclass(frozen=True, slots=True)
class Way:
    """Where a dialled number leads. `route_ids`: the routes for an outside number, in order."""

    destination: Destination
    route_ids: tuple[int, ...] = ()


def leads_outside(way: Way | Unreachable) -> bool:
    """Whether the number dialled is somebody's outside, or may be: no log has those."""
    if isinstance(way, Unreachable):
        return way is not Unreachable.NO_ROUTE
    return way.destination.kind is Kind.EXTERNAL


def dial_inside(configuration: Configuration, account: Account, number: str) -> Way | Unreachable:
    """Where a number leads that a phone of this account dials.

    Numbers of the house first; the voicemail code; else the outside, over the routes that list the extension.
    """
    snapshot = configuration.snapshot
    owner = snapshot.numbers.get(number)
    if owner is not None:
        return Way(owner)
    if number == snapshot.voicemail_code:
        return Way(VOICEMAIL_MAIN)
    if not is_number(number.removeprefix("+")):
        return Unreachable.UNKNOWN
    routes = routes_for(configuration, account.extension)
    if next(attempts(snapshot, routes, number), None) is None:
        return Unreachable.NOT_ALLOWED
    return Way(Destination(Kind.EXTERNAL, number=number), routes)


def routes_for(configuration: Configuration, extension: int) -> tuple[int, ...]:
    """The outbound routes that an extension may use, in their order."""
    routes = configuration.snapshot.outbound_routes
    allowed = (routes[ident] for ident, users in configuration.outside.items() if extension in users)
    return tuple(route.id for route in sorted(allowed, key=lambda route: (route.position, route.id)))


def dial_in(configuration: Configuration, trunk: int, called: str, caller: str) -> Way | Unreachable:
    """Where a call leads that comes over a trunk."""
    destination = find_inbound(configuration.snapshot, trunk, called, caller)
    return Way(destination) if destination is not None else Unreachable.NO_ROUTE
