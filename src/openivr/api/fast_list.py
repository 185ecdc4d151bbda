"""The hot read, answered ahead of ASGI; and limits on how slowly a request may arrive.

`ivr/list` is what dashboards poll. Its well-formed requests are answered from the snapshot within uvicorn's
protocol, without a task, a scope or a routing step. Whatever is not plainly well-formed takes the ordinary
way, which gives the same answer or the documented error: this module never refuses anything.
"""

import asyncio
import math
import re
import time
from functools import lru_cache
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from openivr.api.auth import is_listed
from openivr.api.query import MAX_PAGE, MAX_ROWS
from openivr.api.responses import SUCCESS, list_rows
from openivr.observability.metrics import Observer, RequestLine
from openivr.resources.order import ListQuery
from openivr.resources.secret import fingerprint
from openivr.store.caches.list_cache import ListCache

PATH = "/openapi/v1.0/ivr/list"
PREFIX = PATH.encode() + b"?"
ENDPOINT = "ivr/list"
SORTS = {None: "id", b"id": "id", b"number": "number", b"name": "name"}
QUERY = re.compile(
    rb"access_token=([A-Za-z0-9]{1,64})"
    rb"(?:&page=([0-9]{1,11}))?(?:&page_size=([0-9]{1,5}))?"
    rb"(?:&sort_by=(id|number|name))?(?:&order_by=(asc|desc))?"
)
UNUSUAL = frozenset((b"content-length", b"transfer-encoding", b"expect", b"upgrade"))

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"content-type: application/json\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"content-length: %d\r\n"
)
Headers = list[tuple[bytes, bytes]]

MAX_HEAD = 64 * 1024  # bytes of a request line and its headers
HEAD_SECONDS = 10.0  # for them to arrive
IDLE_SECONDS = 15.0  # between two requests of a connection
STALL_SECONDS = 30.0  # for a client that does not read its answer


@lru_cache(256)
def recognise(token: bytes) -> str:
    """The fingerprint of a token; the same programs ask again and again."""
    return fingerprint(token.decode())


Simple = tuple[str, ListQuery]  # a token's fingerprint, and the page that it asks for


def read_simple(raw: bytes) -> Simple | None:
    """The token's fingerprint and the page of a query that is as the documentation writes it; else None.

    One match instead of general parsing: at this place every microsecond is a twentieth of the whole answer.
    """
    found = QUERY.fullmatch(raw)
    if found is None:
        return None
    token, page, size, sort, order = found.groups()
    limit = int(size) if size else MAX_ROWS
    number = int(page) if page else 1
    if not (1 <= limit <= MAX_ROWS and 1 <= number <= MAX_PAGE):
        return None
    return recognise(token), ListQuery((number - 1) * limit, limit, SORTS[sort], order == b"desc")


class FastListHandler:
    """Answers `ivr/list` from the snapshot, if that is known to be the newest state."""

    def __init__(self, live: ListCache, observer: Observer) -> None:
        self.live, self.observer = live, observer
        self.was_current = False
        self.lines: dict[str, RequestLine] = {}
        self.headers: Headers | None = None
        self.encoded = b""

    def is_current(self, *, may_share: bool) -> bool:
        """Whether the snapshot is the newest state; requests of one turn of the event loop share one look.

        What such a turn reads had arrived before it began, so a look in it is later than all of that. Only a
        request behind another one on its connection may have come since, and has to look for itself.
        """
        if may_share and self.was_current:
            return True
        current = self.live.is_fresh()
        if current and not self.was_current:
            self.was_current = True
            asyncio.get_running_loop().call_soon(self.forget)  # runs before the next turn reads anything
        return current

    def forget(self) -> None:
        self.was_current = False

    def answer(self, simple: Simple, address: str, *, may_share: bool) -> bytes | None:
        """The body, or None where the ordinary way must decide."""
        started = time.perf_counter()
        if not self.is_current(may_share=may_share):
            return None
        token, page = simple
        snapshot = self.live.snapshot
        if snapshot.tokens.get(token, 0) <= time.time():
            return None
        if snapshot.networks and not is_listed(address, snapshot.networks):
            return None
        index = snapshot.lists["ivr"]
        body = list_rows(index.total, index.page(page))
        self.observer.note(ENDPOINT, self.line(address), SUCCESS, time.perf_counter() - started)
        return body

    def head(self, headers: Headers) -> bytes:
        """The answer's head, which wants the body's length; `headers` is a new list whenever it changes."""
        if headers is not self.headers:
            self.headers = headers
            lines = (b"%b: %b\r\n" % header for header in headers)
            self.encoded = b"".join((HEAD, *lines, b"\r\n"))
        return self.encoded

    def line(self, address: str) -> RequestLine:
        line = self.lines.get(address)
        if line is None:
            if len(self.lines) > 1000:
                self.lines.clear()
            line = self.lines[address] = RequestLine.of("GET", PATH, address)
        return line


class FastListProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol with the hot read in front, and a deadline for what a connection waits for."""

    hot: ClassVar[FastListHandler | None] = None  # None where the client's address stands in a proxy's header

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.is_first, self.last_url = True, b""
        self.last_simple: Simple | None = None
        self.is_head, self.head_size, self.was_hot = True, 0, False
        self.unsent, self.last_read = 0, self.loop.time()
        self.deadline = self.last_read + HEAD_SECONDS
        self.running: RequestResponseCycle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        # uvicorn tells only the newest of pipelined requests, and the running one would write to nobody.
        if self.running is not None:
            self.running.disconnected = True
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self.is_first = True
        super().data_received(data)
        if self.is_head:
            self.head_size += len(data)
            if self.head_size > MAX_HEAD and not self.transport.is_closing():
                self.send_400_response("Request head too large.")

    def on_message_begin(self) -> None:
        # uvicorn's own part of this waits until it is known that the request takes the ordinary way.
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self.is_head, self.head_size, self.was_hot = True, 0, False
        self.deadline = self.loop.time() + HEAD_SECONDS

    def on_headers_complete(self) -> None:
        self.is_head, self.head_size = False, 0
        answer = self.answer_hot() if self.url.startswith(PREFIX) else None
        if answer is not None:
            self.was_hot = True
            self.deadline = self.loop.time() + IDLE_SECONDS
            self.transport.write(answer)
            return
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expect
        self.headers += headers
        self.deadline = math.inf  # uvicorn's and the application's own limits take over
        super().on_headers_complete()
        if not self.pipeline:
            self.running = self.cycle

    def answer_hot(self) -> bytes | None:
        is_first, self.is_first = self.is_first, False
        is_free = (self.cycle is None or self.cycle.response_complete) and not self.pipeline
        if self.hot is None or not is_free or self.flow.write_paused or self.parser.get_method() != b"GET":
            return None
        agents = 0
        for name, value in self.headers:
            if name in UNUSUAL:
                return None
            agents += name == b"user-agent" and bool(value.strip())
        if agents != 1 or self.parser.get_http_version() != "1.1" or not self.parser.should_keep_alive():
            return None
        if self.url != self.last_url:  # what polls asks the same again and again
            self.last_url, self.last_simple = self.url, read_simple(self.url[len(PREFIX) :])
        if self.last_simple is None:
            return None
        address = self.client[0] if self.client else "127.0.0.1"
        body = self.hot.answer(self.last_simple, address, may_share=is_first)
        return body and self.hot.head(self.server_state.default_headers) % len(body) + body

    def on_body(self, body: bytes) -> None:
        if not self.was_hot:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.was_hot:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        self.running = self.pipeline[-1][0] if self.pipeline else None
        super().on_response_complete()
        if self.running is None:  # only a new request prolongs this, not stray bytes or the rest of a body
            self.deadline = min(self.deadline, self.loop.time() + IDLE_SECONDS)

    def close_late(self, now: float) -> None:
        """End the connection if what it waits for is overdue; called about once a second."""
        unsent = self.transport.get_write_buffer_size()
        if unsent < self.unsent or not unsent:
            self.last_read = now
        self.unsent = unsent
        if unsent:  # who reads slowly still reads
            self.deadline = max(self.deadline, now + IDLE_SECONDS)
        if now > (self.last_read + STALL_SECONDS if unsent else self.deadline):
            self.transport.abort()
