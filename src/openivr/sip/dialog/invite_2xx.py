"""The end of an INVITE: our 2xx, sent again until acknowledged (RFC 3261, section 13.3.1.4), and our ACK."""

from collections.abc import Callable

from openivr.sip.address import Hop
from openivr.sip.context import AgentContext
from openivr.sip.dialog.dialog import Dialog
from openivr.sip.message.message import Request, Response
from openivr.sip.transaction.layer import ServerTransaction
from openivr.sip.transaction.timers import Timer


class Invite2xx:
    """One answer and its timer."""

    __slots__ = (
        "_context",
        "_elapsed",
        "_interval",
        "_on_ack",
        "_on_timeout",
        "_response",
        "_server",
        "_timer",
    )

    def __init__(
        self,
        stack: AgentContext,
        server: ServerTransaction,
        response: Response,
        acknowledged: Callable[[Request], None],
        given_up: Callable[[], None],
    ) -> None:
        self._context = stack
        self._server = server
        self._response = response
        self._on_ack = acknowledged
        self._on_timeout = given_up
        self._interval = stack.settings.timing.t1
        self._elapsed = 0.0
        stack.transactions.respond(server, response)
        self._timer: Timer = stack.timers.set(self._interval, self._retransmit)

    def _retransmit(self) -> None:
        timing = self._context.settings.timing
        self._elapsed += self._interval
        if self._elapsed >= timing.limit:
            self._on_timeout()
            return
        self._context.transactions.respond(self._server, self._response)
        self._interval = min(self._interval * 2, timing.t2, timing.limit - self._elapsed)
        self._timer = self._context.timers.set(self._interval, self._retransmit)

    def on_ack(self, request: Request) -> bool:
        """Whether this ACK is for this answer; if so, it is sent no more."""
        if request.cseq != self._response.cseq:
            return False
        self.stop()
        self._on_ack(request)
        return True

    def stop(self) -> None:
        """Send it no more."""
        self._context.timers.cancel(self._timer)


class AckSender:
    """The ACK to a 2xx of a peer: sent again whenever the 2xx comes again (section 13.2.2.4)."""

    __slots__ = ("_ack", "_context", "_hop")

    def __init__(self, stack: AgentContext, dialog: Dialog, invite: Request, body: bytes = b"") -> None:
        self._context = stack
        self._hop: Hop | None = None
        ack = dialog.request("ACK", invite.cseq)
        stack.set_body(ack, body)
        for name in ("authorization", "proxy-authorization"):
            if name in invite.headers:
                ack.headers[name] = invite.headers[name]
        self._ack = ack
        if dialog.hop is not None and not dialog.hop.channel.closed:
            self._on_hop(dialog.hop)
        else:
            stack.resolve_uri(dialog.next_uri, self._on_hop)

    def _on_hop(self, hop: Hop | None) -> None:
        self._hop = hop
        self.send()

    def send(self) -> None:
        """Send it, again."""
        if self._hop is not None:
            self._ack.headers.pop("via", None)
            self._context.transactions.send_ack(self._ack, self._hop)
