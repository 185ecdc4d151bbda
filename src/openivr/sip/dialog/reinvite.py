"""Changes of a session within its dialog: re-INVITE (RFC 3261, section 14) and UPDATE (RFC 3311).

Offers may not cross (RFC 3264, section 4): who would cross an offer is answered 491 and tries again.
"""

from abc import abstractmethod
from collections.abc import Callable
from random import uniform

from openivr.sip.client_request import ClientRequest
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import CallLeg
from openivr.sip.dialog.invite_2xx import AckSender, Invite2xx
from openivr.sip.dialog.session_timer import (
    Terms,
    accept_terms,
    confirm_terms,
    interval_too_small,
    write_accepted,
    write_asked,
)
from openivr.sip.message.message import Request, Response, respond
from openivr.sip.termination import FailureReason, Termination, of_loss, of_response
from openivr.sip.transaction.timers import Timer
from openivr.sip.validation import check_body, check_extensions

ATTEMPTS = 5  # at one offer that meets 491
GONE = (408, 481)  # answers that end a dialog (section 12.2.1.2)


class ReinviteHost(CallLeg):
    """What a renegotiation needs of its leg."""

    __slots__ = ("call_id_is_ours", "described", "stack")

    stack: AgentContext
    described: bytes  # our description as the peer last had it
    call_id_is_ours: bool

    @property
    @abstractmethod
    def terms(self) -> Terms | None:
        """What is agreed about the session timer."""

    @abstractmethod
    def start_session(self, terms: Terms | None) -> None:
        """Begin an interval of the session timer."""

    @property
    @abstractmethod
    def crossing(self) -> int:
        """The status that refuses an offer of the peer while the first one has no answer; 0 once it has."""

    @abstractmethod
    def allows(self, method: str) -> bool:
        """Whether the peer has said that it understands a method."""

    @abstractmethod
    def send(
        self,
        method: str,
        took: Callable[[Response], None],
        lost: Callable[[FailureReason], None],
        body: bytes = b"",
        change: Callable[[Request], None] | None = None,
    ) -> ClientRequest:
        """Send a request of the dialog."""

    @abstractmethod
    def break_off(self, ending: Termination) -> None:
        """Send BYE, and be over."""

    @abstractmethod
    def follow(self, message: Request | Response) -> None:
        """Take over the Contact and what else a message says of its sender."""


class Renegotiation:
    """The renegotiations of one leg."""

    __slots__ = (
        "_ack",
        "_answer",
        "_answer_offers",
        "_attempts",
        "_is_offer",
        "_leg",
        "_next",
        "_ours",
        "_retry",
        "_sent",
    )

    def __init__(self, leg: ReinviteHost) -> None:
        self._leg = leg
        self._ours: ClientRequest | None = None  # our INVITE or UPDATE, not answered for good
        self._is_offer = False  # whether the owner waits for its outcome
        self._sent = b""
        self._attempts = 0
        self._next: bytes | None = None  # what to offer once nothing is under way
        self._ack: AckSender | None = None
        self._answer: Invite2xx | None = None  # our 200, not acknowledged
        self._answer_offers = False  # whether it carries our offer
        self._retry: Timer | None = None

    # The peer changes the session

    def take_invite(self, request: Request) -> None:
        """A re-INVITE, with an offer or asking for ours."""
        leg = self._leg
        status = self._refusal(request) or self._crossing()
        if status:
            self._refuse(request, status)
            return
        body = leg.listener.offered(leg, request.body) if request.body else leg.listener.wanted(leg)
        if leg.over:
            leg.stack.answer(request, 481)
            return
        if body is None:
            self._refuse(request, 488)
            return
        if self._answer is not None:
            self._answer.stop()  # a new INVITE says as well that the answer before it has arrived
        self._answer_offers = offers = not request.body
        server = leg.stack.exchange.begin(request)
        self._answer = Invite2xx(
            leg.stack,
            server,
            self._accept(request, body),
            lambda ack: self._take_ack(ack, offers),
            lambda: leg.break_off(of_loss(FailureReason.NO_ACK)),
        )

    def take_update(self, request: Request) -> None:
        """An UPDATE: a new offer, or a sign of life."""
        leg = self._leg
        status = self._refusal(request)
        if not status and request.body:
            status = self._crossing()
        if status:
            self._refuse(request, status)
            return
        body: bytes | None = b""
        if request.body:
            body = leg.listener.offered(leg, request.body)
        if leg.over:
            leg.stack.answer(request, 481)
        elif body is None:
            self._refuse(request, 488)
        else:
            server = leg.stack.exchange.begin(request)
            leg.stack.exchange.answer(server, self._accept(request, body))

    def _crossing(self) -> int:
        waits = self._ours is not None or (self._answer is not None and self._answer_offers)
        return self._leg.crossing or (491 if waits else 0)

    def _refusal(self, request: Request) -> int:
        if interval_too_small(request, self._leg.stack.settings.min_session):
            return 422
        refusal = check_extensions(request) or check_body(request)
        return refusal[0] if refusal else 0

    def _refuse(self, request: Request, status: int) -> None:
        refusal = check_extensions(request) or check_body(request)
        headers = refusal[1] if refusal and refusal[0] == status else ()
        if status == 422:
            headers = (("Min-SE", str(self._leg.stack.settings.min_session)),)
        elif status == 500:
            headers = (("Retry-After", str(round(uniform(0, 10)))),)  # noqa: S311 - spreads load
        server = self._leg.stack.exchange.begin(request)
        self._leg.stack.exchange.answer(server, respond(request, status, headers=headers))

    def _accept(self, request: Request, body: bytes) -> Response:
        leg = self._leg
        leg.follow(request)
        response = respond(request, 200)
        leg.stack.introduce(response, request.hop)
        if terms := accept_terms(request, leg.stack.settings.session_expires):
            write_accepted(response, terms)
        if not leg.early:
            leg.start_session(terms)
        leg.stack.set_body(response, body)
        if body:
            leg.described = body
        return response

    def take_ack(self, request: Request) -> None:
        """The ACK to our 200."""
        if self._answer is not None and self._answer.take_ack(request):
            self._answer = None
            self._go_on()

    def _take_ack(self, request: Request, offers: bool) -> None:
        if offers:
            self._leg.listener.agreed(self._leg, request.body)

    # We change the session

    def reoffer(self, body: bytes) -> None:
        """Offer a session, now or once nothing else is under way; of two that wait the later counts."""
        self._next = body
        self._attempts = 0
        self._go_on()

    def refresh(self) -> None:
        """Renew the session timer: UPDATE where the peer knows it, else our description once more."""
        leg = self._leg
        if self._ours is not None or self._answer is not None or leg.early:
            return  # what is under way renews it as well
        self._is_offer = False
        if leg.allows("UPDATE"):
            self._start("UPDATE", b"")
        elif leg.described:
            self._start("INVITE", leg.described)

    def _go_on(self) -> None:
        leg = self._leg
        busy = self._ours is not None or self._answer is not None or self._retry is not None
        if self._next is None or busy or leg.early or leg.over:
            return
        body, self._next = self._next, None
        self._is_offer = True
        self._start("INVITE", body)

    def begin(self) -> None:
        """The leg is answered and acknowledged: what waited for that may start."""
        self._go_on()

    def _start(self, method: str, body: bytes) -> None:
        leg = self._leg
        self._sent = body
        self._ack = None
        terms = leg.terms
        seconds = terms.seconds if terms else leg.stack.settings.session_expires

        def ask(request: Request) -> None:
            if seconds and (terms or leg.stack.settings.session_expires):
                write_asked(request, seconds, terms, leg.stack.settings.min_session)

        took = self._take_invited if method == "INVITE" else self._take_updated
        self._ours = leg.send(method, took, self._lose, body, ask)

    def _take_invited(self, response: Response) -> None:
        leg = self._leg
        if response.status < 200:
            return
        if response.status < 300:
            if self._ack is not None:
                self._ack.send()
                return
            ours = self._ours
            if ours is None or leg.dialog is None:
                return
            leg.follow(response)
            self._ack = AckSender(leg.stack, leg.dialog, ours.request)
        self._take_updated(response)

    def _take_updated(self, response: Response) -> None:
        leg = self._leg
        if response.status < 200 or self._ours is None:
            return
        self._ours = None
        if leg.over:
            return
        if response.status < 300:
            if response.method == "UPDATE":
                leg.follow(response)
            leg.start_session(confirm_terms(response))
            if self._sent:
                leg.described = self._sent
            if self._is_offer:
                leg.listener.agreed(leg, response.body)
        elif response.status in GONE:
            leg.break_off(of_response(response))
        elif response.status == 491 and self._attempts < ATTEMPTS:
            self._wait()
        elif self._is_offer:
            leg.listener.disagreed(leg, response.status)
        self._go_on()

    def _wait(self) -> None:
        """Try again after a while that is not the other side's (section 14.1)."""
        self._attempts += 1
        if self._is_offer and self._next is None:
            self._next = self._sent
        least, most = (2.1, 4.0) if self._leg.call_id_is_ours else (0.0, 2.0)
        seconds = uniform(least, most)  # noqa: S311 - keeps two sides apart
        scale = self._leg.stack.settings.timing.t1 / 0.5
        self._retry = self._leg.stack.timers.set(seconds * scale, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        if self._is_offer:
            self._go_on()
        else:
            self.refresh()

    def _lose(self, why: FailureReason) -> None:
        self._ours = None
        if not self._leg.over:
            self._leg.break_off(of_loss(why))

    def stop(self) -> None:
        """The leg is over."""
        if self._answer is not None:
            self._answer.stop()
        if self._retry is not None:
            self._leg.stack.timers.cancel(self._retry)
        self._next = None
