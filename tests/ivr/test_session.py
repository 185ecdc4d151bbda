"""Tokens, hang-ups and other matters between a session and its driver."""

from collections.abc import Callable
from typing import Any

import pytest

from openivr.ivr.commands import (
    Answer,
    CallTimer,
    Hangup,
    HangupReason,
    Note,
    Play,
    SetTimer,
    StopDial,
    StopPlay,
    Topic,
)
from openivr.ivr.events import (
    CallArrived,
    Cause,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    HungUp,
    PromptEnded,
    TimerFired,
)
from openivr.ivr.model import Destination, DestinationKind, DialPolicy, ExtensionRule, IvrSnapshot
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState

Office = Callable[..., IvrSnapshot]
ADA = Destination(DestinationKind.EXTENSION, 1)
MAIN = Destination(DestinationKind.IVR, 1)


def start(snapshot: IvrSnapshot, *events: Any) -> IvrSession:
    session = IvrSession(snapshot)
    for event in (CallArrived("2000", MAIN), *events):
        session.handle(event)
    return session


def test_the_first_commands_of_a_call(office: Office) -> None:
    session = IvrSession(office())
    assert session.handle(CallArrived("2000", MAIN)) == (
        SetTimer(1, CallTimer.CALL, 10_800),
        Note(Topic.ARRIVED, number="2000"),
        Note(Topic.ENTERED, 1, number="6200"),
        Answer(),
        Play(2, ("welcome.wav", "keys.wav")),
    )
    assert session.state is IvrState.ANNOUNCING
    assert session.ivr.number == "6200"


def test_a_menu_without_words_answers_too(office: Office) -> None:
    assert Answer() in IvrSession(office(prompts=())).handle(CallArrived("2000", MAIN))


@pytest.mark.parametrize(
    ("is_answered", "expected"), [(False, (Hangup,)), (True, (Play,))], ids=["offered", "transferred"]
)
def test_who_was_not_answered_is_not_answered_to_be_told_that_the_line_is_busy(
    office: Office, is_answered: bool, expected: tuple[type, ...]
) -> None:
    session = IvrSession(office())
    session.handle(CallArrived("2000", ADA, is_answered=is_answered))
    commands = session.handle(DialFailed(2, Cause.BUSY))
    assert tuple(type(command) for command in commands if not isinstance(command, Note)) == expected


def test_a_call_arrives_once(office: Office) -> None:
    session = start(office())
    assert session.handle(CallArrived("1", ADA)) == ()
    assert session.state is IvrState.ANNOUNCING


def test_keys_from_before_the_call_was_taken_count(office: Office) -> None:
    session = IvrSession(office(keys={"1": MAIN, "2": ADA}))
    assert session.handle(Digit("1")) == session.handle(Digit("2")) == ()
    commands = session.handle(CallArrived("2000", MAIN))
    assert [type(command) for command in commands].count(StopPlay) == 2
    assert session.state is IvrState.DIALLING


@pytest.mark.parametrize(
    "stale", [PromptEnded(1), PromptEnded(0), TimerFired(2), TimerFired(0), DialAnswered(2)]
)
def test_a_stale_token_changes_nothing(office: Office, stale: Any) -> None:
    session = start(office())
    assert session.handle(stale) == ()
    assert session.state is IvrState.ANNOUNCING


def test_a_play_that_was_interrupted_ends_without_effect(office: Office) -> None:
    session = start(office(keys={"1": ADA}, policy=DialPolicy(ExtensionRule.ALL)), Digit("1"))
    assert session.state is IvrState.COLLECTING
    assert session.handle(PromptEnded(2)) == ()


def test_an_answer_that_crosses_giving_up_is_stale(office: Office) -> None:
    session = start(office(keys={"1": ADA}), Digit("1"))
    assert StopDial(3) in session.handle(TimerFired(4))
    assert session.handle(DialAnswered(3)) == ()
    assert session.handle(DialFailed(3, Cause.BUSY)) == ()
    assert session.state is IvrState.NOTICE


def test_ringing_does_not_stop_a_conversation(office: Office) -> None:
    session = start(office(keys={"1": ADA}), Digit("1"), DialAnswered(3))
    assert session.handle(TimerFired(4)) == ()
    assert session.handle(Digit("1")) == ()
    assert Hangup(HangupReason.CALLEE_HANGUP) in session.handle(DialEnded(3))


def test_prompts_that_the_engine_could_not_play_are_noted(office: Office) -> None:
    session = start(office())
    assert session.handle(PromptEnded(2, ("keys.wav",)))[0] == Note(Topic.MISSING, 1, detail="keys.wav")


def test_a_second_firing_of_a_timer_is_stale(office: Office) -> None:
    session = start(office(), PromptEnded(2))
    assert session.handle(TimerFired(3)) == (Play(4, ("welcome.wav", "keys.wav")),)
    assert session.handle(TimerFired(3)) == ()


@pytest.mark.parametrize(
    "events",
    [(), (PromptEnded(2),), (Digit("1"),), (Digit("1"), DialAnswered(3)), (Digit("2"),), (Digit("3"),)],
    ids=["announcing", "waiting", "dialling", "connected", "spelling", "last words"],
)
def test_the_caller_may_hang_up_at_any_time(office: Office, events: tuple[Any, ...]) -> None:
    keys = {
        "1": ADA,
        "2": Destination(DestinationKind.DIAL_BY_NAME),
        "3": Destination(DestinationKind.PLAY_GREETING, prompt="hours.wav"),
    }
    session = start(office(keys=keys), *events)
    dialling = session.state is IvrState.DIALLING
    commands = session.handle(HungUp())
    assert commands[-1] == Note(Topic.ENDED, 1, detail=HangupReason.CALLER_HANGUP)
    assert (commands[0] == StopDial(3)) == dialling
    assert session.ended
    for event in (HungUp(), Digit("1"), TimerFired(1), PromptEnded(2), CallArrived("1", ADA)):
        assert session.handle(event) == ()


def test_who_is_gone_has_not_hung_up(office: Office) -> None:
    assert start(office()).handle(HungUp("caller_lost")) == (Note(Topic.ENDED, 1, detail="caller_lost"),)
    for reason, end in (("", HangupReason.CALLEE_HANGUP), ("callee_lost", HangupReason.CALLEE_LOST)):
        talking = start(office(keys={"1": ADA}), Digit("1"), DialAnswered(3))
        assert talking.handle(DialEnded(3, reason)) == (Note(Topic.ENDED, 1, detail=end), Hangup(end))


def test_hanging_up_before_the_call_was_taken(office: Office) -> None:
    session = IvrSession(office())
    assert session.handle(HungUp()) == (Note(Topic.ENDED, detail=HangupReason.CALLER_HANGUP),)
    assert session.ended


def test_the_timer_of_the_call_ends_it_in_any_state(office: Office) -> None:
    session = start(office())
    assert session.handle(TimerFired(1)) == (
        Note(Topic.ENDED, 1, detail=HangupReason.CALL_LENGTH_LIMIT),
        Hangup(HangupReason.CALL_LENGTH_LIMIT),
    )
    assert session.handle(TimerFired(1)) == ()


def test_notes_tell_a_call(office: Office) -> None:
    session = start(office(keys={"1": ADA}, timeout=MAIN), PromptEnded(2), TimerFired(3), PromptEnded(4))
    notes = [c for c in session.handle(TimerFired(5)) if isinstance(c, Note)]
    assert notes == [
        Note(Topic.TIMED_OUT, 1, kind=DestinationKind.IVR, target=1),
        Note(Topic.ENTERED, 1, number="6200"),
    ]
    notes = [c for c in session.handle(Digit("1")) if isinstance(c, Note)]
    assert notes == [
        Note(Topic.CHOSE, 1, "1", DestinationKind.EXTENSION, 1),
        Note(Topic.DIALLED, 1, kind=DestinationKind.EXTENSION, target=1, number="1000"),
    ]
    failed = session.handle(DialFailed(7, Cause.BUSY))
    assert failed[0] == Note(Topic.FAILED, 1, kind=DestinationKind.EXTENSION, target=1, detail="busy")


def test_notes_tell_what_went_wrong(office: Office) -> None:
    session = start(office(keys={"1": Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav")}))
    assert Note(Topic.CHOSE, 1, "1", DestinationKind.PLAY_PROMPT, number="hours.wav") in session.handle(
        Digit("1")
    )
    assert session.handle(Digit("7"))[2] == Note(Topic.INVALID, 1, "7", detail="unknown_number")
    session = start(office(prompts=(), prompt_repeat=1))
    assert session.handle(TimerFired(2))[0] == Note(Topic.TIMED_OUT, 1)


def test_what_has_ended_is_not_stopped(office: Office) -> None:
    session = start(office(keys={"1": ADA}), PromptEnded(2))
    assert not any(isinstance(command, StopPlay) for command in session.handle(Digit("1")))
    silent = start(office(prompts=(), keys={"1": ADA}))
    assert not any(isinstance(command, StopPlay) for command in silent.handle(Digit("1")))
    assert StopPlay(2) in start(office(keys={"1": ADA})).handle(Digit("1"))


def test_what_may_not_be_interrupted_says_so(office: Office) -> None:
    session = start(office(keys={"1": Destination(DestinationKind.PLAY_GREETING, prompt="hours.wav")}))
    assert Play(3, ("hours.wav",), interruptible=False) in session.handle(Digit("1"))
    assert session.handle(Digit("1")) == ()
    assert session.state is IvrState.LAST_WORDS


def test_a_play_is_stopped_once(office: Office) -> None:
    session = start(office(policy=DialPolicy(ExtensionRule.ALL)))
    assert StopPlay(2) in session.handle(Digit("1"))
    assert [type(command) for command in session.handle(Digit("0"))] == [SetTimer]


def test_before_its_arrival_a_call_has_no_timer(office: Office) -> None:
    for token in (-1, 0, 1, 2):
        session = IvrSession(office())
        assert session.handle(TimerFired(token)) == ()
        assert not session.ended


def test_no_token_is_never_current(office: Office) -> None:
    session = start(office(keys={"0": Destination(DestinationKind.DIAL_BY_NAME)}), Digit("0"))
    assert session.handle(TimerFired(0)) == ()
    session.handle(Digit("2"))
    assert session.handle(PromptEnded(0)) == ()
