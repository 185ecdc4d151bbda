"""Renegotiation of a session: re-INVITE (RFC 3261, section 14) and UPDATE (RFC 3311).

Offers must not cross (RFC 3264, section 4): one that does gets 491 and is sent again later.
"""

from collections.abc import Callable
from random import uniform
from typing import Protocol

from openivr.sip.client_request import ClientRequest
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import CallLeg
from openivr.sip.dialog.invite_2xx import AckSender, Invite2xx
from openivr.sip.dialog.session_timer import (
    SessionTimerTerms,
    answer_terms,
    interval_too_small,
    read_terms,
    write_answered_terms,
    write_requested_terms,
)
from openivr.sip.message.message import Request, Response, respond
from openivr.sip.termination import FailureReason, Termination, from_failure, from_response
from openivr.sip.transaction.timers import Timer
from openivr.sip.validation import check_body, check_extensions

MAX_OFFER_ATTEMPTS = 5  # retries of one offer after 491
DIALOG_GONE = (408, 481)  # responses that end the dialog (section 12.2.1.2)


class ReinviteHost(CallLeg, Protocol):
    """The parts of a leg that a renegotiation uses."""

    context: AgentContext
    last_sdp: bytes  # the local description that the peer received last
    owns_call_id: bool  # generated here: decides who waits longer after 491 (section 14.1)

    @property
    def session_timer_terms(self) -> SessionTimerTerms | None:
        """Return the negotiated session timer; None if there is none."""
        ...

    def start_session_timer(self, terms: SessionTimerTerms | None) -> None:
        """Restart the session timer."""
        ...

    @property
    def glare_status(self) -> int:
        """Return the status that rejects an offer while the initial one has no answer; 0 once it has."""
        ...

    def allows(self, method: str) -> bool:
        """Return True if the peer has listed a method in Allow."""
        ...

    def send_request(
        self,
        method: str,
        on_response: Callable[[Response], None],
        on_failure: Callable[[FailureReason], None],
        body: bytes = b"",
        change: Callable[[Request], None] | None = None,
    ) -> ClientRequest:
        """Send a request within the dialog."""
        ...

    def terminate(self, ending: Termination) -> None:
        """Send BYE and terminate the leg."""
        ...

    def refresh_target(self, message: Request | Response) -> None:
        """Adopt the Contact and Allow of a message."""
        ...


class Renegotiation:
    """The re-INVITEs and UPDATEs of one leg, in both directions."""

    __slots__ = (
        "_ack",
        "_answer",
        "_answer_offers",
        "_attempts",
        "_is_offer",
        "_leg",
        "_next_offer",
        "_request",
        "_retry_timer",
        "_sent_offer",
    )

    def __init__(self, leg: ReinviteHost) -> None:
        self._leg = leg
        self._request: ClientRequest | None = None  # the local INVITE or UPDATE without a final response
        self._is_offer = False  # the listener waits for its outcome; False for a refresh
        self._sent_offer = b""
        self._attempts = 0
        self._next_offer: bytes | None = None  # the offer to send once no other is pending
        self._ack: AckSender | None = None
        self._answer: Invite2xx | None = None  # the local 200 without an ACK
        self._answer_offers = False  # the 200 carries an offer
        self._retry_timer: Timer | None = None

    # Requests of the peer

    def handle_invite(self, request: Request) -> None:
        """Handle a re-INVITE, with or without an offer."""
        leg = self._leg
        status = self._check(request) or self._glare_status()
        if status:
            self._reject(request, status)
            return
        body = (
            leg.listener.on_offer(leg, request.body) if request.body else leg.listener.on_offer_request(leg)
        )
        if leg.is_terminated:
            leg.context.respond(request, 481)
            return
        if body is None:
            self._reject(request, 488)
            return
        if self._answer is not None:
            self._answer.stop()  # a new INVITE implies that the 200 before it has arrived
        self._answer_offers = offers = not request.body
        server = leg.context.transactions.create_server(request)
        self._answer = Invite2xx(
            leg.context,
            server,
            self._accept(request, body),
            lambda ack: self._on_ack(ack, offers),
            lambda: leg.terminate(from_failure(FailureReason.NO_ACK)),
        )

    def handle_update(self, request: Request) -> None:
        """Handle UPDATE: a new offer, or a session refresh."""
        leg = self._leg
        status = self._check(request)
        if not status and request.body:
            status = self._glare_status()
        if status:
            self._reject(request, status)
            return
        body: bytes | None = b""
        if request.body:
            body = leg.listener.on_offer(leg, request.body)
        if leg.is_terminated:
            leg.context.respond(request, 481)
        elif body is None:
            self._reject(request, 488)
        else:
            server = leg.context.transactions.create_server(request)
            leg.context.transactions.respond(server, self._accept(request, body))

    def _glare_status(self) -> int:
        is_pending = self._request is not None or (self._answer is not None and self._answer_offers)
        return self._leg.glare_status or (491 if is_pending else 0)

    def _check(self, request: Request) -> int:
        if interval_too_small(request, self._leg.context.settings.min_session):
            return 422
        refusal = check_extensions(request) or check_body(request)
        return refusal[0] if refusal else 0

    def _reject(self, request: Request, status: int) -> None:
        refusal = check_extensions(request) or check_body(request)
        headers = refusal[1] if refusal and refusal[0] == status else ()
        if status == 422:
            headers = (("Min-SE", str(self._leg.context.settings.min_session)),)
        elif status == 488 and request.body:
            headers = tuple(self._leg.listener.explain_rejection(self._leg, request.body))
        elif status == 500:
            headers = (("Retry-After", str(round(uniform(0, 10)))),)  # noqa: S311 - no secret, only spreads retries
        server = self._leg.context.transactions.create_server(request)
        self._leg.context.transactions.respond(server, respond(request, status, headers=headers))

    def _accept(self, request: Request, body: bytes) -> Response:
        leg = self._leg
        leg.refresh_target(request)
        response = respond(request, 200)
        leg.context.add_capabilities(response, request.hop)
        if terms := answer_terms(request, leg.context.settings.session_expires):
            write_answered_terms(response, terms)
        if not leg.is_early:
            leg.start_session_timer(terms)
        leg.context.set_body(response, body)
        if body:
            leg.last_sdp = body
        return response

    def handle_ack(self, request: Request) -> None:
        """Handle the ACK for the local 200."""
        if self._answer is not None and self._answer.on_ack(request):
            self._answer = None
            self._send_next_offer()

    def _on_ack(self, request: Request, offers: bool) -> None:
        if offers:
            self._leg.listener.on_answer_sdp(self._leg, request.body)

    # Requests of the local side

    def reinvite(self, body: bytes) -> None:
        """Send an offer once no other is pending. It replaces one that is still waiting."""
        self._next_offer = body
        self._attempts = 0
        self._send_next_offer()

    def refresh_session(self) -> None:
        """Refresh the session: by UPDATE if the peer supports it, else by a re-INVITE with the last SDP."""
        leg = self._leg
        if self._request is not None or self._answer is not None or leg.is_early:
            return  # the pending request refreshes the session as well
        self._is_offer = False
        if leg.allows("UPDATE"):
            self._send("UPDATE", b"")
        elif leg.last_sdp:
            self._send("INVITE", leg.last_sdp)

    def _send_next_offer(self) -> None:
        leg = self._leg
        busy = self._request is not None or self._answer is not None or self._retry_timer is not None
        if self._next_offer is None or busy or leg.is_early or leg.is_terminated:
            return
        body, self._next_offer = self._next_offer, None
        self._is_offer = True
        self._send("INVITE", body)

    def on_established(self) -> None:
        """Send a waiting offer, now that the leg is answered and acknowledged."""
        self._send_next_offer()

    def _send(self, method: str, body: bytes) -> None:
        leg = self._leg
        self._sent_offer = body
        self._ack = None
        terms = leg.session_timer_terms
        seconds = terms.seconds if terms else leg.context.settings.session_expires

        def ask(request: Request) -> None:
            if seconds and (terms or leg.context.settings.session_expires):
                write_requested_terms(request, seconds, terms, leg.context.settings.min_session)

        took = self._on_invite_response if method == "INVITE" else self._on_response
        self._request = leg.send_request(method, took, self._on_failure, body, ask)

    def _on_invite_response(self, response: Response) -> None:
        leg = self._leg
        if response.status < 200:
            return
        if response.status < 300:
            if self._ack is not None:
                self._ack.send()
                return
            ours = self._request
            if ours is None or leg.dialog is None:
                return
            leg.refresh_target(response)
            self._ack = AckSender(leg.context, leg.dialog, ours.request)
        self._on_response(response)

    def _on_response(self, response: Response) -> None:
        leg = self._leg
        if response.status < 200 or self._request is None:
            return
        self._request = None
        if leg.is_terminated:
            return
        if response.status < 300:
            if response.method == "UPDATE":
                leg.refresh_target(response)
            leg.start_session_timer(read_terms(response))
            if self._sent_offer:
                leg.last_sdp = self._sent_offer
            if self._is_offer:
                leg.listener.on_answer_sdp(leg, response.body)
        elif response.status in DIALOG_GONE:
            leg.terminate(from_response(response))
        elif response.status == 491 and self._attempts < MAX_OFFER_ATTEMPTS:
            self._retry_later()
        elif self._is_offer:
            leg.listener.on_reinvite_rejected(leg, response.status)
        self._send_next_offer()

    def _retry_later(self) -> None:
        """Retry after a delay that differs from the peer's (section 14.1)."""
        self._attempts += 1
        if self._is_offer and self._next_offer is None:
            self._next_offer = self._sent_offer
        shortest, longest = (2.1, 4.0) if self._leg.owns_call_id else (0.0, 2.0)
        seconds = uniform(shortest, longest)  # noqa: S311 - no secret, only spreads retries
        scale = self._leg.context.settings.timing.t1 / 0.5
        self._retry_timer = self._leg.context.timers.set(seconds * scale, self._try_again)

    def _try_again(self) -> None:
        self._retry_timer = None
        if self._is_offer:
            self._send_next_offer()
        else:
            self.refresh_session()

    def _on_failure(self, reason: FailureReason) -> None:
        self._request = None
        if not self._leg.is_terminated:
            self._leg.terminate(from_failure(reason))

    def stop(self) -> None:
        """Stop: the leg is terminated."""
        if self._answer is not None:
            self._answer.stop()
        if self._retry_timer is not None:
            self._leg.context.timers.cancel(self._retry_timer)
        self._next_offer = None
