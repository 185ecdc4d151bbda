"""A request sent from here: resolves its target, answers challenges and falls back to UDP."""

from collections.abc import Callable, Sequence

from openivr.sip.address import Hop, Target
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import Authorise
from openivr.sip.dialog.dialog import Dialog
from openivr.sip.message.message import Header, Request, Response
from openivr.sip.termination import FailureReason
from openivr.sip.transaction.layer import ClientTransaction
from openivr.sip.transaction.tables import State

MAX_CHALLENGES = 4  # for one request
MAX_UDP_BYTES = 1300  # larger requests use TCP because UDP would fragment them (RFC 3261, section 18.1.1)


class ClientRequest:
    """One request, sent again with credentials after each challenge."""

    __slots__ = (
        "_authorise",
        "_context",
        "_dialog",
        "_on_failure",
        "_on_response",
        "_prepare",
        "_rounds",
        "_udp_hop",
        "hop",
        "is_cancelled",
        "request",
        "transaction",
    )

    def __init__(  # noqa: PLR0913 - the parts of one request, by name
        self,
        context: AgentContext,
        request: Request,
        on_response: Callable[[Response], None],
        on_failure: Callable[[FailureReason], None],
        *,
        authorise: Authorise | None = None,
        dialog: Dialog | None = None,
        prepare: Callable[[Request, Hop], None] | None = None,
    ) -> None:
        self.request = request
        self.transaction: ClientTransaction | None = None
        self.hop: Hop | None = None
        self.is_cancelled = False
        self._context = context
        self._on_response = on_response
        self._on_failure = on_failure
        self._authorise = authorise
        self._dialog = dialog  # the source of CSeq numbers; None outside dialogs
        self._prepare = prepare  # called with the hop before sending, because the Contact depends on it
        self._rounds = 0
        self._udp_hop: Hop | None = None  # the hop to fall back to after a switch to TCP because of the size

    def send_to_uri(self, uri: str) -> None:
        """Send the request to the target of a URI."""
        self._context.resolve_uri(uri, self._on_hop)

    def send_to_target(self, target: Target) -> None:
        """Send the request to a target."""
        self._context.resolve_target(target, self._on_hop)

    def send_over_hop(self, hop: Hop) -> None:
        """Send the request over an open hop."""
        self._on_hop(hop)

    def _on_hop(self, hop: Hop | None) -> None:
        if self.is_cancelled:
            return
        if hop is None:
            self._context.timers.set(0, self._report_failure, FailureReason.NAME)
            return
        if self._prepare is not None:
            self._prepare(self.request, hop)
        self._start(self._by_size(hop))

    def _by_size(self, hop: Hop) -> Hop:
        if (
            hop.channel.protocol != "UDP"
            or self._dialog is not None
            or len(self.request.encode()) <= MAX_UDP_BYTES
        ):
            return hop
        other = self._context.transports.hop_to(Target("TCP", *hop.address))
        if other is None:
            return hop
        self._udp_hop = hop
        return other

    def _start(self, hop: Hop) -> None:
        self.hop = hop
        self.transaction = self._context.transactions.send_request(
            self.request, hop, self._on_transaction_response, self._on_transaction_failure
        )

    def _on_transaction_response(self, client: ClientTransaction, response: Response) -> None:
        if response.status in (401, 407) and client is self.transaction and not self.is_cancelled:
            again = self._with_credentials(response)
            if again is not None and self.hop is not None:
                self.request = again
                self._start(self.hop)
                return
        if client is self.transaction:
            self._on_response(response)

    def _with_credentials(self, response: Response) -> Request | None:
        """Return the request with credentials and a new CSeq (section 22.2); None to give up."""
        if self._authorise is None or self._rounds >= MAX_CHALLENGES:
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

    def _on_transaction_failure(self, client: ClientTransaction, reason: FailureReason) -> None:
        if self._udp_hop is not None and reason is FailureReason.TRANSPORT and not self.is_cancelled:
            hop, self._udp_hop = self._udp_hop, None
            del self.request.headers["via"]
            self._start(hop)
        elif client is self.transaction:
            self._report_failure(reason)

    def _report_failure(self, reason: FailureReason) -> None:
        if not self.is_cancelled:
            self._on_failure(reason)

    def cancel(self, headers: Sequence[Header] = ()) -> bool:
        """Cancel an INVITE. Return False if it has no provisional response yet (section 9.1).

        The INVITE is not sent again, neither with credentials nor over another transport. Without a final
        response its transaction ends after 64 times T1.
        """
        client = self.transaction
        self.is_cancelled = True
        if client is None or client.state is not State.PROCEEDING:
            return False
        self._context.transactions.cancel(client, headers)
        self._context.timers.set(
            self._context.settings.timing.limit, self._context.transactions.abandon, client
        )
        return True
