"""A leg: one call with one peer, as those see it who place, take and connect calls.

`InboundLeg` (`inbound`) and `OutboundLeg` (`outbound`) are the two kinds; `within` is what they share.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Protocol

from openivr.sip.address import Target
from openivr.sip.dialog.dialog import Dialog
from openivr.sip.dialog.refer import Referral
from openivr.sip.message.message import Request, Response
from openivr.sip.termination import Termination

Header = tuple[str, str]  # a name in any spelling, and its value


class Authorise(Protocol):
    """Answers the challenges of a peer: one per call, trunk or registration, for it may count nonces."""

    def __call__(self, request: Request, response: Response) -> Header | None:
        """The credentials for the same request sent again, `None` to give up. The response is 401 or 407.

        `request` is what was challenged: its method, URI and body are those that will be sent again.
        """
        ...


class CallLeg(ABC):
    """One call with one peer. Methods called when they mean nothing any more change nothing."""

    __slots__ = (
        "call_id",
        "dialog",
        "has_response",
        "is_early",
        "is_terminated",
        "listener",
        "request",
        "tag",
    )

    listener: "CallLegListener"
    call_id: str
    tag: str  # ours; with the call id and the peer's tag it names the dialog
    request: Request  # the INVITE: theirs or ours
    dialog: Dialog | None  # none before the peer of an outbound leg has answered at all
    is_early: bool  # not answered yet
    has_response: bool  # the peer has said something, be it 100 alone
    is_terminated: bool  # failed or ended; its listener has been told

    @property
    @abstractmethod
    def source(self) -> Target:
        """Where the peer is: where the INVITE came from, or was sent to."""

    @abstractmethod
    def hangup(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """End the leg in any state: BYE; CANCEL if outbound and early; `status` if inbound and early."""

    @abstractmethod
    def reinvite(self, body: bytes) -> None:
        """Offer the session anew: a re-INVITE, once nothing else is under way.

        `agreed` or `disagreed` follows.
        """

    @abstractmethod
    def refer(self, target: str, replaces: "CallLeg | None" = None) -> None:
        """Ask the peer to call the URI `target` (RFC 3515); attended: to replace our side of another leg.

        The listener's `transferring` is told how it goes.
        """

    @abstractmethod
    def send_dtmf_info(self, key: str, milliseconds: int = 160) -> None:
        """Send a key by INFO (application/dtmf-relay)."""


class CallLegListener:
    """Hears what becomes of a leg; every method may be left as it is.

    Exactly one of `failed` and `ended` is called for a leg, once and last: `failed` if it was never answered,
    `ended` if it was. Ending the leg oneself is reported as well. Called on the event loop, from inside of
    `CallLeg`'s own methods too; may call any method of any leg, must not block.
    """

    __slots__ = ()

    def on_progress(self, leg: CallLeg, status: int, body: bytes) -> None:
        """Outbound: 180 to 199. A body is early media: their answer to our offer."""

    def on_answer(self, leg: CallLeg, body: bytes) -> None:
        """Outbound: they answered; the body is their answer, and it is acknowledged already.

        If the leg was placed without an offer, `offered` is asked before this, and the body here is b"".
        """

    def on_ack(self, leg: CallLeg, body: bytes) -> None:
        """Inbound: our 200 has been acknowledged. The body is their answer if the 200 carried our offer."""

    def on_offer(self, leg: CallLeg, body: bytes) -> bytes | None:
        """The peer offers a session anew (hold, new address, codec): return the answer.

        `None`: not acceptable (488), the session stays as it was.
        """
        return None

    def on_offer_request(self, leg: CallLeg) -> bytes | None:
        """The peer asks for our offer (a re-INVITE without one): return it. `None`: 488.

        `agreed` brings the answer. For a first INVITE, pass the offer to `InboundLeg.answer`.
        """
        return None

    def on_answer_sdp(self, leg: CallLeg, body: bytes) -> None:
        """The answer to an offer that we made within the dialog (`reoffer`, or `wanted`)."""

    def on_reinvite_rejected(self, leg: CallLeg, status: int) -> None:
        """Our `reoffer` was refused (488, 491 too often ...); the session stays as it was."""

    def on_dtmf(self, leg: CallLeg, key: str, milliseconds: int) -> None:
        """A key by INFO: one of 0-9 * # A-D, and how long it was pressed."""

    def on_refer(self, leg: CallLeg, referral: Referral) -> None:
        """The peer asks to transfer this call. Call `accept` or `reject`, now or later."""
        referral.reject(603)

    def on_refer_progress(self, leg: CallLeg, status: int) -> None:
        """News of our `refer`: 1xx under way, 2xx done, else failed. A final one comes once, and last."""

    def on_failed(self, leg: CallLeg, ending: Termination) -> None:
        """The leg was never answered, and is over."""

    def on_ended(self, leg: CallLeg, ending: Termination) -> None:
        """The leg was answered, and is over."""
