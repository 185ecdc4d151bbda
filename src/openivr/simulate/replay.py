"""Replays recorded calls: gives their events to a new session. `cdr.journal.event_codec` has the format."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import count

from openivr.cdr.journal.event_codec import HIDDEN_KEY, TimedEvent
from openivr.ivr.commands import HIDDEN, Command, Dial, Note
from openivr.ivr.events import Digit, Event, PromptEnded, RecordEnded
from openivr.ivr.inbound_route import IncomingCall
from openivr.ivr.model import DestinationKind, IvrSnapshot
from openivr.ivr.session import IvrSession
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import TranscriptLine
from openivr.simulate.world import World

ANY_DIGIT = "0"  # in place of a secret digit: the session only depends on how many there were


def replay_call(
    snapshot: IvrSnapshot,
    world: World,
    happenings: Iterable[TimedEvent],
    incoming: IncomingCall | None = None,
    start: int = 0,
) -> Simulation:
    """Return the simulation of a call after these events. The world matters for later events only.

    An `incoming` call is routed first, and the events are those after its arrival. `start` is the moment of
    that in Unix seconds, 0: none. `due` of the result has what is still pending.
    """
    simulation = Simulation(snapshot, world, start)
    if incoming:
        simulation.receive(incoming)
    for happening in fill_in(happenings):
        if token := unreported(simulation.session, happening.event):
            simulation.follow(TimedEvent(happening.at, RecordEnded(token)))
        simulation.follow(happening)
    if simulation.session.is_leaving:
        simulation.finish()
    return simulation


def unreported(session: IvrSession, following: Event) -> int:
    """Return the token of a recording whose result has no event ahead of this one; 0: there is none.

    Earlier releases did not wait for the result: to them a recording that was stopped was a message.
    """
    return session.unconfirmed if isinstance(following, PromptEnded) else 0


def replay_commands(snapshot: IvrSnapshot, happenings: Iterable[TimedEvent]) -> list[tuple[Command, ...]]:
    """Return the commands of a new session for each event. The same snapshot gives the same commands."""
    session = IvrSession(snapshot)
    answers: list[tuple[Command, ...]] = []
    for happening in fill_in(happenings):
        token = unreported(session, happening.event)
        before = session.handle(RecordEnded(token)) if token else ()
        answers.append(before + session.handle(happening.event))
    if session.is_leaving and session.unconfirmed:
        answers[-1] += session.handle(RecordEnded(session.unconfirmed))
    return answers


def hide_private(call: Simulation) -> list[TranscriptLine]:
    """Return the transcript without external numbers, and without the keys that dialled them."""
    secrets: set[str] = set()
    hidden: set[int] = set()  # positions among all keys
    typed: list[str] = []
    for happening, commands in zip(call.events, call.commands, strict=True):
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
    words = (part.split(" ") for part in (line.text, line.about))
    text, about = (" ".join(HIDDEN if word in secrets else word for word in part) for part in words)
    kind, _, number = line.node.partition("-")
    return replace(line, text=text, about=about, node=f"{kind}-{HIDDEN}" if number in secrets else line.node)


def fill_in(happenings: Iterable[TimedEvent]) -> Iterator[TimedEvent]:
    """Replace each secret digit by an arbitrary one."""
    for happening in happenings:
        is_secret = isinstance(happening.event, Digit) and happening.event.key == HIDDEN_KEY
        yield replace(happening, event=Digit(ANY_DIGIT)) if is_secret else happening
