"""Dial by name."""

from collections.abc import Callable
from typing import Any

import pytest

from openivr.ivr.commands import Note, StopPlay, Topic
from openivr.ivr.events import PromptEnded
from openivr.ivr.model import Destination, DestinationKind, Extension, IvrSnapshot, by_id
from openivr.ivr.states.directory import find, keys_of, listed

Office = Callable[..., IvrSnapshot]
Ring = Callable[..., Any]

BY_NAME = {"0": Destination(DestinationKind.DIAL_BY_NAME)}
ADA, ADELE, ALAN = ("digits/1, digits/0, digits/0, digits/" + last + ", dir-accept" for last in "031")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Byron", "29766"),
        ("Çelik", "23545"),
        ("O'Hara-3", "642723"),
        ("李", ""),
        ("PQRSTUVWXYZ", "77778889999"),
    ],
)
def test_names_on_the_keypad(name: str, keys: str) -> None:
    assert keys_of(name) == keys


def test_first_and_last_names_are_found_in_order_of_name(office: Office) -> None:
    assert find(office(), "23") == (1, 4)  # Ada, Adele
    assert find(office(), "8874") == (2,)  # Turi(ng)
    assert find(office(), "2322976") == (1,)  # AdaByro(n): "232" + "2976"
    assert find(office(), "47") == ()  # Grace is disabled


def test_three_keys_that_fit_one_name_are_enough(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=BY_NAME)).do("0 887")
    assert desk.texts("hears")[1:] == ["dir-usingkeypad", ALAN]
    assert desk.do("4 w1 1 w3").texts("reaches") == ["extension 1001"]


def test_star_asks_for_the_next_name(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=BY_NAME)).do("0 23#")
    assert desk.texts("hears")[-1] == ADA
    assert desk.do("*").texts("hears")[-1] == ADELE
    assert desk.do("1").texts("rings") == ["extension 1003"]


def test_after_the_last_name_the_menu_comes_back(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=BY_NAME)).do("0 23# ** w5")
    assert desk.texts("hears")[-2:] == ["dir-no-more", "welcome.wav, keys.wav"]


def test_a_pause_ends_the_spelling(office: Office, ring: Ring) -> None:
    assert ring(office(keys=BY_NAME)).do("0 23 w2").texts("hears")[-1] == "dir-usingkeypad"
    assert ring(office(keys=BY_NAME)).do("0 23 w3").texts("hears")[-1] == ADA


@pytest.mark.parametrize("keys", ["0 999#", "0 9 w3", "0 w40", "0 w4 # # #"])
def test_no_such_name(office: Office, ring: Ring, keys: str) -> None:
    assert "dir-no-match" in ring(office(keys=BY_NAME)).do(keys).texts("hears")


def test_m1_a_pound_after_a_choice_by_name_belongs_to_it(office: Office, ring: Ring) -> None:
    """`0` for the operator and `*` for the menu act at once. A `#` in the same breath is no new entry."""
    keys = {"0": Destination(DestinationKind.IVR, 1), "3": Destination(DestinationKind.DIAL_BY_NAME)}
    for pressed in ("3 w1 0#", "3 w1 *#"):
        desk = ring(office(keys=keys)).do(pressed)
        assert desk.texts("refused") == []
        assert desk.texts("hears")[-1] == "welcome.wav, keys.wav"
        assert desk.do("w0.1 #").texts("refused") == ["#"], "another one is an entry of its own"


@pytest.mark.parametrize(("seconds", "asked"), [(40, 3), (4, 1)])
def test_without_a_menu_a_name_is_asked_for_three_times(
    office: Office, ring: Ring, seconds: int, asked: int
) -> None:
    desk = ring(office(), destination=Destination(DestinationKind.DIAL_BY_NAME)).do(f"w{seconds} 999#")
    desk.finish()
    assert desk.texts("hears").count("dir-usingkeypad") == 3
    assert desk.texts("ends") == ["destination_unreached"]


def test_star_leaves_the_spelling(office: Office, ring: Ring) -> None:
    assert ring(office(keys=BY_NAME)).do("0 2*").texts("hears")[-1] == "welcome.wav, keys.wav"


def test_keys_without_letters_change_nothing(office: Office, ring: Ring) -> None:
    assert ring(office(keys=BY_NAME)).do("0 8018A7").texts("hears")[-1] == ALAN


def test_an_offer_without_an_answer_leads_back(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=BY_NAME)).do("0 887 w30")
    assert desk.texts("hears")[-1] == "welcome.wav, keys.wav"
    assert desk.texts("rings") == []


def test_one_name_is_not_offered_before_three_keys(office: Office, ring: Ring) -> None:
    snapshot = IvrSnapshot(ivrs=office(keys=BY_NAME).ivrs, extensions=by_id([Extension(1, "1", "Xi")]))
    assert ring(snapshot).do("0 94").texts("hears")[-1] == "dir-usingkeypad"


def test_a_key_during_the_notice_is_a_key_of_the_menu(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=BY_NAME | {"1": Destination(DestinationKind.EXTENSION, 1)})).do("0 9999# w1 1")
    assert desk.texts("hears")[-1] == "dir-no-match"
    assert desk.texts("rings") == ["extension 1000"]


def test_a_choice_is_noted(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=BY_NAME)).do("0 887 1")
    assert Note(Topic.CHOSE, 1, "1", DestinationKind.EXTENSION, 2) in desk.simulation.notes


def test_the_end_of_an_interrupted_question_is_stale(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=BY_NAME)).do("0 2")
    question = next(c.token for batch in desk.simulation.commands for c in batch if isinstance(c, StopPlay))
    assert desk.simulation.session.handle(PromptEnded(question + 1)) == ()


def test_the_book_of_names_is_made_once(office: Office) -> None:
    snapshot = office()
    assert listed(snapshot) == {"1000", "1001", "1003"}
    book = snapshot.memo["book"]
    find(snapshot, "2")
    assert snapshot.memo["book"] is book
    assert listed(snapshot) is snapshot.memo["listed"]
