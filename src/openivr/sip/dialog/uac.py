"""The UAC core of a call: sends an INVITE and handles its responses (RFC 3261, section 13.2)."""

from collections.abc import Sequence

from openivr.sip.address import Hop, Target
from openivr.sip.client_request import ClientRequest
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import Authorise
from openivr.sip.dialog.dialog import Dialog, contact_uri, nat_hop, uac_dialog
from openivr.sip.dialog.dialog_session import DialogSession
from openivr.sip.dialog.invite_2xx import AckSender
from openivr.sip.dialog.session_timer import read_terms, write_requested_terms
from openivr.sip.message.headers import read_address, read_number, read_uri
from openivr.sip.message.message import NOWHERE, Header, Request, Response
from openivr.sip.termination import FailureReason, Termination, from_failure, from_response
from openivr.sip.transaction.timers import Timer

NO_MEDIA: Sequence[Header] = (("Reason", 'SIP;cause=488;text="Not Acceptable Here"'),)  # RFC 3326


class OutboundLeg(DialogSession):
    """A call placed from here."""

    __slots__ = (
        "_acks",
        "_cancel_headers",
        "_cancel_sent",
        "_cancelled",
        "_contact_user",
        "_early_dialogs",
        "_early_sdp",
        "_invite",
        "_last_rseq",
        "_ring_timer",
        "_target",
    )

    def __init__(
        self,
        context: AgentContext,
        request: Request,
        target: Target | None,
        authorise: Authorise | None,
        contact_user: str,
    ) -> None:
        super().__init__(context, request, owns_call_id=True, authorise=authorise)
        self.last_sdp = request.body
        self._target = target
        self._contact_user = contact_user
        self._cancelled = self._cancel_sent = False
        self._cancel_headers: Sequence[Header] = ()
        self._early_sdp: dict[str, bytes] = {}  # the last description of each early dialog
        self._early_dialogs: dict[str, Dialog] = {}  # by remote tag: a proxy may fork the INVITE
        self._last_rseq: dict[str, int] = {}  # the last RSeq received, by remote tag
        self._acks: dict[str, AckSender] = {}
        self._ring_timer: Timer | None = None
        self._invite: ClientRequest

    def send_invite(self) -> None:
        """Send the INVITE."""
        context = self.context
        request = self.request
        request.headers["from"] = [f"{request.get('from')};tag={self.tag}"]
        if context.settings.session_expires:
            write_requested_terms(
                request, context.settings.session_expires, None, context.settings.min_session
            )
        self._ring_timer = context.timers.set(context.settings.ring_limit, self.hangup)
        self._invite = self._start_invite(request)

    def _start_invite(self, request: Request) -> ClientRequest:
        invite = ClientRequest(
            self.context,
            request,
            self._on_response,
            self._on_failure,
            authorise=self._authorise,
            prepare=lambda sent, hop: self.context.add_capabilities(sent, hop, self._contact_user),
        )
        self._invite = invite
        routes = request.values("route")
        first = read_address(routes[0]) if routes else None
        if self._target is not None:
            invite.send_to_target(self._target)
        else:
            invite.send_to_uri(first.uri if first else request.uri)
        return invite

    @property
    def source(self) -> Target:
        """Return where the INVITE was sent."""
        return self._invite.hop.target if self._invite.hop else NOWHERE

    @property
    def glare_status(self) -> int:
        """Return 491 while the local offer has no answer."""
        return 491 if self.is_early else 0

    # Hanging up

    def cancel(self, headers: Sequence[Header] = ()) -> None:
        """Send CANCEL. An answer that crosses it is acknowledged and followed by BYE.

        `headers` give the reason: Reason with "Call completed elsewhere" prevents a missed call in the list
        of the phone.
        """
        if self.is_early and not self.is_terminated:
            self._cancelled = True
            self._cancel_headers = headers
            self._cancel_sent = self._invite.cancel(headers)
            self.finish(from_failure(FailureReason.CANCELLED, by_peer=False))

    def hangup(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """Send CANCEL if the call is early, else BYE. `status` is not used."""
        if self.is_early:
            self.cancel(headers)
        else:
            self.bye(headers)

    # Messages received

    def matches(self, request: Request) -> bool:
        """Return True if a request belongs to the dialog or to an early dialog."""
        if self.dialog is not None:
            return self.dialog.matches(request)
        early = self._early_dialogs.get(request.from_.tag)
        if early is None or not early.matches(request):
            return False
        self.dialog = early  # until another callee answers
        return True

    def has_remote_tag(self, tag: str) -> bool:
        """Return True if the peer or a ringing callee has this tag."""
        return super().has_remote_tag(tag) or (self.is_early and tag in self._early_dialogs)

    def _on_response(self, response: Response) -> None:
        self.has_response, status = True, response.status
        if status < 200:
            self._on_provisional(response)
        elif status < 300:
            self._on_success(response)
        elif status == 422 and self._retry_with_min_se(response):
            return
        elif not self.is_terminated:
            self.finish(from_response(response))

    def _retry_with_min_se(self, response: Response) -> bool:
        """Send the INVITE again with the session interval that the peer requires (RFC 4028, section 7.3)."""
        min_se = read_number(response.get("min-se"))
        old = self._invite.request
        if not min_se or self.is_terminated or min_se <= (read_number(old.get("session-expires")) or 0):
            return False
        again = Request("INVITE", old.uri, {k: v for k, v in old.headers.items() if k != "via"}, old.body)
        again.call_id = old.call_id
        again.cseq = old.cseq + 1
        again.headers["cseq"] = [f"{again.cseq} INVITE"]
        write_requested_terms(again, min_se, None, min_se)
        self._start_invite(again)
        return True

    def _on_provisional(self, response: Response) -> None:
        if self._cancelled:
            if not self._cancel_sent:  # CANCEL has to wait for a provisional response (section 9.1)
                self._cancel_sent = self._invite.cancel(self._cancel_headers)
            return
        if response.status == 100 or self.is_terminated or not self.is_early:
            return
        tag = self._to_tag(response)
        if tag and tag not in self._early_dialogs:
            self._early_dialogs[tag] = self._make_dialog(response)
        self.note_allow(response)
        if "100rel" in response.tokens("require") and tag and not self._send_prack(response, tag):
            return  # a retransmission
        if response.body:
            self._early_sdp[tag] = response.body
        self.listener.on_progress(self, response.status, response.body)

    def _send_prack(self, response: Response, tag: str) -> bool:
        """Send PRACK (RFC 3262, section 4). Return False if the response is not the next of its sender."""
        number = read_number(response.get("rseq"))
        last = self._last_rseq.get(tag)
        if number is None or (last is not None and number != last + 1):
            return False
        self._last_rseq[tag] = number
        dialog = self._early_dialogs[tag]
        body = b""
        if response.body and not self.last_sdp:
            body = self.listener.on_offer(self, response.body) or b""

        def change(request: Request) -> None:
            request.headers["rack"] = [f"{number} {response.cseq} INVITE"]

        confirmed, self.dialog = self.dialog, dialog
        self.send_request("PRACK", body=body, change=change)
        self.dialog = confirmed
        return True

    def _on_success(self, response: Response) -> None:
        tag = self._to_tag(response)
        if tag in self._acks:
            self._acks[tag].send()
            return
        dialog = self._make_dialog(response)
        if early := self._early_dialogs.get(tag):
            dialog.local_seq = max(dialog.local_seq, early.local_seq)
            dialog.remote_seq = early.remote_seq
        is_wanted = not self._cancelled and not self.is_terminated and self.is_early
        body = self._establish(dialog, response) if is_wanted else b""
        self._acks[tag] = AckSender(self.context, dialog, self._invite.request, body or b"")
        if not is_wanted or body is None:
            self._bye_dialog(dialog, NO_MEDIA if is_wanted else ())
        if is_wanted:
            self._report_answer(response, body)

    def _establish(self, dialog: Dialog, response: Response) -> bytes | None:
        """Confirm the dialog. Return the answer to an offer in the 200, None if it is not acceptable.

        A 200 without the answer to the offer of the INVITE is not acceptable either, unless a provisional
        response of the same dialog had it.
        """
        self.dialog = dialog
        self.note_allow(response)
        if self._ring_timer is not None:
            self.context.timers.cancel(self._ring_timer)
        if self._invite.request.body:
            return b"" if response.body or dialog.remote_tag in self._early_sdp else None
        answer = self.listener.on_offer(self, response.body)
        if answer:
            self.last_sdp = answer
        return answer

    def _report_answer(self, response: Response, body: bytes | None) -> None:
        if self.is_terminated:
            return
        if body is None:
            self.finish(from_failure(FailureReason.NO_MEDIA, by_peer=False))
            return
        self.is_early = False
        self.start_session_timer(read_terms(response))
        answer = response.body or self._early_sdp.get(self._to_tag(response), b"")
        self.listener.on_answer(self, answer if self._invite.request.body else b"")
        if not self.is_terminated and self._renegotiation is not None:
            self._renegotiation.on_established()

    def _bye_dialog(self, dialog: Dialog, headers: Sequence[Header]) -> None:
        """Hang up after a 2xx that is not acceptable, crossed the CANCEL or is of another fork (13.2.2.4)."""
        confirmed, self.dialog = self.dialog, dialog
        self._send_bye(headers)
        self.dialog = confirmed

    def _make_dialog(self, response: Response) -> Dialog:
        dialog = uac_dialog(self._invite.request, response, self.tag)
        hop = self._invite.hop
        if hop is not None and not dialog.route_set:
            dialog.hop = self._nat_hop(contact_uri(response), hop)
        return dialog

    def _nat_hop(self, contact: str, hop: Hop) -> Hop | None:
        called = read_uri(self.request.uri)
        return nat_hop(contact, called.host if called else "", hop)

    def _to_tag(self, response: Response) -> str:
        address = read_address(response.get("to"))
        return address.tag if address else ""

    def _on_failure(self, reason: FailureReason) -> None:
        if not self.is_terminated:
            self.finish(from_failure(reason))

    def finish(self, ending: Termination) -> None:
        """Terminate the leg without a message to the peer, and notify the listener."""
        if self._ring_timer is not None:
            self.context.timers.cancel(self._ring_timer)
        super().finish(ending)
