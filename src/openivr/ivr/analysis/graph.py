"""The configuration as a graph: which place leads where, and how a caller comes to a place.

Places that lead on are menus, ring groups and extensions that forward calls elsewhere than to their own
mailboxes. What a caller may dial by number or name is in the graph only where it leads on; `policy.reach`
knows the rest. Forwarding is that of calls from the outside.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from openivr.ivr.model import (
    Destination,
    DestinationKind,
    Extension,
    ForwardCondition,
    InboundRoute,
    Ivr,
    IvrSnapshot,
)
from openivr.ivr.policy import reach
from openivr.ivr.states.directory import listed

NO_KEY = "no_key"
WRONG_KEY = "wrong_key"
NO_ANSWER = "no_answer"
BUSY, ALWAYS = "busy", "always"  # an extension forwards
FORWARDS = {
    ALWAYS: ForwardCondition.ALWAYS,
    BUSY: ForwardCondition.BUSY,
    NO_ANSWER: ForwardCondition.NO_ANSWER,
}
BY_NUMBER = "by_number"  # any of several numbers, in a diagram

KEYPAD = "1234567890*#"
NOT_KEYS = {"timeout": NO_KEY, "invalid": WRONG_KEY}

Place = tuple[DestinationKind, int]  # what a destination points to
DIRECTORY: Place = (DestinationKind.DIAL_BY_NAME, 0)


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


def is_own_mailbox(extension: Extension, to: Destination) -> bool:
    """Return True if a destination is the mailbox of this extension."""
    return to.kind is DestinationKind.VOICEMAIL and to.target == extension.id


def forward_edges(extension: Extension) -> Iterator[Edge]:
    """List where an extension forwards calls from the outside, but for its own mailbox."""
    rules = extension.outside
    labels = (ALWAYS,) if rules.always else (BUSY,) if extension.do_not_disturb else (BUSY, NO_ANSWER)
    for label in labels if extension.enabled else ():
        to = rules.find(FORWARDS[label])
        if to and not is_own_mailbox(extension, to):
            yield Edge((DestinationKind.EXTENSION, extension.id), label, to)


def find_forwarders(snapshot: IvrSnapshot) -> tuple[Extension, ...]:
    """List the extensions that lead on. Worked out once per snapshot."""
    known: tuple[Extension, ...] | None = snapshot.memo.get(find_forwarders)
    if known is None:
        rows = snapshot.extensions.values()
        known = snapshot.memo[find_forwarders] = tuple(row for row in rows if any(forward_edges(row)))
    return known


Graph = Mapping[Place, tuple[Edge, ...]]  # the ways on from every place that leads on


def draw(snapshot: IvrSnapshot) -> Graph:
    """Work out all ways on, for those who need them more than once."""
    places = [(DestinationKind.IVR, id_) for id_ in snapshot.ivrs]
    places += [(DestinationKind.RING_GROUP, id_) for id_ in snapshot.ring_groups]
    forwarders = find_forwarders(snapshot)
    places += [(DestinationKind.EXTENSION, row.id) for row in forwarders]
    places += [DIRECTORY] if forwarders else []
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
        yield from _dialled_forwarders(snapshot, ivr)
    if kind is DestinationKind.RING_GROUP and target in snapshot.ring_groups:
        fail = snapshot.ring_groups[target].fail
        if fail:
            yield Edge(place, NO_ANSWER, fail)
    if kind is DestinationKind.EXTENSION and target in snapshot.extensions:
        yield from forward_edges(snapshot.extensions[target])
    if place == DIRECTORY:
        names = listed(snapshot)
        for row in find_forwarders(snapshot):
            if row.number in names:
                yield Edge(place, row.number, Destination(DestinationKind.EXTENSION, row.id))


def _dialled_forwarders(snapshot: IvrSnapshot, ivr: Ivr) -> Iterator[Edge]:
    """List the extensions that lead on and that callers of a menu may dial."""
    here = (DestinationKind.IVR, ivr.id)
    for row in find_forwarders(snapshot):
        if row.number not in ivr.keys and row.number in reach(snapshot, ivr.policy).numbers:
            yield Edge(here, row.number, Destination(DestinationKind.EXTENSION, row.id))


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
