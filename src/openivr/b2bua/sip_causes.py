"""What SIP says and what the menu core hears of it."""

from collections.abc import Iterable

from openivr.ivr.commands import HangupReason
from openivr.ivr.events import Cause

# RFC 3261, section 21. Whatever is not here failed for reasons that are the line's and not the person's.
CAUSES = {
    408: Cause.NO_ANSWER,
    480: Cause.NO_ANSWER,
    486: Cause.BUSY,
    487: Cause.NO_ANSWER,
    600: Cause.BUSY,
    603: Cause.DECLINED,
}
# Of several that were rung at a time: what a person did says more than what a line did.
RANKS = (Cause.DECLINED, Cause.BUSY, Cause.NO_ANSWER, Cause.LIMIT, Cause.UNAVAILABLE)
STATUSES = {
    Cause.BUSY: 486,
    Cause.NO_ANSWER: 480,
    Cause.DECLINED: 603,
    Cause.UNAVAILABLE: 480,
    Cause.LIMIT: 503,
}


def cause_of(status: int, *, is_silent: bool = False) -> Cause:
    """The cause that a final status of a dialled leg means; `is_silent`: nothing was ever heard from it."""
    return Cause.UNAVAILABLE if is_silent else CAUSES.get(status, Cause.UNAVAILABLE)


def ends_all(status: int) -> bool:
    """Whether this answer of one phone speaks for all of a person's phones (RFC 3261, section 16.7)."""
    return status >= 600


def strongest(causes: Iterable[Cause]) -> Cause:
    """The one cause to tell of several."""
    return min(causes, key=RANKS.index, default=Cause.UNAVAILABLE)


def status_of(reason: HangupReason, last: Cause | None) -> int:
    """The final response to a caller who was never answered."""
    if reason is HangupReason.CALLER:
        return 487
    if last is not None:
        return STATUSES[last]
    return 480 if reason is HangupReason.UNREACHED else 603
