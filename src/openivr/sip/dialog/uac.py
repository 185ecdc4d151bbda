"""Calls that we place: the side that sends an INVITE (RFC 3261, section 13.2)."""

from collections.abc import Sequence

from openivr.sip.address import Hop, Target
from openivr.sip.client_request import ClientRequest
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import Authorise, Header
from openivr.sip.dialog.dialog import Dialog, contact_uri, fixed_hop, place_dialog
from openivr.sip.dialog.dialog_session import DialogSession
from openivr.sip.dialog.invite_2xx import AckSender
from openivr.sip.dialog.session_timer import confirm_terms, write_asked
from openivr.sip.message.headers import read_address, read_number, read_uri
from openivr.sip.message.message import NOWHERE, Request, Response
from openivr.sip.termination import FailureReason, Termination, of_loss, of_response
from openivr.sip.transaction.timers import Timer


class OutboundLeg(DialogSession):
    """A call that we place."""

    __slots__ = (
        "_acks",
        "_cancel_headers",
        "_cancel_sent",
        "_cancelled",
        "_contact_user",
        "_early_dialogs",
        "_invite",
        "_limit",
        "_reliable",
        "_target",
    )

    def __init__(
        self,
        stack: AgentContext,
        request: Request,
        target: Target | None,
        authorise: Authorise | None,
        contact_user: str,
    ) -> None:
        super().__init__(stack, request, request.call_id, authorise)
        self.call_id_is_ours, self.heeded = True, False
        self.described = request.body
        self._target = target
        self._contact_user = contact_user
        self._cancelled = self._cancel_sent = False
        self._cancel_headers: Sequence[Header] = ()
        self._early_dialogs: dict[str, Dialog] = {}  # by the peer's tag: an INVITE may reach several
        self._reliable: dict[str, int] = {}  # the last RSeq that each has sent
        self._acks: dict[str, AckSender] = {}
        self._limit: Timer | None = None
        self._invite: ClientRequest

    def place(self) -> None:
        """Send the INVITE."""
        stack = self.stack
        request = self.request
        request.headers["from"] = [f"{request.get('from')};tag={self.tag}"]
        if stack.settings.session_expires:
            write_asked(request, stack.settings.session_expires, None, stack.settings.min_session)
        self._limit = stack.timers.set(stack.settings.ring_limit, self.hangup)
        self._invite = self._send_invite(request)

    def _send_invite(self, request: Request) -> ClientRequest:
        invite = ClientRequest(
            self.stack,
            request,
            self._take_response,
            self._lose,
            authorise=self._authorise,
            prepare=lambda made, hop: self.stack.introduce(made, hop, self._contact_user),
        )
        self._invite = invite
        routes = request.values("route")
        first = read_address(routes[0]) if routes else None
        if self._target is not None:
            invite.send_to(self._target)
        else:
            invite.send(first.uri if first else request.uri)
        return invite

    @property
    def source(self) -> Target:
        """Where the INVITE went."""
        return self._invite.hop.target if self._invite.hop else NOWHERE

    @property
    def crossing(self) -> int:
        """Our own offer has no answer yet: the peer may make no other."""
        return 491 if self.early else 0

    # What the owner does

    def hangup(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """BYE, or CANCEL before an answer; an answer that crosses it is acknowledged and hung up.

        `headers` say why: Reason with "Call completed elsewhere" keeps phones from showing a missed call.
        """
        if self.over:
            return
        if self.early:
            self._cancelled = True
            self._cancel_headers = headers
            self._cancel_sent = self._invite.cancel(headers)
            self.finish(of_loss(FailureReason.CANCELLED, by_peer=False))
        else:
            self.send_bye(headers)
            self.finish(Termination(0, "", False))

    # What the peer does

    def owns(self, request: Request) -> bool:
        """Whether a request is of this call: of its dialog, or of one of the early ones."""
        if self.dialog is not None:
            return self.dialog.is_with(request)
        early = self._early_dialogs.get(request.from_.tag)
        if early is None or not early.is_with(request):
            return False
        self.dialog = early  # until another answers
        return True

    def is_with(self, tag: str) -> bool:
        """Whether the peer, or one of those that ring, has this tag."""
        return super().is_with(tag) or (self.early and tag in self._early_dialogs)

    def _take_response(self, response: Response) -> None:
        self.heeded, status = True, response.status
        if status < 200:
            self._take_provisional(response)
        elif status < 300:
            self._take_success(response)
        elif status == 422 and self._ask_longer(response):
            return
        elif not self.over:
            self.finish(of_response(response))

    def _ask_longer(self, response: Response) -> bool:
        """Place the call once more with the session interval that the peer needs (RFC 4028, section 7.3)."""
        least = read_number(response.get("min-se"))
        old = self._invite.request
        if not least or self.over or least <= (read_number(old.get("session-expires")) or 0):
            return False
        again = Request("INVITE", old.uri, {k: v for k, v in old.headers.items() if k != "via"}, old.body)
        again.call_id = old.call_id
        again.cseq = old.cseq + 1
        again.headers["cseq"] = [f"{again.cseq} INVITE"]
        write_asked(again, least, None, least)
        self._send_invite(again)
        return True

    def _take_provisional(self, response: Response) -> None:
        if self._cancelled:
            if not self._cancel_sent:  # nothing had been heard before (section 9.1)
                self._cancel_sent = self._invite.cancel(self._cancel_headers)
            return
        if response.status == 100 or self.over or not self.early:
            return
        tag = self._tag_of(response)
        if tag and tag not in self._early_dialogs:
            self._early_dialogs[tag] = self._make_dialog(response)
        self.learn(response)
        if (
            "100rel" in response.tokens("require")
            and tag
            and not self._acknowledge_provisional(response, tag)
        ):
            return  # it has come before
        self.listener.progressed(self, response.status, response.body)

    def _acknowledge_provisional(self, response: Response, tag: str) -> bool:
        """Send PRACK (RFC 3262, section 4); whether the response is the next of its sender."""
        number = read_number(response.get("rseq"))
        last = self._reliable.get(tag)
        if number is None or (last is not None and number != last + 1):
            return False
        self._reliable[tag] = number
        dialog = self._early_dialogs[tag]
        body = b""
        if response.body and not self.described:
            body = self.listener.offered(self, response.body) or b""

        def change(request: Request) -> None:
            request.headers["rack"] = [f"{number} {response.cseq} INVITE"]

        held, self.dialog = self.dialog, dialog
        self.send("PRACK", body=body, change=change)
        self.dialog = held
        return True

    def _take_success(self, response: Response) -> None:
        tag = self._tag_of(response)
        if tag in self._acks:
            self._acks[tag].send()
            return
        dialog = self._make_dialog(response)
        if early := self._early_dialogs.get(tag):
            dialog.local_seq = max(dialog.local_seq, early.local_seq)
            dialog.remote_seq = early.remote_seq
        wanted = not self._cancelled and not self.over and self.early
        body = self._confirm(dialog, response) if wanted else b""
        self._acks[tag] = AckSender(self.stack, dialog, self._invite.request, body or b"")
        if not wanted or body is None:
            self._hang_up(dialog)
        if wanted:
            self._report(response, body)

    def _confirm(self, dialog: Dialog, response: Response) -> bytes | None:
        """Take the dialog for ours; the answer to an offer in the 200, `None` if that is not acceptable."""
        self.dialog = dialog
        self.learn(response)
        if self._limit is not None:
            self.stack.timers.cancel(self._limit)
        if self._invite.request.body:
            return b""
        answer = self.listener.offered(self, response.body)
        if answer:
            self.described = answer
        return answer

    def _report(self, response: Response, body: bytes | None) -> None:
        if self.over:
            return
        if body is None:
            self.finish(Termination(488, "Not Acceptable Here", False))
            return
        self.early = False
        self.start_session(confirm_terms(response))
        self.listener.answered(self, response.body if self._invite.request.body else b"")
        if not self.over and self._renegotiation is not None:
            self._renegotiation.begin()

    def _hang_up(self, dialog: Dialog) -> None:
        """End a call that nobody wants: an answer that crossed our CANCEL, or a second one (13.2.2.4)."""
        held, self.dialog = self.dialog, dialog
        self.send_bye()
        self.dialog = held

    def _make_dialog(self, response: Response) -> Dialog:
        dialog = place_dialog(self._invite.request, response, self.tag)
        hop = self._invite.hop
        if hop is not None and not dialog.routes:
            dialog.hop = self._fixed_hop(contact_uri(response), hop)
        return dialog

    def _fixed_hop(self, contact: str, hop: Hop) -> Hop | None:
        called = read_uri(self.request.uri)
        return fixed_hop(contact, called.host if called else "", hop)

    def _tag_of(self, response: Response) -> str:
        address = read_address(response.get("to"))
        return address.tag if address else ""

    def _lose(self, why: FailureReason) -> None:
        if not self.over:
            self.finish(of_loss(why))

    def finish(self, ending: Termination) -> None:
        """Be over, and say so."""
        if self._limit is not None:
            self.stack.timers.cancel(self._limit)
        super().finish(ending)
