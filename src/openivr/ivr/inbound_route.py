"""Where a call from the outside goes: the first inbound route that fits (P-Series admin: inbound routes)."""

from openivr.ivr.digits import match_shape, parse_pattern
from openivr.ivr.model import Destination, InboundRoute, IvrSnapshot

ANONYMOUS = "anonymous"  # the caller pattern for calls that withhold their number


def find_inbound(snapshot: IvrSnapshot, trunk: int, called: str, caller: str) -> Destination | None:
    """Find the destination of a call over this trunk; None: no route takes it.

    Numbers are as the trunk delivers them; a leading "+" may be missing on either side.
    """
    for route in sorted(snapshot.inbound_routes.values(), key=lambda route: (route.position, route.id)):
        if route.enabled and takes(route, trunk, called, caller):
            return route.destination
    return None


def takes(route: InboundRoute, trunk: int, called: str, caller: str) -> bool:
    """Whether a route takes a call; an empty list fits everything."""
    if route.trunk_ids and trunk not in route.trunk_ids:
        return False
    return fits_any(route.did_patterns, called) and fits_any(route.caller_patterns, caller or ANONYMOUS)


def fits_any(patterns: tuple[str, ...], number: str) -> bool:
    """Whether a number fits one of these patterns, or there are none."""
    return not patterns or any(fits(pattern, number) for pattern in patterns)


def fits(pattern: str, number: str) -> bool:
    """Whether a number is, or fits, a pattern. A pattern that cannot be read is taken literally."""
    bare, plain = pattern.removeprefix("+"), number.removeprefix("+")
    if bare == plain:
        return True
    try:
        return match_shape(plain, parse_pattern(bare))[0]
    except ValueError:
        return False
