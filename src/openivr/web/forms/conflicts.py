"""Saving what somebody has changed in a form, and not over what others have saved meanwhile.

A form carries a print of each field as it was when the form was made. A field whose print is still the same
is left out of what is saved; and where the object's own prints are others by now, nothing is, until whoever
sends the form has seen that.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from openivr.resources.errors import Problem
from openivr.resources.fields import MISSING, Field, SecretField
from openivr.web.forms.inputs import api_names

Prints = dict[str, str]


class EditConflict(Exception):
    """Somebody else has saved the object since the form was made."""


def take_prints(fields: Iterable[Field], body: Mapping[str, Any]) -> Prints:
    """A short print of the value of each field in a body; a secret or a bad value has none."""
    prints = {}
    for field in fields:
        problems: list[Problem] = []
        if isinstance(field, SecretField) or not any(name in body for name in api_names(field)):
            continue
        value = field.read(body, MISSING, problems)
        if not problems:
            encoded = msgspec.json.encode(value, order="sorted")
            prints[field.name] = hashlib.blake2b(encoded, digest_size=8).hexdigest()
    return prints


def read_prints(text: str) -> Prints:
    """The prints that a form carried; none where they cannot be read, and then all counts as changed."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeError):
        return {}


def write_prints(prints: Prints) -> str:
    return msgspec.json.encode(prints).decode()


def keep_changed(fields: Iterable[Field], body: Mapping[str, Any], before: Prints) -> dict[str, Any]:
    """The body without the fields that are as they were."""
    fields = list(fields)
    now = take_prints(fields, body)
    same = {
        name
        for field in fields
        if field.name in now and now[field.name] == before.get(field.name)
        for name in api_names(field)
    }
    return {name: value for name, value in body.items() if name not in same}
