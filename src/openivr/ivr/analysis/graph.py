"""The configuration as a graph: which place leads where, and how a caller comes to a place.

Places that lead on are menus and ring groups. What a caller may dial by number is in the graph only where it
leads on, that is for ring groups; `policy.reach` knows the rest.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openivr.ivr.model import Destination, DestinationKind, InboundRoute, Ivr, IvrSnapshot
from openivr.ivr.policy import reach

NO_KEY = "no_key"
WRONG_KEY = "wrong_key"
NO_ANSWER = "no_answer"
BY_NUMBER = "by_number"  # any of several numbers, in a diagram

KEYPAD = "1234567890*#"
NOT_KEYS = {"timeout": NO_KEY, "invalid": WRONG_KEY}

Place = tuple[DestinationKind, int]  # what a destination points to


@dataclass(frozen=True, slots=True)
class Edge:
    """One way on. `label` is a key, a number that is dialled, or one of the codes above."""

    source: Place
    label: str
    to: Destination
    asks_pin: bool = False

    @property
    def place(self) -> Place:
        """The place that the edge leads to."""
        return self.to.kind, self.to.target


def menu_edges(ivr: Ivr) -> Iterator[Edge]:
    """List where the keys of a menu lead, then its time-out and its wrong key."""
    here = (DestinationKind.IVR, ivr.id)
    for key in sorted(ivr.keys, key=KEYPAD.find):
        yield Edge(here, key, ivr.keys[key], key in ivr.key_pins)
    if ivr.timeout:
        yield Edge(here, NO_KEY, ivr.timeout)
    if ivr.invalid:
        yield Edge(here, WRONG_KEY, ivr.invalid)


def timed_edges(ivr: Ivr) -> Iterator[Edge]:
    """List where keys, time-out and wrong key of a menu lead in one period only."""
    here = (DestinationKind.IVR, ivr.id)
    for key, by in ivr.by_period.items():
        for to in (by.open, by.closed, by.holiday):
            if to:
                yield Edge(here, NOT_KEYS.get(key, key), to, key in ivr.key_pins)


def own_edges(ivr: Ivr) -> tuple[Edge, ...]:
    """List where the keys, the time-out and the wrong key of a menu lead, in any period."""
    if not ivr.by_period:
        return tuple(menu_edges(ivr))
    return tuple(dict.fromkeys((*menu_edges(ivr), *timed_edges(ivr))))


Graph = Mapping[Place, tuple[Edge, ...]]  # the ways on from every menu and ring group


def draw(snapshot: IvrSnapshot) -> Graph:
    """Work out all ways on, for those who need them more than once."""
    places = [(DestinationKind.IVR, id_) for id_ in snapshot.ivrs]
    places += [(DestinationKind.RING_GROUP, id_) for id_ in snapshot.ring_groups]
    return {place: tuple(edges(snapshot, place)) for place in places}


def edges(snapshot: IvrSnapshot, place: Place) -> Iterator[Edge]:
    """List all ways on from a place."""
    kind, target = place
    if kind is DestinationKind.IVR and target in snapshot.ivrs:
        ivr = snapshot.ivrs[target]
        yield from own_edges(ivr)
        for ident in sorted(ivr.policy.ring_group_ids):
            group = snapshot.ring_groups.get(ident)
            if group and group.number in reach(snapshot, ivr.policy).numbers:
                yield Edge(place, group.number, Destination(DestinationKind.RING_GROUP, ident))
    if kind is DestinationKind.RING_GROUP and target in snapshot.ring_groups:
        fail = snapshot.ring_groups[target].fail
        if fail:
            yield Edge(place, NO_ANSWER, fail)


@dataclass(frozen=True, slots=True)
class PathStep:
    """The last step of the shortest way to a place; `before` is None where the way begins."""

    before: Place | None
    label: str


def ways_in(snapshot: IvrSnapshot, graph: Graph | None = None) -> Mapping[Place, PathStep]:
    """Find the shortest way from the inbound routes to every place that outside callers can come to."""
    routes = sorted(snapshot.inbound_routes.values(), key=lambda route: (route.position, route.id))
    found: dict[Place, PathStep] = {}
    for route in routes:
        if route.enabled:
            for to in route_destinations(route):
                found.setdefault((to.kind, to.target), PathStep(None, route.name))
    for rule in snapshot.block_rules.values():
        if rule.inbound and rule.destination:
            found.setdefault((rule.destination.kind, rule.destination.target), PathStep(None, rule.name))
    return spread(snapshot, found, graph)


def route_destinations(route: InboundRoute) -> Iterator[Destination]:
    """List where an inbound route leads, in any period."""
    by = route.by_period
    for to in (route.destination, *((by.open, by.closed, by.holiday) if by else ())):
        if to:
            yield to


def spread(
    snapshot: IvrSnapshot, found: dict[Place, PathStep], graph: Graph | None = None
) -> dict[Place, PathStep]:
    """Follow all ways on from the places found so far, breadth first. `graph`: if it is drawn already."""
    todo = deque(found)
    while todo:
        place = todo.popleft()
        for edge in edges(snapshot, place) if graph is None else graph.get(place, ()):
            to = edge.to.kind, edge.to.target
            if to not in found:
                found[to] = PathStep(place, edge.label)
                todo.append(to)
    return found


def path(ways: Mapping[Place, PathStep], place: Place) -> list[tuple[Place | None, str]]:
    """List the steps to a place: where one stands, and what leads on. The first stands nowhere yet."""
    steps: list[tuple[Place | None, str]] = []
    here: Place | None = place
    while here is not None:
        step = ways[here]
        steps.append((step.before, step.label))
        here = step.before
    return steps[::-1]
