"""What depends on the period: destinations of routes, of keys, of silence and of wrong keys."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from openivr.hours.calendar import (
    Calendar,
    Holiday,
    HolidayType,
    ManualSwitch,
    OfficeHours,
    PeriodKind,
    TimeSpan,
)
from openivr.ivr.commands import Note, Topic
from openivr.ivr.events import CallArrived, Digit, PromptEnded, TimerFired
from openivr.ivr.inbound_route import IncomingCall, RoutingReason, decide_inbound, explain_inbound
from openivr.ivr.model import ByPeriod, Destination, DestinationKind, InboundRoute, IvrSnapshot, Trunk, by_id
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState
from openivr.simulate.simulation import Simulation

Office = Callable[..., IvrSnapshot]
MAIN = Destination(DestinationKind.IVR, 1)
ADA, ALAN = (Destination(DestinationKind.EXTENSION, id_) for id_ in (1, 2))
NIGHT = Destination(DestinationKind.VOICEMAIL, 1)
BYE = Destination(DestinationKind.END_CALL)
WEEK = OfficeHours(1, frozenset(range(5)), office=(TimeSpan(540, 1080),), breaks=(TimeSpan(720, 780),))
XMAS = Holiday("Christmas", HolidayType.MONTH, 1, date(2000, 12, 25), date(2000, 12, 26), prompt="hours.wav")
CALENDAR = Calendar("UTC", hours=(WEEK,), holidays=(XMAS,))


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


OPEN, BREAK, CLOSED, HOLIDAY = map(
    at, ("2026-11-30 17:59:58", "2026-11-30 12:30", "2026-11-30 18:00:02", "2026-12-25 10:00")
)


def routed(by: ByPeriod, calendar: Calendar = CALENDAR) -> IvrSnapshot:
    route = InboundRoute(1, "In", MAIN, by_period=by)
    return IvrSnapshot(
        trunks=by_id([Trunk(7, "Line")]), inbound_routes=by_id([route]), calendars={0: calendar}
    )


@pytest.mark.parametrize(
    ("by", "led"),
    [
        (ByPeriod(0, ADA, NIGHT, BYE), {OPEN: ADA, BREAK: ADA, CLOSED: NIGHT, HOLIDAY: BYE, 0: ADA}),
        (ByPeriod(closed=NIGHT), {OPEN: MAIN, BREAK: MAIN, CLOSED: NIGHT, HOLIDAY: NIGHT, 0: MAIN}),
        (ByPeriod(99, ADA), {OPEN: ADA, CLOSED: None, HOLIDAY: None}),
    ],
)
def test_a_route_leads_where_the_period_says(by: ByPeriod, led: dict[int, Destination | None]) -> None:
    for moment, destination in led.items():
        rule = decide_inbound(routed(by), IncomingCall(7, ("1",), moment=moment))
        assert (rule.destination if rule else None) == destination


def test_the_explanation_says_the_period_and_the_holiday() -> None:
    call = IncomingCall(7, ("1",), moment=HOLIDAY)
    step = explain_inbound(routed(ByPeriod(closed=NIGHT)), call).steps[1]
    assert (step.reason, step.params["period"], step.params["holiday"]) == (
        RoutingReason.MATCH,
        "holiday",
        "Christmas",
    )


def test_a_switch_by_hand_leads_a_route() -> None:
    switched = replace(CALENDAR, switch=ManualSwitch(PeriodKind.CLOSED))
    rule = decide_inbound(routed(ByPeriod(closed=NIGHT), switched), IncomingCall(7, ("1",), moment=OPEN))
    assert rule
    assert rule.destination == NIGHT


def timed(office: Office, **by: ByPeriod) -> IvrSnapshot:
    keys = {key.removeprefix("key"): value for key, value in by.items()}
    made = office(keys={"1": ADA}, timeout=BYE, invalid=BYE)
    menu = replace(made.ivrs[1], by_period=keys)
    return replace(made, ivrs=by_id([menu]), calendars={0: CALENDAR})


def begin(snapshot: IvrSnapshot, moment: int, *events: Any) -> tuple[IvrSession, list[Any]]:
    session = IvrSession(snapshot)
    commands = list(session.handle(CallArrived("2000", MAIN, moment=moment)))
    for event in events:
        commands += session.handle(event)
    return session, commands


@pytest.mark.parametrize(("moment", "to"), [(OPEN, ADA), (CLOSED, NIGHT), (HOLIDAY, ALAN)])
def test_a_key_leads_where_the_period_of_its_moment_says(
    office: Office, moment: int, to: Destination
) -> None:
    snapshot = timed(office, key1=ByPeriod(closed=NIGHT, holiday=ALAN))
    session, commands = begin(snapshot, OPEN, Digit("1", moment))
    if moment == HOLIDAY:
        assert session.state is IvrState.PREFACE
        commands += session.handle(Digit("5", moment))  # skips the announcement
    notes = [command for command in commands if isinstance(command, Note)]
    chosen = next(note for note in notes if note.topic is Topic.CHOSE)
    assert (chosen.kind, chosen.target) == (to.kind, to.target)
    period = next(note for note in notes if note.topic is Topic.PERIOD)
    assert period.ivr == 1
    assert period.number == ("Christmas" if moment == HOLIDAY else "")


def test_a_key_of_one_period_is_invalid_in_the_others(office: Office) -> None:
    snapshot = timed(office, key2=ByPeriod(closed=NIGHT), key1=ByPeriod())
    for moment, key, is_valid in (
        (OPEN, "2", False),
        (CLOSED, "2", True),
        (OPEN, "1", True),
        (CLOSED, "1", False),
    ):
        _, commands = begin(snapshot, moment, Digit(key, moment))
        topics = {command.topic for command in commands if isinstance(command, Note)}
        assert (Topic.CHOSE in topics, Topic.INVALID in topics) == (is_valid, not is_valid)


def test_the_operator_of_dial_by_name_follows_the_period(office: Office) -> None:
    snapshot = timed(office, key0=ByPeriod(closed=NIGHT))
    keys = {"0": ADA, "9": Destination(DestinationKind.DIAL_BY_NAME)}
    snapshot = replace(snapshot, ivrs=by_id([replace(snapshot.ivrs[1], keys=keys)]))
    for moment, led in ((OPEN, ADA), (CLOSED, NIGHT), (HOLIDAY, NIGHT)):
        session, _ = begin(snapshot, moment, Digit("9", moment))
        commands = session.handle(Digit("0", moment))
        notes = {command.topic: command for command in commands if isinstance(command, Note)}
        assert (notes[Topic.CHOSE].kind, notes[Topic.CHOSE].target) == (led.kind, led.target)
        assert Topic.PERIOD in notes
    assert session.state is IvrState.PREFACE, "the announcement of the holiday comes first"


def test_silence_and_wrong_keys_follow_the_period(office: Office) -> None:
    snapshot = timed(office, timeout=ByPeriod(closed=NIGHT), invalid=ByPeriod(closed=ALAN))
    session, _ = begin(snapshot, OPEN, Digit("9", CLOSED))
    assert session.place == ALAN
    session, _ = begin(snapshot, OPEN, Digit("9", OPEN))
    assert session.ended
    call = Simulation(snapshot, start=CLOSED)
    call.call(MAIN)
    while call.session.ivr.id and call.session.place == MAIN and call.advance():
        pass
    assert call.session.place == NIGHT


def test_the_moment_of_a_timer_counts(office: Office) -> None:
    snapshot = timed(office, timeout=ByPeriod(closed=NIGHT))
    session, _ = begin(
        snapshot, OPEN, PromptEnded(2), TimerFired(3, OPEN), PromptEnded(4), TimerFired(5, CLOSED)
    )
    assert session.place == NIGHT


def test_an_announcement_is_played_once_before_the_destination(office: Office) -> None:
    snapshot = timed(office, key1=ByPeriod(closed=NIGHT, holiday=MAIN))
    arrival = CallArrived("1", MAIN, (), False, HOLIDAY, ("hours.wav",), "holiday holiday", "Christmas")
    session = IvrSession(snapshot)
    notes = [note for note in session.handle(arrival) if isinstance(note, Note)]
    assert Note(Topic.PERIOD, number="Christmas", detail="holiday holiday") in notes
    states = [session.state]
    for event in (PromptEnded(2), Digit("1", HOLIDAY)):  # the key leads to the menu again
        session.handle(event)
        states.append(session.state)
    assert states == [IvrState.PREFACE, IvrState.ANNOUNCING, IvrState.ANNOUNCING]


def test_a_call_without_a_moment_is_as_in_open_hours(office: Office) -> None:
    session, commands = begin(timed(office, key1=ByPeriod(closed=NIGHT)), 0, Digit("1"))
    assert session.place == ADA
    assert not any(isinstance(command, Note) and command.topic is Topic.PERIOD for command in commands)
