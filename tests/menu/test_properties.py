"""What the core promises, over random configurations and random events.

Total: any event in any state returns commands. Live: every state waits for something or has ended. Bounded:
without input a call ends. Safe: nobody is rung beyond policy. Quiet: nothing is stopped that may not be.
Stale-proof and deterministic. `make fuzz` runs the same with far more examples.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from openivr.menu.check import check
from openivr.menu.commands import (
    Answer,
    Command,
    Dial,
    Hangup,
    Note,
    OpenMailbox,
    Play,
    Record,
    SetTimer,
    StopDial,
    StopPlay,
    StopRecord,
    Timer,
    Topic,
)
from openivr.menu.events import (
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
    PromptEnded,
    RecordEnded,
    TimerFired,
)
from openivr.menu.flow import NO_ANSWER, NO_KEY, WRONG_KEY, Place, Step, path, spread, ways_in
from openivr.menu.model import (
    Destination,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionGroup,
    ExtensionRule,
    InboundRoute,
    Ivr,
    Kind,
    OutboundRoute,
    Prompt,
    RingGroup,
    Snapshot,
    Trunk,
    by_id,
)
from openivr.menu.session import Session
from openivr.menu.states import PASSING, State
from openivr.menu.transitions import MOVES
from openivr.simulate.recording import read_happenings, replay, write_happenings
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import OUTCOMES, Mailbox, World

KEYS = "0123456789*#ABCD"
EXTENSIONS = ["1", "10", "100", "1001", "20", "21"]
PROMPTS = ["default", "a.wav", "b.wav", "gone.wav"]
PATTERNS = ["X!", "0.", "00X", "9XXX", "[0-2]Z", "+."]
IDS = st.integers(1, 4)

destinations = st.builds(
    Destination,
    st.sampled_from(Kind),
    target=IDS,
    number=st.sampled_from(["0", "001", "+491", "9123", ""]),
    prefix=st.sampled_from(["", "0"]),
    prompt=st.sampled_from(PROMPTS),
    plays=st.integers(1, 3),
)
maybe = st.none() | destinations
policies = st.builds(
    DialPolicy,
    st.sampled_from(ExtensionRule),
    st.frozensets(IDS, max_size=2),
    st.frozensets(st.integers(1, 2), max_size=2),
    st.booleans(),
    st.frozensets(st.integers(1, 3), max_size=2),
    st.booleans(),
    st.lists(IDS, max_size=3).map(tuple),
    st.booleans(),
)


def menus(ident: int) -> st.SearchStrategy[Ivr]:
    return st.builds(
        Ivr,
        st.just(ident),
        st.just(f"620{ident}"),
        st.just(f"Menu {ident}"),
        prompts=st.lists(st.sampled_from(PROMPTS), max_size=5).map(tuple),
        prompt_repeat=st.integers(1, 5),
        resp_timeout=st.integers(1, 10),
        digit_timeout=st.integers(1, 10),
        policy=policies,
        keys=st.dictionaries(st.sampled_from("012*#"), destinations, max_size=5),
        timeout=maybe,
        invalid=maybe,
    )


@st.composite
def snapshots(draw: Any) -> Snapshot:
    numbers = draw(st.lists(st.sampled_from(EXTENSIONS), unique=True, max_size=4))
    people = [
        Extension(ident, number, draw(st.sampled_from(["Ada", "Bob", ""])), "Lee", draw(st.booleans()))
        for ident, number in enumerate(numbers, start=1)
    ]
    groups = [
        RingGroup(
            ident,
            f"630{ident}",
            f"Group {ident}",
            draw(st.lists(IDS, max_size=2).map(tuple)),
            fail=draw(maybe),
        )
        for ident in range(1, draw(st.integers(1, 3)))
    ]
    routes = [
        OutboundRoute(
            ident,
            f"Route {ident}",
            (DialPattern(draw(st.sampled_from(PATTERNS)), draw(st.integers(0, 1))),),
            draw(st.lists(st.integers(1, 3), max_size=2).map(tuple)),
            draw(st.integers(0, 2)),
            draw(st.booleans()),
        )
        for ident in range(1, draw(st.integers(1, 4)))
    ]
    return Snapshot(
        ivrs=by_id([draw(menus(ident)) for ident in range(1, draw(st.integers(2, 5)))]),
        extensions=by_id(people),
        extension_groups=by_id([ExtensionGroup(1, "Sales", draw(st.frozensets(IDS, max_size=2)))]),
        ring_groups=by_id(groups),
        trunks=by_id([Trunk(1, "A"), Trunk(2, "B", enabled=draw(st.booleans()))]),
        outbound_routes=by_id(routes),
        prompts={name: Prompt(name, 2) for name in ("a.wav", "b.wav")},
        max_call_seconds=10**9,  # so that a call which ends has ended for another reason
    )


# Random offices are mostly poor; in this one every kind of call gets far.
FREE = DialPolicy(
    ExtensionRule.ALL,
    call_numbers=True,
    ring_group_ids=frozenset({1}),
    outbound=True,
    outbound_route_ids=(2, 1),
    check_voicemail=True,
)
RICH = Snapshot(
    ivrs=by_id(
        [
            Ivr(1, "6201", "Menu 1", ("a.wav",), policy=FREE, keys={"2": Destination(Kind.EXTENSION, 1)}),
            Ivr(
                2, "6202", "Menu 2", keys={"1": Destination(Kind.DIAL_BY_NAME), "2": Destination(Kind.IVR, 1)}
            ),
        ]
    ),
    extensions=by_id([Extension(1, "1001", "Ada", "Lee"), Extension(2, "10", "Bob", "Lee", enabled=False)]),
    extension_groups=by_id([ExtensionGroup(1, "Sales")]),
    ring_groups=by_id([RingGroup(1, "6301", "Group 1", (1,), fail=Destination(Kind.IVR, 2))]),
    trunks=by_id([Trunk(1, "A"), Trunk(2, "B")]),
    outbound_routes=by_id(
        [
            OutboundRoute(1, "Route 1", (DialPattern("9XXX", 1),), (1, 2)),
            OutboundRoute(2, "Route 2", (DialPattern("0."),), (2, 1)),
        ]
    ),
    prompts={name: Prompt(name, 2) for name in ("a.wav", "b.wav")},
    max_call_seconds=10**9,
)


def configured_destinations(snapshot: Snapshot, start: Destination) -> list[Destination]:
    found = [start]
    for menu in snapshot.ivrs.values():
        found += [*menu.keys.values(), menu.timeout, menu.invalid]  # type: ignore[list-item]
    found += [group.fail for group in snapshot.ring_groups.values()]  # type: ignore[misc]
    return [destination for destination in found if destination]


REGEX = {
    "X!": "[0-9].*",
    "0.": "0.+",
    "00X": "00[0-9]",
    "9XXX": "9[0-9]{3}",
    "[0-2]Z": "[0-2][1-9]",
    "+.": r"\+.+",
}


def may_be_rung(snapshot: Snapshot, dial: Dial, start: Destination, asked: str) -> bool:
    """Decide again, slowly, from the configuration alone. `asked` is the outside number before the route."""
    everywhere = configured_destinations(snapshot, start)
    policy = snapshot.ivrs[dial.ivr].policy if dial.ivr else DialPolicy()
    if dial.kind is Kind.RING_GROUP:
        listed = policy.call_numbers and dial.target in policy.ring_group_ids
        return listed or any(to.kind is Kind.RING_GROUP and to.target == dial.target for to in everywhere)
    if dial.kind is Kind.EXTENSION:
        named = any(
            to.kind is Kind.DIAL_BY_NAME or (to.kind is Kind.EXTENSION and to.target == dial.target)
            for to in everywhere
        )
        members = frozenset[int]().union(
            *(snapshot.extension_groups[g].member_ids for g in policy.extension_group_ids if g == 1)
        )
        listed = dial.target in policy.extension_ids | members
        rule = {"disable": False, "all": True, "allow": listed, "restrict": not listed}
        return snapshot.extensions[dial.target].enabled and (named or rule[policy.extensions])
    in_keys = {to.prefix + to.number for to in everywhere if to.kind is Kind.EXTERNAL}
    typed = policy.outbound and dial.target in policy.outbound_route_ids and asked not in snapshot.numbers
    return any(may_go_outside(snapshot, dial, number) for number in in_keys | ({asked} if typed else set()))


def may_go_outside(snapshot: Snapshot, dial: Dial, number: str) -> bool:
    route = snapshot.outbound_routes[dial.target]
    digits = number.removeprefix("+")
    (pattern,) = route.patterns
    fits = re.fullmatch(REGEX[pattern.pattern], number) and number[pattern.strip :] == dial.number
    usable = route.enabled and snapshot.trunks[dial.trunk].enabled and dial.trunk in route.trunk_ids
    return bool(usable and fits and digits.isdigit() and len(digits) <= 15)


def closure(states: frozenset[State]) -> frozenset[State]:
    """Follow passing states to where a call can rest."""
    rest, todo, seen = set(), set(states), set()
    while todo:
        state = todo.pop()
        if state in PASSING and state not in seen:
            todo |= next(move.to for move in MOVES if move.source is state)
        elif state not in PASSING:
            rest.add(state)
        seen.add(state)
    return frozenset(rest)


LEADS_TO = {(move.source, move.event): closure(move.to) for move in MOVES}


class Engine:
    """Carries out commands as an engine would, and holds the session to what it promises."""

    def __init__(self, snapshot: Snapshot, start: Destination) -> None:
        self.snapshot, self.start = snapshot, start
        self.session = Session(snapshot)
        self.live: dict[str, int] = {}  # what runs -> its token
        self.interruptible = False
        self.answered = False
        self.asked = ""  # the outside number that was asked for last
        self.told: list[Event] = []
        self.done: list[tuple[Command, ...]] = []

    def tell(self, event: Event) -> None:
        before = self.session.state
        stale = getattr(event, "token", None) not in {None, *self.live.values()}
        commands = self.session.handle(event)
        self.told.append(event)
        self.done.append(commands)
        if stale or before is State.ENDED:
            assert commands == ()
            assert self.session.state is before
        if not isinstance(event, CallArrived):  # early keys may follow it at once
            self.check_table(before, event)
        if not isinstance(event, DialAnswered):
            self.live = {
                name: token for name, token in self.live.items() if token != getattr(event, "token", None)
            }
        for command in commands:
            assert "ended" not in self.live, "nothing follows a hang-up"
            self.carry_out(command)
        if self.session.ended:
            self.live.clear()

    def check_live(self) -> None:
        waits = set(self.live) - {Timer.CALL}
        assert waits or self.session.ended, f"{self.session.state} waits for nothing"

    def check_table(self, before: State, event: Event) -> None:
        after = self.session.state
        assert after not in PASSING
        leads_to = LEADS_TO.get((before, type(event)), frozenset())
        assert after is before or after is State.ENDED or after in leads_to

    def carry_out(self, command: Command) -> None:
        match command:
            case Answer():
                assert not self.answered
                self.answered = True
            case Play():
                assert self.answered
                assert command.prompts
                self.live.pop(Timer.WAIT, None)
                self.live["play"] = command.token
                self.interruptible = command.interruptible
            case StopPlay():
                assert self.live.pop("play") == command.token
                assert self.interruptible
            case SetTimer():
                assert command.seconds > 0
                self.live[command.timer] = command.token
            case Dial():
                assert not {"dial", "talk", "play", "record"} & set(self.live)
                assert may_be_rung(self.snapshot, command, self.start, self.asked)
                self.live["dial"] = command.token
            case StopDial():
                assert self.live.pop("dial") == command.token
            case Record():
                assert self.answered
                self.live["record"] = command.token
            case StopRecord():
                assert self.live.pop("record") == command.token
            case OpenMailbox():
                self.live["mailbox"] = command.token
            case Hangup():
                self.live["ended"] = -1
            case Note():
                if command.topic is Topic.CHOSE:
                    self.asked = command.number if command.kind is Kind.EXTERNAL else ""


class Calls(RuleBasedStateMachine):
    """A caller, an engine and a world that do anything at any time."""

    engine: Engine

    @initialize(snapshot=snapshots() | st.just(RICH), start=destinations, early=st.text(KEYS, max_size=2))
    def arrive(self, snapshot: Snapshot, start: Destination, early: str) -> None:
        if start.target in snapshot.ivrs:
            start = Destination(Kind.IVR, start.target)
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

    @precondition(lambda self: self.live(Timer.WAIT))
    @rule()
    def fire(self) -> None:
        self.report(TimerFired(self.engine.live[Timer.WAIT]))

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

    @rule(
        kind=st.sampled_from([PromptEnded, TimerFired, DialAnswered, DialEnded, RecordEnded, MailboxRefused]),
        token=st.integers(-1, 200),
    )
    def say_something_stale(self, kind: Callable[[int], Event], token: int) -> None:
        if token not in self.engine.live.values():
            self.engine.tell(kind(token))

    @rule(
        again=st.sampled_from(
            [CallArrived("1", Destination(Kind.END_CALL)), Digit(""), Digit("x"), Digit("12")]
        )
    )
    def say_something_odd(self, again: Event) -> None:
        commands = self.engine.session.handle(again)
        assert commands == ()

    @precondition(lambda self: len(self.engine.told) > 12)
    @rule(limit=st.booleans())
    def finish(self, limit: bool) -> None:
        call = self.engine.live.get(Timer.CALL, 0)
        self.engine.tell(TimerFired(call) if limit and call else HungUp())
        assert self.engine.session.ended
        assert [type(command) for command in self.engine.session.handle(HungUp())] == []

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            again = Session(self.engine.snapshot)
            odd_left_out = [again.handle(event) for event in self.engine.told]
            assert odd_left_out == self.engine.done


TestCalls = Calls.TestCase
TestCalls.settings = settings(stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = [*EXTENSIONS, "6301", "6302", "123", "0012", "A", "B"]
outcomes = st.fixed_dictionaries({}, optional={name: st.sampled_from(sorted(OUTCOMES)) for name in NAMES})


@given(snapshots(), outcomes)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_a_silent_call_ends_within_plays_waits_and_hops(snapshot: Snapshot, world: dict[str, str]) -> None:
    simulation = Simulation(snapshot, World(world))
    simulation.call(Destination(Kind.IVR, 1))
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
    snapshot: Snapshot, keys: str, world: dict[str, str]
) -> None:
    simulation = Simulation(snapshot, World(world, {"1001": Mailbox("1", ("a.wav",))}))
    simulation.call(Destination(Kind.IVR, 1), "2000")
    for key in keys:
        if key == "w":
            simulation.advance()
        else:
            simulation.press(key)
    simulation.finish()
    recorded = read_happenings(write_happenings(simulation.happenings))
    assert recorded == simulation.happenings
    assert replay(snapshot, recorded) == simulation.commands


def follow(simulation: Simulation, label: str) -> None:
    """Do what a way on asks for: press, dial, be silent, press something wrong, find nobody."""
    session = simulation.session
    if label == NO_KEY:
        timed_out = sum(note.topic is Topic.TIMED_OUT for note in simulation.notes)
        while sum(note.topic is Topic.TIMED_OUT for note in simulation.notes) == timed_out:
            simulation.advance()
    elif label == NO_ANSWER:
        while session.state is State.DIALLING:
            simulation.advance()
    else:
        simulation.press("A" if label == WRONG_KEY else label)
        while session.state is State.COLLECTING:
            simulation.advance()


def visited(simulation: Simulation) -> set[Place]:
    """List the menus and ring groups that a call came to."""
    menus_entered = {(Kind.IVR, note.ivr) for note in simulation.notes if note.topic is Topic.ENTERED}
    tried = {
        (Kind.RING_GROUP, note.target)
        for note in simulation.notes
        if note.kind is Kind.RING_GROUP and note.topic in (Topic.DIALLED, Topic.FAILED)
    }
    return menus_entered | tried


@given(snapshots())
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_every_way_that_check_sees_can_be_walked(snapshot: Snapshot) -> None:
    ways = spread(snapshot, {(Kind.IVR, 1): Step(None, "")})
    for place in ways:
        if place[0] in (Kind.IVR, Kind.RING_GROUP) and snapshot.find(*place):
            simulation = Simulation(snapshot, World({"6301": "busy", "6302": "busy"}))
            simulation.call(Destination(Kind.IVR, 1))
            for _, label in path(ways, place)[1:]:
                follow(simulation, label)
            assert place in visited(simulation)


@given(snapshots(), st.text(KEYS + "wwww", max_size=40), outcomes)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_no_call_goes_where_check_sees_no_way(snapshot: Snapshot, keys: str, world: dict[str, str]) -> None:
    snapshot = replace(snapshot, inbound_routes=by_id([InboundRoute(1, "Main", Destination(Kind.IVR, 1))]))
    ways = ways_in(snapshot)
    told = " ".join(one.text for one in check(snapshot) if one.rule.code in ("IVR601", "IVR602", "IVR603"))
    simulation = Simulation(snapshot, World(world))
    simulation.call(Destination(Kind.IVR, 1))
    for key in keys:
        if key == "w":
            simulation.advance()
        else:
            simulation.press(key)
    simulation.finish()
    assert visited(simulation) <= set(ways)
    for commands in simulation.commands:
        for command in commands:
            if isinstance(command, Dial) and command.kind is Kind.EXTERNAL:
                assert snapshot.outbound_routes[command.target].name in told


WORDS = ["1", "2", "*", "#", "A", "9123", "9123", "0012#", "1001", "10#", "6301", "*02", "w", "w", "www"]


@given(snapshots() | st.just(RICH), st.lists(st.sampled_from(WORDS), max_size=12), outcomes)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_nobody_is_rung_beyond_policy(snapshot: Snapshot, words: list[str], world: dict[str, str]) -> None:
    start = Destination(Kind.IVR, 1)
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
                asked = command.number if command.kind is Kind.EXTERNAL else ""
            if isinstance(command, Dial):
                assert may_be_rung(snapshot, command, start, asked)
