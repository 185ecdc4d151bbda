"""Voicemail: leaving a message, and hearing one's own."""

from collections.abc import Callable
from typing import Any

import pytest

from openivr.ivr.commands import (
    DeleteMessage,
    Note,
    OpenMailbox,
    Play,
    Record,
    StopPlay,
    StopRecord,
    Topic,
)
from openivr.ivr.events import HungUp, MailboxRefused, RecordEnded, RecordResult, TimerFired
from openivr.ivr.model import Destination, DestinationKind, DialPolicy, IvrSnapshot
from openivr.ivr.state import IvrState
from openivr.simulate.world import Mailbox

Office = Callable[..., IvrSnapshot]
Ring = Callable[..., Any]

TO_ADA = {"5": Destination(DestinationKind.VOICEMAIL, 1)}
OWN = DialPolicy(check_voicemail=True)
BOXES = {"1000": Mailbox("1234", ("new.wav", "old.wav"))}


def commands(desk: Any, kind: type) -> list[Any]:
    return [c for batch in desk.simulation.commands for c in batch if isinstance(c, kind)]


def test_a_message_ends_with_silence(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_ADA), message=20).do("5").finish()
    assert desk.told("hears", "records", "leaves", "ends")[1:] == [
        ("hears", "vm-leave-message"),
        ("records", "1000"),
        ("leaves", "message"),
        ("hears", "vm-saved"),
        ("ends", "message_left"),
    ]
    assert commands(desk, Record) == [Record(commands(desk, Record)[0].token, 1, 180)]


def test_pound_skips_to_the_tone_and_ends_the_message(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_ADA)).do("5 1 #")
    assert desk.at("records") == [0.4]
    assert commands(desk.do("w3 2"), StopRecord) == []
    desk.do("#")
    assert commands(desk, StopRecord) == [StopRecord(commands(desk, Record)[0].token)]
    assert desk.finish().texts("ends") == ["message_left"]


def test_a_message_has_a_longest_time(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_ADA), message=1000).do("5 w3 #").finish()
    assert desk.at("leaves") == [183]


def test_hanging_up_keeps_the_message(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_ADA)).do("5 w3 # w3 h")
    assert desk.told("leaves", "ends") == [("leaves", "message"), ("ends", "caller_hangup")]


def test_the_end_of_the_call_keeps_the_message(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_ADA)).do("5 w3 #")
    desk.simulation.wait(2)
    desk.simulation.handle(TimerFired(1))
    desk.finish()
    assert desk.told("leaves", "ends") == [("leaves", "message"), ("ends", "call_length_limit")]


@pytest.mark.parametrize("result", [result for result in RecordResult if result is not RecordResult.KEPT])
@pytest.mark.parametrize("keys", ["5 w3 # w3 #", "5 w3 # w60"])
def test_m9_the_caller_hears_that_a_message_was_not_saved(
    office: Office, ring: Ring, result: RecordResult, keys: str
) -> None:
    desk = ring(office(keys=TO_ADA), recording=result).do(keys).finish()
    assert desk.told("leaves", "hears", "ends")[-3:] == [
        ("leaves", "nothing"),
        ("hears", "vm-not-saved"),
        ("ends", "no_message"),
    ]
    (note,) = [note for note in desk.simulation.notes if note.topic is Topic.NOT_RECORDED]
    assert (note.target, note.detail) == (1, result)
    assert Topic.RECORDED not in {note.topic for note in desk.simulation.notes}


def test_m9_nothing_is_claimed_before_the_result(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_ADA)).do("5 w3 # w3 #")
    session = desk.simulation.session
    assert session.state is IvrState.KEEPING
    assert desk.texts("leaves") == []
    assert not session.private
    assert session.place.kind is DestinationKind.VOICEMAIL
    desk.simulation.press("1*")
    assert desk.finish().texts("ends") == ["message_left"]


def test_m9_a_driver_that_reports_nothing_has_kept_nothing(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_ADA)).do("5 w3 # w3")
    schedule, desk.simulation._schedule = desk.simulation._schedule, lambda slot, seconds, event: None
    desk.do("#")
    desk.simulation._schedule = schedule
    timer = desk.simulation.commands[-1][-1]
    assert timer.seconds == 10
    desk.simulation.handle(TimerFired(timer.token))
    desk.simulation.handle(RecordEnded(commands(desk, Record)[0].token))
    assert desk.finish().told("leaves", "ends") == [("leaves", "nothing"), ("ends", "no_message")]


@pytest.mark.parametrize("keys", ["5 w3 # h", "5 w3 # #", "5 w3 # w0.4 h"])
def test_m10_hanging_up_at_the_tone_leaves_no_message(office: Office, ring: Ring, keys: str) -> None:
    desk = ring(office(keys=TO_ADA)).do(keys).finish()
    assert desk.texts("leaves") == ["nothing"]


@pytest.mark.parametrize("keys", ["5 w3 # w3 h", "5 w3 # w3 # h"])
def test_a_caller_who_is_gone_hears_nothing_more(office: Office, ring: Ring, keys: str) -> None:
    desk = ring(office(keys=TO_ADA), recording=RecordResult.DISK_FULL).do(keys).finish()
    assert desk.told("leaves", "ends") == [("leaves", "nothing"), ("ends", "caller_hangup")]
    assert desk.texts("hears")[-1] == "vm-leave-message"


def test_an_extension_without_a_mailbox_takes_no_message(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"5": Destination(DestinationKind.VOICEMAIL, 4)})).do("5")
    assert desk.told("fails", "records") == [("fails", "unavailable")]


def test_the_messages_of_a_mailbox(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do("*02 w1 1000# w1 1234# w1")
    assert desk.texts("mailbox") == ["opened"]
    assert desk.texts("hears")[1:] == ["vm-mailbox", "vm-pin", "vm-message, new.wav, vm-keys"]
    assert desk.do("1").texts("hears")[-1] == "vm-message, new.wav, vm-keys"
    assert desk.do("2").texts("hears")[-1] == "vm-message, old.wav, vm-keys"
    assert desk.do("3").texts("hears")[-1] == "vm-no-more"
    assert commands(desk, DeleteMessage) == [DeleteMessage("1000", "old.wav")]
    desk.do("3")
    assert len(commands(desk, DeleteMessage)) == 1
    told = [note for note in desk.simulation.notes if note.topic is Topic.MAILBOX]
    assert told == [Note(Topic.MAILBOX, 1, number="1000", detail=what) for what in ("opened", "deleted")]
    assert desk.do("*").texts("hears")[-1] == "welcome.wav, keys.wav"


@pytest.mark.parametrize("key", ["1", "2", "3", "*", "#", "9"])
def test_a_key_stops_the_message_that_is_played(office: Office, ring: Ring, key: str) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do("*02 w1 1000# w1 1234# w0.5")
    playing = commands(desk, Play)[-1]
    assert "new.wav" in playing.prompts
    stopped = commands(desk, StopPlay)
    desk.do(key)
    assert commands(desk, StopPlay)[len(stopped) :][:1] == [StopPlay(playing.token)]


@pytest.mark.parametrize(("keys", "end"), [("#", "mailbox_left"), ("w60", "mailbox_left")])
def test_leaving_the_mailbox(office: Office, ring: Ring, keys: str, end: str) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do("*02 1000# 1234# w1").do(keys).finish()
    assert desk.texts("hears")[-1] == "goodbye"
    assert desk.texts("ends") == [end]


def test_a_pause_also_ends_number_and_pin(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do("*02 1000 w3 1234 w3")
    assert desk.texts("mailbox") == ["opened"]


def test_three_wrong_pins_end_the_call(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do("*02 1000# 1# 2# 3#").finish()
    assert desk.texts("mailbox") == ["refused"] * 3
    told = [note.number for note in desk.simulation.notes if note.topic is Topic.MAILBOX]
    assert told == ["1000", "1000", "1000"]
    assert desk.texts("hears")[-1] == "vm-wrong, goodbye"
    assert desk.texts("ends") == ["mailbox_refused"]


def test_another_visit_has_three_tries_again(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do("*02 1# 1# 2# * *02 1000# 3# 1234# w1")
    assert desk.texts("mailbox") == ["refused"] * 3 + ["opened"]


@pytest.mark.parametrize("is_late", [True, False])
def test_a_pin_that_could_not_be_checked_was_not_wrong(office: Office, ring: Ring, is_late: bool) -> None:
    """An engine that cannot look, or never answers: the caller is not told that the PIN is wrong."""
    desk = ring(office(policy=OWN), mailboxes=BOXES)
    schedule = desk.simulation._schedule
    for _ in range(4):  # more often than a wrong PIN may be given
        desk.do("*02 1000# 123")
        desk.simulation._schedule = lambda slot, seconds, event: None
        desk.do("#")
        desk.simulation._schedule = schedule
        opening, timer = (desk.simulation.commands[-1][at] for at in (-2, -1))
        event = TimerFired(timer.token) if is_late else MailboxRefused(opening.token, "1000", True)
        desk.simulation.handle(event)
        assert desk.texts("hears")[-1] == "notice-unavailable"
        desk.do("w1")
    assert desk.texts("mailbox") == ["unchecked"] * 4
    assert desk.do("*02 1000# 1234# w1").texts("mailbox")[-1] == "opened"


@pytest.mark.parametrize("keys", ["5 w3 # w3", "5 w3 # w3 #"])
def test_what_ends_a_recording_is_said_with_what_became_of_it(office: Office, ring: Ring, keys: str) -> None:
    desk = ring(office(keys=TO_ADA)).do(keys)
    desk.simulation.handle(HungUp("server_stopped"))
    assert not desk.simulation.session.ended
    assert desk.finish().told("leaves", "ends") == [("leaves", "message"), ("ends", "server_stopped")]


@pytest.mark.parametrize("keys", ["*02 w10 w10", "*02 *", "*02 10*", "*02 1000# *"])
def test_ways_back_to_the_menu(office: Office, ring: Ring, keys: str) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do(keys)
    assert desk.texts("hears")[-1] == "welcome.wav, keys.wav"


def test_a_pin_is_secret(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=OWN), mailboxes=BOXES).do("*02 1000#")
    assert desk.simulation.session.private
    desk.do("1234#")
    assert not desk.simulation.session.private
    assert commands(desk, OpenMailbox) == [OpenMailbox(commands(desk, OpenMailbox)[0].token, "1000", "1234")]
    assert not any("1234" in str(note) for note in desk.simulation.notes)
    assert "1234" not in "".join(desk.texts("presses"))


def test_input_has_an_end(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=OWN)).do("*02 " + "1" * 30 + "# " + "2" * 30 + "#")
    (opening,) = commands(desk, OpenMailbox)
    assert (opening.number, opening.pin) == ("", "2" * 20)
