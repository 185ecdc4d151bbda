"""Choices in a menu's editors: suggestions for targets, and the items of lists."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openivr.ivr.model import IvrSnapshot
from openivr.resources.fields import Names
from openivr.web.forms.draft import Draft
from openivr.web.forms.references import ResourceRef, make_ref, make_refs

MAX_OPTIONS = 200  # of each type; any other can be typed by its number


def make_options(snapshot: IvrSnapshot, names: Names) -> dict[str, list[str]]:
    """Suggestions for each type of target, as they may be typed."""
    rows: Mapping[str, Mapping[int, Any]] = {
        "extension": snapshot.extensions,
        "ring_group": snapshot.ring_groups,
        "ivr": snapshot.ivrs,
    }
    options = {
        kind: [names(kind, id_).display_name for id_ in list(known)[:MAX_OPTIONS]]
        for kind, known in rows.items()
    }
    pins = sorted(row.name for row in snapshot.pin_lists.values())
    return options | {"custom_prompt": list(snapshot.prompts)[:MAX_OPTIONS], "pin_list": pins}


def make_lists(
    snapshot: IvrSnapshot, draft: Draft, names: Names
) -> dict[str, list[tuple[ResourceRef, bool]]]:
    """The items of each list: the chosen ones (True) in their order, then others."""
    people: list[tuple[str, Mapping[int, Any]]] = [
        ("ext_group", snapshot.extension_groups),
        ("extension", snapshot.extensions),
    ]
    sources = {
        "dial_ext_list": people,
        "restrict_dial_ext_list": people,
        "dial_call_number_list": [("ring_group", snapshot.ring_groups)],
        "dial_outb_route_list": [("outbound_route", snapshot.outbound_routes)],
    }
    body = draft.shown_body
    return {name: list(offer(body[name], rows, names)) for name, rows in sources.items()}


def offer(
    chosen: Any, sources: Sequence[tuple[str, Mapping[int, Any]]], names: Names
) -> Iterator[tuple[ResourceRef, bool]]:
    refs = make_refs(chosen, names)
    yield from ((ref, True) for ref in refs)
    taken = {(ref.kind, ref.id) for ref in refs}
    others = [(kind, id_) for kind, rows in sources for id_ in rows if (kind, id_) not in taken]
    yield from ((make_ref(kind, id_, names), False) for kind, id_ in others[:MAX_OPTIONS])
