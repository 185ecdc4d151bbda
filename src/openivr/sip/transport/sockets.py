"""SIP sockets: UDP, TCP and TLS over IPv4 and IPv6.

One turn of the event loop reads a few messages only, so that a media tick is not delayed.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import cast

import structlog

from openivr.connections.shares import UNUSED_SECONDS, Shares
from openivr.connections.tls_listener import Handshake, TlsListener
from openivr.sip.address import Hop, Target, from_sockaddr, is_ipv6, is_private, to_sockaddr
from openivr.sip.message.framing import PING, PONG, Framing

log = structlog.get_logger(__name__)
MAX_MESSAGES_PER_TURN = 8  # of one connection
MAX_TURN_SECONDS = 0.001  # for UDP messages in one turn; the last may take longer
RECEIVE_BUFFER = 4 * 1024 * 1024  # bytes in the kernel
MAX_UNSENT_BYTES = 256 * 1024  # a connection whose peer leaves more unread is closed
MAX_CONNECTIONS = 2000
MAX_CONNECTIONS_OF_SOURCE = 500  # an office behind one address has hundreds of phones
CONNECT_SECONDS = 5.0
IDLE_SECONDS = 30.0  # for the first message of a connection, or the rest of one
PING_SECONDS = 90.0  # between keep-alives on connections opened here

Deliver = Callable[[bytes, Hop], None]
Tell = Callable[[bytes, Hop], None]  # called before a message is sent


class AdvertisedAddresses:
    """The local address to advertise to a peer: outside private networks the external one of its family."""

    def __init__(self, external: Iterable[str] = ()) -> None:
        self._external = {is_ipv6(address): address for address in external}
        self._known: dict[tuple[str, str], str] = {}

    def find(self, bound: str, peer: str) -> str:
        """Return the address to advertise for a socket bound to an address or to all (0.0.0.0, ::)."""
        known = self._known.get((bound, peer))
        if known is None:
            if len(self._known) > 10_000:
                self._known.clear()
            known = self._known[bound, peer] = self._find(bound, peer)
        return known

    def _find(self, bound: str, peer: str) -> str:
        external = self._external.get(is_ipv6(peer))
        if external and not is_private(peer):
            return external
        if bound not in ("0.0.0.0", "::"):  # noqa: S104 - a comparison, nothing is bound
            return bound
        with socket.socket(family_of(peer), socket.SOCK_DGRAM) as probe, suppress(OSError):
            probe.connect(to_sockaddr((peer, 9)))  # sends nothing: asks the routing table
            return str(probe.getsockname()[0])
        return bound


class UdpChannel:
    """One UDP socket, for all peers."""

    protocol = "UDP"
    reliable = False

    def __init__(
        self,
        bound: socket.socket,
        faces: AdvertisedAddresses,
        deliver: Deliver,
        tell: Tell | None = None,
    ) -> None:
        self._socket = bound
        self._advertised = faces
        self._deliver = deliver
        self._on_send = tell
        self._loop = asyncio.get_running_loop()
        self.host, self.port = bound.getsockname()[:2]
        self.closed = False
        self._loop.add_reader(bound.fileno(), self._read)

    def _read(self) -> None:
        until = time.monotonic() + MAX_TURN_SECONDS
        while self._read_one() and time.monotonic() < until:
            pass

    def _read_one(self) -> bool:
        """Read one datagram. Return False if there was none."""
        try:
            data, address = self._socket.recvfrom(65535)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:  # an ICMP error for an earlier datagram
            log.debug("udp receive", error=str(error))
            return True
        if len(data) > 4:  # a shorter one is a keep-alive
            self._deliver(data, Hop(self, from_sockaddr(address)))
        return True

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send one datagram. A full socket buffer counts as packet loss."""
        if self._on_send is not None:
            self._on_send(data, Hop(self, address))
        try:
            self._socket.sendto(data, to_sockaddr(address))
        except BlockingIOError:
            return True
        except OSError as error:
            log.debug("udp send", error=str(error))
            return False
        return True

    def advertised_address(self, address: tuple[str, int]) -> tuple[str, int]:
        """Return the local host and port as that peer can reach them."""
        return self._advertised.find(self.host, address[0]), self.port

    def close(self) -> None:
        """Stop reading and close the socket."""
        if not self.closed:
            self.closed = True
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()


class StreamChannel(asyncio.Protocol):
    """One TCP or TLS connection, opened by either side."""

    reliable = True

    def __init__(
        self, transports: "Transports", protocol: str, port: int = 0, handshake: Handshake | None = None
    ) -> None:
        self._transports = transports
        self.protocol = protocol
        self._port = port  # the listening port of this protocol; 0: that of this connection
        self._handshake = handshake  # counts for the source until it is over
        self._transport: asyncio.Transport | None = None
        self._framing = Framing()
        self._unsent: list[bytes] = []  # until connected
        self.opened_by_us = False
        self.closed = False
        self.address: tuple[str, int] = ("", 0)
        self.last_received = time.monotonic()
        self.last_ping = self.last_received
        self.was_used = False
        self._host = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what was queued, now that the connection (and TLS) is established."""
        self._transport = cast(asyncio.Transport, transport)
        self.address = from_sockaddr(transport.get_extra_info("peername"))
        self._host = transport.get_extra_info("sockname")[0]
        self._port = self._port or transport.get_extra_info("sockname")[1]
        if self._handshake is not None:
            self._handshake.finish()
        self._transports.add_stream(self)
        for data in self._unsent:
            self._transport.write(data)
        self._unsent.clear()

    def data_received(self, data: bytes) -> None:
        """Frame the received bytes and deliver whole messages."""
        self._framing.feed(data)
        self._deliver_messages()

    def _deliver_messages(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        for _ in range(MAX_MESSAGES_PER_TURN):
            message = self._framing.next_message()
            if message is None:
                if self._framing.is_broken:
                    transport.close()
                return
            self.last_received, self.was_used = time.monotonic(), True
            if message == PING:
                transport.write(PONG)
            else:
                self._transports.deliver(message, Hop(self, self.address))
        asyncio.get_running_loop().call_soon(self._deliver_messages)

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the connection."""
        self.on_closed()

    def on_closed(self) -> None:
        """Mark the connection as closed and fail the requests sent on it."""
        if not self.closed:
            self.closed = True
            self._transports.remove_stream(self)

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send now or once connected. A connection whose peer does not read is closed."""
        if self.closed:
            return False
        if self._transports.on_send is not None:
            self._transports.on_send(data, Hop(self, address))
        if self._transport is None:
            self._unsent.append(data)
            return True
        if self._transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._transport.abort()
            return False
        self._transport.write(data)
        return True

    def advertised_address(self, address: tuple[str, int]) -> tuple[str, int]:
        """Return the local host and listening port as that peer can reach them."""
        bound = self._host or ("::" if ":" in address[0] else "0.0.0.0")  # noqa: S104 - asks the routing table
        return self._transports.advertised.find(bound, address[0]), self._port or 5060

    def sweep(self, now: float) -> None:
        """Close the connection if it is idle or stuck in a message. Else send a keep-alive if due."""
        if self._transport is None:
            return
        silent = now - self.last_received > IDLE_SECONDS
        if silent and (
            self._framing.is_waiting or (not self.opened_by_us and self.last_received == self.last_ping)
        ):
            self._transport.abort()
        elif self.opened_by_us and now - self.last_ping > PING_SECONDS:
            self.last_ping = now
            self._transport.write(PING)

    def idle_since(self) -> float:
        """Return when the connection was last used. One never used counts as idle for a day longer."""
        return self.last_received if self.was_used else self.last_received - UNUSED_SECONDS

    def end(self) -> None:
        """Close the connection at once, because its source has too many."""
        if self._transport is not None:
            self._transport.abort()
        self.closed = True

    def close(self) -> None:
        """Close the connection after sending what is queued."""
        if self._transport is not None:
            self._transport.close()
        self.closed = True


def bind_tcp(host: str, port: int) -> socket.socket:
    """Bind a TCP socket. Raises `OSError`."""
    return socket.create_server((host, port), family=family_of(host), backlog=512)


def bind_udp(host: str, port: int) -> socket.socket:
    """Bind a UDP socket. Raises `OSError`."""
    bound = socket.socket(family_of(host), socket.SOCK_DGRAM)
    try:
        if is_ipv6(host):
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def family_of(host: str) -> socket.AddressFamily:
    """Return the address family of a numeric host."""
    return socket.AF_INET6 if is_ipv6(host) else socket.AF_INET


class Transports:
    """All sockets of an agent."""

    def __init__(
        self,
        deliver: Deliver,
        lose: Callable[[StreamChannel], None],
        external: Iterable[str] = (),
        server_tls: ssl.SSLContext | None = None,
        client_tls: ssl.SSLContext | None = None,
    ) -> None:
        self.deliver = deliver
        self.on_send: Tell | None = None
        self.advertised = AdvertisedAddresses(external)
        self.shares = Shares(MAX_CONNECTIONS, MAX_CONNECTIONS_OF_SOURCE)
        self._on_closed = lose
        self._server_tls = server_tls
        self._client_tls = client_tls
        self._udp: list[UdpChannel] = []
        self._servers: list[asyncio.Server | TlsListener] = []
        self._families: set[bool] = set()  # listened on: True for IPv6
        self._ports: dict[tuple[str, bool], int] = {}  # listening ports by protocol and family
        self._streams: dict[tuple[str, str, int], StreamChannel] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    async def listen(self, at: Target, bound: socket.socket | None = None) -> Target:
        """Listen on a target, with a socket that is bound already if given. Return the target with its port.

        Raises `OSError`.
        """
        if at.protocol == "UDP":
            bound = bound or bind_udp(at.host, at.port)
            bound.setblocking(False)
            channel = UdpChannel(bound, self.advertised, self.deliver, self.on_send)
            self._udp.append(channel)
            self._families.add(is_ipv6(at.host))
            return at._replace(port=channel.port)
        if at.protocol == "TLS" and self._server_tls is None:
            raise OSError("TLS needs a certificate")
        bound = bound or bind_tcp(at.host, at.port)
        port = bound.getsockname()[1]
        self._servers.append(await self._serve(at.protocol, bound))
        self._families.add(is_ipv6(at.host))
        self._ports.setdefault((at.protocol, is_ipv6(at.host)), port)
        if self._sweeper is None:
            self._sweep()
        return at._replace(port=port)

    async def _serve(self, protocol: str, bound: socket.socket) -> asyncio.Server | TlsListener:
        if protocol == "TLS" and self._server_tls is not None:
            return TlsListener(
                bound,
                self._server_tls,
                lambda handshake: StreamChannel(self, protocol, handshake=handshake),
                self.shares,
            )
        return await asyncio.get_running_loop().create_server(
            lambda: StreamChannel(self, protocol), sock=bound, backlog=512
        )

    def supports_family(self, host: str) -> bool:
        """Return True if a numeric host is of a family listened on. Without listeners all are."""
        return not self._families or is_ipv6(host) in self._families

    def hop_to(self, target: Target) -> Hop | None:
        """Return a hop to a numeric target: the UDP socket of its family, or a connection."""
        if not self.supports_family(target.host):
            return None
        address = (target.host, target.port)
        if target.protocol == "UDP":
            for channel in self._udp:
                if is_ipv6(channel.host) == is_ipv6(target.host):
                    return Hop(channel, address)
            return None
        stream = self._streams.get((target.protocol, *address))
        if stream is None or stream.closed:
            if target.protocol == "TLS" and self._client_tls is None:
                return None
            stream = StreamChannel(self, target.protocol, self._port_for(target))
            stream.opened_by_us = True
            self._streams[target.protocol, *address] = stream
            task = asyncio.get_running_loop().create_task(self._open(stream, target))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
            if self._sweeper is None:
                self._sweep()
        return Hop(stream, address)

    def _port_for(self, target: Target) -> int:
        """Return the listening port to advertise to a peer that is connected to from here; 0: none."""
        return self._ports.get((target.protocol, is_ipv6(target.host)), 0)

    async def _open(self, stream: StreamChannel, target: Target) -> None:
        tls = target.protocol == "TLS"
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await asyncio.get_running_loop().create_connection(
                    lambda: stream,
                    target.host,
                    target.port,
                    ssl=self._client_tls if tls else None,
                    server_hostname=(target.name or target.host) if tls else None,
                )
        except (OSError, TimeoutError) as error:
            log.info("no connection", to=target, error=str(error) or type(error).__name__)
            stream.address = (target.host, target.port)
            stream.on_closed()

    def add_stream(self, stream: StreamChannel) -> None:
        """A connection is up."""
        if not stream.opened_by_us:
            if not self.shares.count(stream.address[0], stream):
                return
            self._streams[stream.protocol, *stream.address] = stream

    def remove_stream(self, stream: StreamChannel) -> None:
        """A connection is down."""
        self.shares.remove(stream.address[0], stream)
        key = (stream.protocol, *stream.address)
        if self._streams.get(key) is stream:
            del self._streams[key]
        self._on_closed(stream)

    def _sweep(self) -> None:
        now = time.monotonic()
        for stream in list(self._streams.values()):
            stream.sweep(now)
        self._sweeper = asyncio.get_running_loop().call_later(IDLE_SECONDS / 2, self._sweep)

    def close(self) -> None:
        """Close every socket."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for task in self._opening:
            task.cancel()
        for server in self._servers:
            server.close()
        for channel in self._udp:
            channel.close()
        for stream in list(self._streams.values()):
            stream.close()
        self._streams.clear()
