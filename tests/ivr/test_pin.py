"""A key that asks for a PIN: who knows one of the list may use it, and no PIN is kept anywhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openivr.cdr.journal.event_codec import describe
from openivr.ivr.commands import HIDDEN, CheckPin, Note, Topic, mask
from openivr.ivr.events import PinRefused, TimerFired
from openivr.ivr.model import Destination, DestinationKind, Ivr, IvrSnapshot, PinList, by_id
from openivr.ivr.policy import Refusal
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState
from openivr.simulate.replay import replay_call
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import World
from tests.ivr.conftest import ALL

Office = Callable[..., IvrSnapshot]
Ring = Callable[..., Any]

ADA = Destination(DestinationKind.EXTENSION, 1)
NIGHT = Ivr(2, "6201", "Night", keys={"1": Destination(DestinationKind.EXTENSION, 2)})
LISTS = by_id([PinList(7, "Warehouse", 3, 4, 6), PinList(8, "Empty")])
PINS = {"Warehouse": "4711"}
ASKED = ["welcome.wav, keys.wav", "vm-pin"]
ASKED_AGAIN = "vm-wrong, vm-pin"


@pytest.fixture
def guarded(office: Office) -> Callable[..., IvrSnapshot]:
    """Key 1 leads to Ada after a PIN of the Warehouse, 2 without one, 3 by name."""

    def build(**changes: Any) -> IvrSnapshot:
        keys = {"1": ADA, "2": ADA, "3": Destination(DestinationKind.DIAL_BY_NAME)}
        fields = {"keys": keys, "key_pins": {"1": 7}, "ivrs": (NIGHT,)}
        return replace(office(**(fields | changes)), pin_lists=LISTS)

    return build


def checked(desk: Any) -> list[str]:
    """The PINs that the driver was to look for."""
    return [c.pin for batch in desk.simulation.commands for c in batch if isinstance(c, CheckPin)]


def noted(desk: Any, topic: Topic = Topic.PIN) -> list[tuple[str, str]]:
    return [(note.input, note.detail) for note in desk.simulation.notes if note.topic is topic]


def test_the_key_acts_after_the_right_pin(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(), pins=PINS).do("1")
    assert desk.texts("hears") == ASKED
    assert desk.texts("rings") == []
    assert noted(desk, Topic.CHOSE) == []
    desk.do("4711# w0")
    assert desk.texts("rings") == ["extension 1000"]
    assert noted(desk) == [("1", "accepted")]
    assert noted(desk, Topic.CHOSE) == [("1", "")]


def test_other_keys_ask_for_nothing(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded()).do("2")
    assert desk.texts("rings") == ["extension 1000"]
    assert checked(desk) == []


@pytest.mark.parametrize("end", ["# w0", " w3.1"])
def test_pound_or_a_pause_ends_the_pin(guarded: Office, ring: Ring, end: str) -> None:
    desk = ring(guarded(), pins=PINS).do(f"1 4711{end}")
    assert desk.texts("pin") == ["accepted"]


def test_the_longest_pin_needs_no_pound(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(), pins={"Warehouse": "471147"}).do("1 471147")
    desk.simulation.wait(0)
    assert desk.texts("pin") == ["accepted"]


def test_a_pound_after_the_last_digit_belongs_to_the_pin(guarded: Office, ring: Ring) -> None:
    menus = guarded(keys={"1": Destination(DestinationKind.IVR, 2)})
    desk = ring(menus, pins={"Warehouse": "471147"}).do("1 471147# 1")
    assert noted(desk, Topic.INVALID) == []
    assert desk.texts("rings") == ["extension 1001"]


def test_a_wrong_pin_is_said_and_another_one_taken(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(), pins=PINS).do("1 1111# w1 4711# w1")
    assert desk.texts("hears") == [*ASKED, ASKED_AGAIN]
    assert noted(desk) == [("1", "refused"), ("1", "accepted")]
    assert desk.texts("rings") == ["extension 1000"]


def test_after_three_wrong_pins_the_key_is_a_wrong_one(guarded: Office, ring: Ring) -> None:
    menus = guarded(invalid=Destination(DestinationKind.IVR, 2))
    desk = ring(menus, pins=PINS).do("1 1111# w1 2222# w1 3333# w5")
    assert desk.texts("hears") == [*ASKED, *[ASKED_AGAIN] * 2, "vm-wrong"]
    assert noted(desk, Topic.INVALID) == [("1", Refusal.WRONG_PIN)]
    assert desk.texts("enters") == ["6200", "6201"]
    assert desk.texts("rings") == []


def test_wrong_pins_count_as_one_wrong_key(guarded: Office, ring: Ring) -> None:
    menus = guarded(max_invalid=2, invalid=Destination(DestinationKind.IVR, 1), timeout=ADA)
    wrong = "1 1111# w1 2222# w1 3333# w20"
    assert ring(menus, pins=PINS).do(wrong).texts("rings") == []
    assert ring(menus, pins=PINS).do(f"{wrong} {wrong}").texts("rings") == ["extension 1000"]


def test_a_caller_who_types_nothing_is_asked_three_times(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(timeout=ADA), pins=PINS).do("1").finish()
    assert desk.texts("hears") == [*ASKED, "vm-pin", "vm-pin"]
    assert noted(desk) == []
    assert desk.texts("times_out") == ["6200"]


def test_a_wrong_pin_and_silence_share_the_three_tries(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(timeout=ADA), pins=PINS).do("1 1111#").finish()
    assert desk.texts("hears") == [*ASKED, ASKED_AGAIN, "vm-pin"]


def test_star_goes_back_to_the_menu(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(), pins=PINS).do("1 47*")
    assert desk.texts("enters") == ["6200", "6200"]
    assert checked(desk) == []


def test_pound_alone_is_no_pin(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(), pins=PINS).do("1# # w1")
    assert checked(desk) == []
    assert desk.do("4711# w0").texts("rings") == ["extension 1000"]


def test_one_entry_is_one_pin(guarded: Office, ring: Ring) -> None:
    """The digits after a PIN that was long enough are no second one, until there is a pause."""
    desk = ring(guarded(), pins=PINS).do("1 99999999999999")
    assert checked(desk) == ["999999"]
    assert desk.do("w3.1 4711# w1").texts("rings") == ["extension 1000"]


def test_pound_ends_a_wrong_pin_that_was_long_enough(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(), pins=PINS).do("1 999999# 4711# w1")
    assert checked(desk) == ["999999", "4711"]
    desk = ring(guarded(), pins=PINS).do("1 99999999# 4711# w1")
    assert checked(desk) == ["999999", "4711"]


def test_keys_before_the_result_are_dropped_with_the_rest_of_what_is_typed(guarded: Office) -> None:
    menus = guarded(keys={"1": Destination(DestinationKind.IVR, 2)})
    call = Simulation(menus, World(pins=PINS))
    call.call(Destination(DestinationKind.IVR, 1))
    call.press("14711#")
    due = call._due.pop("pin")  # the driver is slow
    call.press("11")
    assert call.session.state is IvrState.CHECKING
    assert call.session.private
    call.handle(due.event)
    call.press("1")
    assert [line.text for line in call.lines if line.what == "rings"] == []
    call.wait(3.1)
    call.press("1")
    assert [line.text for line in call.lines if line.what == "rings"] == ["extension 1001"]


def test_a_driver_that_reports_nothing_accepts_nothing(guarded: Office) -> None:
    call = Simulation(guarded(), World(pins=PINS))
    call.call(Destination(DestinationKind.IVR, 1))
    call.press("14711#")
    late: Any = call._due.pop("pin")
    timer: Any = call.commands[-1][-1]
    assert timer.seconds == 5
    call.handle(TimerFired(timer.token))
    call.handle(late.event)
    assert call.session.state is IvrState.NOTICE
    assert [note.detail for note in call.notes if note.topic is Topic.PIN] == ["unchecked"]


def test_a_pin_that_cannot_be_checked_is_not_counted(guarded: Office) -> None:
    call = Simulation(guarded(), World(pins={"Warehouse": "471147"}))
    call.call(Destination(DestinationKind.IVR, 1))
    for _ in range(4):
        call.press("1471147")
        event: Any = call._due.pop("pin").event
        call.handle(PinRefused(event.token, is_unchecked=True))
        call.press("2")  # belongs to the PIN
        assert call.session.private
        call.wait(3.1)
    call.press("1471147")
    call.wait(0)
    assert [note.detail for note in call.notes if note.topic is Topic.PIN] == [*["unchecked"] * 4, "accepted"]
    assert [line.text for line in call.lines if line.what == "rings"] == ["extension 1000"]


def test_an_empty_list_lets_no_one_in(guarded: Office, ring: Ring) -> None:
    for pin_list in (8, 99):
        desk = ring(guarded(key_pins={"1": pin_list})).do("1 1234# w1")
        assert desk.texts("pin") == ["refused"]


def test_the_operator_of_dial_by_name_asks_too(guarded: Office, ring: Ring) -> None:
    keys = {"0": ADA, "3": Destination(DestinationKind.DIAL_BY_NAME)}
    desk = ring(guarded(keys=keys, key_pins={"0": 7}), pins=PINS).do("3 0")
    assert desk.texts("rings") == []
    assert desk.do("4711# w0").texts("rings") == ["extension 1000"]
    assert noted(desk) == [("0", "accepted")]


def test_hanging_up_while_a_pin_is_asked_for_ends_the_call(guarded: Office, ring: Ring) -> None:
    for keys in ("1 h", "1 47 h", "1 4711# h"):
        assert ring(guarded(), pins=PINS).do(keys).texts("ends") == ["caller_hangup"]


def test_a_pin_is_nowhere(guarded: Office, ring: Ring) -> None:
    """Not in notes, nor in the transcript, nor in the events that the journal keeps."""
    menus = guarded(invalid=Destination(DestinationKind.IVR, 1))
    desk = ring(menus, pins=PINS).do("1 9999# w1 888888888 w3.1 9999# 99 w5 1 4711# w1")
    assert desk.texts("rings") == ["extension 1000"]
    assert not any(digit in str(note.input) for note in desk.simulation.notes for digit in "4798")
    assert not set("4798") & set("".join(desk.texts("presses")))
    session = IvrSession(menus)
    for happening in desk.simulation.events:
        fields = describe(happening, is_private=session.private)
        assert fields.get("key", "1") in ("1", "#", "•")
        session.handle(happening.event)


@pytest.mark.parametrize("typed", ["14711", "1471"])
def test_a_pin_that_is_typed_before_it_is_asked_for_is_hidden(
    guarded: Office, ring: Ring, typed: str
) -> None:
    """The key also begins the numbers of extensions, so it waits for more."""
    desk = ring(guarded(policy=ALL), pins=PINS).do(f"{typed}#")
    (note,) = [note for note in desk.simulation.notes if note.topic is Topic.INVALID]
    assert note.private
    assert mask(note).input == HIDDEN
    (other,) = [n for n in ring(guarded(policy=ALL)).do("44#").simulation.notes if n.topic is Topic.INVALID]
    assert not other.private


DIGITS = st.sampled_from("3456789")  # of no key and of no other text
TYPED = st.lists(st.text(DIGITS, min_size=1, max_size=9) | st.sampled_from(["#", "w1", "w4"]), max_size=12)
MENU = Ivr(1, "6200", "Main", keys={"1": ADA}, key_pins={"1": 7}, invalid=Destination(DestinationKind.IVR, 1))
OFFICE = IvrSnapshot(ivrs=by_id([MENU]), pin_lists=LISTS)


@given(TYPED, st.text(DIGITS, min_size=4, max_size=6))
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_for_any_keys_no_pin_is_kept_and_an_entry_is_one_check(typed: list[str], right: str) -> None:
    call = Simulation(OFFICE, World(pins={"Warehouse": right}))
    call.call(Destination(DestinationKind.IVR, 1))
    call.press("1")
    for text in typed:
        if text.startswith("w"):
            call.wait(float(text[1:]))
            continue
        was_asked = call.session.state is IvrState.KEY_PIN
        before = len(call.commands)
        is_private = [call.session.private]
        for key in text:
            call.press(key)
            is_private.append(call.session.private)
        decided = [c for commands in call.commands[before:] for c in commands if isinstance(c, CheckPin)]
        assert len(decided) <= 1, "keys without a pause are one entry"
        if was_asked and text != "#":
            assert all(is_private[:MAX_PIN_KEYS]), "every digit of a PIN is secret"
    decided_by = [note for note in call.notes if note.topic is Topic.CHOSE]
    assert bool(decided_by) == any(note.detail == "accepted" for note in call.notes)
    assert all(note.input in ("", "1") for note in call.notes if note.topic is Topic.PIN)


MAX_PIN_KEYS = 4  # every PIN has more keys than that, so it is still being asked for


def test_a_recorded_call_with_hidden_pins_replays(guarded: Office, ring: Ring) -> None:
    desk = ring(guarded(), pins=PINS).do("1 9999# w1 4711# w1")
    hidden, session = [], IvrSession(desk.simulation.snapshot)
    for happening in desk.simulation.events:
        is_hidden = session.private and getattr(happening.event, "key", "#") not in "*#"
        session.handle(happening.event)
        event = replace(happening.event, key="•") if is_hidden else happening.event
        hidden.append(replace(happening, event=event))
    again = replay_call(desk.simulation.snapshot, World(), hidden)
    assert [note for note in again.notes if isinstance(note, Note)] == desk.simulation.notes
