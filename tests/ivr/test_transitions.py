"""The table of the state machine is neither too wide nor too narrow: a long random walk takes its rows."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest

from openivr.hours.calendar import Calendar, Holiday, HolidayType
from openivr.ivr import session as session_module
from openivr.ivr.commands import (
    CallTimer,
    CheckPin,
    Command,
    Dial,
    OpenMailbox,
    Play,
    Record,
    SetTimer,
    SwitchHours,
)
from openivr.ivr.events import (
    CallArrived,
    Cause,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    Event,
    HoursRefused,
    HoursSwitched,
    HungUp,
    MailboxOpened,
    MailboxRefused,
    PinAccepted,
    PinRefused,
    PromptEnded,
    RecordEnded,
    TimerFired,
)
from openivr.ivr.model import (
    Announcement,
    ByPeriod,
    Destination,
    DestinationKind,
    DialPolicy,
    ExtensionRule,
    Ivr,
    IvrSnapshot,
    PinList,
    RingGroup,
    by_id,
)
from openivr.ivr.session import IvrSession
from openivr.ivr.state import PASSING, IvrState
from openivr.ivr.transitions import MOVES

Walked = dict[tuple[IvrState, type | None], set[IvrState]]
KEYS = {
    "0": Destination(DestinationKind.DIAL_BY_NAME),
    "1": Destination(DestinationKind.EXTENSION, 1),
    "2": Destination(DestinationKind.IVR, 2),
    "3": Destination(DestinationKind.PLAY_GREETING, prompt="hours.wav"),
    "4": Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav"),
    "5": Destination(DestinationKind.VOICEMAIL, 1),
    "6": Destination(DestinationKind.END_CALL),
    "7": Destination(DestinationKind.RING_GROUP, 1),
    "8": Destination(DestinationKind.EXTERNAL, number="9123"),
    "9": Destination(DestinationKind.RING_GROUP, 2),
    "#": Destination(DestinationKind.VOICEMAIL),
    "*": Destination(DestinationKind.EXTENSION, 99),
}
SAID = "hours.wav"
GONE = Destination(DestinationKind.PLAY_PROMPT, prompt="gone.wav")
MENUS = [Destination(DestinationKind.IVR, ident) for ident in (1, 2, 3)]
OWN_MAILBOX = Destination(DestinationKind.VOICEMAIL)
CODE = Destination(DestinationKind.END_CALL, 9)  # stands for a feature code
STARTS = [*MENUS, *KEYS.values(), OWN_MAILBOX, OWN_MAILBOX, Destination(DestinationKind.RING_GROUP, 3), CODE]
FREE = DialPolicy(ExtensionRule.ALL, check_voicemail=True, outbound=True, outbound_route_ids=(2,))


@pytest.fixture
def snapshot(office: Callable[..., IvrSnapshot]) -> IvrSnapshot:
    quiet = Ivr(
        2,
        "6201",
        "Silent",
        prompt_repeat=2,
        keys=KEYS,
        policy=FREE,
        timeout=Destination(DestinationKind.IVR, 1),
    )
    onward = Destination(DestinationKind.IVR, 2)
    pins = dict.fromkeys("02#*", 1)
    quiet = replace(quiet, keys=KEYS | dict.fromkeys("36", KEYS["0"]), key_pins=pins)
    loop = Ivr(
        3,
        "6202",
        "Loop",
        prompt_repeat=1,
        timeout=Destination(DestinationKind.IVR, 3),
        keys={"1": GONE, "0": onward, **dict.fromkeys("46789", KEYS["0"])},
        invalid=onward,
    )
    groups = (
        RingGroup(
            1,
            "6300",
            "All",
            (1,),
            fail=Destination(DestinationKind.EXTENSION, 2),
            join_prompt="hours.wav",
            play_full_join_prompt=True,
        ),
        RingGroup(2, "6301", "Circle", (1,), fail=Destination(DestinationKind.RING_GROUP, 2)),
        RingGroup(3, "6302", "Empty", (), fail=Destination(DestinationKind.RING_GROUP, 3)),
    )
    made = office(
        ivrs=(quiet, loop),
        groups=groups,
        keys=KEYS,
        policy=FREE,
        invalid=Destination(DestinationKind.IVR, 1),
        key_pins={"1": 1, "6": 1},
    )
    always = Holiday(
        "Always", HolidayType.MONTH, first=date(2000, 1, 1), last=date(2000, 12, 31), prompt=SAID
    )
    ivrs = {id_: replace(ivr, by_period=same_on_holidays(ivr)) for id_, ivr in made.ivrs.items()}
    ivrs[2] = replace(ivrs[2], by_period={**ivrs[2].by_period, "0": ByPeriod()})  # gone once it is a holiday
    lists = by_id([PinList(1, "Warehouse", 1, 2, 2)])
    storm = Announcement(1, "Storm", "welcome.wav", ivr_ids=(3,), end=2**40)
    calendars = {0: Calendar("UTC", holidays=(always,))}
    people = {**made.extensions, 2: replace(made.extensions[2], has_hours_pin=True)}
    made = replace(made, announcements=by_id([storm]), pin_lists=lists, extensions=people)
    return replace(made, ivrs=ivrs, calendars=calendars)


def same_on_holidays(ivr: Ivr) -> dict[str, ByPeriod]:
    """Let holidays only add an announcement, but for keys that play a prompt or ask for a name."""
    led = {**ivr.keys, "timeout": ivr.timeout, "invalid": ivr.invalid}
    without = (DestinationKind.PLAY_PROMPT, DestinationKind.DIAL_BY_NAME)
    return {key: ByPeriod(holiday=to) for key, to in led.items() if not to or to.kind not in without}


@pytest.fixture
def walked(monkeypatch: pytest.MonkeyPatch) -> Walked:
    """Record every row that is taken and where it led."""
    seen: Walked = defaultdict(set)

    def watch(source: IvrState, event: type | None, act: Callable[..., IvrState]) -> Callable[..., IvrState]:
        def acted(*arguments: Any) -> IvrState:
            after = act(*arguments)
            seen[source, event].add(after)
            return after

        return acted

    acts: dict[IvrState, Any] = {state: {} for state in IvrState}
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
        case SetTimer() if command.timer is not CallTimer.CALL:
            return [TimerFired(command.token)]
        case Dial():
            failed = DialFailed(command.token, random.choice(list(Cause)))
            return [failed, failed, DialAnswered(command.token), DialEnded(command.token)]
        case Record():
            return [RecordEnded(command.token)]
        case SwitchHours():
            refused_switch = [
                HoursRefused(command.token, is_unchecked=is_unchecked) for is_unchecked in (False, True)
            ]
            return [*refused_switch, refused_switch[0], HoursSwitched(command.token, "open", "switch")]
        case OpenMailbox():
            refused = [
                MailboxRefused(command.token, is_unchecked=is_unchecked) for is_unchecked in (False, True)
            ]
            return [*refused, MailboxOpened(command.token, ("a", "b"))]
        case CheckPin():
            refused_pins = [PinRefused(command.token, is_unchecked=it) for it in (False, True)]
            return [PinAccepted(command.token), *refused_pins]
        case _:
            return []


def walk(snapshot: IvrSnapshot, random: Random, start: Destination) -> None:
    session = IvrSession(snapshot)
    if random.random() < 0.1:
        session.handle(Digit("1"))
    said = (SAID,) if random.random() < 0.1 else ()
    arrival = CallArrived("1", start, moment=random.choice((0, 1)), announcements=said)
    if start is CODE:
        arrival = replace(arrival, hours_action="open", extension=random.choice((1, 2)))
    waiting = [event for c in session.handle(arrival) for event in outcomes(c, random)]
    # some callers never press a key, and always the same thing happens to them
    silent = random.choice([0, 0, 0, 0, 1, 4])
    for _ in range(60):
        if waiting and silent:
            event: Event = waiting[-silent] if silent < len(waiting) else waiting[-1]
        elif waiting and random.random() < 0.5:
            event = random.choice(waiting[-4:])
        else:
            event = (
                HungUp()
                if random.random() < 0.01
                else Digit(random.choice("0123456789*##*A"), random.choice((0, 0, 0, 1)))
            )
        commands = session.handle(event)
        waiting += [event for command in commands for event in outcomes(command, random)]
        if session.ended:
            return


def test_a_long_walk_takes_exactly_the_rows_of_the_table(snapshot: IvrSnapshot, walked: Walked) -> None:
    random = Random(1)
    for _ in range(14_000):
        walk(snapshot, random, random.choice(STARTS))
    table = {(move.source, move.event): set(move.to) for move in MOVES}
    assert dict(walked) == table


def test_every_state_can_be_reached_and_left() -> None:
    reached = {state for move in MOVES for state in move.to}
    assert reached | {IvrState.NEW} == set(IvrState)
    assert {move.source for move in MOVES} | {IvrState.ENDED} == set(IvrState)


def test_a_passing_state_has_one_row_and_no_event() -> None:
    events = defaultdict(list)
    for move in MOVES:
        events[move.source].append(move.event)
    for state, found in events.items():
        assert (found == [None]) == (state in PASSING)
        assert len(set(found)) == len(found)
