"""Limits on how slowly a request may arrive and an answer be read, and on the size of a head.

uvicorn bounds the time between requests and the number of connections, but not the time and the size of a
head, nor a client that does not read. Its protocol is subclassed for that, with names that uvicorn does not
promise to keep: `pyproject.toml` holds it to one minor version, and tests/api/test_uvicorn_names.py checks
that they are there.
"""

import asyncio
import math

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

MAX_HEAD = 64 * 1024  # bytes of a request line and its headers
HEAD_SECONDS = 10.0  # for them to arrive
IDLE_SECONDS = 15.0  # between two requests of a connection
STALL_SECONDS = 30.0  # for a client that does not read its answer
TOO_LARGE = "Request head too large."


class HeadRefused(Exception):
    """A head that is answered already. Raised in a callback, it stops the parser."""


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a deadline for what a connection waits for."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.is_head, self.is_new, self.head_size = True, False, 0
        self.is_large = False  # True from the first large read on: each head is measured then
        self.unsent, self.last_read = 0, self.loop.time()
        self.deadline = self.last_read + HEAD_SECONDS
        self.running: RequestResponseCycle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn notifies only the newest of pipelined requests, and the running one would go on writing.
        if self.running is not None:
            self.running.disconnected = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.head_size + len(data) > MAX_HEAD:
            self.is_large = True
        self.is_new = False
        super().data_received(data)
        if self.is_head:
            # Of a large read only a part may belong to this head, which began in it.
            is_part = self.is_large and self.is_new
            self.head_size = self.measure_head() if is_part else self.head_size + len(data)
            if self.head_size > MAX_HEAD and not self.transport.is_closing():
                self.send_400_response(TOO_LARGE)

    def measure_head(self) -> int:
        """Return the bytes of the request line and of the headers that are complete."""
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def check_head(self) -> None:
        """Refuse a head that came whole, but is larger than the limit."""
        if self.is_large and self.measure_head() > MAX_HEAD:
            self.send_400_response(TOO_LARGE)
            raise HeadRefused(TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        if not self.transport.is_closing():  # else the answer was sent before the parser was stopped
            super().send_400_response(msg)

    def begin_head(self) -> None:
        """Start the limits of another request's head."""
        self.is_head, self.is_new, self.head_size = True, True, 0
        self.deadline = self.loop.time() + HEAD_SECONDS

    def begin_idle(self) -> None:
        """Start the limit of the time until another request: this one has been answered."""
        self.is_head, self.head_size = False, 0
        self.deadline = self.loop.time() + IDLE_SECONDS

    def on_message_begin(self) -> None:
        self.begin_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.check_head()
        self.is_head, self.head_size = False, 0
        self.deadline = math.inf  # the limits of uvicorn and of the application apply from here on
        super().on_headers_complete()
        if not self.pipeline:
            self.running = self.cycle

    def on_response_complete(self) -> None:
        self.running = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        if self.running is None:  # only a new request prolongs this, not stray bytes or the rest of a body
            self.deadline = min(self.deadline, self.loop.time() + IDLE_SECONDS)

    def close_late(self, now: float) -> None:
        """End the connection if what it waits for is overdue. Called about once a second."""
        unsent = self.transport.get_write_buffer_size()
        if unsent < self.unsent or not unsent:
            self.last_read = now
        self.unsent = unsent
        if unsent:  # a client that reads slowly still reads
            self.deadline = max(self.deadline, now + IDLE_SECONDS)
        if now > (self.last_read + STALL_SECONDS if unsent else self.deadline):
            self.transport.abort()
