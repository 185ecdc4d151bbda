"""Writes a call that took place as a test case: the caller's actions and everything that could be observed.

The lengths of prompts and the moments of keys differ from call to call. A test repeats the order: each action
of the caller follows the same ends of prompts, waits and ringing as in the call.
"""

from openivr.cdr.journal.event_codec import TimedEvent
from openivr.ivr.commands import CallTimer, CheckPin, Dial, HangupReason, OpenMailbox, StopDial
from openivr.ivr.events import (
    CallArrived,
    Cause,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    Event,
    HungUp,
    MailboxOpened,
    MailboxRefused,
    PinAccepted,
    PinRefused,
    PromptEnded,
    RecordEnded,
    RecordResult,
    TimerFired,
)
from openivr.ivr.model import DestinationKind
from openivr.ivr.session import IvrSession
from openivr.simulate.arrival import write_moment
from openivr.simulate.scenario import (
    OBSERVED,
    Scenario,
    ScenarioError,
    ScenarioStep,
    Watch,
    read_scenario,
    run,
    write_scenario,
)
from openivr.simulate.simulation import KEY_GAP, Simulation
from openivr.simulate.transcript import TranscriptLine
from openivr.simulate.world import Mailbox, World

CLEAR = 1000  # ms
LOST: dict[str, str] = {
    HangupReason.CALLER_LOST: HangupReason.CALLER_HANGUP,
    HangupReason.CALLEE_LOST: HangupReason.CALLEE_HANGUP,
}


SLOTS: dict[type, str] = {
    PromptEnded: "play",
    DialAnswered: "dial",
    DialFailed: "dial",
    DialEnded: "dial",
    RecordEnded: "record",
    MailboxOpened: "mailbox",
    MailboxRefused: "mailbox",
    PinAccepted: "pin",
    PinRefused: "pin",
}


class Unrepeatable(ValueError):
    """Raised with the reason for a call that a scenario cannot repeat."""


def as_scenario(name: str, number: str, call: Simulation) -> Scenario:
    """Write a call to a menu's number as a scenario that passes. Raises Unrepeatable.

    A call from the outside keeps its trunk and the number that it called. `number` is then the menu that the
    scenario is stored with. Every call keeps its moment, if it has one.
    """
    world = find_world(call)
    steps = tuple(Writer(call, world).write())
    scenario = _make_scenario(name, number, call, world, steps)
    if not _can_be_written(scenario):
        raise Unrepeatable("a number or a name in it means something else in a test")
    seen = [ScenarioStep(line.what, _end(line)) for line in iter(Watch(call).take, None)]
    expected = [step for step in steps if step.what in OBSERVED]
    if seen != expected or not run(call.snapshot, scenario).passed:
        raise Unrepeatable("the same keys lead elsewhere now")
    return scenario


def _make_scenario(
    name: str, number: str, call: Simulation, world: World, steps: tuple[ScenarioStep, ...]
) -> Scenario:
    incoming, at = call.incoming, write_moment(call.snapshot, call.start) if call.start else ""
    if incoming:
        trunk = call.snapshot.trunks[incoming.trunk].name
        return Scenario(name, incoming.called[0], incoming.caller, world, steps, trunk, number, at)
    arrival = call.events[0].event
    caller = arrival.caller if isinstance(arrival, CallArrived) else ""
    return Scenario(name, number, caller, world, steps, at=at)


def _end(line: TranscriptLine) -> str:
    """Return the text of a line. To a scenario a lost line is one that was hung up, as it cannot lose one."""
    return LOST.get(line.text, line.text) if line.what == "ends" else line.text


def find_world(call: Simulation) -> World:
    """Return how others reacted in a call: failed dials, and the contents of mailboxes.

    An external number is named by its trunk, because it may have been called over several.
    """
    dials: dict[int, Dial] = {}
    openings: dict[int, OpenMailbox] = {}
    checks: dict[int, CheckPin] = {}
    pins: dict[str, str] = {}
    outcomes: dict[str, str] = {}
    result = RecordResult.KEPT
    mailboxes: dict[str, Mailbox] = {}
    for happening, commands in zip(call.events, call.commands, strict=True):
        event = happening.event
        if isinstance(event, DialFailed) and event.token in dials:
            outcomes[_name(call, dials[event.token])] = event.cause.value
        if isinstance(event, RecordEnded):
            result = event.result
        if isinstance(event, MailboxOpened) and event.token in openings:
            mailbox = openings[event.token]
            mailboxes[mailbox.number] = Mailbox(mailbox.pin, event.messages)
        if isinstance(event, PinAccepted) and event.token in checks:
            check = checks[event.token]
            pins[call.snapshot.pin_lists[check.pin_list].name] = check.pin
        for command in commands:
            if isinstance(command, CheckPin):
                checks[command.token] = command
            elif isinstance(command, Dial):
                dials[command.token] = command
            elif isinstance(command, OpenMailbox):
                openings[command.token] = command
            elif isinstance(command, StopDial) and isinstance(event, TimerFired):
                outcomes[_name(call, dials[command.token])] = Cause.NO_ANSWER.value
    return World(outcomes, mailboxes, pins, recording=result)


def _name(call: Simulation, dial: Dial) -> str:
    return call.snapshot.trunks[dial.trunk].name if dial.kind is DestinationKind.EXTERNAL else dial.number


def _can_be_written(scenario: Scenario) -> bool:
    """Return True if the scenario survives writing and reading. A trunk named `talk` does not."""
    try:
        return read_scenario(write_scenario(scenario), "") == scenario
    except ScenarioError:
        return False


def slot_of(event: Event) -> str:
    """Return the slot of the simulation that an event comes from. Tokens of entries are negative."""
    if isinstance(event, TimerFired):
        return CallTimer.ENTRY if event.token < 0 else CallTimer.WAIT
    return SLOTS[type(event)]


def _is_same(happening: TimedEvent, other: TimedEvent) -> bool:
    """Return True if two events are the same but for the moment that one of them has."""
    kinds = type(happening.event), type(other.event)
    tokens = {getattr(it.event, "token", None) for it in (happening, other)}
    return happening.at == other.at and kinds[0] is kinds[1] and len(tokens) == 1


class Writer:
    """Repeats a call on the virtual clock and writes down the steps."""

    def __init__(self, call: Simulation, world: World) -> None:
        self._call = call
        self._again = Simulation(call.snapshot, world, call.start)
        if call.incoming:
            self._again.receive(call.incoming)
        self._watch = Watch(self._again)
        self._clock = 0  # ms; the clock of a run of the scenario after the steps so far
        self._steps: list[ScenarioStep] = []
        self._has_paused = False  # the next key begins a new entry
        self._has_ignored = False  # keys of the entry before were left out

    def write(self) -> list[ScenarioStep]:
        """Write the steps of the whole call."""
        before = IvrSession(self._call.snapshot)
        for happening in self._call.events:
            event = happening.event
            if before.ended:
                break
            if isinstance(event, CallArrived):
                if not self._call.incoming:
                    self._again.handle(event)
                    self._watch = Watch(self._again)
            elif before.ignores(event):
                self._has_ignored = True  # it is left out: how fast it came cannot be repeated
            elif isinstance(event, Digit):
                self._press(event.key)
            elif isinstance(event, HungUp):
                self._act(ScenarioStep("hangs_up", ""))
                self._again.hang_up()
            elif before.awaits(event) and slot_of(event) == CallTimer.ENTRY:
                self._has_paused = True
            elif before.awaits(event):
                self._await_end(slot_of(event))
            before.handle(event)
        self._steps += self._observed()
        return self._steps

    def _press(self, key: str) -> None:
        """Press a key, in one step with the keys before it if nothing happens between them."""
        if self._again.session.ignores(Digit(key)):
            if self._has_paused:
                self._await_end(CallTimer.ENTRY)
            elif self._has_ignored:
                self._has_ignored = False
                self._press(key)  # the `#` that was left out, without which this one would be ignored
        self._has_paused = self._has_ignored = False
        observed = self._observed()
        quiet = self._next() > self._again.now + KEY_GAP
        last = self._steps[-1] if self._steps else None
        if last and last.what == "presses" and quiet and not observed and self._clock == self._again.now:
            self._again.wait(KEY_GAP / 1000)
            self._clock = self._again.now
            self._steps[-1] = ScenarioStep("presses", last.text + key)
        else:
            self._steps += observed
            self._act(ScenarioStep("presses", key))
        self._again.press(key)

    def _act(self, step: ScenarioStep) -> None:
        self._steps += self._observed()
        if self._again.now > self._clock:
            # the end of a wait cannot be observed, only timed: stay clear of its exact moment
            self._again.wait(min(CLEAR, (self._next() - self._again.now) // 2) / 1000)
            late = self._again.now - self._clock
            self._steps.append(ScenarioStep("waits", f"{late / 1000:.3f}".rstrip("0").rstrip(".")))
        self._clock = self._again.now
        self._steps.append(step)

    def _next(self) -> int:
        """Return when the next pending event is due, in ms."""
        return min((due.at for due in self._again.due.values()), default=self._again.now + CLEAR)

    def _await_end(self, slot: str) -> None:
        """Advance the clock until what is pending in a slot has happened, unless it has already."""
        awaited = self._again.due.get(slot)
        while awaited and not _is_same(self._again.events[-1], awaited):
            self._again.advance()

    def _observed(self) -> list[ScenarioStep]:
        steps = []
        for line in iter(self._watch.take, None):
            self._clock = max(self._clock, line.at)
            steps.append(ScenarioStep(line.what, line.text))
        return steps
