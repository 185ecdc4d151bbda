"""Maps SIP statuses to causes of the IVR, and back."""

from collections.abc import Iterable

from openivr.ivr.commands import HangupReason
from openivr.ivr.events import Cause
from openivr.sip.message.message import Header

# RFC 3261, section 21. Statuses that are not listed are failures of the line, not decisions of the callee.
CAUSES = {
    408: Cause.NO_ANSWER,
    480: Cause.NO_ANSWER,
    486: Cause.BUSY,
    487: Cause.NO_ANSWER,
    600: Cause.BUSY,
    603: Cause.DECLINED,
}
# Of several forks a person's decision outranks a failure of a line.
RANKS = (Cause.DECLINED, Cause.BUSY, Cause.NO_ANSWER, Cause.LIMIT, Cause.UNAVAILABLE)
STATUSES = {
    Cause.BUSY: 486,
    Cause.NO_ANSWER: 480,
    Cause.DECLINED: 603,
    Cause.UNAVAILABLE: 480,
    Cause.LIMIT: 503,
}


# Against "missed call" entries on phones that did not win (RFC 3326).
COMPLETED_ELSEWHERE: tuple[Header, ...] = (("Reason", 'SIP;cause=200;text="Call completed elsewhere"'),)


def cause_of(status: int, *, is_silent: bool = False) -> Cause:
    """Return the cause for the final status of a dialled leg; `is_silent`: it never sent any response."""
    return Cause.UNAVAILABLE if is_silent else CAUSES.get(status, Cause.UNAVAILABLE)


def ends_all(status: int) -> bool:
    """Return True if this response of one phone counts for all phones of a person (RFC 3261, 16.7)."""
    return status >= 600


def strongest(causes: Iterable[Cause]) -> Cause:
    """Return the cause to report of several."""
    return min(causes, key=RANKS.index, default=Cause.UNAVAILABLE)


def status_of(reason: HangupReason, last: Cause | None) -> int:
    """Return the final response to a caller whose call was never answered."""
    if reason is HangupReason.CALLER_HANGUP:
        return 487
    if last is not None:
        return STATUSES[last]
    return 480 if reason is HangupReason.DESTINATION_UNREACHED else 603
