"""The simulated environment of a call: who answers, who is busy, what is in a mailbox."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openivr.ivr.events import Cause

ANSWERS = "answers"
OUTCOMES: dict[str, Cause | None] = {ANSWERS: None} | {cause.value: cause for cause in Cause}
TIMES = ("answer_after", "fail_after", "talk", "message")
MAX_SECONDS = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A voice mailbox: its PIN, and the names of its messages, newest first."""

    pin: str = ""
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """How everything outside the menu reacts. Times are in seconds.

    `outcomes` maps a number, or the name of a trunk or a route, to "answers" or to the value of a `Cause`.
    Others answer.
    """

    outcomes: Mapping[str, str] = field(default_factory=dict)
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    answer_after: float = 3
    fail_after: float = 1
    talk: float = 60  # then the callee hangs up
    message: float = 10  # length of a message that the caller leaves

    def __post_init__(self) -> None:
        for number, outcome in self.outcomes.items():
            if outcome not in OUTCOMES:
                known = ", ".join(OUTCOMES)
                raise ValueError(f"{number}: {outcome!r} is none of {known}")
        for name in TIMES:
            if not 0 <= getattr(self, name) <= MAX_SECONDS:
                raise ValueError(f"{name}: must be 0 to {MAX_SECONDS} seconds")

    def outcome(self, *names: str) -> Cause | None:
        """Return the outcome of the first of these names that is listed. None: it answers."""
        for name in names:
            if name in self.outcomes:
                return OUTCOMES[self.outcomes[name]]
        return None
