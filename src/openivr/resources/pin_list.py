"""PIN list (P-Series: add-a-pin-list). PINs are stored as Argon2id hashes and are never shown.

The PINs of a list share a salt, so a caller's PIN is hashed once to be looked for. A stored PIN is its number
of digits and its hash: "4:$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH".
"""

import base64
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from openivr.resources.errors import Problem
from openivr.resources.fields import (
    MISSING,
    Body,
    Field,
    Find,
    InvalidValue,
    Names,
    Schema,
    StoredForm,
    flag,
)
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values
from openivr.resources.route import NAME
from openivr.resources.secret import SALT_BYTES, hash_pin

MAX_PINS = 200  # of one list
MIN_DIGITS, MAX_DIGITS = 3, 15
MASK = "****"  # stands for a PIN in answers
ADD, REMOVE = "add_pins", "remove_pins"
STORED = re.compile(
    r"([1-9][0-9]?):\$argon2id\$v=19\$m=19456,t=2,p=1\$([A-Za-z0-9+/]{22})\$[A-Za-z0-9+/]{43}", re.ASCII
)

StoredPins = Sequence[str]


class FilePins(list[str]):
    """PINs of a configuration file, plain or in their stored form. No request can carry such a list."""


def salt_of(pins: StoredPins) -> bytes | None:
    """Return the salt that the stored PINs of a list share. None for an empty list."""
    match = STORED.fullmatch(pins[0]) if pins else None
    return base64.b64decode(match[2] + "==") if match else None


def digits_of(stored: str) -> int:
    """Return how many digits a stored PIN has."""
    return int(stored.partition(":")[0])


def store_pin(pin: str, salt: bytes) -> str:
    """Return the stored form of a PIN."""
    return f"{len(pin)}:{hash_pin(pin, salt)}"


def check_pin(pin: str, row: int) -> None:
    """Raise InvalidValue for a text that is no PIN. `row` is its place in the list, from 1."""
    if not re.fullmatch("[0-9]*", pin, re.ASCII):
        raise InvalidValue(ProblemCode.NOT_DIGITS, row=row, column="pin")
    if not MIN_DIGITS <= len(pin) <= MAX_DIGITS:
        raise InvalidValue(ProblemCode.LENGTH, row=row, column="pin", low=MIN_DIGITS, high=MAX_DIGITS)


def split(raw: Any) -> list[str]:
    """Return the PINs of a text that separates them by commas, or those of a configuration file."""
    if isinstance(raw, FilePins):
        return list(raw)
    if not isinstance(raw, str):
        raise InvalidValue(ProblemCode.NOT_TEXT)
    return [part for part in map(str.strip, raw.split(",")) if part]


def replace_pins(pins: list[str], before: StoredPins) -> StoredPins:
    """Return the list with these PINs in place of those before. As many masks as there were keep those."""
    masks = pins.count(MASK)
    if masks and masks != len(before):
        raise InvalidValue(ProblemCode.MASKED_PINS)
    return join_pins(before if masks else (), [pin for pin in pins if pin != MASK], salt_of(before))


def add_pins(pins: list[str], before: StoredPins) -> StoredPins:
    """Return the list with more PINs."""
    return join_pins(before, pins, salt_of(before))


def join_pins(kept: StoredPins, new: list[str], salt: bytes | None) -> StoredPins:
    """Return stored PINs and new ones, which are hashed with `salt`, or that of stored ones among them."""
    for row, pin in enumerate(new, 1):
        if not isinstance(pin, StoredForm):
            check_pin(pin, row)
    if len(kept) + len(new) > MAX_PINS:
        raise InvalidValue(ProblemCode.TOO_MANY_ITEMS, high=MAX_PINS)
    given = [pin for pin in new if isinstance(pin, StoredForm)]
    salts = {salt_of([pin]) for pin in (*kept, *given)}
    if len(salts) > 1:
        raise InvalidValue(ProblemCode.UNREADABLE_ITEM)
    used = salts.pop() if salts else salt
    salt = used or os.urandom(SALT_BYTES)
    after = [*kept, *(str(pin) if isinstance(pin, StoredForm) else store_pin(pin, salt) for pin in new)]
    if len(set(after)) != len(after):
        raise InvalidValue(ProblemCode.NAMED_TWICE)
    return after


def remove_pins(pins: list[str], before: StoredPins) -> StoredPins:
    """Return the list without these PINs. Raises InvalidValue for one that is not in it."""
    for row, pin in enumerate(pins, 1):
        check_pin(pin, row)
    salt = salt_of(before)
    gone = {store_pin(pin, salt) for pin in pins} if salt else set()
    if len(gone.intersection(before)) != len(set(pins)):
        raise InvalidValue(ProblemCode.UNKNOWN_PIN)
    return [stored for stored in before if stored not in gone]


CHANGES: tuple[tuple[str, Callable[[list[str], StoredPins], StoredPins]], ...] = (
    (ADD, add_pins),
    (REMOVE, remove_pins),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PinsField(Field):
    """The PINs of a list. Its name replaces all, `add_pins` and `remove_pins` (ours) change some.

    Answers have a mask in the place of each PIN. A request that sends the masks back keeps the PINs.
    """

    required: bool = True
    hidden: bool = True
    default: Any = field(default_factory=list)
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def parse(self, raw: Any) -> list[str]:
        return list(replace_pins(split(raw), ()))

    def read(self, body: Body, stored: Any, problems: list[Problem]) -> Any:
        before: StoredPins = [] if stored is MISSING else stored
        after, known = before, len(problems)
        for name, change in ((self.name, replace_pins), *CHANGES):
            if name in body:
                try:
                    after = change(split(body[name]), after)
                except InvalidValue as bad:
                    problems.append(Problem(name, bad.code, bad.params))
        is_asked = stored is MISSING or self.name in body
        if (
            is_asked
            and not after
            and len(problems) == known
            and not isinstance(body.get(self.name), FilePins)
        ):
            problems.append(Problem(self.name, ProblemCode.REQUIRED))
        return list(after)

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        yield self.name, show_pins(value)

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        yield self.name, list(value)

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        value = entry.get(self.name, MISSING)
        if value is MISSING or isinstance(value, str):  # the API's text comes from another server
            return {} if value is MISSING else {self.name: value}
        if not isinstance(value, list):
            raise InvalidValue(ProblemCode.NOT_LIST)
        texts = map(str, value)
        return {self.name: FilePins(StoredForm(text) if STORED.fullmatch(text) else text for text in texts)}

    def schema(self) -> dict[str, Schema]:
        secret: Schema = {"type": "string", "writeOnly": True}
        return {self.name: {"type": "string", "minLength": 1}, ADD: secret, REMOVE: secret}


def show_pins(pins: StoredPins) -> str:
    """Return the text that answers have for the PINs of a list."""
    return ",".join([MASK] * len(pins))


def pin_row(values: Values) -> Row:
    return {
        "id": values["id"],
        "name": values["name"],
        "pin_list": show_pins(values["pin_list"]),
        "enb_record_cdr": values["enb_record_cdr"],
    }


PIN_LIST = ResourceType(
    name="pin_list",
    paths=("pin_list",),
    title="PIN list",
    fields=(NAME, PinsField(name="pin_list"), flag("enb_record_cdr")),
    listed=("name", "pin_list", "enb_record_cdr"),
    row=pin_row,
    sorts=("name",),
    unique=("name",),
)
