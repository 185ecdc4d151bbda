"""Reads what subscribers send, and writes the bytes that they receive. No I/O.

P-Series: monitor-events-via-websocket. Programs compare some of these texts byte by byte. `after` and
`number` are ours: only a subscriber that sends `after` receives numbers.
"""

from dataclasses import dataclass
from typing import Any

import msgspec
from wsproto.frame_protocol import FrameProtocol

from openivr.api.query import read_object
from openivr.api.responses import ENCODE, ApiError, bad_parameters, succeed
from openivr.resources.errors import Problem, shorten
from openivr.resources.problem_codes import ProblemCode
from openivr.store.events.event_types import EventType
from openivr.store.events.outbox import OutboxRange, StoredEvent

HEARTBEAT, HEARTBEAT_RESPONSE = "heartbeat", "heartbeat response"
MAX_TOPICS = 100
MAX_NUMBER = 2**62
VENDOR_TOPICS = range(30005, 30040)  # those that cannot occur here are accepted and stay silent
OUR_TOPICS = frozenset(map(int, EventType)) - frozenset(VENDOR_TOPICS)
LAST_TEXT_TYPE = 30033  # up to here pages print `msg` as a JSON string, from here on as an object
OBJECT_TYPES = frozenset((30029, 30033))  # printed as objects all the same
WITHOUT_SERIAL = frozenset((EventType.EXTENSION_CHANGED, EventType.TRUNK_CHANGED))  # their pages have no `sn`


@dataclass(frozen=True, slots=True)
class Subscription:
    """The request of a subscriber. `after` is the number of its last event; None: from now on."""

    topics: frozenset[int] = frozenset()
    is_numbered: bool = False
    after: int | None = None


def read_subscription(text: str) -> Subscription:
    """Read a message such as `{"topic_list":[30011,30012]}`. Raises 40001 and 40002."""
    body = read_object(text.encode("utf-8", "surrogatepass"))
    topics = body.get("topic_list")
    if "topic_list" not in body:
        raise bad_parameters(Problem("topic_list", ProblemCode.REQUIRED))
    if not isinstance(topics, list) or len(topics) > MAX_TOPICS:
        raise bad_topics(topics)
    after = body.get("after")
    is_number = isinstance(after, int) and not isinstance(after, bool) and 0 <= after <= MAX_NUMBER
    if after is not None and not is_number:
        limits = {"low": 0, "high": MAX_NUMBER}
        raise bad_parameters(Problem("after", ProblemCode.RANGE, limits, shorten(str(after))))
    return Subscription(frozenset(map(read_topic, topics)), "after" in body, after)


def read_topic(value: Any) -> int:
    """Read the number of an event, which some programs send as text. Raises 40002."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 5:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_topics(value)
    if value not in VENDOR_TOPICS and value not in OUR_TOPICS:
        raise bad_topics(value)
    return value


def bad_topics(value: Any) -> ApiError:
    choices = (f"{VENDOR_TOPICS[0]} to {VENDOR_TOPICS[-1]}", *map(str, sorted(OUR_TOPICS)))
    return bad_parameters(
        Problem("topic_list", ProblemCode.CHOICE, {"choices": choices}, shorten(str(value)))
    )


def confirm(subscription: Subscription, kept: OutboxRange, start: int) -> bytes:
    """Return the answer to a subscription, which receives the events after `start`.

    One with numbers learns that number, and which events it has missed because they are deleted.
    """
    if not subscription.is_numbered:
        return succeed()
    gap = None if subscription.after is None else kept.find_gap(subscription.after)
    return succeed(after=start, **({} if gap is None else {"gap": list(gap)}))


def write_frame(text: bytes) -> bytes:
    """Return a text message as the WebSocket frame of a server, the same for every subscriber."""
    return bytes(FrameProtocol(client=False, extensions=[]).send_data(text.decode()))


def write_event(event: StoredEvent, serial: str, *, is_numbered: bool) -> bytes:
    """Return an event as its page shows it, as JSON."""
    is_text = event.type <= LAST_TEXT_TYPE and event.type not in OBJECT_TYPES
    message: Any = event.message if is_text else msgspec.Raw(event.message.encode())
    head: dict[str, Any] = {"type": event.type}
    if event.type not in WITHOUT_SERIAL:
        head["sn"] = serial
    return ENCODE(head | {"msg": message} | ({"number": event.id} if is_numbered else {}))
