"""PINs of mailboxes: those that are guessed first are marked, and the mark is never shown."""

from typing import Any

import pytest

from openivr.resources.extension import EXTENSION, is_weak
from openivr.resources.fields import ResourceName, StoredForm

BODY: dict[str, Any] = {
    "type": "SIP",
    "number": "1000",
    "reg_name": "1000",
    "reg_password": "Telephone-1",
    "user_password": "A-long-Passw0rd",
    "presence_status": "available",
    "concurrent_registrations": 1,
}


@pytest.mark.parametrize("pin", ["1000", "0001", "1234", "4321", "0000", "777", "23456", "987"])
def test_these_pins_are_weak(pin: str) -> None:
    assert is_weak(pin, "1000")


@pytest.mark.parametrize("pin", ["1001", "4711", "1357", "1235", "2468", "123454"])
def test_these_are_not(pin: str) -> None:
    assert not is_weak(pin, "1000")


def test_a_new_pin_is_judged_and_others_keep_their_mark() -> None:
    weak = EXTENSION.parse({**BODY, "vm_pin": "1234"})
    assert weak["weak_pin"] == 1
    assert EXTENSION.parse({"first_name": "Ada"}, weak)["weak_pin"] == 1
    assert EXTENSION.parse({"vm_pin": "4711"}, weak)["weak_pin"] == 0
    assert EXTENSION.parse({"vm_pin": StoredForm(weak["vm_pin"])}, weak)["weak_pin"] == 1
    assert EXTENSION.parse(BODY)["weak_pin"] == 0


def test_no_request_sets_the_mark_and_no_answer_shows_it() -> None:
    values = EXTENSION.parse({**BODY, "weak_pin": 1})
    assert values["weak_pin"] == 0
    assert "weak_pin" not in EXTENSION.serialize(1, values, lambda *_: ResourceName("", ""))
    assert "weak_pin" not in EXTENSION.schema()
