"""A call leg: one call with one peer, as the application sees it.

`InboundLeg` (`uas`) and `OutboundLeg` (`uac`) are the two kinds. `DialogSession` is their common base class.
"""

from collections.abc import Sequence
from typing import Protocol

from openivr.sip.address import Target
from openivr.sip.dialog.dialog import Dialog
from openivr.sip.dialog.refer import Referral
from openivr.sip.message.message import Header, Request, Response
from openivr.sip.termination import Termination


class Authorise(Protocol):
    """Answers digest challenges. It may count nonces, so one belongs to one call, trunk or registration."""

    def __call__(self, request: Request, response: Response) -> Header | None:
        """Return the credentials for a request that was challenged with 401 or 407; None to give up.

        The request is sent again with the same method, URI and body.
        """
        ...


class CallLeg(Protocol):
    """One call with one peer. A method that makes no sense in the present state does nothing."""

    listener: "CallLegListener"
    call_id: str
    tag: str  # the local tag; with the Call-ID and the remote tag it identifies the dialog
    request: Request  # the INVITE
    dialog: Dialog | None  # None before the first response to an outbound leg
    is_early: bool  # not answered yet
    has_response: bool  # the peer has responded, if only with 100
    is_terminated: bool  # failed or ended; the listener has been called

    @property
    def source(self) -> Target:
        """Return where the INVITE came from, or was sent to."""
        ...

    def hangup(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """End the leg in any state.

        An early inbound leg is rejected with `status`, an early outbound one cancelled, any other gets BYE.
        """
        ...

    def reinvite(self, body: bytes) -> None:
        """Send a new offer in a re-INVITE, once no other offer is pending.

        `on_answer_sdp` or `on_reinvite_rejected` follows.
        """
        ...

    def terminate(self, ending: Termination) -> None:
        """Send BYE and end the leg for the given reason."""
        ...

    def refer(self, target: str, replaces: "CallLeg | None" = None) -> None:
        """Ask the peer to call the URI `target` (RFC 3515), or to replace the local side of another leg.

        `on_refer_progress` reports the outcome.
        """
        ...

    def send_dtmf_info(self, key: str, milliseconds: int = 160) -> None:
        """Send a DTMF digit by INFO (application/dtmf-relay)."""
        ...


class CallLegListener:
    """Callbacks of a leg. Every one may be left as it is.

    `on_failed` is called if the leg is never answered, otherwise `on_ended`: either of them once and last,
    for a leg ended locally as well. All are called on the event loop, also from within the methods of
    `CallLeg`. They may call any method of any leg and must not block.
    """

    __slots__ = ()

    def on_progress(self, leg: CallLeg, status: int, body: bytes) -> None:
        """Outbound: 180 to 199 was received. A body is the SDP answer to the offer: early media."""

    def on_answer(self, leg: CallLeg, body: bytes) -> None:
        """Outbound: the peer answered, and the ACK has been sent. The body is the SDP answer.

        If the INVITE had no offer, `on_offer` is called before this and the body is b"".
        """

    def on_ack(self, leg: CallLeg, body: bytes) -> None:
        """Inbound: the ACK for the 200 was received. The body is the SDP answer to an offer in the 200."""

    def on_offer(self, leg: CallLeg, body: bytes) -> bytes | None:
        """Return the SDP answer to a new offer of the peer (hold, new address, codec).

        None rejects it with 488 and leaves the session as it is.
        """
        return None

    def explain_rejection(self, leg: CallLeg, body: bytes) -> Sequence[Header]:
        """Return the headers of a 488 to an offer that `on_offer` has rejected: Warning (20.43)."""
        return ()

    def on_offer_request(self, leg: CallLeg) -> bytes | None:
        """Return an SDP offer for a re-INVITE without one; None rejects it with 488.

        `on_answer_sdp` brings the answer. For an initial INVITE pass the offer to `InboundLeg.answer`.
        """
        return None

    def on_answer_sdp(self, leg: CallLeg, body: bytes) -> None:
        """The SDP answer to a local offer within the dialog (`reinvite` or `on_offer_request`)."""

    def on_reinvite_rejected(self, leg: CallLeg, status: int) -> None:
        """The peer rejected a `reinvite` (488, or 491 too often). The session stays as it was."""

    def on_dtmf(self, leg: CallLeg, key: str, milliseconds: int) -> None:
        """A digit was received by INFO: one of 0-9 * # A-D, and its duration."""

    def on_refer(self, leg: CallLeg, referral: Referral) -> None:
        """The peer requests a transfer. Call `accept` or `reject` of the referral, now or later."""
        referral.reject(603)

    def on_refer_progress(self, leg: CallLeg, status: int) -> None:
        """The state of a local `refer`: 1xx pending, 2xx done, else failed. A final one comes once."""

    def on_failed(self, leg: CallLeg, ending: Termination) -> None:
        """The leg was never answered and is terminated."""

    def on_ended(self, leg: CallLeg, ending: Termination) -> None:
        """The leg was answered and is terminated."""
