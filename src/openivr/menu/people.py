"""Which places lead to somebody: a person, a mailbox, or a line to the outside."""

from collections import defaultdict

from openivr.menu.directory import listed
from openivr.menu.flow import Place, edges
from openivr.menu.model import Destination, Kind, Snapshot
from openivr.menu.outside import lines
from openivr.menu.policy import attempts, configured, reach


def find_people(snapshot: Snapshot) -> set[Place]:
    """Find the menus and ring groups from which somebody can be reached, directly or through others."""
    backwards: dict[Place, list[Place]] = defaultdict(list)
    reached: set[Place] = set()
    for place in all_places(snapshot):
        for edge in edges(snapshot, place):
            backwards[edge.place].append(place)
            if is_somebody(snapshot, edge.to):
                reached.add(place)
        if place[0] is Kind.IVR and may_dial_somebody(snapshot, place[1]):
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


def all_places(snapshot: Snapshot) -> list[Place]:
    """List all menus and ring groups."""
    menus: list[Place] = [(Kind.IVR, ident) for ident in snapshot.ivrs]
    return menus + [(Kind.RING_GROUP, ident) for ident in snapshot.ring_groups]


def may_dial_somebody(snapshot: Snapshot, ident: int) -> bool:
    """Whether a menu lets callers dial any number."""
    policy = snapshot.ivrs[ident].policy
    numbers = reach(snapshot, policy).numbers.values()
    return any(is_somebody(snapshot, to) for to in numbers) or any(
        line.works for line in lines(snapshot, policy)
    )


def is_somebody(snapshot: Snapshot, to: Destination) -> bool:
    """Whether a destination itself is somebody who can be reached."""
    extension = snapshot.extensions.get(to.target)
    match to.kind:
        case Kind.EXTENSION:
            return extension is not None and extension.enabled
        case Kind.VOICEMAIL:
            return extension is not None and extension.enabled and extension.voicemail
        case Kind.RING_GROUP:
            group = snapshot.ring_groups.get(to.target)
            people = [snapshot.extensions.get(member) for member in group.member_ids] if group else []
            return any(person and person.enabled for person in people)
        case Kind.DIAL_BY_NAME:
            return bool(listed(snapshot))
        case Kind.EXTERNAL:
            routes = configured(snapshot, to).route_ids
            return next(attempts(snapshot, routes, to.prefix + to.number), None) is not None
        case _:
            return False
