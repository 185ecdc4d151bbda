"""Reasons and results of terminated requests and calls."""

import re
from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.sip.message.headers import parameter
from openivr.sip.message.message import Message, Response


@unique
class FailureReason(StrEnum):
    """Why a request failed or a call ended without a response or BYE of the peer."""

    TIMEOUT = "no_response"
    TRANSPORT = "unreachable"
    NAME = "name_not_found"
    NO_ACK = "no_ack"
    EXPIRED = "session_expired"
    CANCELLED = "cancelled"
    NO_MEDIA = "no_media"  # the answer describes no media that can be used


FAILURE_STATUS = {
    FailureReason.TIMEOUT: 408,
    FailureReason.CANCELLED: 487,
    FailureReason.NO_MEDIA: 488,
}  # RFC 3261, section 8.1.3.1; 503 for the others


@dataclass(frozen=True, slots=True)
class Termination:
    """The failure or end of a leg."""

    status: int  # of the final response, or that of a `FailureReason`; 0 after BYE
    reason: str  # in words: the reason phrase, or the text of a Reason header
    by_peer: bool  # the peer ended it
    response: Response | None = None  # the peer's: with Contact of a 302, Retry-After of a 503
    cause: int = 0  # Q.850 cause of a Reason header (RFC 3326), 0 if none
    failure: FailureReason | None = None  # without a response or BYE of the peer


_CAUSE = re.compile(r"[0-9]{1,3}")


def read_reason(message: Message) -> tuple[int, str]:
    """Return the Q.850 cause and the text of a Reason header; 0 and "" if there is none."""
    for value in message.values("reason"):
        protocol, _, rest = value.partition(";")
        if protocol.strip().upper() != "Q.850":
            continue
        cause = parameter(";" + rest, "cause")
        return (int(cause) if _CAUSE.fullmatch(cause) else 0), parameter(";" + rest, "text")
    return 0, ""


def from_response(response: Response) -> Termination:
    """Return the termination caused by a final response of the peer."""
    cause, text = read_reason(response)
    return Termination(response.status, text or response.reason, True, response, cause)


def from_failure(reason: FailureReason, by_peer: bool = True) -> Termination:
    """Return the termination caused by a failure."""
    return Termination(FAILURE_STATUS.get(reason, 503), "", by_peer, failure=reason)
