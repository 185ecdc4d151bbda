"""A SIP user agent: places calls, receives calls and answers requests, under the rules of RFC 3261.

agent = Agent(settings, admission, handler)
await agent.start()
leg = agent.call("sip:100@192.0.2.7", listener, body=offer)
...
await agent.drain(30)
agent.close()
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import cast

import structlog

from openivr.sip.address import Hop, Target
from openivr.sip.client_request import ClientRequest
from openivr.sip.context import AgentContext
from openivr.sip.dialog.call_leg import Authorise, CallLegListener
from openivr.sip.dialog.dialog_session import DialogSession
from openivr.sip.dialog.refer import read_replaces
from openivr.sip.dialog.uac import OutboundLeg
from openivr.sip.dialog.uas import InboundLeg
from openivr.sip.handler import Admission, AdmissionHandler, LocalResponse, RequestHandler
from openivr.sip.message.headers import read_uri, write_address
from openivr.sip.message.message import Header, Headers, Request, Response, read, respond
from openivr.sip.message.multipart import SDP
from openivr.sip.settings import AgentSettings
from openivr.sip.termination import FailureReason
from openivr.sip.transaction.layer import ServerTransaction, TransactionLayer
from openivr.sip.transaction.timers import Timers
from openivr.sip.transaction.via import add_received, random_token
from openivr.sip.transport.resolver import Resolver
from openivr.sip.transport.sockets import StreamChannel, Transports
from openivr.sip.validation import NOT_ALLOWED, Refusal, check_invite, check_request

log = structlog.get_logger(__name__)
RETRY_AFTER = 5  # seconds, in a 503 while the agent drains or has too many transactions
ANONYMOUS = "sip:anonymous@anonymous.invalid"  # RFC 3323, section 4.1.1.3


class Agent:
    """A SIP user agent on one event loop.

    `admission` decides which requests outside a dialog are handled, `handler` handles them.
    """

    def __init__(self, settings: AgentSettings, admission: AdmissionHandler, handler: RequestHandler) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._admission = admission
        self._handler = handler
        self._alarm: asyncio.TimerHandle | None = None
        self._draining = False
        self.settings = settings
        timers = Timers(loop.time, self._wake)
        transports = Transports(
            self._on_received,
            self._on_stream_closed,
            settings.external,
            _server_tls(settings),
            _client_tls(settings),
        )
        if settings.before_send is not None or settings.trace is not None:
            transports.on_send = self._on_send
        transactions = TransactionLayer(self, timers, settings.timing, transports.hop_to)
        self._context = AgentContext(settings, timers, transactions, transports, Resolver())
        self.listening: tuple[Target, ...] = ()

    async def start(self, sockets: Iterable[tuple[Target, socket.socket]] = ()) -> None:
        """Listen on all addresses. If one cannot be bound, raises `OSError` and leaves none bound.

        `sockets` are bound already and replace `settings.listen`. A supervisor that opened them keeps them
        open while it restarts the process that serves them.
        """
        given: Iterable[tuple[Target, socket.socket | None]] = tuple(sockets)
        try:
            listening = [
                await self._context.transports.listen(target, bound)
                for target, bound in given or ((target, None) for target in self.settings.listen)
            ]
            self.listening = tuple(listening)
        except OSError:
            self.close()
            raise

    # Requests of the application

    def call(  # noqa: PLR0913 - what a call may be given, by name
        self,
        uri: str,
        listener: CallLegListener,
        *,
        body: bytes = b"",
        caller: str = ANONYMOUS,
        caller_name: str = "",
        target: Target | None = None,
        headers: Sequence[Header] = (),
        authorise: Authorise | None = None,
        contact_user: str = "",
        max_forwards: int = 70,
    ) -> OutboundLeg:
        """Call a URI. Failures are reported to the listener, never before this returns.

        `target` overrides where the INVITE is sent (a registered contact's source, a trunk's proxy). Without
        a `body` the peer makes the offer. Raises `ValueError` if `uri` or `caller` is not a SIP URI.
        """
        request = self._begin_request(
            "INVITE", uri, write_address(_require_uri(caller), caller_name), f"<{uri}>"
        )
        request.headers["max-forwards"] = [str(max_forwards)]
        for name, value in headers:
            request.add(name, value)
        self._context.set_body(request, body)
        leg = OutboundLeg(self._context, request, target, authorise, contact_user)
        leg.listener = listener
        leg.send_invite()
        return leg

    def request(  # noqa: PLR0913 - what a request may be given, by name
        self,
        method: str,
        uri: str,
        on_response: Callable[[Response | FailureReason], None],
        *,
        sender: str = ANONYMOUS,
        receiver: str = "",
        target: Target | None = None,
        headers: Sequence[Header] = (),
        body: bytes = b"",
        authorise: Authorise | None = None,
        call_id: str = "",
        cseq: int = 1,
    ) -> None:
        """Send a request outside a dialog: REGISTER, OPTIONS, MESSAGE.

        `on_response` is called with the final response or the failure, later. A body needs a Content-Type
        among the headers. Raises `ValueError` if `uri` or `sender` is not a SIP URI.
        """
        request = self._begin_request(
            method, uri, write_address(_require_uri(sender), tag=random_token()), f"<{receiver or uri}>"
        )
        request.cseq = cseq
        request.headers["cseq"] = [f"{cseq} {method}"]
        if call_id:
            request.call_id = call_id
            request.headers["call-id"] = [call_id]
        for name, value in headers:
            request.add(name, value)
        request.body = body

        def on_any_response(response: Response) -> None:
            if response.status >= 200:
                on_response(response)

        client = ClientRequest(self._context, request, on_any_response, on_response, authorise=authorise)
        if target is not None:
            client.send_to_target(target)
        else:
            client.send_to_uri(uri)

    def _begin_request(self, method: str, uri: str, sender: str, receiver: str) -> Request:
        call_id = f"{random_token()}{random_token()}"
        headers: Headers = {
            "max-forwards": ["70"],
            "from": [sender],
            "to": [receiver],
            "call-id": [call_id],
            "cseq": [f"1 {method}"],
            "user-agent": [self.settings.user_agent],
        }
        request = Request(method, _require_uri(uri), headers)
        request.call_id = call_id
        request.cseq = 1
        return request

    def contact_uri(self, target: Target, user: str = "") -> str:
        """Return the local Contact URI as a numeric target can reach it, for REGISTER.

        Raises `ValueError` if no local socket reaches the target.
        """
        hop = self._context.transports.hop_to(target)
        if hop is None:
            raise ValueError(f"no socket for {target}")
        return self._context.contact_uri(hop, user)

    def supports_family(self, host: str) -> bool:
        """Return True if a numeric host is of a family that is listened on, so that calls work both ways."""
        return self._context.transports.supports_family(host)

    def send_keepalive(self, target: Target) -> None:
        """Send a double CRLF to a numeric target, which keeps NAT mappings open (RFC 5626, section 4.4.1)."""
        hop = self._context.transports.hop_to(target)
        if hop is not None:
            hop.channel.send(b"\r\n\r\n", hop.address)

    @property
    def leg_count(self) -> int:
        """Return the number of call legs."""
        return len(self._context.legs)

    async def drain(self, seconds: float) -> None:
        """Reject new calls with 503 and wait until the present ones have ended, at most `seconds`."""
        self._draining = True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._context.wait_idle()

    def close(self) -> None:
        """Hang up all calls and close all sockets."""
        self._draining = True
        for leg in list(self._context.legs.values()):
            leg.hangup()
        self._context.resolver.close()
        self._context.transports.close()
        if self._alarm is not None:
            self._alarm.cancel()

    # Messages received

    def _on_received(self, data: bytes, hop: Hop) -> None:
        source = hop.target
        if not self._admission.is_source_allowed(source):
            return
        if self.settings.trace is not None:
            self.settings.trace(False, source, data)
        try:
            self._on_message(data, hop)
        except Exception:  # a message that fails must not stop the socket for all others
            log.exception("message failed", source=source)

    def _on_message(self, data: bytes, hop: Hop) -> None:
        message = read(data)
        if message is None:
            self._admission.on_malformed(hop.target)
        elif isinstance(message, Response):
            self._context.transactions.receive(message, hop)
        else:
            add_received(message, hop)
            if message.fault is not None:
                self._admission.on_malformed(hop.target)
                self._reject(message, (message.fault.status, ()), message.fault.reason)
            else:
                self._context.transactions.receive(message, hop)

    def on_request(self, request: Request) -> None:
        """Handle a request that starts a transaction."""
        if request.to.tag:
            leg = self._context.legs.get(request.to.tag)
            if leg is not None and leg.matches(request):
                leg.handle_request(request)
                return
        admission = self._admission.admit(request)
        if isinstance(admission, LocalResponse):
            self._respond_stateless(request, admission)
        elif request.to.tag:
            self._reject(request, (481, ()))
        elif len(self._context.transactions) >= self.settings.max_transactions:
            self._reject(request, (503, (("Retry-After", str(RETRY_AFTER)),)))
        else:
            self._on_new_request(request, admission)

    def _on_new_request(self, request: Request, admission: Admission) -> None:
        method = request.method
        refusal = check_request(request)
        if method == "INVITE" and refusal is None:
            refusal = check_invite(request, self.settings.min_session)
        if refusal is not None:
            self._reject(request, refusal)
        elif self._draining and method in ("INVITE", "OPTIONS"):
            self._reject(request, (503, (("Retry-After", str(RETRY_AFTER)),)))
        elif method == "INVITE":
            self._on_invite(request, admission)
        elif method == "OPTIONS":
            tag = self._context.transactions.stateless_tag(request)  # unauthenticated: keeps no state
            response = respond(request, 200, headers=(("Accept", SDP),), tag=tag)
            self._context.add_capabilities(response, request.hop)
            self._context.transactions.respond_stateless(request, response)
        else:
            self._on_other_request(request, admission)

    def _on_other_request(self, request: Request, admission: Admission) -> None:
        reply = (
            self._handler.on_register(request, admission)
            if request.method == "REGISTER"
            else self._handler.on_other_request(request, admission)
        )
        if reply is None:
            self._reject(request, NOT_ALLOWED)
            return
        server = self._context.transactions.create_server(request)
        response = respond(request, reply.status, reply.reason, reply.headers, reply.body, random_token())
        response.headers["server"] = [self.settings.user_agent]
        self._context.transactions.respond(server, response)

    def _on_invite(self, request: Request, admission: Admission) -> None:
        replaced = None
        if "replaces" in request.headers:
            result = self._find_replaced(request)
            if not isinstance(result, DialogSession):
                self._reject(request, result)
                return
            replaced = result
        leg = InboundLeg(self._context, request, replaced)
        try:
            self._handler.on_invite(leg, admission)
        except Exception:
            log.exception("call failed", call_id=leg.call_id)
            leg.hangup(500)
        leg.start_trying_timer()

    def _find_replaced(self, request: Request) -> DialogSession | Refusal:
        """Return the leg that an INVITE with Replaces replaces, or the refusal (RFC 3891, section 3)."""
        replaces = read_replaces(request.get("replaces"))
        if replaces is None or len(request.headers["replaces"]) > 1:
            return 400, ()
        leg = cast(DialogSession | None, self._context.legs.get(replaces.to_tag))
        if leg is None or leg.call_id != replaces.call_id or not leg.has_remote_tag(replaces.from_tag):
            return 481, ()
        if replaces.early_only and not leg.is_early:
            return 486, ()
        if leg.is_early and isinstance(leg, InboundLeg):
            return 481, ()  # section 3: an early dialog is replaced only at the side that sent the INVITE
        return leg

    def on_ack(self, request: Request) -> None:
        """Pass the ACK for a 2xx to its leg."""
        leg = self._context.legs.get(request.to.tag)
        if leg is not None and leg.matches(request):
            leg.handle_ack(request)

    def on_cancel(self, server: ServerTransaction, request: Request) -> None:
        """Pass the CANCEL of an unanswered INVITE to its leg."""
        if isinstance(server.user, InboundLeg):
            server.user.handle_cancel(request)

    def _respond_stateless(self, request: Request, reply: LocalResponse) -> None:
        if reply.status:
            tag = self._context.transactions.stateless_tag(request)
            response = respond(request, reply.status, reply.reason, reply.headers, reply.body, tag)
            response.headers["server"] = [self.settings.user_agent]
            self._context.transactions.respond_stateless(request, response)

    def _reject(self, request: Request, refusal: Refusal, reason: str = "") -> None:
        status, headers = refusal
        self._respond_stateless(request, LocalResponse(status, reason, headers))

    def _on_stream_closed(self, stream: StreamChannel) -> None:
        self._context.transactions.on_channel_closed(stream)

    def _on_send(self, data: bytes, hop: Hop) -> None:
        settings = self.settings
        if settings.before_send is not None:
            settings.before_send()
        if settings.trace is not None:
            settings.trace(True, hop.target, data)

    # Timers

    def _wake(self, when: float) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = self._loop.call_at(when, self._context.timers.run)


def _require_uri(uri: str) -> str:
    if read_uri(uri) is None:
        raise ValueError(f"not a SIP URI: {uri!r}")
    return uri


def _server_tls(settings: AgentSettings) -> ssl.SSLContext | None:
    if not settings.certificate:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.certificate, settings.key or None)
    return context


def _client_tls(settings: AgentSettings) -> ssl.SSLContext:
    authorities = settings.authorities
    return ssl.create_default_context(cafile=authorities) if authorities else _system_authorities()


@cache
def _system_authorities() -> ssl.SSLContext:
    """Return the context that all agents of a process share: reading the system's authorities is slow."""
    return ssl.create_default_context()
