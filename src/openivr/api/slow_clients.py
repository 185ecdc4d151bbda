"""Limits on how slowly a request may arrive and an answer be read, and on the size of a head.

uvicorn bounds the time between requests and the number of connections, but not the time and the size of a
head, nor a client that does not read. Its protocol is subclassed for that, with names that uvicorn does not
promise to keep: `pyproject.toml` holds it to one minor version, and tests/api/test_uvicorn_names.py checks
that they are there.
"""

import asyncio
import math
import re
from http import HTTPStatus
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from openivr.api.request_head import BAD, Headers, KnownHosts, find_fault
from openivr.connections.shares import UNUSED_SECONDS, Shares
from openivr.connections.tls_listener import Handshake

MAX_HEAD = 64 * 1024  # bytes of a request line and its headers
HEAD_SECONDS = 10.0  # for them to arrive
IDLE_SECONDS = 15.0  # between two requests of a connection
STALL_SECONDS = 30.0  # for a client that does not read its answer
STANDSTILL_SECONDS = 1.0  # between two ticks of a worker that has stood still
TOO_LARGE = "Request head too large."
SUBSCRIBE = b"/openapi/v1.0/subscribe"  # the only path that is upgraded
NOT_ASCII = re.compile(rb"[\x80-\xff]")
FIRST_LINE = re.compile(rb"[\r\n]*[^\n]*\n?")  # with empty lines before it (RFC 9112, section 2.2)
REST_OF_LINE = re.compile(rb"[^\n]*\n?")
BLANK_LINE = re.compile(rb"\r\n\r\n")
REST_OF_BLANK_LINE = re.compile(rb"\n\r\n|\r\n|\n")  # where the data before ended inside of one


def encode_target(line: bytes) -> bytes:
    """Percent-encode all bytes that are not ASCII."""
    return NOT_ASCII.sub(lambda match: b"%%%02X" % match[0][0], line)


def find_length(headers: Headers) -> int:
    """Return the Content-Length of a head that the parser has taken, 0 without one."""
    return next((int(value) for name, value in headers if name == b"content-length" and value.isdigit()), 0)


class CheckTimer:
    """Decides when clients are checked, by a clock that is read at each tick of the worker.

    A tick may come late: the worker, or its machine, has stood still. What clients have sent meanwhile is not
    read yet, and what they wait for is not sent. Such a tick checks nothing, but for the second in turn: a
    worker that is always late still closes connections.
    """

    def __init__(self, period: float, now: float) -> None:
        self.period, self.due, self.last_tick, self.was_late = period, now + period, now, False

    def is_due(self, now: float) -> bool:
        """Return True if clients are checked at this tick."""
        is_late = now - self.last_tick > STANDSTILL_SECONDS
        is_check = now >= self.due and (not is_late or self.was_late)
        if is_check:
            self.due = now + self.period
        self.last_tick, self.was_late = now, is_late
        return is_check


class HeadRefused(Exception):
    """A head that is answered already. Raised in a callback, it stops the parser."""


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a deadline for what a connection waits for."""

    hosts: ClassVar[KnownHosts | None] = KnownHosts()
    """The names that may be asked for; None behind a proxy, which sees to that."""
    shares: ClassVar[Shares | None] = None
    """Counts the connections of each source; None behind a proxy, which is the source of all."""
    handshake: Handshake | None = None
    """The handshake that the connection began with over TLS. It counts for the source until it is over."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.is_head, self.is_new, self.head_size = True, False, 0
        self.is_request_line = True  # what is read next belongs to one, or comes before it
        self.has_line_begun = False
        self.body_left = 0  # bytes, of a body whose length is known
        self.is_large = False  # True from the first large read on: each head is measured then
        self.unsent, self.last_read = 0, self.loop.time()
        self.last_check = self.last_read
        self.last_used = self.last_read - UNUSED_SECONDS  # until a request has been answered
        self.deadline = self.last_read + HEAD_SECONDS
        self.running: RequestResponseCycle | None = None
        if self.handshake is not None:
            self.handshake.finish()
        if self.shares is not None and self.client is not None:
            self.shares.count(self.client[0], self)

    def end(self) -> None:
        """Close the connection at once, because its source has too many."""
        self.transport.abort()

    def idle_since(self) -> float | None:
        """Return the time since which the connection has no request, or only the beginning of one."""
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        return self.last_used

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn notifies only the newest of pipelined requests, and the running one would go on writing.
        if self.running is not None:
            self.running.disconnected = True
        if self.shares is not None and self.client is not None:
            self.shares.remove(self.client[0], self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if len(data) <= self.body_left or (data.endswith(b"\r\n\r\n") and data.isascii()):
            self.receive(data)  # part of a body, or whole heads with nothing to encode
            return
        at = 0
        while at < len(data) and not self.transport.is_closing():
            end = self.find_end(data, at)
            part, at = data[at:end], end
            self.receive(self.read_request_line(part) if self.is_request_line else part)

    def find_end(self, data: bytes, at: int) -> int:
        """Return the end of the part of a request that begins here: of its first line, its head or its body.

        Only so is it known where another request line begins that came in the same read.
        """
        if self.body_left:
            return at + self.body_left
        if self.is_request_line:
            end = (REST_OF_LINE if self.has_line_begun else FIRST_LINE).match(data, at)
        else:
            end = REST_OF_BLANK_LINE.match(data, at) or BLANK_LINE.search(data, at)
        return end.end() if end is not None else len(data)

    def read_request_line(self, line: bytes) -> bytes:
        """Return a request line, or a part of it, with other characters percent-encoded as RFC 3986 has them.

        Programs such as curl send the target as it was typed, in UTF-8, which the parser refuses.
        """
        has_begun = self.has_line_begun or bool(line.strip(b"\r\n"))
        self.is_request_line = not (has_begun and line.endswith(b"\n"))
        self.has_line_begun = has_begun and self.is_request_line
        return line if line.isascii() else encode_target(line)

    def receive(self, data: bytes) -> None:
        """Parse data, and refuse a head that is too large."""
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
            self.refuse(BAD, TOO_LARGE)

    def check_fields(self) -> None:
        """Refuse a head that no application should see: another's name, an upgrade, a strange coding."""
        if self.parser.should_upgrade() and not self.may_upgrade():
            self.refuse(BAD, "This server does not upgrade connections.")
        fault = find_fault(self.headers, self.parser.get_http_version(), self.hosts)
        if fault is not None:
            self.refuse(*fault)

    def may_upgrade(self) -> bool:
        """Return True for a subscription to events, which goes on as a WebSocket."""
        is_free = (self.cycle is None or self.cycle.response_complete) and not self.pipeline
        path = self.url.partition(b"?")[0]
        return is_free and path == SUBSCRIBE and self.parser.get_method() == b"GET" and self._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the protocol of subscribers, which counts for the source from here."""
        if self.shares is not None and self.client is not None:
            self.shares.remove(self.client[0], self)
        super().handle_websocket_upgrade()

    def refuse(self, status: int, text: str) -> None:
        """Answer with a status and close the connection. Always raises, which stops the parser."""
        if not self.transport.is_closing():
            content = (text + "\n").encode()
            head = (
                f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
                "content-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(content)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + content)
            self.transport.close()
        raise HeadRefused(text)

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
        self.last_used = self.loop.time()
        self.deadline = self.last_used + IDLE_SECONDS

    def on_message_begin(self) -> None:
        self.begin_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.check_head()
        self.check_fields()
        self.is_head, self.head_size = False, 0
        self.is_request_line = False
        self.body_left = find_length(self.headers)
        self.deadline = math.inf  # the limits of uvicorn and of the application apply from here on
        super().on_headers_complete()
        if not self.pipeline:
            self.running = self.cycle

    def on_body(self, body: bytes) -> None:
        self.body_left = max(0, self.body_left - len(body))  # 0 in a chunked one
        super().on_body(body)

    def await_request(self) -> None:
        """Expect another request line."""
        self.is_request_line, self.has_line_begun, self.body_left = True, False, 0

    def on_message_complete(self) -> None:
        self.await_request()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.running = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        self.last_used = self.loop.time()
        if self.running is None:  # only a new request prolongs this, not stray bytes or the rest of a body
            self.deadline = min(self.deadline, self.last_used + IDLE_SECONDS)

    def close_late(self, now: float) -> None:
        """End the connection if what it waits for is overdue. Called about once a second.

        The buffer of a client that reads may be as full as it was, because another answer filled it again.
        """
        unsent = self.transport.get_write_buffer_size()
        if unsent < self.unsent or not unsent or self.last_used >= self.last_check:
            self.last_read = now
        self.unsent, self.last_check = unsent, now
        if unsent:  # a client that reads slowly still reads
            self.deadline = max(self.deadline, now + IDLE_SECONDS)
        if now > (self.last_read + STALL_SECONDS if unsent else self.deadline):
            self.transport.abort()
