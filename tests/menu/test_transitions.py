"""The table of the state machine is neither too wide nor too narrow: a long random walk takes its rows."""

from collections import defaultdict
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from openivr.menu import session as session_module
from openivr.menu.commands import Command, Dial, OpenMailbox, Play, Record, SetTimer, Timer
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
from openivr.menu.model import Destination, DialPolicy, ExtensionRule, Ivr, Kind, RingGroup, Snapshot
from openivr.menu.session import Session
from openivr.menu.states import PASSING, State
from openivr.menu.transitions import MOVES

Walked = dict[tuple[State, type | None], set[State]]
KEYS = {
    "0": Destination(Kind.DIAL_BY_NAME),
    "1": Destination(Kind.EXTENSION, 1),
    "2": Destination(Kind.IVR, 2),
    "3": Destination(Kind.PLAY_GREETING, prompt="hours.wav"),
    "4": Destination(Kind.PLAY_PROMPT, prompt="hours.wav"),
    "5": Destination(Kind.VOICEMAIL, 1),
    "6": Destination(Kind.END_CALL),
    "7": Destination(Kind.RING_GROUP, 1),
    "8": Destination(Kind.EXTERNAL, number="9123"),
    "9": Destination(Kind.RING_GROUP, 2),
    "#": Destination(Kind.PLAY_PROMPT, prompt="gone.wav"),
    "*": Destination(Kind.EXTENSION, 99),
}
MENUS = [Destination(Kind.IVR, ident) for ident in (1, 2, 3)]
OWN_MAILBOX = Destination(Kind.VOICEMAIL)
STARTS = [*MENUS, *KEYS.values(), OWN_MAILBOX, OWN_MAILBOX, Destination(Kind.RING_GROUP, 3)]
FREE = DialPolicy(ExtensionRule.ALL, check_voicemail=True, outbound=True, outbound_route_ids=(2,))


@pytest.fixture
def snapshot(office: Callable[..., Snapshot]) -> Snapshot:
    quiet = Ivr(
        2, "6201", "Silent", prompt_repeat=2, keys=KEYS, policy=FREE, timeout=Destination(Kind.IVR, 1)
    )
    loop = Ivr(3, "6202", "Loop", prompt_repeat=1, timeout=Destination(Kind.IVR, 3))
    groups = (
        RingGroup(1, "6300", "All", (1,), fail=Destination(Kind.EXTENSION, 2)),
        RingGroup(2, "6301", "Circle", (1,), fail=Destination(Kind.RING_GROUP, 2)),
        RingGroup(3, "6302", "Empty", (), fail=Destination(Kind.RING_GROUP, 3)),
    )
    return office(ivrs=(quiet, loop), groups=groups, keys=KEYS, policy=FREE, invalid=Destination(Kind.IVR, 1))


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> Walked:
    """Record every row that is taken and where it led."""
    seen: Walked = defaultdict(set)

    def watch(source: State, event: type | None, act: Callable[..., State]) -> Callable[..., State]:
        def acted(*arguments: Any) -> State:
            after = act(*arguments)
            seen[source, event].add(after)
            return after

        return acted

    acts: dict[State, Any] = {state: {} for state in State}
    at_once = {}
    for move in MOVES:
        watched = watch(move.source, move.event, move.act)
        if move.event:
            acts[move.source][move.event] = watched
        else:
            at_once[move.source] = watched
    monkeypatch.setattr(session_module, "ACTS", acts)
    monkeypatch.setattr(session_module, "AT_ONCE", at_once)
    return seen


def outcomes(command: Command, random: Random) -> list[Event]:
    """List what may come of a command."""
    match command:
        case Play():
            return [PromptEnded(command.token)]
        case SetTimer() if command.timer is Timer.WAIT:
            return [TimerFired(command.token)]
        case Dial():
            failed = DialFailed(command.token, random.choice(list(Cause)))
            return [failed, failed, DialAnswered(command.token), DialEnded(command.token)]
        case Record():
            return [RecordEnded(command.token)]
        case OpenMailbox():
            return [MailboxRefused(command.token), MailboxOpened(command.token, ("a", "b"))]
        case _:
            return []


def walk(snapshot: Snapshot, random: Random, start: Destination) -> None:
    session = Session(snapshot)
    if random.random() < 0.1:
        session.handle(Digit("1"))
    waiting = [event for c in session.handle(CallArrived("1", start)) for event in outcomes(c, random)]
    # some callers never press a key, and always the same thing happens to them
    silent = random.choice([0, 0, 0, 0, 1, 4])
    for _ in range(60):
        if waiting and silent:
            event: Event = waiting[-silent] if silent < len(waiting) else waiting[-1]
        elif waiting and random.random() < 0.5:
            event = random.choice(waiting[-4:])
        else:
            event = HungUp() if random.random() < 0.01 else Digit(random.choice("0123456789*##*A"))
        commands = session.handle(event)
        waiting += [event for command in commands for event in outcomes(command, random)]
        if session.ended:
            return


def test_a_long_walk_takes_exactly_the_rows_of_the_table(snapshot: Snapshot, walked: Walked) -> None:
    random = Random(1)
    for _ in range(6000):
        walk(snapshot, random, random.choice(STARTS))
    table = {(move.source, move.event): set(move.to) for move in MOVES}
    assert dict(walked) == table


def test_every_state_can_be_reached_and_left() -> None:
    reached = {state for move in MOVES for state in move.to}
    assert reached | {State.NEW} == set(State)
    assert {move.source for move in MOVES} | {State.ENDED} == set(State)


def test_a_passing_state_has_one_row_and_no_event() -> None:
    events = defaultdict(list)
    for move in MOVES:
        events[move.source].append(move.event)
    for state, found in events.items():
        assert (found == [None]) == (state in PASSING)
        assert len(set(found)) == len(found)
