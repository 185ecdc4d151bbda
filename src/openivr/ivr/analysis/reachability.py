"""Which places lead to somebody: a person, a mailbox, or a line to the outside."""

from collections import defaultdict

from openivr.ivr.analysis.graph import Graph, Place, draw
from openivr.ivr.analysis.toll_fraud import lines
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot
from openivr.ivr.policy import attempts, configured, reach
from openivr.ivr.states.directory import listed


def find_people(snapshot: IvrSnapshot, graph: Graph | None = None) -> set[Place]:
    """Find the menus and ring groups from which somebody can be reached, directly or through others."""
    backwards: dict[Place, list[Place]] = defaultdict(list)
    reached: set[Place] = set()
    for place, ways in (graph or draw(snapshot)).items():
        for edge in ways:
            backwards[edge.to.kind, edge.to.target].append(place)
        can_dial = place[0] is DestinationKind.IVR and may_dial_somebody(snapshot, place[1])
        if can_dial or any(is_somebody(snapshot, edge.to) for edge in ways):
            reached.add(place)
    todo = [
        *reached,
        *(place for place in all_places(snapshot) if is_somebody(snapshot, Destination(*place))),
    ]
    while todo:
        for place in backwards[todo.pop()]:
            if place not in reached:
                reached.add(place)
                todo.append(place)
    return reached


def all_places(snapshot: IvrSnapshot) -> list[Place]:
    """List all menus and ring groups."""
    menus: list[Place] = [(DestinationKind.IVR, ident) for ident in snapshot.ivrs]
    return menus + [(DestinationKind.RING_GROUP, ident) for ident in snapshot.ring_groups]


def may_dial_somebody(snapshot: IvrSnapshot, ident: int) -> bool:
    """Return True if callers can reach a person, a mailbox or the outside by dialling a number in a menu.

    Worked out once for each policy.
    """
    policy = snapshot.ivrs[ident].policy
    known: bool | None = snapshot.memo.get((may_dial_somebody, policy))
    if known is None:
        numbers = reach(snapshot, policy).numbers.values()
        known = any(is_somebody(snapshot, to) for to in numbers)
        known = known or any(line.works for line in lines(snapshot, policy))
        snapshot.memo[may_dial_somebody, policy] = known
    return known


def is_somebody(snapshot: IvrSnapshot, to: Destination) -> bool:
    """Return True if a destination itself is a person, a mailbox or an outside number that can be reached."""
    extension = snapshot.extensions.get(to.target)
    match to.kind:
        case DestinationKind.EXTENSION:
            return extension is not None and extension.enabled
        case DestinationKind.VOICEMAIL:
            return extension is not None and extension.enabled and extension.voicemail
        case DestinationKind.RING_GROUP:
            group = snapshot.ring_groups.get(to.target)
            people = [snapshot.extensions.get(member) for member in group.member_ids] if group else []
            return any(person and person.enabled for person in people)
        case DestinationKind.DIAL_BY_NAME:
            return bool(listed(snapshot))
        case DestinationKind.EXTERNAL:
            routes = configured(snapshot, to).route_ids
            return next(attempts(snapshot, routes, to.prefix + to.number), None) is not None
        case _:
            return False
