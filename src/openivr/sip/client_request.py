"""A request of ours with all that it takes to get an answer: the way, credentials, another transport."""

from collections.abc import Callable, Sequence

from openivr.sip.address import Hop, Target
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import Authorise, Header
from openivr.sip.dialog.dialog import Dialog
from openivr.sip.message.message import Request, Response
from openivr.sip.termination import FailureReason
from openivr.sip.transaction.layer import ClientTransaction
from openivr.sip.transaction.tables import State

ROUNDS = 4  # challenges answered for one request
LARGE = 1300  # bytes; above it a datagram may be lost in pieces (RFC 3261, section 18.1.1)


class ClientRequest:
    """One request, sent as often as credentials are asked for."""

    __slots__ = (
        "_authorise",
        "_dialog",
        "_lost",
        "_prepare",
        "_rounds",
        "_stack",
        "_switched",
        "_took",
        "client",
        "given_up",
        "hop",
        "request",
    )

    def __init__(  # noqa: PLR0913 - the parts of one errand, by name
        self,
        stack: AgentContext,
        request: Request,
        took: Callable[[Response], None],
        lost: Callable[[FailureReason], None],
        *,
        authorise: Authorise | None = None,
        dialog: Dialog | None = None,
        prepare: Callable[[Request, Hop], None] | None = None,
    ) -> None:
        self.request = request
        self.client: ClientTransaction | None = None
        self.hop: Hop | None = None
        self.given_up = False
        self._stack = stack
        self._took = took
        self._lost = lost
        self._authorise = authorise
        self._dialog = dialog  # whose numbers are used
        self._prepare = prepare  # told the hop before the request is sent: its Contact depends on it
        self._rounds = 0
        self._switched: Hop | None = None  # where it would have gone, had it not been so large

    def send(self, uri: str) -> None:
        """Send it to where a URI leads."""
        self._stack.reach(uri, self._found)

    def send_to(self, target: Target) -> None:
        """Send it to a target."""
        self._stack.reach_target(target, self._found)

    def send_over(self, hop: Hop) -> None:
        """Send it over a hop that is open."""
        self._found(hop)

    def _found(self, hop: Hop | None) -> None:
        if self.given_up:
            return
        if hop is None:
            self._stack.timers.set(0, self._report, FailureReason.NAME)
            return
        if self._prepare is not None:
            self._prepare(self.request, hop)
        self._start(self._by_size(hop))

    def _by_size(self, hop: Hop) -> Hop:
        if hop.channel.protocol != "UDP" or self._dialog is not None or len(self.request.encode()) <= LARGE:
            return hop
        other = self._stack.transports.reach(Target("TCP", *hop.address))
        if other is None:
            return hop
        self._switched = hop
        return other

    def _start(self, hop: Hop) -> None:
        self.hop = hop
        self.client = self._stack.exchange.start(self.request, hop, self._take, self._lose)

    def _take(self, client: ClientTransaction, response: Response) -> None:
        if response.status in (401, 407) and client is self.client and not self.given_up:
            again = self._authorised(response)
            if again is not None and self.hop is not None:
                self.request = again
                self._start(self.hop)
                return
        if client is self.client:
            self._took(response)

    def _authorised(self, response: Response) -> Request | None:
        """The same request with credentials, and a number of its own (section 22.2)."""
        if self._authorise is None or self._rounds >= ROUNDS:
            return None
        credentials = self._authorise(self.request, response)
        if credentials is None:
            return None
        self._rounds += 1
        old = self.request
        if self._dialog is not None:
            self._dialog.local_seq += 1
        number = self._dialog.local_seq if self._dialog is not None else old.cseq + 1
        again = Request(old.method, old.uri, {k: v for k, v in old.headers.items() if k != "via"}, old.body)
        again.call_id = old.call_id
        again.cseq = number
        again.headers["cseq"] = [f"{number} {old.method}"]
        again.headers[credentials[0].lower()] = [credentials[1]]
        return again

    def _lose(self, client: ClientTransaction, why: FailureReason) -> None:
        if self._switched is not None and why is FailureReason.TRANSPORT and not self.given_up:
            hop, self._switched = self._switched, None
            del self.request.headers["via"]
            self._start(hop)
        elif client is self.client:
            self._report(why)

    def _report(self, why: FailureReason) -> None:
        if not self.given_up:
            self._lost(why)

    def cancel(self, headers: Sequence[Header] = ()) -> bool:
        """Cancel an INVITE, if it has had a provisional response (section 9.1); whether that could be done.

        It is not sent any more: neither with credentials nor another way. Without a final response it is
        forgotten in the end.
        """
        client = self.client
        self.given_up = True
        if client is None or client.state is not State.PROCEEDING:
            return False
        self._stack.exchange.cancel(client, headers)
        self._stack.timers.set(self._stack.settings.timing.limit, self._stack.exchange.abandon, client)
        return True
