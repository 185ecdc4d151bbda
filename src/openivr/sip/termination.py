"""How requests and calls come to nothing, or to an end."""

import re
from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.sip.message.headers import parameter
from openivr.sip.message.message import Message, Response


@unique
class FailureReason(StrEnum):
    """Why something failed or ended without a response or a BYE that says so."""

    TIMEOUT = "no response"
    TRANSPORT = "not reachable"
    NAME = "name not found"
    NO_ACK = "answer not acknowledged"
    EXPIRED = "session timer ran out"
    CANCELLED = "cancelled"


FAILURE_STATUS = {
    FailureReason.TIMEOUT: 408,
    FailureReason.CANCELLED: 487,
}  # RFC 3261, section 8.1.3.1; 503 for the others


@dataclass(frozen=True, slots=True)
class Termination:
    """How a leg failed or ended."""

    status: int  # of the final response, ours or theirs; 0 after a BYE; what a `FailureReason` counts as
    reason: str  # the response's phrase, the text of the Reason header, or a `FailureReason`
    by_peer: bool  # whether the other side caused it
    response: Response | None = None  # what they answered: Contact of a 302, Retry-After of a 503
    cause: int = 0  # Q.850 cause out of a Reason header (RFC 3326), 0 if none


_CAUSE = re.compile(r"[0-9]{1,3}")


def read_reason(message: Message) -> tuple[int, str]:
    """The Q.850 cause and the text of a Reason header; 0 and "" where there is none."""
    for value in message.values("reason"):
        protocol, _, rest = value.partition(";")
        if protocol.strip().upper() != "Q.850":
            continue
        cause = parameter(";" + rest, "cause")
        return (int(cause) if _CAUSE.fullmatch(cause) else 0), parameter(";" + rest, "text")
    return 0, ""


def from_response(response: Response) -> Termination:
    """The ending that a peer's final response makes."""
    cause, text = read_reason(response)
    return Termination(response.status, text or response.reason, True, response, cause)


def from_failure(why: FailureReason, by_peer: bool = True) -> Termination:
    """The ending that a `FailureReason` makes."""
    return Termination(FAILURE_STATUS.get(why, 503), why, by_peer)
