"""The UAS core of a call: answers a received INVITE (RFC 3261, section 13.3)."""

from collections.abc import Sequence

from openivr.sip.address import Target
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import CallLeg
from openivr.sip.dialog.dialog import nat_hop, uas_dialog
from openivr.sip.dialog.dialog_session import DialogSession
from openivr.sip.dialog.invite_2xx import Invite2xx
from openivr.sip.dialog.prack import ReliableProvisional
from openivr.sip.dialog.session_timer import answer_terms, write_answered_terms
from openivr.sip.message.message import Header, Request, Response, respond
from openivr.sip.termination import FailureReason, Termination, from_failure, read_reason
from openivr.sip.transaction.layer import ServerTransaction
from openivr.sip.transaction.timers import Timer

TRYING_SECONDS = 0.2  # without a response by then 100 is sent (section 17.2.1)


class InboundLeg(DialogSession):
    """A received call."""

    __slots__ = (
        "_bye_headers",
        "_delayed_answer",
        "_invite_2xx",
        "_reliable",
        "_sent_early_sdp",
        "_server",
        "_trying_timer",
        "body",
        "replaces",
    )

    def __init__(self, context: AgentContext, request: Request, replaces: CallLeg | None = None) -> None:
        super().__init__(context, request, owns_call_id=False)
        self.body = request.body  # the SDP offer; b"" if the INVITE has none
        self.replaces = replaces  # the leg that this one replaces (RFC 3891)
        self.dialog = uas_dialog(request, self.tag)
        hop = request.hop
        via = request.via
        if hop is not None and via is not None and not self.dialog.route_set:
            self.dialog.hop = nat_hop(self.dialog.remote_target, via.host, hop)
        self.note_allow(request)
        self._server: ServerTransaction = context.transactions.create_server(request)
        self._server.user = self
        self._server.on_failure = self._on_transaction_failure
        self._invite_2xx: Invite2xx | None = None
        self._reliable: ReliableProvisional | None = None
        self._delayed_answer: tuple[bytes, Sequence[Header]] | None = None  # sent once PRACK has arrived
        self._sent_early_sdp = False
        self._bye_headers: Sequence[Header] | None = None  # of a BYE that is sent once the ACK has arrived
        self._trying_timer: Timer | None = None

    @property
    def source(self) -> Target:
        """Return where the INVITE came from."""
        return self.request.source

    @property
    def glare_status(self) -> int:
        """Return 500 while the peer's offer is pending, 491 while a local one is (RFC 3311, section 5.2)."""
        if not self.is_early:
            return 491 if self._invite_2xx is not None and not self.body else 0
        settled = self._sent_early_sdp and self.body and not self._awaits_prack
        return 0 if settled else 500

    @property
    def _awaits_prack(self) -> bool:
        return self._reliable is not None and self._reliable.blocks_answer

    def start_trying_timer(self) -> None:
        """Send 100 in a moment unless another response is sent before."""
        if self.is_early and not self._server.last_response:
            self._trying_timer = self.context.timers.set(TRYING_SECONDS, self._send_trying)

    def _send_trying(self) -> None:
        if self.is_early and not self.is_terminated and not self._server.last_response:
            self.context.transactions.respond(self._server, respond(self.request, 100))

    # Responses

    def progress(self, status: int = 180, body: bytes = b"", headers: Sequence[Header] = ()) -> None:
        """Send 180 to 183. A body is early media: the SDP answer, or the offer if the INVITE had none.

        The response is reliable (RFC 3262) if the peer requires that, or supports it and there is a body.
        """
        if self.is_terminated or not self.is_early or self._delayed_answer is not None:
            return
        response = self._respond(status, body, headers)
        is_required = "100rel" in self.request.tokens("require")
        if is_required or (body and "100rel" in self.request.tokens("supported")):
            self._sent_early_sdp = self._sent_early_sdp or bool(body)
            if self._reliable is None:
                self._reliable = ReliableProvisional(self.context, self._server, lambda: self.hangup(504))
            self._reliable.send(response)
        else:
            self.context.transactions.respond(self._server, response)

    def answer(self, body: bytes, headers: Sequence[Header] = ()) -> None:
        """Send 200 with the SDP answer, or with an offer if the INVITE had none, until the ACK arrives.

        A body that a reliable `progress` has sent already may be passed again. It is not sent twice.
        """
        if self.is_terminated or not self.is_early:
            return
        if self._awaits_prack:
            self._delayed_answer = (body, headers)
            return
        self._stop_trying()
        if self._reliable is not None:
            self._reliable.stop()
            self._reliable = None
        self.is_early = False
        response = self._respond(200, b"" if self._sent_early_sdp else body, headers)
        terms = answer_terms(self.request, self.context.settings.session_expires)
        if terms is not None:
            write_answered_terms(response, terms)
            self.start_session_timer(terms)
        self._invite_2xx = Invite2xx(
            self.context, self._server, response, self._on_first_ack, self._on_no_ack
        )

    def _respond(self, status: int, body: bytes, headers: Sequence[Header]) -> Response:
        request = self.request
        response = respond(request, status, tag=self.tag)
        if "record-route" in request.headers:
            response.headers["record-route"] = request.headers["record-route"]
        self.context.add_capabilities(response, request.hop)
        for name, value in headers:
            response.add(name, value)
        self.context.set_body(response, body)
        if body:
            self.last_sdp = body
        return response

    def reject(self, status: int, reason: str = "", headers: Sequence[Header] = ()) -> None:
        """Send a final response from 300 up: 486, 480, 603, 302 with Contact."""
        if not self.is_terminated and self.is_early:
            self._send_final(status, reason, headers)
            self.finish(Termination(status, reason, False))

    def bye(self, headers: Sequence[Header] = ()) -> None:
        """Hang up. BYE is sent once the ACK for the 200 has arrived (section 15)."""
        if self._invite_2xx is None:
            super().bye(headers)
        elif not self.is_terminated:
            self._bye_headers = headers
            self.finish(Termination(0, "", False))

    def hangup(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """Reject the call with `status` if it is early, else send BYE."""
        if self.is_early:
            self.reject(status, headers=headers)
        else:
            self.bye(headers)

    def _send_final(self, status: int, reason: str = "", headers: Sequence[Header] = ()) -> None:
        if not self.context.transactions.has_final_response(self._server):
            response = respond(self.request, status, reason, tuple(headers), tag=self.tag)
            response.headers["server"] = [self.context.settings.user_agent]
            self.context.transactions.respond(self._server, response)

    # Requests received

    def handle_cancel(self, request: Request) -> None:
        """Handle CANCEL: the caller hangs up before the answer."""
        if self.is_early and not self.is_terminated:
            self._on_caller_gone(request)

    def handle_bye(self, request: Request) -> None:
        """Handle BYE, which may come before the answer (section 15.1.2)."""
        if not self.is_early:
            super().handle_bye(request)
            return
        self.context.respond(request, 200)
        self._on_caller_gone(request)

    def _on_caller_gone(self, request: Request) -> None:
        self._send_final(487)
        cause, text = read_reason(request)
        self.finish(Termination(487, text, True, None, cause, FailureReason.CANCELLED))

    def handle_prack(self, request: Request) -> None:
        """Handle PRACK. A body is the answer to an offer in the provisional response, or a new offer."""
        reliable = self._reliable
        if reliable is None or not reliable.on_prack(request):
            super().handle_prack(request)
            return
        body: bytes | None = b""
        if request.body and self.body:
            body = self.listener.on_offer(self, request.body)
        server = self.context.transactions.create_server(request)
        if body is None:
            warning = tuple(self.listener.explain_rejection(self, request.body))
            response = respond(request, 488, headers=warning)
        else:
            response = respond(request, 200)
        self.context.set_body(response, body or b"")
        self.context.transactions.respond(server, response)
        if request.body and not self.body:
            self.listener.on_answer_sdp(self, request.body)
        reliable.send_next()
        if self._delayed_answer is not None and not self._awaits_prack and not self.is_terminated:
            postponed, self._delayed_answer = self._delayed_answer, None
            self.answer(*postponed)

    def handle_invite(self, request: Request) -> None:
        """Reject a second INVITE before the first is answered (section 14.2). Later ones are re-INVITEs."""
        if self.is_early:
            self.context.respond(request, 500, retry_after=5)
        else:
            super().handle_invite(request)

    def handle_ack(self, request: Request) -> None:
        """Handle the ACK for the initial INVITE or for a re-INVITE."""
        if self._invite_2xx is None or not self._invite_2xx.on_ack(request):
            super().handle_ack(request)

    def _on_first_ack(self, request: Request) -> None:
        self._invite_2xx = None
        if self.is_terminated:
            self._send_late_bye()
            return
        self.listener.on_ack(self, request.body)
        if not self.is_terminated and self._renegotiation is not None:
            self._renegotiation.on_established()

    def _send_late_bye(self) -> None:
        headers, self._bye_headers = self._bye_headers, None
        if headers is not None:
            self._send_bye(headers)
        self.release()

    def _on_no_ack(self) -> None:
        """End the call because no ACK arrives (section 13.3.1.4)."""
        self._invite_2xx = None
        if self.is_terminated:
            self._send_late_bye()
        else:
            self.terminate(from_failure(FailureReason.NO_ACK))

    def _on_transaction_failure(self, reason: FailureReason) -> None:
        if self.is_early:
            self.finish(from_failure(reason))

    # Termination

    def _stop_trying(self) -> None:
        if self._trying_timer is not None:
            self.context.timers.cancel(self._trying_timer)
            self._trying_timer = None

    def finish(self, ending: Termination) -> None:
        """Terminate the leg without a message to the peer, and notify the listener."""
        if self.is_terminated:
            return
        self._stop_trying()
        if self._reliable is not None:
            self._reliable.stop()
            self._reliable = None
        if self._invite_2xx is not None and self._bye_headers is None:
            self._invite_2xx.stop()
            self._invite_2xx = None
        self.context.transactions.detach_user(self._server)
        super().finish(ending)

    def release(self) -> None:
        """Deregister the leg, unless a BYE still waits for the ACK."""
        if self._invite_2xx is None:
            super().release()
