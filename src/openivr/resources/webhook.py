"""Webhook: an address that receives events (P-Series: update-webhook-event-push-settings).

The P-Series has a list of them without names, and one time-out and one number of retries for all. A name, a
switch, and values of each webhook are ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from openivr.resources.errors import Problem
from openivr.resources.fields import (
    Body,
    ChoiceField,
    Field,
    IntegerField,
    InvalidValue,
    Schema,
    SecretField,
    TextField,
    flag,
    whole,
)
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import ResourceType, Row, Values

VENDOR_EVENTS = range(30005, 30040)  # those that cannot occur here are accepted and stay silent
OUR_EVENTS = range(90001, 90100)
MAX_EVENT_IDS = 100
MAX_PORT = 65_535
# Visible ASCII only: no user name, no fragment, no space.
ADDRESS = r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:[0-9]{1,5})?([/?][!-\"$-~]*)?"
SEPARATORS = re.compile(r"[\s,;]+")


def keep_secret(secret: str) -> str:
    """Return the secret as it is: signatures are made with it."""
    return secret


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsField(Field):
    """Numbers of events, in order and each once. A text separates them by commas or spaces."""

    required: bool = True
    default: Any = field(default_factory=list)
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def parse(self, raw: Any) -> list[int]:
        if isinstance(raw, str):
            raw = [part for part in SEPARATORS.split(raw) if part]
        if not isinstance(raw, list):
            raise InvalidValue(ProblemCode.NOT_ARRAY)
        if len(raw) > MAX_EVENT_IDS:
            raise InvalidValue(ProblemCode.TOO_MANY_ITEMS, high=MAX_EVENT_IDS)
        if not raw:
            raise InvalidValue(ProblemCode.REQUIRED)
        ids = set(map(whole, raw))
        if not all(id_ in VENDOR_EVENTS or id_ in OUR_EVENTS for id_ in ids):
            spans = (VENDOR_EVENTS, OUR_EVENTS)
            raise InvalidValue(
                ProblemCode.CHOICE, choices=tuple(f"{span[0]} to {span[-1]}" for span in spans)
            )
        return sorted(ids)

    def schema(self) -> dict[str, Schema]:
        item = {"type": "integer", "minimum": VENDOR_EVENTS[0], "maximum": OUR_EVENTS[-1]}
        return {self.name: {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_EVENT_IDS}}


def check(values: Values, _body: Body, _stored: Values | None) -> Iterator[Problem]:
    """Check the port, which the pattern of the address does not."""
    port = re.search(r":([0-9]+)$", urlsplit(values["url"]).netloc)
    if port and not 0 < int(port[1]) <= MAX_PORT:
        yield Problem("url", ProblemCode.NOT_WEB_ADDRESS)


LISTED = ("name", "enable", "request_method")


def list_row(values: Values) -> Row:
    return {"id": values["id"], **{name: values[name] for name in LISTED}}


WEBHOOK = ResourceType(
    name="webhook",
    paths=(),
    title="Webhook",
    fields=(
        TextField(name="name", required=True, low=1, high=63),
        flag("enable", default=1),
        TextField(
            name="url",
            required=True,
            low=1,
            high=2000,
            pattern=ADDRESS,
            mismatch=ProblemCode.NOT_WEB_ADDRESS,
            confidential=True,  # some receivers have a key in the path
        ),
        SecretField(name="secret", required=True, keep=keep_secret, low=1, high=127),
        ChoiceField(name="request_method", values=("POST", "GET"), default="POST"),
        EventsField(name="event_ids"),
        IntegerField(name="timeout", low=3, high=10, default=5),  # seconds for an answer
        IntegerField(name="retry_count", low=1, high=5, default=3),  # retries before the waits grow
    ),
    listed=LISTED,
    row=list_row,
    sorts=("name",),
    unique=("name",),
    check=check,
)
