"""Recorded calls: the events of a call as JSON, and their replay.

One event is `{"at": 1200, "event": "Digit", "key": "1"}`: ms from the start, the event's name, its fields.
"""

from collections.abc import Iterable
from typing import Any, get_args

import msgspec

from openivr.menu.commands import Command
from openivr.menu.events import Event
from openivr.menu.model import Snapshot
from openivr.menu.session import Session
from openivr.simulate.simulation import Happening, Simulation
from openivr.simulate.world import World

EVENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Event)}


def write_happenings(happenings: Iterable[Happening]) -> list[dict[str, Any]]:
    """Turn events into what JSON can hold."""
    return [{"at": h.at, "event": type(h.event).__name__} | msgspec.to_builtins(h.event) for h in happenings]


def read_happenings(rows: Iterable[dict[str, Any]]) -> list[Happening]:
    """Read them back. Raises ValueError for an unknown event or wrong fields."""
    return [_read(row) for row in rows]


def _read(row: dict[str, Any]) -> Happening:
    fields = {name: value for name, value in row.items() if name not in ("at", "event")}
    name = row.get("event")
    if not isinstance(name, str) or name not in EVENTS:
        raise ValueError(f"unknown event: {name}")
    return Happening(msgspec.convert(row.get("at", 0), int), msgspec.convert(fields, EVENTS[name]))


def retell(snapshot: Snapshot, world: World, happenings: Iterable[Happening]) -> Simulation:
    """Tell a call from what happened in it; the world only matters for what is still to come.

    `due` of what is given back says what has not come to its end yet.
    """
    simulation = Simulation(snapshot, world)
    for happening in happenings:
        simulation.follow(happening)
    return simulation


def replay(snapshot: Snapshot, happenings: Iterable[Happening]) -> list[tuple[Command, ...]]:
    """Give the same events to a new session; with the same snapshot the commands are the same."""
    session = Session(snapshot)
    return [session.handle(happening.event) for happening in happenings]
