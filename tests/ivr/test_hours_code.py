"""Feature codes for business hours: who may use them, the PIN, and what the caller hears."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from openivr.hours.calendar import Calendar
from openivr.ivr.call_state import NO_DESTINATION
from openivr.ivr.commands import Hangup, Note, Play, SwitchHours, Topic
from openivr.ivr.events import CallArrived, Digit, HoursRefused, HoursSwitched, PromptEnded, TimerFired
from openivr.ivr.hours_code import NO_REQUEST, HoursAction, HoursRequest, find_caller_request, find_request
from openivr.ivr.model import IvrSnapshot
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState
from openivr.simulate.simulation import Simulation

Office = Callable[..., IvrSnapshot]


def allowed(office: Office, *, has_pin: bool = False) -> IvrSnapshot:
    made = office()
    ada = replace(made.extensions[1], may_switch_hours=True, has_hours_pin=has_pin)
    return replace(made, extensions={**made.extensions, 1: ada}, calendars={0: Calendar("UTC")})


def begin(snapshot: IvrSnapshot, action: HoursAction = HoursAction.CLOSE) -> tuple[IvrSession, list[Any]]:
    session = IvrSession(snapshot)
    arrival = CallArrived("1000", NO_DESTINATION, hours_action=action, extension=1)
    return session, list(session.handle(arrival))


def find(commands: list[Any], kind: type) -> Any:
    (command,) = (command for command in commands if isinstance(command, kind))
    return command


@pytest.mark.parametrize(
    ("number", "action"),
    [("*99", "ask"), ("*990", "auto"), ("*991", "open"), ("*992", "close"), ("*993", "")],
)
def test_the_codes(office: Office, number: str, action: str) -> None:
    request = find_request(allowed(office), 1, number)
    assert request.action == action
    assert bool(request) == bool(action)


def test_only_an_extension_that_may_has_codes(office: Office) -> None:
    snapshot = allowed(office)
    assert find_request(snapshot, 2, "*992") == find_request(snapshot, 99, "*992") == NO_REQUEST
    assert find_caller_request(snapshot, "1000", "*992") == HoursRequest(HoursAction.CLOSE, 1)
    for caller in ("1001", "6300", "2000", ""):
        assert find_caller_request(snapshot, caller, "*992") == NO_REQUEST


def test_the_caller_hears_the_period_that_holds(office: Office) -> None:
    session, commands = begin(allowed(office))
    command = find(commands, SwitchHours)
    assert (command.extension, command.action, command.pin) == (1, "close", "")
    commands = list(session.handle(HoursSwitched(command.token, "closed", "switch")))
    play = find(commands, Play)
    assert play.prompts == ("hours-closed",)
    assert Note(Topic.PERIOD, detail="closed switch") in commands
    assert find(list(session.handle(PromptEnded(play.token))), Hangup)


def type_pin(session: IvrSession, pin: str) -> list[Any]:
    return [command for key in pin for command in session.handle(Digit(key))]


def test_a_pin_is_asked_for_three_times_at_most_and_kept_secret(office: Office) -> None:
    session, commands = begin(allowed(office, has_pin=True))
    assert find(commands, Play).prompts == ("vm-pin",)
    for place in range(3):
        assert session.state is IvrState.HOURS_PIN
        assert session.private
        commands = type_pin(session, "1234#")
        command = find(commands, SwitchHours)
        assert command.pin == "1234"
        assert not any("1234" in str(row) for row in commands if isinstance(row, Note))
        commands = list(session.handle(HoursRefused(command.token)))
        assert find(commands, Play).prompts[-1] == ("goodbye" if place == 2 else "vm-pin")
    assert session.state is IvrState.LAST_WORDS


def test_a_pause_ends_the_pin_and_silence_the_call(office: Office) -> None:
    session, commands = begin(allowed(office, has_pin=True))
    session.handle(PromptEnded(find(commands, Play).token))
    timers = type_pin(session, "77")
    commands = list(session.handle(TimerFired(timers[-1].token)))
    assert find(commands, SwitchHours).pin == "77"
    call = Simulation(allowed(office, has_pin=True))
    call.dial_code(HoursRequest(HoursAction.OPEN, 1), "1000")
    call.finish()
    assert [line.text for line in call.lines if line.what == "hears"] == ["vm-pin", "goodbye"]


def test_what_cannot_be_switched_at_present_is_said(office: Office) -> None:
    for event in (lambda command: HoursRefused(command.token, is_unchecked=True), None):
        session, commands = begin(allowed(office))
        command = find(commands, SwitchHours)
        commands = list(session.handle(event(command) if event else TimerFired(commands[-1].token)))
        assert find(commands, Play).prompts == ("notice-unavailable",)


@pytest.mark.parametrize(
    ("action", "heard"),
    [
        (HoursAction.OPEN, "hours-open"),
        (HoursAction.CLOSE, "hours-closed"),
        (HoursAction.ASK, "hours-closed"),
        (HoursAction.AUTO, "hours-closed"),
    ],
)
def test_the_simulator_dials_the_codes(office: Office, action: HoursAction, heard: str) -> None:
    call = Simulation(allowed(office), start=1)
    call.dial_code(HoursRequest(action, 1), "1000")
    call.finish()
    assert [line.text for line in call.lines if line.what == "hears"] == [heard]
