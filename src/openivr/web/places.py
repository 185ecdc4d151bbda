"""Where each kind of object has its pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """The address of a kind's list, and that of one object, with `{id}` for its id."""

    list: str
    one: str


# Kinds without pages are not here; whoever adds pages adds their place.
PLACES: dict[str, Place] = {
    "ivr": Place("/menus", "/menus/{id}"),
    "extension": Place("/people/extensions", "/people/extensions/{id}"),
    "ext_group": Place("/people/groups", "/people/groups/{id}"),
    "ring_group": Place("/people/ring-groups", "/people/ring-groups/{id}"),
    "inbound_route": Place("/routes/inbound", "/routes/inbound/{id}"),
    "outbound_route": Place("/routes/outbound", "/routes/outbound/{id}"),
    "trunk": Place("/routes/trunks", "/routes/trunks/{id}"),
    "custom_prompt": Place("/prompts", "/prompts/{id}"),
}


def address(kind: str, ident: int) -> str:
    """The page of an object."""
    return PLACES[kind].one.format(id=ident)
