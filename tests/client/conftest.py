"""A real OpenIVR over real HTTP, a server that misbehaves on purpose, and clients of both faces."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from openivr.client import Backoff, BlockingClient, Client, Network
from tests.live_server import Running, start

QUICK = Network(backoff=Backoff(tries=3, first=0.001), connect_seconds=60, read_seconds=60)


@dataclass
class Pbx:
    """A running OpenIVR with the demo."""

    running: Running

    @property
    def url(self) -> str:
        return self.running.base

    @property
    def account(self) -> tuple[str, str]:
        return self.running.client_id, self.running.client_secret

    def client(self, network: Network = QUICK, **options: Any) -> BlockingClient:
        return BlockingClient(self.url, *self.account, network, **options)


@contextmanager
def open_demo(folder: Path, *options: str) -> Iterator[Pbx]:
    running = start(folder, "--drain", "1", *options)
    try:
        yield Pbx(running)
    finally:
        running.stop()


@pytest.fixture(scope="session")
def pbx(demo: Running) -> Pbx:
    """An OpenIVR with the demo, shared: tests only read it."""
    return Pbx(demo)


@pytest.fixture(scope="module")
def own_pbx(server: Running) -> Pbx:
    """An OpenIVR with the demo for the tests of a module, which leave it as it was."""
    return Pbx(server)


@pytest.fixture
def fresh_pbx(tmp_path: Path) -> Iterator[Pbx]:
    """An OpenIVR with the demo for one test alone."""
    with open_demo(tmp_path / "fresh") as found:
        yield found


CUT = object()  # an answer that is none: the connection ends
Answer = Any  # a dict (JSON), bytes (HTML), a (status, bytes) pair, or CUT


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class OddServer:
    """Answers like a P-Series with `rows` menus, except where `behave` answers something else first."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    behave: Callable[[Asked], Answer | None] = lambda _asked: None
    good: set[str] = field(default_factory=set)  # tokens
    life: int = 1800
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def count(self, path: str) -> int:
        return sum(one.path == path for one in self.asked)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        odd = self.behave(asked)
        if odd is not None:
            return odd
        if asked.path in {"get_token", "refresh_token"}:
            return self.issue()
        if asked.query.get("access_token") not in self.good:
            return {"errcode": 10004, "errmsg": "TOKEN EXPIRED"}
        if asked.path == "ivr/list":
            return self.page(asked.query)
        return {"errcode": 0, "errmsg": "SUCCESS"}

    def issue(self) -> Answer:
        token = f"token-{len(self.asked):026d}"
        self.good.add(token)
        return {
            "errcode": 0,
            "errmsg": "SUCCESS",
            "access_token_expire_time": self.life,
            "access_token": token,
            "refresh_token_expire_time": 86400,
            "refresh_token": "refresh-" + token,
        }

    def page(self, query: dict[str, str]) -> Answer:
        size, page = int(query.get("page_size", 10_000)), int(query.get("page", 1))
        rows = self.rows[(page - 1) * size : page * size]
        return {"errcode": 0, "errmsg": "SUCCESS", "total_number": len(self.rows), "data": rows}


def handler_of(odd: OddServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = urlsplit(self.path)
            path = parts.path.removeprefix("/openapi/v1.0/")
            is_json = body.startswith(b"{")
            read = json.loads(body) if is_json else {"bytes": body} if body else {}
            asked = Asked(self.command, path, dict(parse_qsl(parts.query)), read, dict(self.headers))
            self.reply(odd.answer(asked))

        do_POST = do_GET  # noqa: N815 - the name that http.server calls

        def reply(self, answer: Answer) -> None:
            if answer is CUT:
                self.close_connection = True
                return
            status, content = answer if isinstance(answer, tuple) else (200, answer)
            is_json = isinstance(content, dict | list)
            content = json.dumps(content).encode() if is_json else content
            self.send_response(status)
            self.send_header("Content-Type", "application/json" if is_json else "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: Any) -> None:
            """Quiet."""

    return Handler


@pytest.fixture
def odd() -> Iterator[OddServer]:
    """A server with five menus that a test may teach bad manners."""
    found = OddServer([{"id": at, "number": str(6200 + at), "name": f"Menu {at}"} for at in range(1, 6)])
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(found))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that leave early
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Driven:
    """A client of either face, driven alike."""

    client: Any
    finish: Callable[[Any], Any]  # makes a result of what a method gave

    def do(self, ask: Callable[[Any], Any]) -> Any:
        return self.finish(ask(self.client))

    def rows(self, **options: Any) -> list[Any]:
        return list(self.finish(self.client.ivr.each(**options)))


Connect = Callable[..., Driven]


@pytest.fixture(params=["await", "block"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Opens clients; every test that uses it runs on both faces."""
    clients: list[Driven] = []
    runner = asyncio.Runner()

    async def wait(result: Any) -> Any:
        return [row async for row in result] if hasattr(result, "__aiter__") else await result

    def connect(url: str, network: Network = QUICK, **options: Any) -> Driven:
        id_, secret = options.pop("account", ("the-client-id", "the-secret"))
        if request.param == "block":
            driven = Driven(BlockingClient(url, id_, secret, network, **options), lambda result: result)
        else:
            client = Client(url, id_, secret, network, **options)
            driven = Driven(client, lambda result: runner.run(wait(result)))
        clients.append(driven)
        return driven

    yield connect
    for driven in clients:
        driven.do(lambda client: client.close())
    runner.close()
