"""Calls from a menu to the outside."""

from collections.abc import Callable
from typing import Any

from openivr.ivr.commands import Dial, Note, Topic, mask
from openivr.ivr.model import Destination, DestinationKind, DialPolicy, IvrSnapshot

Office = Callable[..., IvrSnapshot]
Ring = Callable[..., Any]

BOTH = DialPolicy(outbound=True, outbound_route_ids=(1, 2))


def test_outside_numbers_are_invalid_unless_the_menu_names_routes(office: Office, ring: Ring) -> None:
    assert ring(office()).do("9").texts("refused") == ["9"]
    assert ring(office(policy=DialPolicy(outbound_route_ids=(1, 2)))).do("9").texts("refused") == ["9"]


def test_an_outside_number_takes_the_first_route_that_fits(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=BOTH)).do("9123#")
    assert desk.texts("rings") == ["outside 123 over Local, A"]


def test_the_next_line_is_tried_when_one_fails(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=BOTH), {"A": "unavailable", "B": "limit_reached"}).do("9123# w7")
    assert desk.texts("rings") == [
        "outside 123 over Local, A",
        "outside 123 over Local, B",
        "outside 9123 over Any, B",
    ]
    assert desk.texts("hears")[-1] == "welcome.wav, keys.wav"
    assert desk.texts("fails") == ["unavailable", "limit_reached", "limit_reached"]


def test_lines_that_were_left_over_are_forgotten(office: Office, ring: Ring) -> None:
    keys = {"1": Destination(DestinationKind.EXTENSION, 1)}
    desk = ring(office(policy=BOTH, keys=keys), {"123": "busy", "1000": "unavailable"}).do("9123# w2 1 w2")
    assert desk.texts("rings") == ["outside 123 over Local, A", "extension 1000"]
    assert desk.texts("fails") == ["busy", "unavailable"]


def test_a_busy_person_is_busy_on_every_line(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=BOTH), {"123": "busy"}).do("9123# w1")
    assert desk.texts("rings") == ["outside 123 over Local, A"]


def test_a_number_that_may_go_on_waits_for_more(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=BOTH)).do("9123 w2 45 w3")
    assert desk.texts("rings") == ["outside 912345 over Any, B"]


def test_a_closed_pattern_makes_nobody_wait(office: Office, ring: Ring) -> None:
    assert ring(office(policy=DialPolicy(outbound=True, outbound_route_ids=(1,)))).do("9123").texts("rings")


def test_no_number_is_longer_than_fifteen_digits(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=BOTH)).do("9" + "1" * 14)
    assert desk.texts("rings") == ["outside 9" + "1" * 14 + " over Any, B"]


def test_a_key_may_lead_outside_with_a_prefix(office: Office, ring: Ring) -> None:
    outside = Destination(DestinationKind.EXTERNAL, number="123", prefix="9")
    desk = ring(office(keys={"1": outside}), {"B": "unavailable"}).do("1 w2")
    assert desk.texts("rings") == ["outside 9123 over Any, B", "outside 123 over Local, A"]


def test_silence_and_wrong_keys_may_lead_outside(office: Office, ring: Ring) -> None:
    outside = Destination(DestinationKind.EXTERNAL, number="9123")
    assert ring(office(timeout=outside)).finish().texts("rings") == ["outside 9123 over Any, B"]
    assert ring(office(invalid=outside)).do("5").texts("rings") == ["outside 9123 over Any, B"]


def test_a_key_to_a_number_that_no_route_takes_brings_the_caller_back(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"1": Destination(DestinationKind.EXTERNAL, number="5")})).do("1")
    assert desk.told("rings", "fails") == [("fails", "unavailable")]


def test_an_outside_number_may_ring_a_minute(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=BOTH), {"123": "no_answer"}).do("9123#").finish()
    assert desk.at("fails") == [60.8]
    assert desk.texts("fails") == ["no_answer"]


def test_outside_numbers_are_private(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=BOTH), {"123": "busy"}).do("9123# w1")
    notes = [
        note for note in desk.simulation.notes if note.topic in (Topic.CHOSE, Topic.DIALLED, Topic.FAILED)
    ]
    assert len(notes) == 3
    assert not any("123" in str(mask(note)) for note in notes)
    assert mask(desk.simulation.notes[0]) is desk.simulation.notes[0]


def test_long_wrong_input_is_private_too(office: Office, ring: Ring) -> None:
    menu = office(policy=DialPolicy(outbound=True, outbound_route_ids=(2,)))
    wrong = ring(menu).do("912345*").simulation.notes[-2]
    assert (wrong.topic, wrong.input, mask(wrong).input) == (Topic.INVALID, "912345*", "...")
    assert not ring(menu).do("9123*").simulation.notes[-2].private


def test_a_dial_names_its_menu_and_how_a_phone_should_ring(office: Office, ring: Ring) -> None:
    keys = {
        "1": Destination(DestinationKind.EXTENSION, 1),
        "2": Destination(DestinationKind.EXTERNAL, number="91"),
    }
    snapshot = office(keys=keys, alert_info="external")
    inside, outside = (
        next(c for batch in ring(snapshot).do(key).simulation.commands for c in batch if isinstance(c, Dial))
        for key in "12"
    )
    assert (inside.ivr, inside.alert_info, inside.seconds, inside.trunk) == (1, "external", 30, 0)
    assert (outside.ivr, outside.alert_info, outside.seconds, outside.trunk) == (1, "", 60, 2)


def test_a_note_names_the_line(office: Office, ring: Ring) -> None:
    notes = [
        note for note in ring(office(policy=BOTH)).do("9123#").simulation.notes if note.topic is Topic.DIALLED
    ]
    assert notes == [Note(Topic.DIALLED, 1, "", DestinationKind.EXTERNAL, 1, "123", 1, private=True)]
    empty = Note(Topic.DIALLED, 1, "", DestinationKind.EXTERNAL, 1, "", 1, private=True)
    assert mask(empty) == empty
