"""A menu and all it leads to, as a diagram: nodes and arrows, and the same as Mermaid text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openivr.ivr.analysis.graph import BY_NUMBER, NO_KEY, WRONG_KEY, Place, edges
from openivr.ivr.analysis.toll_fraud import lines
from openivr.ivr.analysis.words import LABELS, show_list, show_type
from openivr.ivr.model import Destination, DestinationKind, ExtensionRule, IvrSnapshot

SHAPES = {
    DestinationKind.IVR: ("[", "]"),
    DestinationKind.RING_GROUP: ("([", "])"),
    DestinationKind.EXTENSION: ("(", ")"),
    DestinationKind.EXTERNAL: (">", "]"),
}
INSIDE = (
    DestinationKind.EXTENSION,
    DestinationKind.VOICEMAIL,
    DestinationKind.IVR,
    DestinationKind.RING_GROUP,
)
LEADING_ON = (DestinationKind.IVR, DestinationKind.RING_GROUP, DestinationKind.EXTENSION)
SCOPES = {
    ExtensionRule.ALL: "any extension",
    ExtensionRule.ALLOW: "listed extensions",
    ExtensionRule.RESTRICT: "extensions that are not restricted",
    "own": "own mailbox",
}


@dataclass(frozen=True, slots=True)
class Node:
    """A place in the diagram. `id` is the same in every diagram of the same configuration.

    `scope` is set where the node stands for several numbers: the extension rule "all", "allow" or "restrict",
    "routes" for outside numbers over `routes`, "own" for the caller's own mailbox.
    """

    id: str
    kind: DestinationKind
    number: str = ""  # of the resource; an outside number; the name of a prompt
    name: str = ""
    is_missing: bool = False  # the destination does not exist
    scope: str = ""
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from one node to another. Keys that lead to the same node share one arrow."""

    source: str
    target: str
    labels: tuple[str, ...]  # keys, numbers, and codes of `graph`
    pin_keys: frozenset[str] = frozenset()  # those of the labels that ask for a PIN


@dataclass(frozen=True, slots=True)
class Picture:
    """Nodes in the order in which a caller may come to them, and the arrows between them."""

    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def draw(snapshot: IvrSnapshot, starts: Iterable[Place]) -> Picture:
    """Draw these places and all they lead to."""
    nodes: dict[str, Node] = {}
    labels: dict[tuple[str, str], list[str]] = {}
    pin_keys: set[tuple[str, str]] = set()
    todo = list(starts)
    for place in todo:
        here = make_node(snapshot, Destination(*place))
        nodes.setdefault(here.id, here)
        onward = list(edges(snapshot, place))
        pin_keys |= {(here.id, edge.label) for edge in onward if edge.asks_pin}
        ways = [(edge.label, make_node(snapshot, edge.to)) for edge in onward]
        for label, there in (*ways, *dialled(snapshot, place)):
            nodes.setdefault(there.id, there)
            labels.setdefault((here.id, there.id), []).append(label)
        for edge in onward:
            if edge.place[0] in LEADING_ON and edge.place not in todo:
                todo.append(edge.place)
    arrows = (
        Arrow(source, target, tuple(names), frozenset(name for name in names if (source, name) in pin_keys))
        for (source, target), names in labels.items()
    )
    return Picture(tuple(nodes.values()), tuple(arrows))


def dialled(snapshot: IvrSnapshot, place: Place) -> Iterator[tuple[str, Node]]:
    """Sum up the numbers that may be dialled: label and node. One arrow for each would be too many."""
    if place[0] is not DestinationKind.IVR or place[1] not in snapshot.ivrs:
        return
    policy = snapshot.ivrs[place[1]].policy
    if policy.extensions in SCOPES:
        scope = policy.extensions.value
        yield BY_NUMBER, Node(f"extension-{scope}", DestinationKind.EXTENSION, scope=scope)
    routes = tuple(line.route.name for line in lines(snapshot, policy))
    if routes:
        id_ = f"external_num-{','.join(routes)}"
        yield BY_NUMBER, Node(id_, DestinationKind.EXTERNAL, scope="routes", routes=routes)
    if policy.check_voicemail:
        yield snapshot.voicemail_code, Node("ext_vm-own", DestinationKind.VOICEMAIL, scope="own")


def make_node(snapshot: IvrSnapshot, to: Destination) -> Node:
    """Make the node of a destination."""
    row = snapshot.find(to.kind, to.target)
    if row:
        return Node(f"{to.kind}-{to.target}", to.kind, row.number, row.name)
    if to.kind in INSIDE and not to.number:
        return Node(f"{to.kind}-{to.target}", to.kind, str(to.target), is_missing=True)
    what = to.prefix + to.number or to.prompt
    return Node(f"{to.kind}-{what}".rstrip("-"), to.kind, what)


def show_node(node: Node) -> str:
    """Return the words of a node, in English."""
    if node.scope == "routes":
        return f"outside over {'route' if len(node.routes) == 1 else 'routes'} {show_list(node.routes)}"
    if node.scope:
        return SCOPES[node.scope]
    is_menu = node.kind is DestinationKind.IVR and not node.is_missing
    type_ = "" if is_menu else show_type(node.kind)
    return " ".join(filter(None, (type_, node.number, node.name, "(missing)" if node.is_missing else "")))


def to_mermaid(picture: Picture) -> str:
    """Write a diagram as a Mermaid flowchart."""
    names = {node.id: f"n{place}" for place, node in enumerate(picture.nodes)}
    rows = ["flowchart LR"]
    for node in picture.nodes:
        left, right = SHAPES.get(node.kind, ("{{", "}}"))
        rows.append(f'    {names[node.id]}{left}"{quote(show_node(node))}"{right}')
    for arrow in picture.arrows:
        line = "-.->" if {*arrow.labels} <= {NO_KEY, WRONG_KEY} else "-->"
        label = ", ".join(
            LABELS.get(label, label) + (" with a PIN" if label in arrow.pin_keys else "")
            for label in arrow.labels
        )
        rows.append(f'    {names[arrow.source]} {line}|"{quote(label)}"| {names[arrow.target]}')
    return "\n".join(rows)


def quote(text: str) -> str:
    """Escape a text for the quotes of Mermaid, which knows entities like those of HTML."""
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace("#", "&num;")
