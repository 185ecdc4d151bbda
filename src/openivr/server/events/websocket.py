"""The connection of one subscriber: WebSocket by wsproto on a transport that uvicorn has accepted.

Beside ASGI, because the frame of an event is the same for all subscribers: it is made once, and written to
each transport as it is.
"""

import asyncio
from typing import Any, ClassVar

import structlog
from uvicorn.config import Config
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.utils import get_remote_addr
from uvicorn.server import ServerState
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from openivr.api.auth import check_address, check_agent, check_site, check_token
from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import read_query
from openivr.api.responses import (
    FAILURE,
    INTERNAL,
    SUCCESS,
    SYNTAX,
    TOKEN_EXPIRED,
    ApiError,
    UpgradeMissing,
)
from openivr.connections.shares import Shares
from openivr.observability.metrics import Observer, RequestLine
from openivr.server.events.hub import OVERLOAD, POLICY, EventHub
from openivr.server.events.subscription import (
    HEARTBEAT,
    HEARTBEAT_RESPONSE,
    Subscription,
    read_subscription,
    write_frame,
)
from openivr.store.availability import Unavailable

log = structlog.get_logger(__name__)
PATH, ENDPOINT = "/openapi/v1.0/subscribe", "subscribe"
SILENCE_SECONDS = 60.0  # without a frame in either direction
CLOSE_SECONDS = 5.0  # for the other side to close, once the connection is being closed
MAX_MESSAGE = 64 * 1024  # characters of what a subscriber sends
NORMAL, GOING_AWAY, UNSUPPORTED, TOO_BIG, RESTART = 1000, 1001, 1003, 1009, 1012
UNAUTHORIZED, FORBIDDEN, UNAVAILABLE, BAD = 401, 403, 503, 400
HEARTBEAT_FRAME = write_frame(HEARTBEAT_RESPONSE.encode())


async def refuse_plain(_request: ApiRequest) -> bytes:
    """Refuse a request without an upgrade, as a P-Series does."""
    raise UpgradeMissing(SYNTAX, submsg="this is a WebSocket: ask for an upgrade")


ENTRY = Endpoint(
    path=ENDPOINT,
    method="GET",
    handle=refuse_plain,
    summary="Events over WebSocket (RFC 6455): after the upgrade, send a list of topics",
    statuses={
        101: "the connection is a WebSocket now",
        400: "the request does not ask for an upgrade",
        401: "the access token is missing, unknown or expired",
        403: "the address or the site may not use the API",
    },
)


class SubscribeProtocol(asyncio.Protocol):
    """Checks the handshake as any request is checked, and then speaks WebSocket. Satisfies `Subscriber`."""

    hub: ClassVar[EventHub]
    observer: ClassVar[Observer]
    requires_user_agent: ClassVar[bool] = False
    shares: ClassVar[Shares | None] = None
    trusted_proxies: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._connections = server_state.connections
        self._socket = WSConnection(ConnectionType.SERVER)
        self._handshake: asyncio.Task[None] | None = None
        self._subscribing: asyncio.Task[None] | None = None
        self._early = b""  # what came before the handshake was answered
        self._text = ""
        self.subscription, self.token, self.position, self.is_live = Subscription(), "", 0, False
        self.is_open = False
        self._closing_since: float | None = None
        self._heard = self._loop.time()
        self.address = "127.0.0.1"

    # Transport

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        client = get_remote_addr(transport)
        self._peer = client
        if client is not None:
            self.address = client[0]
        self._connections.add(self)  # type: ignore[arg-type]
        if self.shares is not None and client is not None:
            surplus = self.shares.add(self.address, self)
            if surplus is not None:
                surplus.end()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self.hub.leave(self)
        for task in (self._handshake, self._subscribing):
            if task is not None:
                task.cancel()
        if self.shares is not None and self._peer is not None:
            self.shares.remove(self._peer[0], self)
        self._connections.discard(self)

    def end(self) -> None:
        """Close the connection at once, because its source has too many."""
        self.transport.abort()

    def idle_since(self) -> None:
        """Return None: a subscriber is never idle."""

    def shutdown(self) -> None:
        """Close the connection, because the server stops."""
        if self.is_open:
            self.cut(RESTART, "the server stops")
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        if self._handshake is not None and not self.is_open and self._closing_since is None:
            self._early += data
            if len(self._early) > MAX_MESSAGE:
                self.transport.abort()
            return
        self._heard = self._loop.time()
        try:
            self._socket.receive_data(data)
            for event in self._socket.events():
                self.on_event(event)
        except RemoteProtocolError as error:
            self._reject_head(error)
        except LocalProtocolError:
            self.transport.close()  # it goes on sending after its close

    # Handshake

    def _reject_head(self, error: RemoteProtocolError) -> None:
        hint = error.event_hint
        if isinstance(hint, RejectConnection):
            self.transport.write(self._socket.send(hint))
        self.transport.close()

    async def _shake_hands(self, request: Request) -> None:
        error, status = await self._check(request)
        line = RequestLine.of("GET", PATH, self.address)
        self.observer.note(ENDPOINT, line, SUCCESS if error is None else error.code, 0.0)
        if self.transport.is_closing():
            return
        if error is not None:
            content = error.encode()
            head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
            reject = RejectConnection(status_code=status, headers=head, has_body=True)
            self.transport.write(self._socket.send(reject) + self._socket.send(RejectData(data=content)))
            self.transport.close()
            return
        self.transport.write(self._socket.send(AcceptConnection()))
        self.is_open = True
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    async def _check(self, request: Request) -> tuple[ApiError | None, int]:
        """Return the error of a handshake that is refused, with its status; checks as for any request."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.extra_headers}
        headers["host"] = request.host
        try:
            self.address = await self._find_address(request)
            if self.requires_user_agent:
                check_agent(headers)
            check_site(headers)
            snapshot = await self.hub.live.current()
            check_address(snapshot, self.address)
            query = read_query(request.target.partition("?")[2].encode())
            self.token = check_token(snapshot, query)
            if not self.hub.enter(self):
                return ApiError(FAILURE, submsg="there are too many subscribers"), UNAVAILABLE
        except ApiError as error:
            return error, UNAUTHORIZED if error.code == TOKEN_EXPIRED else FORBIDDEN
        except Unavailable:
            return ApiError(INTERNAL, submsg="the database does not answer"), UNAVAILABLE
        return None, 0

    async def _find_address(self, request: Request) -> str:
        """Return the address of the client, which a trusted proxy names in a header."""
        if not self.trusted_proxies:
            return self.address
        scope: Any = {"type": "websocket", "client": self._peer, "headers": request.extra_headers}
        seen: list[Any] = []

        async def app(scope: Any, _receive: Any, _send: Any) -> None:
            seen.append(scope["client"])

        nothing: Any = None
        await ProxyHeadersMiddleware(app, list(self.trusted_proxies))(scope, nothing, nothing)
        return seen[0][0] if seen and seen[0] else self.address

    # Frames

    def on_event(self, event: Event) -> None:
        """Handle what the other side has sent."""
        match event:
            case Request():
                self._handshake = self._loop.create_task(self._shake_hands(event))
            case TextMessage():
                self._text += event.data
                if len(self._text) > MAX_MESSAGE:
                    self.cut(TOO_BIG, "the message is too long")
                elif event.message_finished:
                    text, self._text = self._text, ""
                    self.on_text(text)
            case BytesMessage():
                self.cut(UNSUPPORTED, "messages are text")
            case Ping():
                self.transport.write(self._socket.send(event.response()))
            case CloseConnection():
                self.is_open = False
                if self._closing_since is None:
                    self.transport.write(self._socket.send(event.response()))
                self.transport.close()

    def on_text(self, text: str) -> None:
        """Handle a heartbeat or a subscription."""
        if not self.is_open:
            return
        if text.strip() == HEARTBEAT:
            self.write(HEARTBEAT_FRAME)
            return
        try:
            subscription = read_subscription(text)
        except ApiError as error:
            self.write(write_frame(error.encode()))
            return
        before = self._subscribing
        self._subscribing = self._loop.create_task(self._subscribe(subscription, before))

    async def _subscribe(self, subscription: Subscription, before: "asyncio.Task[None] | None") -> None:
        if before is not None:
            await asyncio.wait((before,))  # answers come in the order of the questions
        try:
            await self.hub.subscribe(self, subscription)
        except Unavailable:
            self.cut(OVERLOAD, "the database does not answer")

    # As a subscriber

    @property
    def unsent(self) -> int:
        """Return the number of bytes that wait to be read."""
        return self.transport.get_write_buffer_size()

    def write(self, data: bytes) -> None:
        """Write frames."""
        if self.is_open:
            self._heard = self._loop.time()
            self.transport.write(data)

    def cut(self, code: int, reason: str) -> None:
        """Close the connection, with a reason for the subscriber, which has a moment to read it."""
        if not self.is_open:
            return
        if code == POLICY:
            log.warning("subscriber cut off", address=self.address, reason=reason)
        self.is_open = self.is_live = False
        self._closing_since = self._loop.time()
        self.transport.write(self._socket.send(CloseConnection(code=code, reason=reason)))

    def check_silence(self, now: float) -> None:
        """Close the connection after 60 s of silence, and drop it if the other side does not close."""
        if self._closing_since is not None:
            if now - self._closing_since > CLOSE_SECONDS:
                self.transport.abort()
        elif now - self._heard > SILENCE_SECONDS:
            self.cut(GOING_AWAY, "60 s of silence")
