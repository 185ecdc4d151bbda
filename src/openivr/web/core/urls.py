"""Where each kind of object has its pages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceUrls:
    """The address of a kind's list, and that of one object, with `{id}` for its id."""

    list: str
    one: str


# Kinds without pages are not here; whoever adds pages adds their place.
PLACES: dict[str, ResourceUrls] = {
    "ivr": ResourceUrls("/menus", "/menus/{id}"),
    "extension": ResourceUrls("/people/extensions", "/people/extensions/{id}"),
    "ext_group": ResourceUrls("/people/groups", "/people/groups/{id}"),
    "ring_group": ResourceUrls("/people/ring-groups", "/people/ring-groups/{id}"),
    "inbound_route": ResourceUrls("/routes/inbound", "/routes/inbound/{id}"),
    "outbound_route": ResourceUrls("/routes/outbound", "/routes/outbound/{id}"),
    "trunk": ResourceUrls("/routes/trunks", "/routes/trunks/{id}"),
    "custom_prompt": ResourceUrls("/prompts", "/prompts/{id}"),
}


def address(kind: str, ident: int) -> str:
    """The page of an object."""
    return PLACES[kind].one.format(id=ident)
