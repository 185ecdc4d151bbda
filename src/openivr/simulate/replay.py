"""Recorded calls told again: the same events to a new session. `journal.happening` has their form."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import count

from openivr.cdr.journal.event_codec import HIDDEN_KEY, TimedEvent
from openivr.ivr.commands import HIDDEN, Command, Dial, Note
from openivr.ivr.events import Digit
from openivr.ivr.model import DestinationKind, IvrSnapshot
from openivr.ivr.session import IvrSession
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import TranscriptLine
from openivr.simulate.world import World

ANY_DIGIT = "0"  # in the place of a secret one: how many there were is all that the session goes by


def retell(snapshot: IvrSnapshot, world: World, happenings: Iterable[TimedEvent]) -> Simulation:
    """Tell a call from what happened in it; the world only matters for what is still to come.

    `due` of what is given back says what has not come to its end yet.
    """
    simulation = Simulation(snapshot, world)
    for happening in fill_in(happenings):
        simulation.follow(happening)
    return simulation


def replay(snapshot: IvrSnapshot, happenings: Iterable[TimedEvent]) -> list[tuple[Command, ...]]:
    """Give the same events to a new session; with the same snapshot the commands are the same."""
    session = IvrSession(snapshot)
    return [session.handle(happening.event) for happening in fill_in(happenings)]


def hide_private(call: Simulation) -> list[TranscriptLine]:
    """The transcript for everybody: without outside numbers, and without the keys that typed them."""
    secrets: set[str] = set()
    hidden: set[int] = set()  # which of the keys
    typed: list[str] = []
    for happening, commands in zip(call.happenings, call.commands, strict=True):
        if isinstance(happening.event, Digit):
            typed.append(happening.event.key)
        for command in commands:
            if isinstance(command, Dial) and command.kind is DestinationKind.EXTERNAL:
                secrets.add(command.number)
            if isinstance(command, Note) and command.private:
                secrets |= {command.input, command.number} - {""}
                end = len(typed) - (typed[-1:] == ["#"])
                hidden |= set(range(end - len(command.input), end))
    keys = count()
    return [_hide(line, secrets, line.what == "presses" and next(keys) in hidden) for line in call.lines]


def _hide(line: TranscriptLine, secrets: Collection[str], is_hidden: bool) -> TranscriptLine:
    if is_hidden:
        return replace(line, text=HIDDEN_KEY)
    words = (part.split(" ") for part in (line.text, line.why))
    text, why = (" ".join(HIDDEN if word in secrets else word for word in part) for part in words)
    kind, _, number = line.node.partition("-")
    return replace(line, text=text, why=why, node=f"{kind}-{HIDDEN}" if number in secrets else line.node)


def fill_in(happenings: Iterable[TimedEvent]) -> Iterator[TimedEvent]:
    """Put some digit in the place of each that was a secret."""
    for happening in happenings:
        is_secret = isinstance(happening.event, Digit) and happening.event.key == HIDDEN_KEY
        yield replace(happening, event=Digit(ANY_DIGIT)) if is_secret else happening
