"""What legs of both directions share: the requests of their dialog, and how they end."""

from collections.abc import Callable, Sequence

from openivr.sip.address import Hop
from openivr.sip.client_request import ClientRequest
from openivr.sip.context import ALLOW, SDP, AgentContext
from openivr.sip.dialog.call_leg import Authorise, CallLeg, CallLegListener, Header
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
from openivr.sip.dialog.reinvite import ReinviteHost, Renegotiation
from openivr.sip.dialog.session_timer import SessionTimer, SessionTimerTerms
from openivr.sip.message import dtmf_info
from openivr.sip.message.headers import write_address
from openivr.sip.message.message import Message, Request, Response, respond
from openivr.sip.termination import FailureReason, Termination, from_failure, read_reason
from openivr.sip.transaction.via import random_token

TARGET_REFRESH = ("INVITE", "UPDATE", "REFER")  # requests that carry a Contact
_NO_LISTENER = CallLegListener()


def _ignore(what: object) -> None:
    """What nobody waits for."""


class DialogSession(ReinviteHost):
    """A leg and its dialog."""

    __slots__ = (
        "_allowed_methods",
        "_authorise",
        "_refer_count",
        "_refer_pending",
        "_renegotiation",
        "_session_timer",
    )

    def __init__(
        self, stack: AgentContext, request: Request, call_id: str, authorise: Authorise | None = None
    ) -> None:
        self.context = stack
        self.listener = _NO_LISTENER
        self.request = request
        self.call_id = call_id
        self.tag = random_token()
        self.dialog: Dialog | None = None
        self.is_early = self.has_response = True
        self.is_terminated = False
        self.last_sdp = b""
        self._session_timer: SessionTimer | None = None
        self._renegotiation: Renegotiation | None = None
        self._authorise = authorise
        self._allowed_methods: frozenset[str] = frozenset()
        self._refer_count = 0
        self._refer_pending = False
        stack.legs[self.tag] = self

    # Requests of the dialog that we send

    def send_request(
        self,
        method: str,
        took: Callable[[Response], None] = _ignore,
        lost: Callable[[FailureReason], None] = _ignore,
        body: bytes = b"",
        change: Callable[[Request], None] | None = None,
    ) -> ClientRequest:
        """Send a request of the dialog; `change` may add to it."""
        dialog = self.dialog
        assert dialog is not None  # noqa: S101 - a leg without a dialog has nobody to send to
        request = dialog.request(method)
        self.context.set_body(request, body)
        request.headers["user-agent"] = [self.context.settings.user_agent]
        if change is not None:
            change(request)
        prepare = self._add_capabilities if method in TARGET_REFRESH else None
        outgoing = ClientRequest(
            self.context, request, took, lost, authorise=self._authorise, dialog=dialog, prepare=prepare
        )
        if dialog.hop is not None and not dialog.hop.channel.closed:
            outgoing.send_over_hop(dialog.hop)
        else:
            outgoing.send_to_uri(dialog.next_uri)
        return outgoing

    def _add_capabilities(self, request: Request, hop: Hop) -> None:
        self.context.add_capabilities(request, hop)

    @property
    def renegotiation(self) -> Renegotiation:
        """The renegotiations, of which most calls have none."""
        if self._renegotiation is None:
            self._renegotiation = Renegotiation(self)
        return self._renegotiation

    @property
    def session_timer_terms(self) -> SessionTimerTerms | None:
        """What is agreed about the session timer."""
        return self._session_timer.terms if self._session_timer is not None else None

    def start_session_timer(self, terms: SessionTimerTerms | None) -> None:
        """Begin an interval of the session timer."""
        if self._session_timer is None and terms is not None and not self.is_terminated:
            self._session_timer = SessionTimer(self.context.timers, self._refresh, self._expire)
        if self._session_timer is not None:
            self._session_timer.start(terms)

    def reinvite(self, body: bytes) -> None:
        """Offer the session anew; `agreed` or `disagreed` follows."""
        if not self.is_terminated:
            self.renegotiation.reinvite(body)

    def send_dtmf_info(self, key: str, milliseconds: int = 160) -> None:
        """Send a key by INFO."""
        if self.is_terminated or self.dialog is None:
            return

        def change(request: Request) -> None:
            self.context.set_body(request, dtmf_info.write_key(key, milliseconds), dtmf_info.RELAY)

        self.send_request("INFO", change=change)

    def refer(self, target: str, replaces: CallLeg | None = None) -> None:
        """Ask the peer to call `target`, or to take our place in another leg."""
        if self.is_terminated or self.is_early:
            return
        other = replaces.dialog if replaces is not None else None
        named = Replaces(other.call_id, other.remote_tag, other.local_tag) if other is not None else None

        def change(request: Request) -> None:
            request.headers["refer-to"] = [write_refer_to(target, named)]
            request.headers["referred-by"] = [self._local_address()]
            if named is not None:
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
        quiet = response.get("refer-sub").lower() == "false"
        if response.status >= 300 or (response.status >= 200 and quiet):
            self._report_refer(response.status)

    def _report_refer(self, status: int) -> None:
        if self._refer_pending:
            self._refer_pending = status < 200
            self.listener.on_refer_progress(self, status)

    # Requests of the dialog that arrive

    def matches(self, request: Request) -> bool:
        """Whether a request that names our tag is of this dialog."""
        return self.dialog is not None and self.dialog.matches(request)

    def has_remote_tag(self, tag: str) -> bool:
        """Whether the peer has this tag."""
        return self.dialog is not None and self.dialog.remote_tag == tag

    def handle_request(self, request: Request) -> None:
        """A new request of the dialog."""
        dialog = self.dialog
        if dialog is None:
            return
        if not dialog.accept_cseq(request):
            self.context.respond(request, 500)
            return
        taker = REQUEST_HANDLERS.get(request.method)
        if taker is None:
            server = self.context.transactions.create_server(request)
            self.context.transactions.respond(server, respond(request, 405, headers=(("Allow", ALLOW),)))
        else:
            taker(self, request)

    def handle_ack(self, request: Request) -> None:
        """The ACK to a 2xx."""
        if self._renegotiation is not None:
            self._renegotiation.handle_ack(request)

    def handle_bye(self, request: Request) -> None:
        """The peer hangs up."""
        cause, text = read_reason(request)
        try:  # its user first: what follows is done, and written down, when the peer hears of it
            self.finish(Termination(0, text, True, None, cause))
        finally:
            self.context.respond(request, 200)

    def handle_options(self, request: Request) -> None:
        """The peer asks whether we are still there."""
        server = self.context.transactions.create_server(request)
        response = respond(request, 200, headers=(("Accept", SDP),))
        self.context.add_capabilities(response, request.hop)
        self.context.transactions.respond(server, response)

    def handle_info(self, request: Request) -> None:
        """A key, or something that we do not know."""
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
        """The peer changes the session, perhaps before it is answered."""
        self.renegotiation.handle_update(request)

    def handle_invite(self, request: Request) -> None:
        """The peer changes the session."""
        self.renegotiation.handle_invite(request)

    def handle_prack(self, request: Request) -> None:
        """A PRACK where none is waited for."""
        self.context.respond(request, 481)

    def handle_refer(self, request: Request) -> None:
        """The peer wants to be connected with somebody else."""
        wish = read_refer_to(request.get("refer-to")) if len(request.values("refer-to")) == 1 else None
        server = self.context.transactions.create_server(request)
        if wish is None:
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
            def change(notice: Request) -> None:
                notice.headers["event"] = [event]
                state = "terminated;reason=noresource" if final else "active;expires=60"
                notice.headers["subscription-state"] = [state]
                self.context.set_body(notice, fragment, "message/sipfrag;version=2.0")

            self.send_request("NOTIFY", change=change)

        referral = Referral(request, *wish, answer, notify)
        self.listener.on_refer(self, referral)

    def handle_notify(self, request: Request) -> None:
        """News of a transfer that we asked for."""
        if not is_refer_event(request):
            self.context.respond(request, 489)
            return
        self.context.respond(request, 200)
        status = read_sipfrag(request.body)
        if status is not None:
            self._report_refer(status)
        elif is_subscription_terminated(request):
            self._report_refer(500)

    # What the peer has told about itself

    def refresh_target(self, message: Request | Response) -> None:
        """Take over a new Contact and Allow."""
        if self.dialog is not None:
            self.dialog.refresh_target(message)
            if isinstance(message, Request) and self.dialog.hop is not None:
                self.dialog.hop = message.hop
        self.note_allow(message)

    def note_allow(self, message: Message) -> None:
        """Note which methods the peer understands."""
        if "allow" in message.headers:
            self._allowed_methods = frozenset(value.upper() for value in message.values("allow"))

    def allows(self, method: str) -> bool:
        """Whether the peer has said that it understands a method."""
        return method in self._allowed_methods

    # The end

    def _refresh(self) -> None:
        self.renegotiation.refresh_session()

    def _expire(self) -> None:
        self.terminate(from_failure(FailureReason.EXPIRED))

    def terminate(self, ending: Termination) -> None:
        """Send BYE, and be over."""
        if not self.is_terminated:
            self.send_bye()
            self.finish(ending)

    def send_bye(self, headers: Sequence[Header] = ()) -> None:
        """End the dialog."""

        def change(request: Request) -> None:
            for name, value in headers:
                request.add(name, value)

        self.send_request("BYE", change=change)

    def finish(self, ending: Termination) -> None:
        """Be over, and say so."""
        if self.is_terminated:
            return
        self.is_terminated = True
        if self._session_timer is not None:
            self._session_timer.stop()
        if self._renegotiation is not None:
            self._renegotiation.stop()
        self._session_timer = self._renegotiation = (
            None  # they know the leg: without a circle nothing waits for the gc
        )
        self.release()
        listener, self.listener = self.listener, _NO_LISTENER
        if self.is_early:
            listener.on_failed(self, ending)
        else:
            listener.on_ended(self, ending)

    def release(self) -> None:
        """Nothing more is expected of the peer."""
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
