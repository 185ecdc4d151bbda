"""2xx responses to INVITE, retransmitted until the ACK (RFC 3261, section 13.3.1.4), and the ACK itself."""

from collections.abc import Callable

from openivr.sip.address import Hop
from openivr.sip.context import AgentContext
from openivr.sip.dialog.dialog import Dialog
from openivr.sip.message.message import Request, Response
from openivr.sip.transaction.layer import ServerTransaction
from openivr.sip.transaction.timers import Timer


class Invite2xx:
    """A 2xx that is retransmitted until its ACK arrives."""

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
        context: AgentContext,
        server: ServerTransaction,
        response: Response,
        on_ack: Callable[[Request], None],
        on_timeout: Callable[[], None],
    ) -> None:
        self._context = context
        self._server = server
        self._response = response
        self._on_ack = on_ack
        self._on_timeout = on_timeout
        self._interval = context.settings.timing.t1
        self._elapsed = 0.0
        context.transactions.respond(server, response)
        self._timer: Timer = context.timers.set(self._interval, self._retransmit)

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
        """Stop retransmitting if an ACK is for this response. Return False if it is not."""
        if request.cseq != self._response.cseq:
            return False
        self.stop()
        self._on_ack(request)
        return True

    def stop(self) -> None:
        """Stop retransmitting."""
        self._context.timers.cancel(self._timer)


class AckSender:
    """The ACK for a received 2xx, sent again for each retransmission of it (section 13.2.2.4)."""

    __slots__ = ("_ack", "_context", "_hop")

    def __init__(self, context: AgentContext, dialog: Dialog, invite: Request, body: bytes = b"") -> None:
        self._context = context
        self._hop: Hop | None = None
        ack = dialog.request("ACK", invite.cseq)
        context.set_body(ack, body)
        for name in ("authorization", "proxy-authorization"):
            if name in invite.headers:
                ack.headers[name] = invite.headers[name]
        self._ack = ack
        if dialog.hop is not None and not dialog.hop.channel.closed:
            self._on_hop(dialog.hop)
        else:
            context.resolve_uri(dialog.next_uri, self._on_hop)

    def _on_hop(self, hop: Hop | None) -> None:
        self._hop = hop
        self.send()

    def send(self) -> None:
        """Send the ACK, once or again."""
        if self._hop is not None:
            self._ack.headers.pop("via", None)
            self._context.transactions.send_ack(self._ack, self._hop)
