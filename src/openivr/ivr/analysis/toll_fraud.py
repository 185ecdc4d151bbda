"""Who can call outside through a menu, by which keys, over which lines: the toll-fraud report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openivr.ivr.analysis.graph import PathStep, Place
from openivr.ivr.analysis.labels import show_ivr, show_list, show_way
from openivr.ivr.analysis.rules import Finding, finding
from openivr.ivr.digits import parse_pattern
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Ivr,
    IvrSnapshot,
    OutboundRoute,
    Trunk,
)
from openivr.ivr.policy import attempts, configured, usable_routes


@dataclass(frozen=True, slots=True)
class TollLine:
    """A route that callers of a menu may use, and its trunks."""

    route: OutboundRoute
    trunks: tuple[Trunk, ...]

    @property
    def works(self) -> bool:
        """Whether a call over it could get out as things are."""
        return any(trunk.enabled for trunk in self.trunks)


def lines(snapshot: IvrSnapshot, policy: DialPolicy) -> tuple[TollLine, ...]:
    """List the lines to the outside that a policy opens to callers, in the order in which they are tried."""
    found = []
    for route in usable_routes(snapshot, policy.outbound_route_ids if policy.outbound else ()):
        trunks = tuple(snapshot.trunks[ident] for ident in route.trunk_ids if ident in snapshot.trunks)
        if trunks and any(readable(pattern) for pattern in route.patterns):
            found.append(TollLine(route, trunks))
    return tuple(found)


def readable(pattern: DialPattern) -> bool:
    """Whether a pattern allows any number at all."""
    try:
        parse_pattern(pattern.pattern)
    except ValueError:
        return False
    return True


def check_outside(snapshot: IvrSnapshot, ivr: Ivr, ways: Mapping[Place, PathStep]) -> Iterator[Finding]:
    """Tell what callers of a menu can dial outside."""
    open_lines = lines(snapshot, ivr.policy)
    if ivr.policy.outbound and not any(line.works for line in open_lines):
        text = "Callers may dial outside, but over no line that works: whatever they dial fails."
        yield finding("IVR604", show_ivr(ivr), text)
    for line in open_lines:
        patterns = [pattern.pattern for pattern in line.route.patterns if readable(pattern)]
        wide = any(pattern.endswith((".", "!")) for pattern in patterns)
        numbers = show_list(patterns, "the pattern", "the patterns")
        text = f"{show_callers(snapshot, ivr, ways)} can dial {numbers} {show_line(line)}."
        yield finding("IVR602" if wide else "IVR601", show_ivr(ivr), text)


def show_callers(snapshot: IvrSnapshot, ivr: Ivr, ways: Mapping[Place, PathStep]) -> str:
    """Name who comes to a menu, and how."""
    place = (DestinationKind.IVR, ivr.id)
    if place not in ways:
        return f"Whoever is on a phone that may dial {ivr.number}"
    return f"Anybody who calls ({show_way(snapshot, ways, place)})"


def show_line(line: TollLine) -> str:
    """Name a route with its trunks and limits."""
    limits = line.route.limits
    at_most = f"at most {limits.simultaneous} at a time, {limits.per_hour} an hour"
    names = [trunk.name + (", switched off" if not trunk.enabled else "") for trunk in line.trunks]
    trunks = show_list(names, "trunk", "trunks")
    return (
        f"over route {line.route.name} ({trunks}; {at_most}, {limits.per_caller_hour} an hour for one caller)"
    )


def check_outside_key(snapshot: IvrSnapshot, to: Destination, place: str) -> Iterator[Finding]:
    """Tell where a fixed outside number goes."""
    number = to.prefix + to.number
    ways_out = list(attempts(snapshot, configured(snapshot, to).route_ids, number))
    if not ways_out:
        yield finding("IVR404", place, f"No route with a working trunk takes {number}.")
        return
    routes = list(dict.fromkeys(way.route.name for way in ways_out))
    yield finding("IVR603", place, f"It calls {number} over {show_list(routes, 'route', 'routes')}.")
