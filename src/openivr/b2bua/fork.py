"""One phone or trunk that is rung for a call (RFC 3261, section 16: forking)."""

from dataclasses import dataclass
from typing import Protocol

from openivr.b2bua.party import Party, PartyListener
from openivr.cdr.journal.entries import LegRecord
from openivr.sip.dialog.refer import Referral
from openivr.sip.termination import Termination


@dataclass(frozen=True, slots=True)
class CallerId:
    """Caller ID that callees see."""

    number: str
    name: str
    outside: str = ""  # number for trunks, if the caller has one; "": the trunk's
    inside: str = ""  # name for phones


class ForkListener(Protocol):
    """Callbacks of a fork."""

    def on_progress(self, fork: "Fork", status: int, is_early: bool) -> None:
        """A provisional response came; `is_early`: with early media."""
        ...

    def on_answer(self, fork: "Fork") -> None:
        """The party answered."""
        ...

    def on_gone(self, fork: "Fork", termination: Termination) -> None:
        """The party rejected the call, could not be reached or hung up."""
        ...

    def on_fork_media_timeout(self, fork: "Fork") -> None:
        """No RTP has come for a long time."""
        ...

    def on_fork_referral(self, fork: "Fork", referral: Referral) -> None:
        """The party asks for a transfer."""
        ...


@dataclass(slots=True, eq=False)
class Fork(PartyListener):
    """A phone or trunk that is rung, and listens to its party until the call ends."""

    listener: ForkListener
    party: Party
    member: int  # extension; 0 for an outside number
    leg: int  # number of its leg in the record
    record: LegRecord

    def on_progress(self, _party: Party, status: int, is_early: bool) -> None:
        self.listener.on_progress(self, status, is_early)

    def on_answer(self, _party: Party) -> None:
        self.listener.on_answer(self)

    def on_gone(self, _party: Party, termination: Termination) -> None:
        self.listener.on_gone(self, termination)

    def on_media_timeout(self, _party: Party) -> None:
        self.listener.on_fork_media_timeout(self)

    def on_referral(self, _party: Party, referral: Referral) -> None:
        self.listener.on_fork_referral(self, referral)
