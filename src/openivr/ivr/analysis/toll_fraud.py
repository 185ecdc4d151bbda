"""The toll-fraud report: which callers can call outside through a menu, by which keys, over which trunks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openivr.ivr.analysis.graph import PathStep, Place, path
from openivr.ivr.analysis.rules import Finding, FindingTarget, finding
from openivr.ivr.digits import read_shape
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
        """Return True if one of its trunks is enabled."""
        return any(trunk.enabled for trunk in self.trunks)


def lines(snapshot: IvrSnapshot, policy: DialPolicy) -> tuple[TollLine, ...]:
    """List the lines to the outside that a policy opens to callers, in the order in which they are tried.

    Worked out once for each policy.
    """
    known: tuple[TollLine, ...] | None = snapshot.memo.get((lines, policy))
    if known is None:
        known = snapshot.memo[lines, policy] = tuple(_find_lines(snapshot, policy))
    return known


def _find_lines(snapshot: IvrSnapshot, policy: DialPolicy) -> Iterator[TollLine]:
    for route in usable_routes(snapshot, policy.outbound_route_ids if policy.outbound else ()):
        trunks = tuple(snapshot.trunks[ident] for ident in route.trunk_ids if ident in snapshot.trunks)
        if trunks and any(readable(pattern) for pattern in route.patterns):
            yield TollLine(route, trunks)


def readable(pattern: DialPattern) -> bool:
    """Return True if a pattern can be read, so that it allows numbers at all."""
    return read_shape(pattern.pattern) is not None


def check_outside(snapshot: IvrSnapshot, ivr: Ivr, ways: Mapping[Place, PathStep]) -> Iterator[Finding]:
    """Report what callers of a menu can dial outside."""
    target = FindingTarget(DestinationKind.IVR, ivr.id)
    open_lines = lines(snapshot, ivr.policy)
    if ivr.policy.outbound and not any(line.works for line in open_lines):
        yield finding("IVR604", target)
    steps = path_to(snapshot, ivr, ways)
    for line in open_lines:
        patterns = tuple(pattern.pattern for pattern in line.route.patterns if readable(pattern))
        is_wide = any(pattern.endswith((".", "!")) for pattern in patterns)
        limits = line.route.limits
        yield finding(
            "IVR602" if is_wide else "IVR601",
            target,
            "outside" if steps else "inside",
            number=ivr.number,
            path=steps,
            patterns=patterns,
            route=line.route.name,
            trunks=tuple(trunk.name for trunk in line.trunks),
            disabled_trunks=tuple(trunk.name for trunk in line.trunks if not trunk.enabled),
            simultaneous=limits.simultaneous,
            per_hour=limits.per_hour,
            per_caller=limits.per_caller_hour,
        )


def path_to(snapshot: IvrSnapshot, ivr: Ivr, ways: Mapping[Place, PathStep]) -> tuple[str, ...]:
    """Return the shortest path of an outside caller to a menu, empty if there is none.

    The first step is "inbound_route:NAME". The others are "LABEL:NUMBER": a label of an edge, and the number
    of the menu or ring group that it leaves.
    """
    place = (DestinationKind.IVR, ivr.id)
    if place not in ways:
        return ()
    (_, route), *steps = path(ways, place)
    rows = ((snapshot.find(*before) if before else None, label) for before, label in steps)
    return (f"inbound_route:{route}", *(f"{label}:{row.number if row else ''}" for row, label in rows))


def check_outside_key(snapshot: IvrSnapshot, to: Destination, target: FindingTarget) -> Iterator[Finding]:
    """Report where a fixed outside number goes."""
    number = to.prefix + to.number
    found = list(attempts(snapshot, configured(snapshot, to).route_ids, number))
    if not found:
        yield finding("IVR404", target, number=number)
        return
    routes = tuple(dict.fromkeys(attempt.route.name for attempt in found))
    yield finding("IVR603", target, number=number, routes=routes)
