"""What became of a call, in one word, in an exit code, and in words that a caller understands."""

from enum import StrEnum, unique

from openivr.sip.message.message import PHRASES
from openivr.sip.termination import Termination

WORDS = {
    401: "wrong name or password",
    403: "not allowed",
    404: "nobody has this number, or it may not be dialled",
    407: "wrong name or password",
    408: "no answer in time",
    480: "nobody is there",
    486: "busy",
    487: "given up",
    488: "no codec in common",
    503: "the server is full or stopping",
    600: "busy everywhere",
    603: "declined",
}


@unique
class CallResult(StrEnum):
    """What became of a call."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


EXIT_CODES = {
    CallResult.ANSWERED: 0,
    CallResult.BUSY: 3,
    CallResult.NO_ANSWER: 4,
    CallResult.REFUSED: 5,
    CallResult.UNREACHABLE: 6,
    CallResult.CANCELLED: 130,  # as a shell has it for Ctrl-C
}


def judge(ending: Termination) -> CallResult:
    """Say what an ending means of a call that was never answered and that was not given up here."""
    status = ending.status
    if status in (486, 600):
        return CallResult.BUSY
    if ending.response is None or (status >= 500 and status < 600):
        return CallResult.UNREACHABLE
    return CallResult.NO_ANSWER if status in (408, 480, 487) else CallResult.REFUSED


def phrase(status: int) -> str:
    """A status and what it is called: "486 Busy Here"."""
    return f"{status} {PHRASES.get(status, '')}".strip()


def words(ending: Termination) -> str:
    """A refusal in words, "" where the status has none that say more than its name."""
    return WORDS.get(ending.status, "") if ending.response is not None else ""
