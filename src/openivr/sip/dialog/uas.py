"""Calls that peers place: the side that answers an INVITE (RFC 3261, section 13.3)."""

from collections.abc import Sequence

from openivr.sip.address import Target
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import CallLeg, Header
from openivr.sip.dialog.dialog import accept_dialog, fixed_hop
from openivr.sip.dialog.dialog_session import DialogSession
from openivr.sip.dialog.invite_2xx import Invite2xx
from openivr.sip.dialog.prack import ReliableProvisional
from openivr.sip.dialog.session_timer import accept_terms, write_accepted
from openivr.sip.message.message import Request, Response, respond
from openivr.sip.termination import FailureReason, Termination, of_loss, read_reason
from openivr.sip.transaction.layer import ServerTransaction
from openivr.sip.transaction.timers import Timer

TRYING_SECONDS = 0.2  # without an answer by then, 100 says that the INVITE has arrived (section 17.2.1)


class InboundLeg(DialogSession):
    """A call that a peer places."""

    __slots__ = (
        "_answer",
        "_bye_headers",
        "_offered_early",
        "_postponed",
        "_reliable",
        "_server",
        "_trying",
        "body",
        "replaces",
    )

    def __init__(self, stack: AgentContext, request: Request, replaces: CallLeg | None = None) -> None:
        super().__init__(stack, request, request.call_id)
        self.call_id_is_ours = False
        self.body = request.body  # the offer; b"" if the INVITE has none
        self.replaces = replaces  # the leg whose place this one takes (RFC 3891)
        self.dialog = accept_dialog(request, self.tag)
        hop = request.hop
        via = request.via
        if hop is not None and via is not None and not self.dialog.routes:
            self.dialog.hop = fixed_hop(self.dialog.target, via.host, hop)
        self.learn(request)
        self._server: ServerTransaction = stack.exchange.begin(request)
        self._server.user = self
        self._server.lost = self._lose
        self._answer: Invite2xx | None = None
        self._reliable: ReliableProvisional | None = None
        self._postponed: tuple[bytes, Sequence[Header]] | None = None  # an answer that waits for PRACK
        self._offered_early = False
        self._bye_headers: Sequence[Header] | None = None  # of a BYE that waits for the ACK
        self._trying: Timer | None = None

    @property
    def source(self) -> Target:
        """Where the INVITE came from."""
        return self.request.source

    @property
    def crossing(self) -> int:
        """Whether an offer has no answer yet, the peer's (500) or ours (491; RFC 3311, section 5.2)."""
        if not self.early:
            return 491 if self._answer is not None and not self.body else 0
        settled = self._offered_early and self.body and not self._blocked
        return 0 if settled else 500

    @property
    def _blocked(self) -> bool:
        return self._reliable is not None and self._reliable.blocks_answer

    def wait(self) -> None:
        """Say that the INVITE has arrived, if nothing else is said soon."""
        if self.early and not self._server.data:
            self._trying = self.stack.timers.set(TRYING_SECONDS, self._try)

    def _try(self) -> None:
        if self.early and not self.over and not self._server.data:
            self.stack.exchange.answer(self._server, respond(self.request, 100))

    # What the owner does

    def ring(self, status: int = 180, body: bytes = b"", headers: Sequence[Header] = ()) -> None:
        """180, or 181 to 183; with a body early media: the answer, or our offer if the INVITE had none.

        Sent reliably where the peer requires it, and where there is a body and the peer can (RFC 3262).
        """
        if self.over or not self.early or self._postponed is not None:
            return
        response = self._respond(status, body, headers)
        wishes = self.request.tokens("require")
        if "100rel" in wishes or (body and "100rel" in self.request.tokens("supported")):
            self._offered_early = self._offered_early or bool(body)
            if self._reliable is None:
                self._reliable = ReliableProvisional(self.stack, self._server, lambda: self.hangup(504))
            self._reliable.send(response)
        else:
            self.stack.exchange.answer(self._server, response)

    def answer(self, body: bytes, headers: Sequence[Header] = ()) -> None:
        """200 with the answer, or with our offer if the INVITE had none; sent again until acknowledged.

        After a reliable `ring` with a body the same body may be passed: it is not sent twice.
        """
        if self.over or not self.early:
            return
        if self._blocked:
            self._postponed = (body, headers)
            return
        self._stop_trying()
        if self._reliable is not None:
            self._reliable.stop()
            self._reliable = None
        self.early = False
        response = self._respond(200, b"" if self._offered_early else body, headers)
        terms = accept_terms(self.request, self.stack.settings.session_expires)
        if terms is not None:
            write_accepted(response, terms)
            self.start_session(terms)
        self._answer = Invite2xx(self.stack, self._server, response, self._take_first_ack, self._give_up)

    def _respond(self, status: int, body: bytes, headers: Sequence[Header]) -> Response:
        request = self.request
        response = respond(request, status, tag=self.tag)
        if "record-route" in request.headers:
            response.headers["record-route"] = request.headers["record-route"]
        self.stack.introduce(response, request.hop)
        for name, value in headers:
            response.add(name, value)
        self.stack.set_body(response, body)
        if body:
            self.described = body
        return response

    def reject(self, status: int, reason: str = "", headers: Sequence[Header] = ()) -> None:
        """A final response from 300 up: 486, 480, 603, 302 with Contact."""
        if not self.over and self.early:
            self._refuse(status, reason, headers)
            self.finish(Termination(status, reason, False))

    def hangup(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """End the call: `status` before it is answered, BYE after; the BYE waits for the ACK (section 15)."""
        if self.over:
            return
        if self.early:
            self.reject(status, headers=headers)
        elif self._answer is not None:
            self._bye_headers = headers
            self.finish(Termination(0, "", False))
        else:
            self.send_bye(headers)
            self.finish(Termination(0, "", False))

    def _refuse(self, status: int, reason: str = "", headers: Sequence[Header] = ()) -> None:
        """The final response that is no 2xx."""
        if not self.stack.exchange.has_answered(self._server):
            response = respond(self.request, status, reason, tuple(headers), tag=self.tag)
            response.headers["server"] = [self.stack.settings.user_agent]
            self.stack.exchange.answer(self._server, response)

    # What the peer does

    def take_cancel(self, request: Request) -> None:
        """The caller gives up before we have answered."""
        if self.early and not self.over:
            self._give_in(request)

    def take_bye(self, request: Request) -> None:
        """The caller hangs up, perhaps before we have answered (section 15.1.2)."""
        if not self.early:
            super().take_bye(request)
            return
        self.stack.answer(request, 200)
        self._give_in(request)

    def _give_in(self, request: Request) -> None:
        self._refuse(487)
        cause, text = read_reason(request)
        self.finish(Termination(487, text or FailureReason.CANCELLED, True, None, cause))

    def take_prack(self, request: Request) -> None:
        """A provisional response has arrived; a body is the answer to our offer."""
        reliable = self._reliable
        if reliable is None or not reliable.take_prack(request):
            super().take_prack(request)
            return
        body: bytes | None = b""
        if request.body and self.body:
            body = self.listener.offered(self, request.body)
        server = self.stack.exchange.begin(request)
        response = respond(request, 200 if body is not None else 488)
        self.stack.set_body(response, body or b"")
        self.stack.exchange.answer(server, response)
        if request.body and not self.body:
            self.listener.agreed(self, request.body)
        reliable.go_on()
        if self._postponed is not None and not self._blocked and not self.over:
            postponed, self._postponed = self._postponed, None
            self.answer(*postponed)

    def take_invite(self, request: Request) -> None:
        """A second INVITE before the first is answered must wait (section 14.2); later it is a re-INVITE."""
        if self.early:
            self.stack.answer(request, 500, retry_after=5)
        else:
            super().take_invite(request)

    def take_ack(self, request: Request) -> None:
        """The ACK to our answer, or to that to a re-INVITE."""
        if self._answer is None or not self._answer.take_ack(request):
            super().take_ack(request)

    def _take_first_ack(self, request: Request) -> None:
        self._answer = None
        if self.over:
            self._send_late_bye()
            return
        self.listener.acknowledged(self, request.body)
        if not self.over and self._renegotiation is not None:
            self._renegotiation.begin()

    def _send_late_bye(self) -> None:
        headers, self._bye_headers = self._bye_headers, None
        if headers is not None:
            self.send_bye(headers)
        self.release()

    def _give_up(self) -> None:
        """Nobody acknowledges our answer: section 13.3.1.4 says BYE."""
        self._answer = None
        if self.over:
            self._send_late_bye()
        else:
            self.break_off(of_loss(FailureReason.NO_ACK))

    def _lose(self, why: FailureReason) -> None:
        if self.early:
            self.finish(of_loss(why))

    # The end

    def _stop_trying(self) -> None:
        if self._trying is not None:
            self.stack.timers.cancel(self._trying)
            self._trying = None

    def finish(self, ending: Termination) -> None:
        """Be over, and say so."""
        if self.over:
            return
        self._stop_trying()
        if self._reliable is not None:
            self._reliable.stop()
            self._reliable = None
        if self._answer is not None and self._bye_headers is None:
            self._answer.stop()
            self._answer = None
        self.stack.exchange.forget(self._server)
        super().finish(ending)

    def release(self) -> None:
        """Nothing more is expected of the peer, but for an ACK that a BYE waits for."""
        if self._answer is None:
            super().release()
