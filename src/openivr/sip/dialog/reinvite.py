"""Changes of a session within its dialog: re-INVITE (RFC 3261, section 14) and UPDATE (RFC 3311).

Offers may not cross (RFC 3264, section 4): who would cross an offer is answered 491 and tries again.
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

MAX_OFFER_ATTEMPTS = 5  # at one offer that meets 491
DIALOG_GONE = (408, 481)  # answers that end a dialog (section 12.2.1.2)


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
    """The renegotiations of one leg."""

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
        self._request: ClientRequest | None = None  # our INVITE or UPDATE, not answered for good
        self._is_offer = False  # whether the owner waits for its outcome
        self._sent_offer = b""
        self._attempts = 0
        self._next_offer: bytes | None = None  # what to offer once nothing is under way
        self._ack: AckSender | None = None
        self._answer: Invite2xx | None = None  # our 200, not acknowledged
        self._answer_offers = False  # whether it carries our offer
        self._retry_timer: Timer | None = None

    # The peer changes the session

    def handle_invite(self, request: Request) -> None:
        """A re-INVITE, with an offer or asking for ours."""
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
            self._answer.stop()  # a new INVITE says as well that the answer before it has arrived
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
        """An UPDATE: a new offer, or a sign of life."""
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
        waits = self._request is not None or (self._answer is not None and self._answer_offers)
        return self._leg.glare_status or (491 if waits else 0)

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
        elif status == 500:
            headers = (("Retry-After", str(round(uniform(0, 10)))),)  # noqa: S311 - spreads load
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
        """The ACK to our 200."""
        if self._answer is not None and self._answer.on_ack(request):
            self._answer = None
            self._send_next_offer()

    def _on_ack(self, request: Request, offers: bool) -> None:
        if offers:
            self._leg.listener.on_answer_sdp(self._leg, request.body)

    # We change the session

    def reinvite(self, body: bytes) -> None:
        """Offer a session, now or once nothing else is under way; of two that wait the later counts."""
        self._next_offer = body
        self._attempts = 0
        self._send_next_offer()

    def refresh_session(self) -> None:
        """Renew the session timer: UPDATE where the peer knows it, else our description once more."""
        leg = self._leg
        if self._request is not None or self._answer is not None or leg.is_early:
            return  # what is under way renews it as well
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
        """The leg is answered and acknowledged: what waited for that may start."""
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
        """Try again after a while that is not the other side's (section 14.1)."""
        self._attempts += 1
        if self._is_offer and self._next_offer is None:
            self._next_offer = self._sent_offer
        least, most = (2.1, 4.0) if self._leg.owns_call_id else (0.0, 2.0)
        seconds = uniform(least, most)  # noqa: S311 - keeps two sides apart
        scale = self._leg.context.settings.timing.t1 / 0.5
        self._retry_timer = self._leg.context.timers.set(seconds * scale, self._try_again)

    def _try_again(self) -> None:
        self._retry_timer = None
        if self._is_offer:
            self._send_next_offer()
        else:
            self.refresh_session()

    def _on_failure(self, why: FailureReason) -> None:
        self._request = None
        if not self._leg.is_terminated:
            self._leg.terminate(from_failure(why))

    def stop(self) -> None:
        """The leg is over."""
        if self._answer is not None:
            self._answer.stop()
        if self._retry_timer is not None:
            self._leg.context.timers.cancel(self._retry_timer)
        self._next_offer = None
