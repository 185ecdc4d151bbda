"""Places and lists in words, for findings."""

from collections.abc import Mapping, Sequence

from openivr.ivr.analysis.graph import NO_ANSWER, NO_KEY, WRONG_KEY, Edge, PathStep, Place, path
from openivr.ivr.model import DestinationKind, Ivr, IvrSnapshot

FEW = 4


def show_ivr(ivr: Ivr) -> str:
    """Name a menu."""
    return f"menu {ivr.number} {ivr.name}"


def show_key(ivr: Ivr, key: str) -> str:
    """Name a key of a menu."""
    return f"{show_ivr(ivr)}, key {key}"


def show_edge(snapshot: IvrSnapshot, edge: Edge) -> str:
    """Name a way on: the place that it leaves and the key or the word for it."""
    return f"{show_place(snapshot, edge.source)}, {show_label(edge.label)}"


def show_place(snapshot: IvrSnapshot, place: Place) -> str:
    """Name a place."""
    row = snapshot.find(*place)
    words = "menu" if place[0] is DestinationKind.IVR else place[0].replace("_", " ")
    return f"{words} {row.number} {row.name}" if row else f"{words} {place[1]}"


def show_label(label: str) -> str:
    """Name what leads on."""
    if label in (NO_KEY, WRONG_KEY, NO_ANSWER):
        return label
    return f"key {label}" if len(label) == 1 else f"dialling {label}"


def show_list(items: Sequence[str], one: str, many: str) -> str:
    """List a few items in full, and many by the first and the count."""
    if len(items) == 1:
        return f"{one} {items[0]}"
    if len(items) <= FEW:
        return f"{many} {', '.join(items[:-1])} and {items[-1]}"
    return f"{len(items)} {many} ({items[0]} to {items[-1]})"


def show_way(snapshot: IvrSnapshot, ways: Mapping[Place, PathStep], place: Place) -> str:
    """Tell how a caller comes to a place."""
    (_, route), *steps = path(ways, place)
    told = [f"inbound route {route}"]
    for before, label in steps:
        row = snapshot.find(*before) if before else None
        told.append(f"{show_label(label)} in {row.number}" if row else show_label(label))
    return ", then ".join(told)
