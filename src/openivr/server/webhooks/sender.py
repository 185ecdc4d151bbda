"""Sends one event to one receiver: the request, its signature, and what counts as accepted."""

import asyncio
import base64
import hmac
import ipaddress
import ssl
from collections.abc import Iterable
from enum import StrEnum, unique
from urllib.parse import quote

import httpcore
import structlog

from openivr.server.events.subscription import write_event
from openivr.server.webhooks.address_guard import ForbiddenAddress, GuardedBackend, UnknownName
from openivr.store.events.outbox import StoredEvent
from openivr.store.events.webhook_queue import TEST_TYPE, Delivery, Webhook

log = structlog.get_logger(__name__)
MAX_CONNECTIONS = 64
KEPT_SECONDS = 30.0  # of a connection without requests
MAX_ANSWER = 64 * 1024  # bytes that are read so that a connection can be used again


@unique
class DeliveryFailure(StrEnum):
    """Why an event was not accepted. The first has the HTTP status behind it: "answer 500"."""

    ANSWER = "answer"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNKNOWN_NAME = "unknown_name"
    FORBIDDEN_ADDRESS = "forbidden_address"
    CERTIFICATE = "certificate"
    NOT_HTTP = "not_http"


def sign(body: bytes, secret: str) -> str:
    """Return the signature of a body: base64 of its HMAC-SHA-256 with the secret in UTF-8 as the key."""
    return base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def write_body(delivery: Delivery, serial: str) -> bytes:
    """Return an event as a subscriber gets it, as JSON."""
    if delivery.type == TEST_TYPE:
        return delivery.message.encode()
    event = StoredEvent(delivery.event_id, delivery.type, delivery.message)
    return write_event(event, serial, is_numbered=False)


def write_target(url: str, body: bytes) -> str:
    """Return the address of a GET, which has the event in its query."""
    return f"{url}{'&' if '?' in url else '?'}event={quote(body, safe='')}"


def is_of_tls(error: BaseException) -> bool:
    """Return True if an error, or one that it follows from, is of TLS."""
    while not isinstance(error, ssl.SSLError):
        cause = error.__cause__ or error.__context__
        if cause is None:
            return False
        error = cause
    return True


class WebhookSender:
    """Sends events over connections that it keeps. It reaches public addresses and those in `networks`."""

    def __init__(
        self, serial: str, networks: Iterable[str] = (), certificates: ssl.SSLContext | None = None
    ) -> None:
        self._serial = serial
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=certificates or ssl.create_default_context(),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=MAX_CONNECTIONS,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=GuardedBackend([ipaddress.ip_network(each) for each in networks]),
        )

    async def send(self, webhook: Webhook, delivery: Delivery) -> str:
        """Send an event once. Return "" if the receiver has accepted it, else the failure."""
        try:
            async with asyncio.timeout(webhook.timeout):
                status = await self._request(webhook, delivery)
        except (TimeoutError, httpcore.TimeoutException):
            return DeliveryFailure.TIMEOUT
        except ForbiddenAddress:
            return DeliveryFailure.FORBIDDEN_ADDRESS
        except UnknownName:
            return DeliveryFailure.UNKNOWN_NAME
        except httpcore.ProtocolError:
            return DeliveryFailure.NOT_HTTP
        except (httpcore.NetworkError, OSError) as error:
            return DeliveryFailure.CERTIFICATE if is_of_tls(error) else DeliveryFailure.UNREACHABLE
        except Exception as error:
            log.warning("a webhook cannot be sent", webhook=webhook.id, error=type(error).__name__)
            return DeliveryFailure.UNREACHABLE
        return "" if 200 <= status < 300 else f"{DeliveryFailure.ANSWER} {status}"

    async def _request(self, webhook: Webhook, delivery: Delivery) -> int:
        """Send the request and return the status of the answer. Redirections are not followed."""
        body = write_body(delivery, self._serial)
        is_get = webhook.request_method == "GET"
        headers: dict[bytes | str, bytes | str] = {
            "User-Agent": "OpenIVR",
            "Accept": "*/*",
            "X-Signature": sign(body, webhook.secret),
            "X-OpenIVR-Event": str(delivery.event_id),
        }
        if not is_get:
            headers["Content-Type"] = "application/json"
        async with self._pool.stream(
            webhook.request_method,
            write_target(webhook.url, body) if is_get else webhook.url,
            headers=headers,
            content=None if is_get else body,
        ) as response:
            size = 0
            async for part in response.aiter_stream():
                size += len(part)
                if size > MAX_ANSWER:
                    break
            return response.status

    async def close(self) -> None:
        """Close the connections."""
        await self._pool.aclose()
