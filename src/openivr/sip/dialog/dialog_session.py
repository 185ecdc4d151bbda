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
    is_about_refer,
    is_final_notice,
    read_fragment,
    read_refer_to,
    write_refer_to,
)
from openivr.sip.dialog.reinvite import ReinviteHost, Renegotiation
from openivr.sip.dialog.session_timer import SessionTimer, Terms
from openivr.sip.message import dtmf_info
from openivr.sip.message.headers import write_address
from openivr.sip.message.message import Message, Request, Response, respond
from openivr.sip.termination import FailureReason, Termination, of_loss, read_reason
from openivr.sip.transaction.via import token

REFRESHING = ("INVITE", "UPDATE", "REFER")  # requests that carry a Contact
_nobody = CallLegListener()


def _ignore(what: object) -> None:
    """What nobody waits for."""


class DialogSession(ReinviteHost):
    """A leg and its dialog."""

    __slots__ = ("_allow", "_authorise", "_referrals", "_renegotiation", "_session", "_transfer")

    def __init__(
        self, stack: AgentContext, request: Request, call_id: str, authorise: Authorise | None = None
    ) -> None:
        self.stack = stack
        self.listener = _nobody
        self.request = request
        self.call_id = call_id
        self.tag = token()
        self.dialog: Dialog | None = None
        self.early = self.heeded = True
        self.over = False
        self.described = b""
        self._session: SessionTimer | None = None
        self._renegotiation: Renegotiation | None = None
        self._authorise = authorise
        self._allow: frozenset[str] = frozenset()
        self._referrals = 0
        self._transfer = False
        stack.legs[self.tag] = self

    # Requests of the dialog that we send

    def send(
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
        self.stack.set_body(request, body)
        request.headers["user-agent"] = [self.stack.settings.user_agent]
        if change is not None:
            change(request)
        prepare = self._introduce if method in REFRESHING else None
        outgoing = ClientRequest(
            self.stack, request, took, lost, authorise=self._authorise, dialog=dialog, prepare=prepare
        )
        if dialog.hop is not None and not dialog.hop.channel.closed:
            outgoing.send_over(dialog.hop)
        else:
            outgoing.send(dialog.next_uri)
        return outgoing

    def _introduce(self, request: Request, hop: Hop) -> None:
        self.stack.introduce(request, hop)

    @property
    def changes(self) -> Renegotiation:
        """The renegotiations, of which most calls have none."""
        if self._renegotiation is None:
            self._renegotiation = Renegotiation(self)
        return self._renegotiation

    @property
    def terms(self) -> Terms | None:
        """What is agreed about the session timer."""
        return self._session.terms if self._session is not None else None

    def start_session(self, terms: Terms | None) -> None:
        """Begin an interval of the session timer."""
        if self._session is None and terms is not None and not self.over:
            self._session = SessionTimer(self.stack.timers, self._refresh, self._expire)
        if self._session is not None:
            self._session.start(terms)

    def reoffer(self, body: bytes) -> None:
        """Offer the session anew; `agreed` or `disagreed` follows."""
        if not self.over:
            self.changes.reoffer(body)

    def press(self, key: str, milliseconds: int = 160) -> None:
        """Send a key by INFO."""
        if self.over or self.dialog is None:
            return

        def change(request: Request) -> None:
            self.stack.set_body(request, dtmf_info.write_key(key, milliseconds), dtmf_info.RELAY)

        self.send("INFO", change=change)

    def refer(self, target: str, replaces: CallLeg | None = None) -> None:
        """Ask the peer to call `target`, or to take our place in another leg."""
        if self.over or self.early:
            return
        other = replaces.dialog if replaces is not None else None
        named = Replaces(other.call_id, other.remote_tag, other.local_tag) if other is not None else None

        def change(request: Request) -> None:
            request.headers["refer-to"] = [write_refer_to(target, named)]
            request.headers["referred-by"] = [self._local_address()]
            if named is not None:
                request.headers["require"] = ["replaces"]

        self._transfer = True
        self.send("REFER", self._take_refer_response, lambda why: self._report_transfer(408), change=change)

    def _local_address(self) -> str:
        return (
            self.dialog.local.partition(";tag=")[0] if self.dialog else write_address("sip:anonymous.invalid")
        )

    def _take_refer_response(self, response: Response) -> None:
        quiet = response.get("refer-sub").lower() == "false"
        if response.status >= 300 or (response.status >= 200 and quiet):
            self._report_transfer(response.status)

    def _report_transfer(self, status: int) -> None:
        if self._transfer:
            self._transfer = status < 200
            self.listener.transferring(self, status)

    # Requests of the dialog that arrive

    def owns(self, request: Request) -> bool:
        """Whether a request that names our tag is of this dialog."""
        return self.dialog is not None and self.dialog.is_with(request)

    def is_with(self, tag: str) -> bool:
        """Whether the peer has this tag."""
        return self.dialog is not None and self.dialog.remote_tag == tag

    def take(self, request: Request) -> None:
        """A new request of the dialog."""
        dialog = self.dialog
        if dialog is None:
            return
        if not dialog.accepts(request):
            self.stack.answer(request, 500)
            return
        taker = TAKERS.get(request.method)
        if taker is None:
            server = self.stack.exchange.begin(request)
            self.stack.exchange.answer(server, respond(request, 405, headers=(("Allow", ALLOW),)))
        else:
            taker(self, request)

    def take_ack(self, request: Request) -> None:
        """The ACK to a 2xx."""
        if self._renegotiation is not None:
            self._renegotiation.take_ack(request)

    def take_bye(self, request: Request) -> None:
        """The peer hangs up."""
        cause, text = read_reason(request)
        try:  # its user first: what follows is done, and written down, when the peer hears of it
            self.finish(Termination(0, text, True, None, cause))
        finally:
            self.stack.answer(request, 200)

    def take_options(self, request: Request) -> None:
        """The peer asks whether we are still there."""
        server = self.stack.exchange.begin(request)
        response = respond(request, 200, headers=(("Accept", SDP),))
        self.stack.introduce(response, request.hop)
        self.stack.exchange.answer(server, response)

    def take_info(self, request: Request) -> None:
        """A key, or something that we do not know."""
        key = dtmf_info.read_key(request)
        if request.body and request.media_type() not in (dtmf_info.RELAY, dtmf_info.PLAIN):
            server = self.stack.exchange.begin(request)
            accepted = (("Accept", f"{dtmf_info.RELAY}, {dtmf_info.PLAIN}"),)
            self.stack.exchange.answer(server, respond(request, 415, headers=accepted))
            return
        self.stack.answer(request, 200)
        if key is not None:
            self.listener.digit(self, *key)

    def take_update(self, request: Request) -> None:
        """The peer changes the session, perhaps before it is answered."""
        self.changes.take_update(request)

    def take_invite(self, request: Request) -> None:
        """The peer changes the session."""
        self.changes.take_invite(request)

    def take_prack(self, request: Request) -> None:
        """A PRACK where none is waited for."""
        self.stack.answer(request, 481)

    def take_refer(self, request: Request) -> None:
        """The peer wants to be connected with somebody else."""
        wish = read_refer_to(request.get("refer-to")) if len(request.values("refer-to")) == 1 else None
        server = self.stack.exchange.begin(request)
        if wish is None:
            self.stack.exchange.answer(server, respond(request, 400))
            return
        self._referrals += 1
        event = "refer" if self._referrals == 1 else f"refer;id={request.cseq}"

        def answer(status: int) -> None:
            response = respond(request, status)
            self.stack.introduce(response, request.hop)
            if referral.quiet and status < 300:
                response.headers["refer-sub"] = ["false"]
            self.stack.exchange.answer(server, response)

        def notify(fragment: bytes, final: bool) -> None:
            def change(notice: Request) -> None:
                notice.headers["event"] = [event]
                state = "terminated;reason=noresource" if final else "active;expires=60"
                notice.headers["subscription-state"] = [state]
                self.stack.set_body(notice, fragment, "message/sipfrag;version=2.0")

            self.send("NOTIFY", change=change)

        referral = Referral(request, *wish, answer, notify)
        self.listener.referred(self, referral)

    def take_notify(self, request: Request) -> None:
        """News of a transfer that we asked for."""
        if not is_about_refer(request):
            self.stack.answer(request, 489)
            return
        self.stack.answer(request, 200)
        status = read_fragment(request.body)
        if status is not None:
            self._report_transfer(status)
        elif is_final_notice(request):
            self._report_transfer(500)

    # What the peer has told about itself

    def follow(self, message: Request | Response) -> None:
        """Take over a new Contact and Allow."""
        if self.dialog is not None:
            self.dialog.refresh(message)
            if isinstance(message, Request) and self.dialog.hop is not None:
                self.dialog.hop = message.hop
        self.learn(message)

    def learn(self, message: Message) -> None:
        """Note which methods the peer understands."""
        if "allow" in message.headers:
            self._allow = frozenset(value.upper() for value in message.values("allow"))

    def allows(self, method: str) -> bool:
        """Whether the peer has said that it understands a method."""
        return method in self._allow

    # The end

    def _refresh(self) -> None:
        self.changes.refresh()

    def _expire(self) -> None:
        self.break_off(of_loss(FailureReason.EXPIRED))

    def break_off(self, ending: Termination) -> None:
        """Send BYE, and be over."""
        if not self.over:
            self.send_bye()
            self.finish(ending)

    def send_bye(self, headers: Sequence[Header] = ()) -> None:
        """End the dialog."""

        def change(request: Request) -> None:
            for name, value in headers:
                request.add(name, value)

        self.send("BYE", change=change)

    def finish(self, ending: Termination) -> None:
        """Be over, and say so."""
        if self.over:
            return
        self.over = True
        if self._session is not None:
            self._session.stop()
        if self._renegotiation is not None:
            self._renegotiation.stop()
        self._session = self._renegotiation = (
            None  # they know the leg: without a circle nothing waits for the gc
        )
        self.release()
        listener, self.listener = self.listener, _nobody
        if self.early:
            listener.failed(self, ending)
        else:
            listener.ended(self, ending)

    def release(self) -> None:
        """Nothing more is expected of the peer."""
        self.stack.leave(self.tag)


TAKERS: dict[str, Callable[[DialogSession, Request], None]] = {
    "INVITE": lambda leg, request: leg.take_invite(request),
    "UPDATE": lambda leg, request: leg.take_update(request),
    "BYE": lambda leg, request: leg.take_bye(request),
    "INFO": lambda leg, request: leg.take_info(request),
    "OPTIONS": lambda leg, request: leg.take_options(request),
    "PRACK": lambda leg, request: leg.take_prack(request),
    "REFER": lambda leg, request: leg.take_refer(request),
    "NOTIFY": lambda leg, request: leg.take_notify(request),
}
