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
}
