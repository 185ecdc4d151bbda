"""Result of a call: as a code, as an exit code, and in words for the user."""

from enum import StrEnum, unique

from openivr.sip.message.message import PHRASES
from openivr.sip.termination import FailureReason, Termination

WORDS = {
    401: "wrong name or password",
    403: "not allowed",
    404: "unknown number, or not allowed to be dialled",
    407: "wrong name or password",
    408: "no answer in time",
    480: "not available",
    486: "busy",
    487: "cancelled",
    488: "no codec in common",
    503: "the server is full or stopping",
    600: "busy everywhere",
    603: "declined",
}
FAILURES = {
    FailureReason.TIMEOUT: "no response",
    FailureReason.TRANSPORT: "not reachable",
    FailureReason.NAME: "name not found",
    FailureReason.NO_ACK: "answer not acknowledged",
    FailureReason.EXPIRED: "session timer expired",
    FailureReason.CANCELLED: "cancelled",
    FailureReason.NO_MEDIA: "the answer describes no audio that can be used",
}


@unique
class CallResult(StrEnum):
    """Result of a call."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


EXIT_CODES = {
    CallResult.ANSWERED: 0,
    CallResult.BUSY: 3,
    CallResult.NO_ANSWER: 4,
    CallResult.REFUSED: 5,
    CallResult.UNREACHABLE: 6,
    CallResult.CANCELLED: 130,  # the exit status of Ctrl-C in a shell
}


def classify(ending: Termination) -> CallResult:
    """Return the result of a call that ended unanswered and was not cancelled here."""
    status = ending.status
    if status in (486, 600):
        return CallResult.BUSY
    if ending.response is None or (status >= 500 and status < 600):
        return CallResult.UNREACHABLE
    return CallResult.NO_ANSWER if status in (408, 480, 487) else CallResult.REFUSED


def say_reason(ending: Termination) -> str:
    """Return why a call ended: in the far side's words, or those for a failure; "" if neither is known."""
    return ending.reason or (FAILURES[ending.failure] if ending.failure else "")


def describe_status(status: int) -> str:
    """Return a status with its reason phrase: "486 Busy Here"."""
    return f"{status} {PHRASES.get(status, '')}".strip()


def explain(ending: Termination) -> str:
    """Return a rejection in words; "" if there are none that say more than the reason phrase."""
    return WORDS.get(ending.status, "") if ending.response is not None else ""
