"""The list of IVRs, answered ahead of ASGI.

`ivr/list` is what dashboards poll. Its well-formed requests are answered from the snapshot inside uvicorn's
protocol, without a task, a scope or a routing step. Every other request takes the ordinary way, which gives
the same answer or the documented error. This module never refuses anything.
"""

import asyncio
import re
import time
from functools import lru_cache
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from openivr.api.auth import is_listed
from openivr.api.query import MAX_ROWS, make_page
from openivr.api.responses import SUCCESS, list_rows
from openivr.api.slow_clients import LimitedProtocol
from openivr.clock import lifetime
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


@lru_cache(256)
def token_fingerprint(token: bytes) -> str:
    """Return the fingerprint of a token, cached because the same programs ask again and again."""
    return fingerprint(token.decode())


FastQuery = tuple[str, ListQuery]  # a token's fingerprint, and the page that it asks for


def read_fast_query(raw: bytes) -> FastQuery | None:
    """Read a query that is written as the documentation writes it; None for any other.

    One match replaces general parsing, because a microsecond is a twentieth of the whole answer here.
    """
    match = QUERY.fullmatch(raw)
    if match is None:
        return None
    token, number, size, sort, order = match.groups()
    page = make_page(
        int(number) if number else 1, int(size) if size else MAX_ROWS, SORTS[sort], order == b"desc"
    )
    return page and (token_fingerprint(token), page)


class FastListHandler:
    """Answers `ivr/list` from the snapshot if that is known to be the newest state."""

    def __init__(self, live: ListCache, observer: Observer) -> None:
        self.live, self.observer = live, observer
        self.was_fresh = False
        self.lines: dict[str, RequestLine] = {}
        self.headers: Headers | None = None
        self.encoded = b""

    def is_fresh(self, *, may_share_check: bool) -> bool:
        """Return True if the snapshot is the newest state. Requests of one turn of a loop share one check.

        What such a turn reads had arrived before it began, so a check in it is later than all of that. Only
        a request behind another one on its connection may have come since, and needs a check of its own.
        """
        if may_share_check and self.was_fresh:
            return True
        is_fresh = self.live.is_fresh()
        if is_fresh and not self.was_fresh:
            self.was_fresh = True
            # It runs before the next turn reads anything.
            asyncio.get_running_loop().call_soon(self.forget_check)
        return is_fresh

    def forget_check(self) -> None:
        self.was_fresh = False

    def answer(self, query: FastQuery, address: str, *, may_share_check: bool) -> bytes | None:
        """Return the body, or None where the ordinary way must decide."""
        started = time.perf_counter()
        if not self.is_fresh(may_share_check=may_share_check):
            return None
        token, page = query
        snapshot = self.live.snapshot
        if snapshot.tokens.get(token, 0) <= lifetime.now():
            return None
        if snapshot.networks and not is_listed(address, snapshot.networks):
            return None
        index = snapshot.lists["ivr"]
        body = list_rows(index.total, index.page(page))
        self.observer.note(ENDPOINT, self.line(address), SUCCESS, time.perf_counter() - started)
        return body

    def head(self, headers: Headers) -> bytes:
        """Return the answer's head with a place for the length of the body.

        uvicorn makes a new list of `headers` whenever they change.
        """
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


class FastListProtocol(LimitedProtocol):
    """The HTTP protocol with the fast list in front."""

    # None where the client's address stands in a proxy's header, which only the ordinary way reads.
    handler: ClassVar[FastListHandler | None] = None
    requires_user_agent: ClassVar[bool] = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.is_first, self.last_url = True, b""
        self.last_query: FastQuery | None = None
        self.was_fast = False

    def data_received(self, data: bytes) -> None:
        self.is_first = True
        super().data_received(data)

    def on_message_begin(self) -> None:
        # uvicorn's own part of this waits until it is known that the request takes the ordinary way.
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self.was_fast = False
        self.begin_head()

    def on_headers_complete(self) -> None:
        self.check_head()
        answer = self.answer_fast() if self.url.startswith(PREFIX) else None
        if answer is not None:
            self.was_fast = True
            self.is_request_line = False
            self.begin_idle()
            self.transport.write(answer)
            return
        url, headers, expect = self.url, self.headers, self.expect_100_continue
        HttpToolsProtocol.on_message_begin(self)
        self.url, self.expect_100_continue = url, expect
        self.headers += headers
        super().on_headers_complete()

    def answer_fast(self) -> bytes | None:
        """Return the whole answer to a plain request; None where the ordinary way must decide."""
        is_first, self.is_first = self.is_first, False
        is_free = (self.cycle is None or self.cycle.response_complete) and not self.pipeline
        if (
            self.handler is None
            or not is_free
            or self.flow.write_paused
            or self.parser.get_method() != b"GET"
        ):
            return None
        agents = hosts = 0
        for name, value in self.headers:
            if name in UNUSUAL:
                return None
            agents += name == b"user-agent" and bool(value.strip())
            hosts += name == b"host" and (self.hosts is None or self.hosts.knows(value))
        if (
            agents < self.requires_user_agent
            or hosts != 1
            or self.parser.get_http_version() != "1.1"
            or not self.parser.should_keep_alive()
        ):
            return None
        if self.url != self.last_url:  # a program that polls asks the same again and again
            self.last_url, self.last_query = self.url, read_fast_query(self.url[len(PREFIX) :])
        if self.last_query is None:
            return None
        address = self.client[0] if self.client else "127.0.0.1"
        body = self.handler.answer(self.last_query, address, may_share_check=is_first)
        return body and self.handler.head(self.server_state.default_headers) % len(body) + body

    def on_body(self, body: bytes) -> None:
        if not self.was_fast:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self.await_request()
        if not self.was_fast:
            super().on_message_complete()
