"""Base class of inbound and outbound legs: requests within the dialog, and termination."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from openivr.sip.address import Hop, Target
from openivr.sip.client_request import ClientRequest
from openivr.sip.context import ALLOW, AgentContext
from openivr.sip.dialog.call_leg import Authorise, CallLeg, CallLegListener
from openivr.sip.dialog.dialog import Dialog
from openivr.sip.dialog.refer import (
    Referral,
    Replaces,
    is_refer_event,
    is_subscription_terminated,
    read_refer_to,
    read_sipfrag,
    write_refer_to,
)
from openivr.sip.dialog.reinvite import Renegotiation
from openivr.sip.dialog.session_timer import SessionTimer, SessionTimerTerms
from openivr.sip.message import dtmf_info
from openivr.sip.message.headers import write_address
from openivr.sip.message.message import Header, Message, Request, Response, respond
from openivr.sip.message.multipart import SDP
from openivr.sip.termination import FailureReason, Termination, from_failure, read_reason
from openivr.sip.transaction.via import random_token

TARGET_REFRESH = ("INVITE", "UPDATE", "REFER")  # requests with a Contact
_NO_LISTENER = CallLegListener()


def _ignore(outcome: object) -> None:
    """Discard the outcome of a request."""


class DialogSession(ABC):
    """A `CallLeg` with its dialog, and the `ReinviteHost` of its renegotiations."""

    __slots__ = (
        "_allowed_methods",
        "_authorise",
        "_refer_count",
        "_refer_pending",
        "_renegotiation",
        "_session_timer",
        "call_id",
        "context",
        "dialog",
        "has_response",
        "is_early",
        "is_terminated",
        "last_sdp",
        "listener",
        "owns_call_id",
        "request",
        "tag",
    )

    def __init__(
        self,
        context: AgentContext,
        request: Request,
        *,
        owns_call_id: bool,
        authorise: Authorise | None = None,
    ) -> None:
        self.context = context
        self.listener = _NO_LISTENER
        self.request = request
        self.call_id = request.call_id
        self.owns_call_id = owns_call_id
        self.tag = random_token()
        self.dialog: Dialog | None = None
        self.is_early = True
        self.has_response = not owns_call_id  # the INVITE of an inbound leg counts
        self.is_terminated = False
        self.last_sdp = b""
        self._session_timer: SessionTimer | None = None
        self._renegotiation: Renegotiation | None = None
        self._authorise = authorise
        self._allowed_methods: frozenset[str] = frozenset()
        self._refer_count = 0
        self._refer_pending = False
        context.legs[self.tag] = self

    @property
    @abstractmethod
    def source(self) -> Target:
        """Return where the INVITE came from, or was sent to."""

    @property
    @abstractmethod
    def glare_status(self) -> int:
        """Return the status that rejects an offer while the initial one has no answer; 0 once it has."""

    @abstractmethod
    def hangup(self, status: int = 603, headers: Sequence[Header] = ()) -> None:
        """End the leg in any state."""

    # Requests sent within the dialog

    def send_request(
        self,
        method: str,
        on_response: Callable[[Response], None] = _ignore,
        on_failure: Callable[[FailureReason], None] = _ignore,
        body: bytes = b"",
        change: Callable[[Request], None] | None = None,
    ) -> ClientRequest:
        """Send a request within the dialog. `change` may edit it first."""
        dialog = self.dialog
        assert dialog is not None  # noqa: S101 - callers check: without a dialog there is no peer
        request = dialog.request(method)
        self.context.set_body(request, body)
        request.headers["user-agent"] = [self.context.settings.user_agent]
        if change is not None:
            change(request)
        prepare = self._add_capabilities if method in TARGET_REFRESH else None
        client = ClientRequest(
            self.context,
            request,
            on_response,
            on_failure,
            authorise=self._authorise,
            dialog=dialog,
            prepare=prepare,
        )
        if dialog.hop is not None and not dialog.hop.channel.closed:
            client.send_over_hop(dialog.hop)
        else:
            client.send_to_uri(dialog.next_uri)
        return client

    def _add_capabilities(self, request: Request, hop: Hop) -> None:
        self.context.add_capabilities(request, hop)

    @property
    def renegotiation(self) -> Renegotiation:
        """Return the renegotiations, created on first use because most calls have none."""
        if self._renegotiation is None:
            self._renegotiation = Renegotiation(self)
        return self._renegotiation

    @property
    def session_timer_terms(self) -> SessionTimerTerms | None:
        """Return the negotiated session timer; None if there is none."""
        return self._session_timer.terms if self._session_timer is not None else None

    def start_session_timer(self, terms: SessionTimerTerms | None) -> None:
        """Restart the session timer."""
        if self._session_timer is None and terms is not None and not self.is_terminated:
            self._session_timer = SessionTimer(self.context.timers, self._refresh, self._expire)
        if self._session_timer is not None:
            self._session_timer.start(terms)

    def reinvite(self, body: bytes) -> None:
        """Send a new offer; `on_answer_sdp` or `on_reinvite_rejected` follows."""
        if not self.is_terminated:
            self.renegotiation.reinvite(body)

    def send_dtmf_info(self, key: str, milliseconds: int = 160) -> None:
        """Send a DTMF digit by INFO."""
        if self.is_terminated or self.dialog is None:
            return

        def change(request: Request) -> None:
            self.context.set_body(request, dtmf_info.write_key(key, milliseconds), dtmf_info.RELAY)

        self.send_request("INFO", change=change)

    def refer(self, target: str, replaces: CallLeg | None = None) -> None:
        """Ask the peer to call `target`, or to replace the local side of another leg."""
        if self.is_terminated or self.is_early:
            return
        other = replaces.dialog if replaces is not None else None
        replaced = Replaces(other.call_id, other.remote_tag, other.local_tag) if other is not None else None

        def change(request: Request) -> None:
            request.headers["refer-to"] = [write_refer_to(target, replaced)]
            request.headers["referred-by"] = [self._local_address()]
            if replaced is not None:
                request.headers["require"] = ["replaces"]

        self._refer_pending = True
        self.send_request(
            "REFER", self._on_refer_response, lambda why: self._report_refer(408), change=change
        )

    def _local_address(self) -> str:
        return (
            self.dialog.local.partition(";tag=")[0] if self.dialog else write_address("sip:anonymous.invalid")
        )

    def _on_refer_response(self, response: Response) -> None:
        no_subscription = response.get("refer-sub").lower() == "false"
        if response.status >= 300 or (response.status >= 200 and no_subscription):
            self._report_refer(response.status)

    def _report_refer(self, status: int) -> None:
        if self._refer_pending:
            self._refer_pending = status < 200
            self.listener.on_refer_progress(self, status)

    # Requests received within the dialog

    def matches(self, request: Request) -> bool:
        """Return True if a request with the local tag belongs to this dialog."""
        return self.dialog is not None and self.dialog.matches(request)

    def has_remote_tag(self, tag: str) -> bool:
        """Return True if the peer has this tag."""
        return self.dialog is not None and self.dialog.remote_tag == tag

    def handle_request(self, request: Request) -> None:
        """Handle a request within the dialog."""
        dialog = self.dialog
        if dialog is None:
            return
        if not dialog.accept_cseq(request):
            self.context.respond(request, 500)
            return
        handler = REQUEST_HANDLERS.get(request.method)
        if handler is None:
            server = self.context.transactions.create_server(request)
            self.context.transactions.respond(server, respond(request, 405, headers=(("Allow", ALLOW),)))
        else:
            handler(self, request)

    def handle_ack(self, request: Request) -> None:
        """Handle the ACK for a 2xx."""
        if self._renegotiation is not None:
            self._renegotiation.handle_ack(request)

    def handle_bye(self, request: Request) -> None:
        """End the call: the peer has hung up."""
        cause, text = read_reason(request)
        try:  # the listener first, so that the call record is written before the peer gets its response
            self.finish(Termination(0, text, True, None, cause))
        finally:
            self.context.respond(request, 200)

    def handle_options(self, request: Request) -> None:
        """Answer a keep-alive of the peer."""
        server = self.context.transactions.create_server(request)
        response = respond(request, 200, headers=(("Accept", SDP),))
        self.context.add_capabilities(response, request.hop)
        self.context.transactions.respond(server, response)

    def handle_info(self, request: Request) -> None:
        """Report a DTMF digit; anything else gets 415."""
        key = dtmf_info.read_key(request)
        if request.body and request.media_type() not in (dtmf_info.RELAY, dtmf_info.PLAIN):
            server = self.context.transactions.create_server(request)
            accepted = (("Accept", f"{dtmf_info.RELAY}, {dtmf_info.PLAIN}"),)
            self.context.transactions.respond(server, respond(request, 415, headers=accepted))
            return
        self.context.respond(request, 200)
        if key is not None:
            self.listener.on_dtmf(self, *key)

    def handle_update(self, request: Request) -> None:
        """Handle UPDATE, which may come before the answer."""
        self.renegotiation.handle_update(request)

    def handle_invite(self, request: Request) -> None:
        """Handle a re-INVITE."""
        self.renegotiation.handle_invite(request)

    def handle_prack(self, request: Request) -> None:
        """Reject a PRACK that matches no provisional response."""
        self.context.respond(request, 481)

    def handle_refer(self, request: Request) -> None:
        """Handle a transfer request of the peer."""
        refer_to = read_refer_to(request.get("refer-to")) if len(request.values("refer-to")) == 1 else None
        server = self.context.transactions.create_server(request)
        if refer_to is None:
            self.context.transactions.respond(server, respond(request, 400))
            return
        self._refer_count += 1
        event = "refer" if self._refer_count == 1 else f"refer;id={request.cseq}"

        def answer(status: int) -> None:
            response = respond(request, status)
            self.context.add_capabilities(response, request.hop)
            if referral.no_subscription and status < 300:
                response.headers["refer-sub"] = ["false"]
            self.context.transactions.respond(server, response)

        def notify(fragment: bytes, final: bool) -> None:
            def change(notification: Request) -> None:
                notification.headers["event"] = [event]
                state = "terminated;reason=noresource" if final else "active;expires=60"
                notification.headers["subscription-state"] = [state]
                self.context.set_body(notification, fragment, "message/sipfrag;version=2.0")

            self.send_request("NOTIFY", change=change)

        referral = Referral(request, *refer_to, answer, notify)
        self.listener.on_refer(self, referral)

    def handle_notify(self, request: Request) -> None:
        """Report the state of a transfer that was requested here."""
        if not is_refer_event(request):
            self.context.respond(request, 489)
            return
        self.context.respond(request, 200)
        status = read_sipfrag(request.body)
        if status is not None:
            self._report_refer(status)
        elif is_subscription_terminated(request):
            self._report_refer(500)

    # State of the peer

    def refresh_target(self, message: Request | Response) -> None:
        """Adopt the Contact and Allow of a message."""
        if self.dialog is not None:
            self.dialog.refresh_target(message)
            if isinstance(message, Request) and self.dialog.hop is not None:
                self.dialog.hop = message.hop
        self.note_allow(message)

    def note_allow(self, message: Message) -> None:
        """Remember the methods that the peer supports."""
        if "allow" in message.headers:
            self._allowed_methods = frozenset(value.upper() for value in message.values("allow"))

    def allows(self, method: str) -> bool:
        """Return True if the peer has listed a method in Allow."""
        return method in self._allowed_methods

    # Termination

    def _refresh(self) -> None:
        self.renegotiation.refresh_session()

    def _expire(self) -> None:
        self.terminate(from_failure(FailureReason.EXPIRED))

    def bye(self, headers: Sequence[Header] = ()) -> None:
        """Send BYE and terminate the leg: the local side hangs up."""
        if not self.is_terminated:
            self._send_bye(headers)
            self.finish(Termination(0, "", False))

    def terminate(self, ending: Termination) -> None:
        """Send BYE and terminate the leg for the given reason."""
        if not self.is_terminated:
            self._send_bye()
            self.finish(ending)

    def _send_bye(self, headers: Sequence[Header] = ()) -> None:
        def change(request: Request) -> None:
            for name, value in headers:
                request.add(name, value)

        self.send_request("BYE", change=change)

    def finish(self, ending: Termination) -> None:
        """Terminate the leg without a message to the peer, and notify the listener."""
        if self.is_terminated:
            return
        self.is_terminated = True
        if self._session_timer is not None:
            self._session_timer.stop()
        if self._renegotiation is not None:
            self._renegotiation.stop()
        self._session_timer = self._renegotiation = None  # breaks the reference cycle: freed immediately
        self.release()
        listener, self.listener = self.listener, _NO_LISTENER
        if self.is_early:
            listener.on_failed(self, ending)
        else:
            listener.on_ended(self, ending)

    def release(self) -> None:
        """Deregister the leg: no further messages are expected."""
        self.context.remove_leg(self.tag)


REQUEST_HANDLERS: dict[str, Callable[[DialogSession, Request], None]] = {
    "INVITE": lambda leg, request: leg.handle_invite(request),
    "UPDATE": lambda leg, request: leg.handle_update(request),
    "BYE": lambda leg, request: leg.handle_bye(request),
    "INFO": lambda leg, request: leg.handle_info(request),
    "OPTIONS": lambda leg, request: leg.handle_options(request),
    "PRACK": lambda leg, request: leg.handle_prack(request),
    "REFER": lambda leg, request: leg.handle_refer(request),
    "NOTIFY": lambda leg, request: leg.handle_notify(request),
}
