"""A menu and all it leads to, as a picture: nodes and edges, and the same as Mermaid text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openivr.ivr.analysis.graph import NO_KEY, WRONG_KEY, Edge, Place, edges
from openivr.ivr.analysis.labels import show_list
from openivr.ivr.analysis.toll_fraud import lines
from openivr.ivr.model import Destination, DestinationKind, ExtensionRule, Ivr, IvrSnapshot

SHAPES = {
    DestinationKind.IVR: ("[", "]"),
    DestinationKind.RING_GROUP: ("([", "])"),
    DestinationKind.EXTENSION: ("(", ")"),
    DestinationKind.EXTERNAL: (">", "]"),
}
RULES = {
    ExtensionRule.ALL: "any extension",
    ExtensionRule.ALLOW: "listed extensions",
    ExtensionRule.RESTRICT: "extensions that are not restricted",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the picture. `id` is the same in every picture of the same configuration."""

    id: str
    kind: DestinationKind
    label: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from one node to another; keys that lead to the same place share one."""

    source: str
    target: str
    label: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes in the order in which a caller may come to them, and the arrows between them."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def draw(snapshot: IvrSnapshot, starts: Iterable[Place]) -> Picture:
    """Draw these places and all they lead to."""
    nodes: dict[str, Node] = {}
    labels: dict[tuple[str, str], list[str]] = {}
    todo = list(starts)
    for place in todo:
        here = make_node(snapshot, Destination(*place))
        nodes.setdefault(here.id, here)
        for edge in [*edges(snapshot, place), *dialled(snapshot, place)]:
            there = make_node(snapshot, edge.to)
            if there.id not in nodes:
                nodes[there.id] = there
            if edge.place[0] in (DestinationKind.IVR, DestinationKind.RING_GROUP) and edge.place not in todo:
                todo.append(edge.place)
            labels.setdefault((here.id, there.id), []).append(edge.label)
    arrows = (Arrow(source, target, ", ".join(names)) for (source, target), names in labels.items())
    return Picture(tuple(nodes.values()), tuple(arrows))


def dialled(snapshot: IvrSnapshot, place: Place) -> Iterator[Edge]:
    """Sum up what may be dialled by number, which would be too many arrows."""
    if place[0] is not DestinationKind.IVR or place[1] not in snapshot.ivrs:
        return
    policy = snapshot.ivrs[place[1]].policy
    if policy.extensions in RULES:
        yield Edge(
            place, "by number", Destination(DestinationKind.EXTENSION, number=RULES[policy.extensions])
        )
    routes = [line.route.name for line in lines(snapshot, policy)]
    if routes:
        over = show_list(routes, "route", "routes")
        yield Edge(place, "by number", Destination(DestinationKind.EXTERNAL, number=f"outside over {over}"))
    if policy.check_voicemail:
        yield Edge(
            place, snapshot.voicemail_code, Destination(DestinationKind.VOICEMAIL, number="own mailbox")
        )


def make_node(snapshot: IvrSnapshot, to: Destination) -> Node:
    """Make the node of a destination."""
    row = snapshot.find(to.kind, to.target)
    words = to.kind.value.replace("_", " ") if to.kind is not DestinationKind.VOICEMAIL else "voicemail"
    if row:
        prefix = "" if isinstance(row, Ivr) else f"{words} "
        return Node(f"{to.kind}-{to.target}", to.kind, f"{prefix}{row.number} {row.name}")
    if (
        to.kind
        in (
            DestinationKind.EXTENSION,
            DestinationKind.VOICEMAIL,
            DestinationKind.IVR,
            DestinationKind.RING_GROUP,
        )
        and not to.number
    ):
        return Node(f"{to.kind}-{to.target}", to.kind, f"{words} {to.target} (gone)")
    what = to.prefix + to.number or to.prompt
    label = to.number if " " in to.number else f"{words} {what}".strip()
    return Node(f"{to.kind}-{what}".rstrip("-"), to.kind, label)


def to_mermaid(picture: Picture) -> str:
    """Write a picture as a Mermaid flowchart."""
    names = {node.id: f"n{place}" for place, node in enumerate(picture.nodes)}
    rows = ["flowchart LR"]
    for node in picture.nodes:
        left, right = SHAPES.get(node.kind, ("{{", "}}"))
        rows.append(f'    {names[node.id]}{left}"{quote(node.label)}"{right}')
    for arrow in picture.arrows:
        dotted = set(arrow.label.split(", ")) <= {NO_KEY, WRONG_KEY}
        line = "-.->" if dotted else "-->"
        rows.append(f'    {names[arrow.source]} {line}|"{quote(arrow.label)}"| {names[arrow.target]}')
    return "\n".join(rows)


def quote(text: str) -> str:
    """Make a text safe between the quotes of Mermaid, which knows entities like those of HTML."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("#", "&num;")
