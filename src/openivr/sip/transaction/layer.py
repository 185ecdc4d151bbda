"""Transaction layer: matches messages to transactions and runs their state machines (RFC 3261, section 17).

Requests that match no transaction go to the `TransactionUser`. Responses are routed by section 18.2.2 and
RFC 3581.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from os import urandom
from typing import Protocol

from openivr.sip.address import PORTS, Hop, Target
from openivr.sip.message.message import Request, Response, respond
from openivr.sip.termination import FailureReason
from openivr.sip.transaction import timers
from openivr.sip.transaction.tables import (
    REPEATING,
    Event,
    Machine,
    State,
    Timer,
    Timing,
    Transaction,
    TransactionAction,
)
from openivr.sip.transaction.timers import Timers
from openivr.sip.transaction.via import (
    COOKIE,
    make_ack,
    make_cancel,
    random_token,
    response_hop,
    server_key,
    write_via,
)


class TransactionUser(Protocol):
    """The transaction user (RFC 3261, section 5): receives what matches no transaction."""

    def on_request(self, request: Request) -> None:
        """Called for a new request of any method but ACK and CANCEL. `create_server` keeps state for it."""
        ...

    def on_ack(self, request: Request) -> None:
        """Called for an ACK outside any transaction: for a 2xx, or for a stateless response."""
        ...

    def on_cancel(self, server: "ServerTransaction", request: Request) -> None:
        """Called when an INVITE without a final response is cancelled. The CANCEL has been answered."""
        ...


class ClientTransaction(Transaction):
    """A client transaction: a sent request until its final response."""

    __slots__ = ("encoded", "hop", "key", "limit", "on_failure", "on_response", "repeat", "request")

    def __init__(self, machine: Machine, request: Request, hop: Hop, timing: Timing) -> None:
        super().__init__(machine, hop.channel.reliable, timing)
        self.request = request
        self.hop = hop
        self.encoded = b""
        self.key = ""
        self.on_response: Callable[[ClientTransaction, Response], None] = _ignore
        self.on_failure: Callable[[ClientTransaction, FailureReason], None] = _ignore
        self.repeat: timers.Timer | None = None
        self.limit: timers.Timer | None = None


class ServerTransaction(Transaction):
    """A server transaction: a received request until no retransmission can follow."""

    __slots__ = ("hop", "key", "last_response", "limit", "merged", "on_failure", "repeat", "request", "user")

    def __init__(self, machine: Machine, request: Request, hop: Hop, timing: Timing) -> None:
        super().__init__(machine, hop.channel.reliable, timing)
        self.request: Request | None = request  # None after the final response
        self.hop = hop
        self.last_response = b""  # the last response
        self.key = ""
        self.merged: tuple[str, str, int, str] | None = None
        self.on_failure: Callable[[FailureReason], None] = _ignore_failure
        self.user: object = None  # the owner, such as a leg
        self.repeat: timers.Timer | None = None
        self.limit: timers.Timer | None = None


def _ignore(client: ClientTransaction, outcome: object) -> None:
    """Discard a response or failure."""


def _ignore_failure(reason: FailureReason) -> None:
    """Discard a failure."""


class TransactionLayer:
    """All transactions of an agent."""

    def __init__(
        self, user: TransactionUser, clock: Timers, timing: Timing, hop_to: Callable[[Target], Hop | None]
    ) -> None:
        self._user = user
        self._timers = clock
        self._hop_to = hop_to  # reopens a connection
        self.timing = timing
        self._clients: dict[str, ClientTransaction] = {}
        self._servers: dict[str, ServerTransaction] = {}
        self._merged: dict[tuple[str, str, int, str], ServerTransaction] = {}
        self._secret = urandom(16)
        self._fire = self._run  # one bound method for all timers

    def __len__(self) -> int:
        """Return the number of transactions."""
        return len(self._clients) + len(self._servers)

    # Messages received

    def receive(self, message: Request | Response, hop: Hop) -> None:
        """Handle a message without fault. For a request `add_received` has been called."""
        if isinstance(message, Response):
            client = self._clients.get(f"{message.branch} {message.method}")
            if client is not None:
                message.hop = hop
                self._run(client, _event(message.status), message)
            return
        method = message.method
        if method == "ACK":
            self._receive_ack(message)
            return
        key = server_key(message, method)
        server = self._servers.get(key)
        if server is not None:
            self._run(server, Event.REQUEST)
        elif method == "CANCEL":
            self._receive_cancel(message)
        elif self._is_merged(message):
            self.respond_stateless(message, respond(message, 482, tag=random_token()))
        else:
            self._user.on_request(message)

    def _receive_ack(self, request: Request) -> None:
        server = self._servers.get(server_key(request, "INVITE"))
        if server is None or server.state is State.ACCEPTED:
            self._user.on_ack(request)
        else:
            self._run(server, Event.ACK)

    def _receive_cancel(self, request: Request) -> None:
        invite = self._servers.get(server_key(request, "INVITE"))
        if invite is None:
            self.respond_stateless(request, respond(request, 481, tag=random_token()))
            return
        self.respond(self.create_server(request), respond(request, 200, tag=random_token()))
        if invite.state is State.PROCEEDING:
            self._user.on_cancel(invite, request)

    def _is_merged(self, request: Request) -> bool:
        """Return True if this request has arrived by another path already (section 8.2.2.2)."""
        return not request.to.tag and _merge_key(request) in self._merged

    # Server transactions

    def create_server(self, request: Request) -> ServerTransaction:
        """Create the server transaction of a request."""
        method = request.method
        hop = request.hop
        assert hop is not None  # noqa: S101 - `add_received` has set it
        machine = Machine.SERVER_INVITE if method == "INVITE" else Machine.SERVER
        server = ServerTransaction(machine, request, response_hop(request, hop), self.timing)
        server.key = server_key(request, method)
        self._servers[server.key] = server
        if not request.to.tag:
            server.merged = _merge_key(request)
            self._merged[server.merged] = server
        return server

    def respond(self, server: ServerTransaction, response: Response) -> None:
        """Send a response. After the final response it has no effect."""
        self._run(server, _event(response.status), response)

    def respond_stateless(self, request: Request, response: Response) -> None:
        """Send a response without keeping state (section 8.2.7)."""
        if request.hop is not None and request.method != "ACK":
            self._send(response_hop(request, request.hop), response.encode(), request)

    def stateless_tag(self, request: Request) -> str:
        """Return the To tag of a stateless response: the same for every retransmission (section 8.2.7)."""
        key = server_key(request, "").encode("utf-8", "surrogateescape")
        return blake2b(key, digest_size=8, key=self._secret).hexdigest()

    def detach_user(self, server: ServerTransaction) -> None:
        """Detach a terminated owner. Retransmissions are still absorbed."""
        server.user = None
        server.on_failure = _ignore_failure

    def has_final_response(self, server: ServerTransaction) -> bool:
        """Return True if the final response has been sent."""
        return server.state not in (State.TRYING, State.PROCEEDING)

    # Client transactions

    def send_request(
        self,
        request: Request,
        hop: Hop,
        on_response: Callable[[ClientTransaction, Response], None] = _ignore,
        on_failure: Callable[[ClientTransaction, FailureReason], None] = _ignore,
        via: str = "",
    ) -> ClientTransaction:
        """Send a request. `on_response` and `on_failure` are never called before this returns.

        `via` is the branch of an existing Via, for CANCEL. Any other request gets a new Via.
        """
        machine = Machine.CLIENT_INVITE if request.method == "INVITE" else Machine.CLIENT
        client = ClientTransaction(machine, request, hop, self.timing)
        client.on_response, client.on_failure = on_response, on_failure
        branch = via or COOKIE + random_token()
        if not via:
            request.headers = {"via": [write_via(hop, branch)], **request.headers}
        client.key = f"{branch} {request.method}"
        client.encoded = request.encode()
        self._clients[client.key] = client
        self._start_timers(client, client.initial_timers)
        if not hop.channel.send(client.encoded, hop.address):
            self._timers.set(0, self._run, client, Event.UNREACHABLE)
        return client

    def cancel(self, invite: ClientTransaction, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Send CANCEL for an INVITE that has a provisional response."""
        via = invite.key.partition(" ")[0]
        self.send_request(make_cancel(invite.request, headers), invite.hop, via=via)

    def abandon(self, client: ClientTransaction) -> None:
        """Terminate a client transaction without waiting for a response."""
        if client.state is not State.TERMINATED:
            client.state = State.TERMINATED
            self._stop_all(client)
            self._clients.pop(client.key, None)

    def send_ack(self, request: Request, hop: Hop) -> None:
        """Send the ACK for a 2xx, which has no transaction."""
        request.headers = {"via": [write_via(hop, COOKIE + random_token())], **request.headers}
        hop.channel.send(request.encode(), hop.address)

    def on_channel_closed(self, channel: object) -> None:
        """Fail the requests without a response that were sent on a closed connection."""
        for client in [client for client in self._clients.values() if client.hop.channel is channel]:
            if client.state in (State.CALLING, State.TRYING):
                self._run(client, Event.UNREACHABLE)

    # State machines

    def _run(
        self,
        transaction: ClientTransaction | ServerTransaction,
        event: Event | Timer,
        response: Response | None = None,
    ) -> None:
        step = transaction.handle(event)
        for timer in step.stop:
            self._stop(transaction, timer)
        if step.start:
            self._start_timers(transaction, step.start)
        if step.state is State.TERMINATED:
            self._remove(transaction)
        for act in step.acts:
            if isinstance(transaction, ClientTransaction):
                self._act_as_client(transaction, act, response)
            else:
                self._act_as_server(transaction, act, response)
        if step.state is State.TERMINATED and isinstance(transaction, ClientTransaction):
            transaction.on_response = transaction.on_failure = (
                _ignore  # breaks the reference cycle: freed immediately
            )

    def _act_as_client(
        self, client: ClientTransaction, act: TransactionAction, response: Response | None
    ) -> None:
        if act is TransactionAction.PASS and response is not None:
            client.on_response(client, response)
        elif act is TransactionAction.ACK and response is not None:
            hop = client.hop
            hop.channel.send(make_ack(client.request, response).encode(), hop.address)
        elif act is TransactionAction.RESEND:
            client.hop.channel.send(client.encoded, client.hop.address)
        elif act is TransactionAction.TIMEOUT:
            client.on_failure(client, FailureReason.TIMEOUT)
        elif act is TransactionAction.TRANSPORT_ERROR:
            client.on_failure(client, FailureReason.TRANSPORT)

    def _act_as_server(
        self, server: ServerTransaction, act: TransactionAction, response: Response | None
    ) -> None:
        if act is TransactionAction.SEND and response is not None:
            server.last_response = response.encode()
            self._send_again(server)
            if response.status >= 200:
                server.request = None
            if server.state is State.ACCEPTED:
                server.last_response = b""  # the leg retransmits it
        elif act is TransactionAction.RESEND and server.last_response:
            self._send_again(server)
        elif act is TransactionAction.TIMEOUT:
            server.on_failure(FailureReason.TIMEOUT)
        elif act is TransactionAction.TRANSPORT_ERROR:
            server.on_failure(FailureReason.TRANSPORT)

    def _send_again(self, server: ServerTransaction) -> None:
        if not self._send(server.hop, server.last_response, server.request) and server.request is not None:
            self._timers.set(0, self._run, server, Event.UNREACHABLE)

    def _send(self, hop: Hop, data: bytes, request: Request | None) -> bool:
        if hop.channel.closed and request is not None and request.via is not None:
            via = request.via  # section 18.2.2: a new connection to the port in Via
            new_hop = self._hop_to(
                Target(hop.channel.protocol, hop.address[0], via.port or PORTS[hop.channel.protocol])
            )
            if new_hop is None:
                return False
            hop = new_hop
        return hop.channel.send(data, hop.address)

    # Timers

    def _start_timers(
        self, transaction: ClientTransaction | ServerTransaction, started: tuple[Timer, ...]
    ) -> None:
        for timer in started:
            running = self._timers.set(transaction.seconds(timer), self._fire, transaction, timer)
            if timer in REPEATING:
                transaction.repeat = running
            else:
                transaction.limit = running

    def _stop(self, transaction: ClientTransaction | ServerTransaction, timer: Timer) -> None:
        running = transaction.repeat if timer in REPEATING else transaction.limit
        if running is not None:
            self._timers.cancel(running)

    def _stop_all(self, transaction: ClientTransaction | ServerTransaction) -> None:
        for running in (transaction.repeat, transaction.limit):
            if running is not None:
                self._timers.cancel(running)

    def _remove(self, transaction: ClientTransaction | ServerTransaction) -> None:
        if isinstance(transaction, ClientTransaction):
            self._clients.pop(transaction.key, None)
            return
        self._servers.pop(transaction.key, None)
        if transaction.merged is not None and self._merged.get(transaction.merged) is transaction:
            del self._merged[transaction.merged]


def _event(status: int) -> Event:
    if status >= 300:
        return Event.REJECTION
    return Event.SUCCESS if status >= 200 else Event.PROVISIONAL


def _merge_key(request: Request) -> tuple[str, str, int, str]:
    return (request.call_id, request.from_.tag, request.cseq, request.method)
