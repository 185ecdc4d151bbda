"""What the core promises, over random configurations and random events.

Total: any event in any state returns commands. Live: every state waits for something or has ended. Bounded:
without input a call ends. Safe: nobody is rung beyond policy. Quiet: nothing is stopped that may not be.
Stale-proof and deterministic. `make fuzz` runs the same with far more examples.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from openivr.cdr.journal.event_codec import read_events, write_events
from openivr.ivr.analysis.check import check
from openivr.ivr.analysis.graph import (
    ALWAYS,
    BUSY,
    DIRECTORY,
    NO_ANSWER,
    NO_KEY,
    WRONG_KEY,
    PathStep,
    Place,
    path,
    spread,
    ways_in,
)
from openivr.ivr.analysis.words import text_of
from openivr.ivr.commands import CallTimer, Dial, Note, SetTimer, Topic
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
    TimerFired,
)
from openivr.ivr.model import Destination, DestinationKind, InboundRoute, IvrSnapshot, by_id
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState
from openivr.simulate.replay import replay_commands
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import OUTCOMES, Mailbox, World
from tests.ivr.engine import Engine, may_be_rung
from tests.ivr.offices import EXTENSIONS, KEYS, RICH, destinations, snapshots


class Calls(RuleBasedStateMachine):
    """A caller, an engine and a world that do anything at any time."""

    engine: Engine

    @initialize(snapshot=snapshots() | st.just(RICH), start=destinations, early=st.text(KEYS, max_size=2))
    def arrive(self, snapshot: IvrSnapshot, start: Destination, early: str) -> None:
        if start.target in snapshot.ivrs:
            start = Destination(DestinationKind.IVR, start.target)
        self.engine = Engine(snapshot, start)
        self.engine.asked = start.prefix + start.number
        for key in early:
            self.engine.tell(Digit(key))
        self.engine.tell(CallArrived("2000", start))

    def live(self, *names: str) -> bool:
        return any(name in self.engine.live for name in names)

    def report(self, event: Event) -> None:
        """Say that something is over; then something else must be under way."""
        self.engine.tell(event)
        self.engine.check_live()

    @rule(key=st.sampled_from("0120122" + KEYS))
    def press(self, key: str) -> None:
        self.engine.tell(Digit(key))

    @rule(keys=st.sampled_from(["1001#", "00#", "0012", "9123", "*02", "10", "0123456789012345", "#", "1"]))
    def dial(self, keys: str) -> None:
        for key in keys:
            self.engine.tell(Digit(key))

    @precondition(lambda self: self.live("play"))
    @rule(failed=st.sampled_from([(), ("a.wav",)]))
    def end_play(self, failed: tuple[str, ...]) -> None:
        self.report(PromptEnded(self.engine.live["play"], failed))

    @precondition(lambda self: self.live(CallTimer.WAIT))
    @rule()
    def fire(self) -> None:
        self.report(TimerFired(self.engine.live[CallTimer.WAIT]))

    @precondition(lambda self: self.live(CallTimer.ENTRY))
    @rule()
    def pause(self) -> None:
        self.engine.tell(TimerFired(self.engine.live[CallTimer.ENTRY]))

    @precondition(lambda self: self.live("dial"))
    @rule(cause=st.sampled_from([*Cause, None]))
    def end_dial(self, cause: Cause | None) -> None:
        token = self.engine.live["dial"]
        if cause:
            self.report(DialFailed(token, cause))
        else:
            self.engine.live["talk"] = self.engine.live.pop("dial")
            self.engine.tell(DialAnswered(token))

    @precondition(lambda self: self.live("talk"))
    @rule()
    def end_talk(self) -> None:
        self.report(DialEnded(self.engine.live["talk"]))

    @precondition(lambda self: self.live("record"))
    @rule()
    def end_record(self) -> None:
        self.report(RecordEnded(self.engine.live["record"]))

    @precondition(lambda self: self.live("mailbox"))
    @rule(messages=st.none() | st.lists(st.just("m.wav"), max_size=2).map(tuple))
    def end_mailbox(self, messages: tuple[str, ...] | None) -> None:
        token = self.engine.live["mailbox"]
        opened = MailboxRefused(token) if messages is None else MailboxOpened(token, messages)
        self.report(opened)

    @precondition(lambda self: self.live("pin"))
    @rule(event=st.sampled_from([PinAccepted, PinRefused, PinRefused]))
    def end_check(self, event: Callable[[int], Event]) -> None:
        self.report(event(self.engine.live["pin"]))

    @rule(
        kind=st.sampled_from(
            [PromptEnded, TimerFired, DialAnswered, DialEnded, RecordEnded, MailboxRefused, PinAccepted]
        ),
        token=st.integers(-1, 200),
    )
    def say_something_stale(self, kind: Callable[[int], Event], token: int) -> None:
        if token not in self.engine.live.values():
            self.engine.tell(kind(token))

    @rule(
        again=st.sampled_from(
            [CallArrived("1", Destination(DestinationKind.END_CALL)), Digit(""), Digit("x"), Digit("12")]
        )
    )
    def say_something_odd(self, again: Event) -> None:
        commands = self.engine.session.handle(again)
        assert commands == ()

    @precondition(lambda self: len(self.engine.told) > 12)
    @rule(limit=st.booleans())
    def finish(self, limit: bool) -> None:
        call = self.engine.live.get(CallTimer.CALL, 0)
        self.engine.tell(TimerFired(call) if limit and call else HungUp())
        if self.engine.session.unconfirmed:  # the call ends once it is known what became of the message
            self.engine.tell(RecordEnded(self.engine.session.unconfirmed))
        assert self.engine.session.ended
        assert [type(command) for command in self.engine.session.handle(HungUp())] == []

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            again = IvrSession(self.engine.snapshot)
            odd_left_out = [again.handle(event) for event in self.engine.told]
            assert odd_left_out == self.engine.done


TestCalls = Calls.TestCase
TestCalls.settings = settings(stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = [*EXTENSIONS, "6301", "6302", "123", "0012", "A", "B"]
outcomes = st.fixed_dictionaries({}, optional={name: st.sampled_from(sorted(OUTCOMES)) for name in NAMES})


@given(snapshots(), outcomes)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_a_silent_call_ends_within_plays_waits_and_hops(snapshot: IvrSnapshot, world: dict[str, str]) -> None:
    simulation = Simulation(snapshot, World(world))
    simulation.call(Destination(DestinationKind.IVR, 1))
    simulation.finish()
    assert simulation.session.ended
    menus_entered = sum(line.what == "enters" for line in simulation.lines)
    assert menus_entered <= 1 + 20
    assert sum(line.what == "hears" for line in simulation.lines) <= menus_entered * (5 + 1) + 20 + 2
    longest_menu = 5 * (5 * 15 + 10)
    longest_failure = 60 * 3 * 4 + 10
    assert simulation.now / 1000 <= 21 * (longest_menu + longest_failure) + 200


@given(snapshots(), st.text(KEYS + "w", max_size=30), outcomes)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_a_recorded_call_replays_to_the_identical_commands(
    snapshot: IvrSnapshot, keys: str, world: dict[str, str]
) -> None:
    simulation = Simulation(snapshot, World(world, {"1001": Mailbox("1", ("a.wav",))}))
    simulation.call(Destination(DestinationKind.IVR, 1), "2000")
    for key in keys:
        if key == "w":
            simulation.advance()
        else:
            simulation.press(key)
    simulation.finish()
    recorded = read_events(write_events(simulation.events))
    assert recorded == simulation.events
    assert replay_commands(snapshot, recorded) == simulation.commands


def follow(simulation: Simulation, label: str) -> None:
    """Do what a way on asks for: press, dial, be silent, press something wrong, find nobody."""
    session = simulation.session
    if pause := simulation.due.get(CallTimer.ENTRY):
        simulation.handle(pause.event)
    if label == NO_KEY:
        timed_out = sum(note.topic is Topic.TIMED_OUT for note in simulation.notes)
        while sum(note.topic is Topic.TIMED_OUT for note in simulation.notes) == timed_out:
            simulation.advance()
    elif label in (NO_ANSWER, BUSY, ALWAYS):
        while session.state is IvrState.DIALLING:
            simulation.advance()
    else:
        simulation.press("A" if label == WRONG_KEY else label)
        while session.state in (IvrState.COLLECTING, IvrState.KEY_PIN, IvrState.CHECKING):
            if session.state is IvrState.KEY_PIN:
                simulation.type_pin(is_right=True)
            else:
                simulation.advance()
    while session.state is IvrState.JOINING:  # the greeting of a ring group
        simulation.advance()


def visited(simulation: Simulation) -> set[Place]:
    """List the menus and ring groups that a call came to."""
    menus_entered = {
        (DestinationKind.IVR, note.ivr) for note in simulation.notes if note.topic is Topic.ENTERED
    }
    tried = {
        (DestinationKind.RING_GROUP, note.target)
        for note in simulation.notes
        if note.kind is DestinationKind.RING_GROUP and note.topic in (Topic.DIALLED, Topic.FAILED)
    }
    return menus_entered | tried


def taken(snapshot: IvrSnapshot, steps: Sequence[tuple[Place | None, str]]) -> dict[str, str]:
    """Return what the extensions on a path do, so that they forward the call."""
    return {
        snapshot.extensions[place[1]].number: label
        for place, label in steps
        if place and place[0] is DestinationKind.EXTENSION and label in OUTCOMES
    }


@given(snapshots())
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_every_way_that_check_sees_can_be_walked(snapshot: IvrSnapshot) -> None:
    ways = spread(snapshot, {(DestinationKind.IVR, 1): PathStep(None, "")})
    for place in ways:
        steps = path(ways, place)[1:]
        if DIRECTORY in (before for before, _ in steps):
            continue  # names would have to be spelled
        if place[0] in (DestinationKind.IVR, DestinationKind.RING_GROUP) and snapshot.find(*place):
            simulation = Simulation(
                snapshot, World({"6301": "busy", "6302": "busy"} | taken(snapshot, steps))
            )
            simulation.call(Destination(DestinationKind.IVR, 1))
            for _, label in steps:
                follow(simulation, label)
            assert place in visited(simulation)


@given(snapshots(), st.text(KEYS + "wwww", max_size=40), outcomes)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_no_call_goes_where_check_sees_no_way(
    snapshot: IvrSnapshot, keys: str, world: dict[str, str]
) -> None:
    snapshot = replace(
        snapshot, inbound_routes=by_id([InboundRoute(1, "Main", Destination(DestinationKind.IVR, 1))])
    )
    ways = ways_in(snapshot)
    outside = ("IVR601", "IVR602", "IVR603", "IVR605")
    told = " ".join(text_of(row) for row in check(snapshot) if row.rule.code in outside)
    simulation = Simulation(snapshot, World(world))
    simulation.call(Destination(DestinationKind.IVR, 1))
    for key in keys:
        if key == "w":
            simulation.advance()
        else:
            simulation.press(key)
    simulation.finish()
    assert visited(simulation) <= set(ways)
    for commands in simulation.commands:
        for command in commands:
            if isinstance(command, Dial) and command.kind is DestinationKind.EXTERNAL:
                assert snapshot.outbound_routes[command.target].name in told


WORDS = ["1", "2", "*", "#", "A", "9123", "9123", "0012#", "1001", "10#", "6301", "*02", "w", "w", "www"]


@given(snapshots() | st.just(RICH), st.lists(st.sampled_from(WORDS), max_size=12), outcomes)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_nobody_is_rung_beyond_policy(snapshot: IvrSnapshot, words: list[str], world: dict[str, str]) -> None:
    start = Destination(DestinationKind.IVR, 1)
    simulation = Simulation(snapshot, World(world))
    simulation.call(start)
    for word in words:
        if word.startswith("w"):
            for _ in word:
                simulation.advance()
        else:
            simulation.press(word)
    simulation.finish()
    asked = ""
    for commands in simulation.commands:
        for command in commands:
            if isinstance(command, Note) and command.topic is Topic.CHOSE:
                asked = command.number if command.kind is DestinationKind.EXTERNAL else ""
            if isinstance(command, Dial):
                assert may_be_rung(snapshot, command, start, asked)


KEYED = st.lists(st.tuples(st.sampled_from("0123459*#"), st.booleans()), max_size=30)  # key, then a pause?


@given(snapshots() | st.just(RICH), KEYED)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_m2_one_entry_is_one_decision(snapshot: IvrSnapshot, keyed: list[tuple[str, bool]]) -> None:
    """After a refusal that comes at once, no key decides anything until there is a pause."""
    session = IvrSession(snapshot)
    session.handle(CallArrived("2000", Destination(DestinationKind.IVR, 1)))
    entry, is_refused, was_chosen = 0, False, False
    for key, pauses in keyed:
        commands = session.handle(Digit(key))
        decisions = [
            c.topic for c in commands if isinstance(c, Note) and c.topic in (Topic.CHOSE, Topic.INVALID)
        ]
        timers = [c.token for c in commands if isinstance(c, SetTimer) and c.timer is CallTimer.ENTRY]
        assert len(decisions) <= 1
        if entry and (is_refused or (was_chosen and key == "#")):
            assert decisions == []
        entry = timers[-1] if timers else entry if is_refused else 0
        if decisions:
            is_refused, was_chosen = decisions == [Topic.INVALID], decisions == [Topic.CHOSE]
        elif not is_refused:
            was_chosen = False
        if pauses and entry:
            assert session.handle(TimerFired(entry)) == ()
            entry, is_refused, was_chosen = 0, False, False
        if not entry:
            is_refused = False
