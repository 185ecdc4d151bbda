"""The picture of where a menu leads, as the list that flow.js draws it from."""

from collections.abc import Iterator
from dataclasses import dataclass

from openivr.ivr.analysis.diagram import Arrow, Picture
from openivr.ivr.analysis.graph import ALWAYS, BUSY, NO_ANSWER, NO_KEY, WRONG_KEY
from openivr.ivr.model import DestinationKind
from openivr.resources.destination import TARGETS
from openivr.web.core.urls import resource_url
from openivr.web.menus.finding_labels import show_arrow, show_node

MAX_NODES = 120  # of a picture


@dataclass(frozen=True, slots=True)
class FlowArrow:
    """An arrow to another node. `is_quiet`: the caller follows it without choosing to."""

    target: str
    target_label: str
    label: str
    is_quiet: bool
    asks_pin: bool


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A node of the picture with its page and its arrows."""

    id: str
    kind: str
    label: str
    url: str
    arrows: tuple[FlowArrow, ...]


def make_nodes(picture: Picture) -> Iterator[FlowNode]:
    """The nearest nodes of a picture, in their order."""
    shown = picture.nodes[:MAX_NODES]
    labels = {node.id: show_node(node) for node in shown}
    for node in shown:
        arrows = tuple(
            FlowArrow(
                arrow.target, labels[arrow.target], show_arrow(arrow), is_quiet(arrow), bool(arrow.pin_keys)
            )
            for arrow in picture.arrows
            if arrow.source == node.id and arrow.target in labels
        )
        yield FlowNode(node.id, node.kind.value, labels[node.id], url_of(node.id, node.kind), arrows)


def is_quiet(arrow: Arrow) -> bool:
    """Return True if callers take this way by pressing no key or a wrong one."""
    return {*arrow.labels} <= {NO_KEY, WRONG_KEY, NO_ANSWER, BUSY, ALWAYS}


def url_of(node: str, kind: DestinationKind) -> str:
    """The page of a node that is a resource, "" of any other."""
    id_ = node.rpartition("-")[2]
    is_resource = id_.isdecimal() and id_ != "0"
    return resource_url(TARGETS.get(kind.value, ""), int(id_)) if is_resource else ""
