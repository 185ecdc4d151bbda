"""Webhooks: their settings, and the other side of them, a receiver that checks signatures.

A receiver works with any web framework: it passes the raw body and the headers on.

    event = read_webhook(body, headers, secret)
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from openivr.client import answers
from openivr.client.effects import Ask, Steps
from openivr.client.errors import ClientError
from openivr.client.sync_async import F, Faced, call

SIGNATURE, NUMBER = "x-signature", "x-openivr-event"


class WebhookForged(ClientError):
    """A request is not signed with the secret."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A web address that receives events. An answer masks the secret; a mask that is sent keeps it.

    `name` and `enable` are of OpenIVR.
    """

    url: str
    secret: str = ""
    request_method: str = "POST"
    event_ids: tuple[int, ...] = ()
    name: str | None = None
    enable: int | None = None


class WebhookSettings(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    rename={
        "webhooks": "webhook_event_push_list",
        "timeout": "webhook_event_push_timeout",
        "retry_count": "webhook_event_push_retry_count",
    },
):
    """All webhooks. `timeout` is in seconds."""

    webhooks: tuple[Webhook, ...] = ()
    timeout: int = 5
    retry_count: int = 3


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `number` is of OpenIVR, 0 elsewhere and for the test of a webhook."""

    type: int
    message: Mapping[str, Any]
    serial: str = ""
    number: int = 0


class Webhooks(Faced[F]):
    """The web addresses that receive events."""

    @call
    def query(self) -> Steps[WebhookSettings]:
        """Return all webhooks. Secrets are masked."""
        got = yield from self.session.ask(Ask(method="GET", path="webhook/query", is_safe=True))
        answer = answers.read_object(got.content)
        return answers.convert(answer.get("data", answer), WebhookSettings)

    @call
    def update(
        self,
        webhooks: Sequence[Webhook] | None = None,
        *,
        timeout: int | None = None,
        retry_count: int | None = None,
    ) -> Steps[None]:
        """Replace the list of webhooks, the time-out or the number of retries. Never sent twice."""
        given = {
            "webhook_event_push_list": None if webhooks is None else [*map(write_webhook, webhooks)],
            "webhook_event_push_timeout": timeout,
            "webhook_event_push_retry_count": retry_count,
        }
        body = {name: value for name, value in given.items() if value is not None}
        yield from self.session.ask(Ask(method="POST", path="webhook/update", body=body))


def write_webhook(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as a request has it."""
    fields: dict[str, Any] = msgspec.to_builtins(webhook)
    return {name: value for name, value in fields.items() if value is not None}


def read_webhook(body: bytes, headers: Mapping[str, str], secret: str) -> Event:
    """Check the signature of a request and return its event. Raises WebhookForged and BadAnswer.

    `body` is the raw body of a POST, or of a GET the decoded value of `event`. The test that the server sends
    on request has type 0. An event can come more than once: remember the newest numbers.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        signature = base64.b64decode(given.get(SIGNATURE, ""), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not hmac.compare_digest(signature, hmac.digest(secret.encode(), body, "sha256")):
        raise WebhookForged("the signature is not of this secret")
    number = given.get(NUMBER, "")
    return read_event(body, int(number) if number.isdecimal() else 0)


class EventEnvelope(msgspec.Struct):
    """An event as it is sent. `event` is "test" in a test, which has no type."""

    type: int = 0
    sn: str = ""
    msg: str | dict[str, Any] = {}
    number: int = 0
    event: str = ""


def read_event(content: bytes, number: int = 0) -> Event:
    """Read an event, whose message may be an object or JSON as text. Raises BadAnswer."""
    raw = answers.decode(content, EventEnvelope)
    message = raw.msg if isinstance(raw.msg, dict) else answers.decode(raw.msg.encode(), dict[str, Any])
    if raw.event:
        message = {"event": raw.event}
    return Event(type=raw.type, message=message, serial=raw.sn, number=raw.number or number)
