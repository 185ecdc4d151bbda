"""Edits that cross: which fields a form has changed, and which another administrator has changed since.

A form carries a fingerprint of each field as it was when the form was made. A field that still has that
fingerprint is not saved, so two administrators who change different fields keep both changes.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from openivr.resources.destination import PARTS, DestinationField
from openivr.resources.errors import Problem
from openivr.resources.fields import MISSING, Field
from openivr.resources.pin_list import ADD, REMOVE, PinsField

Fingerprints = Mapping[str, str]


class EditConflict(Exception):
    """Another administrator has saved the resource since the draft was read."""


def api_names(field: Field) -> list[str]:
    """The names that a field has in a body of the API."""
    if isinstance(field, DestinationField):
        return [stem + ending for stem in field.stems for ending in PARTS.values()]
    if isinstance(field, PinsField):
        return [field.name, ADD, REMOVE]
    return [field.name]


def fingerprint_fields(fields: Iterable[Field], body: Mapping[str, Any]) -> Fingerprints:
    """A short hash of each field's value. A secret or an invalid value has none."""
    fingerprints = {}
    for field in fields:
        problems: list[Problem] = []
        if field.hidden or not any(name in body for name in api_names(field)):
            continue
        value = field.read(body, MISSING, problems)
        if not problems:
            encoded = msgspec.json.encode(value, order="sorted")
            fingerprints[field.name] = hashlib.blake2b(encoded, digest_size=8).hexdigest()
    return fingerprints


def decode_fingerprints(text: str) -> Fingerprints:
    """The fingerprints that a form carried, none if they cannot be read."""
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeError):
        return {}


def encode_fingerprints(fingerprints: Fingerprints) -> str:
    return msgspec.json.encode(fingerprints).decode()
