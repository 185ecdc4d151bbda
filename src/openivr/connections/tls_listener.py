"""TLS handshakes of accepted connections: each counts for its source, and has a limit of time.

A protocol learns of a connection when its handshake is over. A connection that counted only from then on
would let one source take every descriptor of the process by opening connections and sending nothing.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from functools import partial

import structlog

from openivr.connections.shares import UNUSED_SECONDS, Shares

log = structlog.get_logger(__name__)
HANDSHAKE_SECONDS = 10.0
ACCEPTS_PER_TURN = 64
FULL_SECONDS = 1.0  # without a free descriptor, until connections are accepted again
FULL = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))


class Handshake:
    """A connection until its TLS handshake is over."""

    def __init__(self, host: str, since: float, shares: Shares | None) -> None:
        self.host, self.since, self._shares = host, since, shares
        self.task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Count the connection for its source."""
        if self._shares is not None:
            self._shares.count(self.host, self)

    def finish(self) -> None:
        """Count the connection no longer: its protocol does from here on, or it is closed."""
        if self._shares is not None:
            self._shares.remove(self.host, self)

    def idle_since(self) -> float:
        """Return a time before that of every connection that has been used."""
        return self.since - UNUSED_SECONDS

    def end(self) -> None:
        """Close the connection."""
        self.finish()
        if self.task is not None:
            self.task.cancel()


class TlsListener:
    """Accepts connections on a socket, and gives those that have completed a handshake to their protocol.

    The protocol finishes the `Handshake` that it is made with when it counts the connection itself.
    """

    def __init__(
        self,
        listening: socket.socket,
        context: ssl.SSLContext,
        make_protocol: Callable[[Handshake], asyncio.Protocol],
        shares: Shares | None,
    ) -> None:
        self._listening, self._context = listening, context
        self._make_protocol, self._shares = make_protocol, shares
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_closed = False
        listening.setblocking(False)
        self._resume()

    def close(self) -> None:
        """Accept no more connections, close the socket and end the handshakes."""
        self._is_closed = True
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for task in self._tasks:
            task.cancel()

    async def wait_closed(self) -> None:
        """Wait for the end of the handshakes."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _resume(self) -> None:
        if not self._is_closed:
            self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        for _ in range(ACCEPTS_PER_TURN):
            try:
                connection, address = self._listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in FULL:
                    raise
                log.error("no connection can be accepted", error=error.strerror)
                self._loop.remove_reader(self._listening)
                self._loop.call_later(FULL_SECONDS, self._resume)
                return
            connection.setblocking(False)
            handshake = Handshake(address[0], self._loop.time(), self._shares)
            handshake.task = self._loop.create_task(self._shake_hands(connection, handshake))
            self._tasks.add(handshake.task)
            handshake.task.add_done_callback(partial(self._on_end, connection))
            handshake.begin()

    async def _shake_hands(self, connection: socket.socket, handshake: Handshake) -> None:
        protocol = self._make_protocol(handshake)
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol, connection, ssl=self._context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except OSError as error:  # that of TLS, and a time-out
            log.debug("no tls handshake", address=handshake.host, error=str(error))
            connection.close()
        finally:
            handshake.finish()

    def _on_end(self, connection: socket.socket, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():  # maybe before it began
            connection.close()
