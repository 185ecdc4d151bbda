"""Recorded calls told again: the same events to a new session. `journal.happening` has their form."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from openivr.journal.happening import HIDDEN_KEY, Happening
from openivr.menu.commands import Command
from openivr.menu.events import Digit
from openivr.menu.model import Snapshot
from openivr.menu.session import Session
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import World

ANY_DIGIT = "0"  # in the place of a secret one: how many there were is all that the session goes by


def retell(snapshot: Snapshot, world: World, happenings: Iterable[Happening]) -> Simulation:
    """Tell a call from what happened in it; the world only matters for what is still to come.

    `due` of what is given back says what has not come to its end yet.
    """
    simulation = Simulation(snapshot, world)
    for happening in fill_in(happenings):
        simulation.follow(happening)
    return simulation


def replay(snapshot: Snapshot, happenings: Iterable[Happening]) -> list[tuple[Command, ...]]:
    """Give the same events to a new session; with the same snapshot the commands are the same."""
    session = Session(snapshot)
    return [session.handle(happening.event) for happening in fill_in(happenings)]


def fill_in(happenings: Iterable[Happening]) -> Iterator[Happening]:
    """Put some digit in the place of each that was a secret."""
    for happening in happenings:
        is_secret = isinstance(happening.event, Digit) and happening.event.key == HIDDEN_KEY
        yield replace(happening, event=Digit(ANY_DIGIT)) if is_secret else happening
