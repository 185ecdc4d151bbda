"""Loads the menus around one menu, to check and draw it without reading ten thousand others.

Everything but the menus (extensions, groups, trunks, prompts) is loaded once and again when it changes.
Of the menus, only those are loaded that lead to the menu or that it leads to.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from openivr.ivr import model
from openivr.ivr.analysis.graph import menu_edges, timed_edges
from openivr.ivr.model import DestinationKind, Ivr, IvrSnapshot
from openivr.resources.ivr import IVR
from openivr.resources.resource_type import Values
from openivr.store.config import ivr_snapshot
from openivr.store.config.resources import fetch_many
from openivr.store.tables import REFERENCE

MAX_MENUS = 200  # in each direction; farther ones are known by number and name alone


@dataclass(frozen=True, slots=True)
class MenuNeighbourhood:
    """A snapshot with a menu, all it leads to and all that leads to it.

    `is_whole` unless that was too much.
    """

    snapshot: IvrSnapshot
    is_whole: bool


def load_neighbourhood(
    connection: Connection, office: IvrSnapshot, id_: int, values: Values
) -> MenuNeighbourhood:
    """The surroundings of a menu as it would be with these values."""
    own = ivr_snapshot.ivr(id_, values)
    before, all_before = walk_back(connection, id_)
    known = {id_: own} | {one.id: one for one in load(connection, before - {id_})}
    all_after = walk_on(connection, office, own, known)
    stubs = load(connection, missing(office, known.values()) - known.keys())
    known |= {one.id: replace(one, keys={}, timeout=None, invalid=None, by_period={}) for one in stubs}
    snapshot = replace(office, ivrs=model.by_id(known.values()))
    return MenuNeighbourhood(snapshot, all_before and all_after)


def walk_back(connection: Connection, id_: int) -> tuple[set[int], bool]:
    """Return the menus from which calls can reach a menu, and if these are all."""
    seen = {("ivr", id_)}
    frontier = set(seen)
    while frontier:
        if len(seen) > MAX_MENUS:
            return {key for kind, key in seen if kind == "ivr"}, False
        frontier = set(owners(connection, frontier)) - seen
        seen |= frontier
    return {key for kind, key in seen if kind == "ivr"}, True


def owners(connection: Connection, targets: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """The menus and ring groups that point to any of these."""
    columns = (REFERENCE.c.owner_kind, REFERENCE.c.owner_id)
    for kind in ("ivr", "ring_group"):
        ids = [id_ for target, id_ in targets if target == kind]
        if ids:
            pointing = (REFERENCE.c.target_kind == kind) & REFERENCE.c.target_id.in_(ids)
            through = REFERENCE.c.owner_kind.in_(("ivr", "ring_group"))
            for row in connection.execute(select(*columns).where(pointing, through).distinct()):
                yield row.owner_kind, row.owner_id


def walk_on(connection: Connection, office: IvrSnapshot, start: Ivr, known: dict[int, Ivr]) -> bool:
    """Add the menus that a menu leads to, nearest first. Return True if these are all."""
    visited = {start.id}
    frontier = [start]
    while frontier:
        wanted = missing(office, frontier) - visited
        if len(visited) + len(wanted) > MAX_MENUS:
            return False
        fresh = {one.id: one for one in load(connection, wanted - known.keys())}
        known |= fresh
        visited |= wanted
        frontier = [known[id_] for id_ in wanted if id_ in known]
    return True


def missing(office: IvrSnapshot, rows: Iterable[Ivr]) -> set[int]:
    """The ids of all menus that these lead to, directly or through ring groups."""
    return {id_ for row in rows for id_ in next_menus(office, row)}


def next_menus(office: IvrSnapshot, ivr: Ivr) -> Iterator[int]:
    groups = set(ivr.policy.ring_group_ids)
    for edge in (*menu_edges(ivr), *timed_edges(ivr)):
        if edge.to.kind is DestinationKind.IVR:
            yield edge.to.target
        elif edge.to.kind is DestinationKind.RING_GROUP:
            groups.add(edge.to.target)
    todo = sorted(groups)
    for id_ in todo:  # which grows: a group that is not answered may lead to another
        group = office.ring_groups.get(id_)
        fail = group.fail if group else None
        if fail and fail.kind is DestinationKind.IVR:
            yield fail.target
        elif fail and fail.kind is DestinationKind.RING_GROUP and fail.target not in todo:
            todo.append(fail.target)


def load(connection: Connection, ids: Iterable[int]) -> list[Ivr]:
    wanted = sorted(ids)
    return [ivr_snapshot.ivr(id_, values) for id_, values in fetch_many(connection, IVR, wanted).items()]
