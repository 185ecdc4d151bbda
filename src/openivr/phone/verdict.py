"""What became of a call, in one word, in an exit code, and in words that a caller understands."""

from enum import StrEnum, unique

from openivr.sip.endings import Ending
from openivr.sip.message import PHRASES

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
class Verdict(StrEnum):
    """What became of a call."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"


EXIT_CODES = {
    Verdict.ANSWERED: 0,
    Verdict.BUSY: 3,
    Verdict.NO_ANSWER: 4,
    Verdict.REFUSED: 5,
    Verdict.UNREACHABLE: 6,
    Verdict.CANCELLED: 130,  # as a shell has it for Ctrl-C
}


def judge(ending: Ending) -> Verdict:
    """Say what an ending means of a call that was never answered and that was not given up here."""
    status = ending.status
    if status in (486, 600):
        return Verdict.BUSY
    if ending.response is None or (status >= 500 and status < 600):
        return Verdict.UNREACHABLE
    return Verdict.NO_ANSWER if status in (408, 480, 487) else Verdict.REFUSED


def phrase(status: int) -> str:
    """A status and what it is called: "486 Busy Here"."""
    return f"{status} {PHRASES.get(status, '')}".strip()


def words(ending: Ending) -> str:
    """A refusal in words, "" where the status has none that say more than its name."""
    return WORDS.get(ending.status, "") if ending.response is not None else ""
