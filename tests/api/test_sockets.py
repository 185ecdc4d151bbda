"""Clients that are slow, broken or hostile: each meets its end, and the server answers others meanwhile.

The server runs in the test's own process, with limits that are shorter than the real ones.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvloop

from openivr.api import body, slow_clients
from openivr.config.settings import Settings
from openivr.observability.metrics import allocate_counters
from openivr.server import bootstrap, http_process, supervisor
from openivr.server.supervisor import WorkerContext
from openivr.store.auth import clients, tokens
from openivr.store.auth.tokens import TokenPair, TokenPolicy
from openivr.store.database import Database
from openivr.store.events.interest import Interest
from tests.live_server import SECRET

SHORT = 0.4
GUARD = 60  # no test waits for its event longer than this


async def read_all(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection ends, in good order or not."""
    answer = b""
    try:
        while part := await reader.read(65_536):
            answer += part
    except ConnectionError:
        pass
    return answer


class Site:
    """The server's address, and a token for it."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def request(self, path: str = "ivr/list", query: str = "", *, head: str = "") -> bytes:
        target = f"/openapi/v1.0/{path}?access_token={self.token}{query}"
        return f"GET {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: me\r\n{head}\r\n".encode()

    def post(self, content: bytes, length: int) -> bytes:
        target = f"/openapi/v1.0/ivr/update?access_token={self.token}"
        head = (
            f"POST {target} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: me\r\nContent-Length: {length}\r\n\r\n"
        )
        return head.encode() + content

    async def connect(self, buffer: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection whose kernel keeps so many bytes for the reader, as it likes by default."""
        connection = socket.socket()
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", self.port))
        return await asyncio.open_connection(sock=connection)

    async def talk(self, data: bytes, *, ends: bool = False) -> bytes:
        """Send this, and return all that comes until the server ends the connection."""
        reader, writer = await self.connect()
        writer.write(data)
        if ends:
            writer.write_eof()
        answer = await read_all(reader)
        writer.close()
        return answer

    async def check(self) -> None:
        """Somebody else is answered."""
        answer = await self.talk(self.request(head="Connection: close\r\n"))
        assert b'"total_number":4' in answer


def make_site(data: Path, port: int) -> Site:
    database = Database(f"sqlite:///{data / 'openivr.db'}")
    with database.changing("auth") as change:
        if clients.find_hash(change.connection, "test") is None:
            clients.add(change.connection, "test", "test", SECRET)
        tokens.make_room(change.connection, TokenPolicy(), "test", 10**10)
        pair = tokens.issue(change.connection, TokenPolicy(), "test", 10**10)
    database.close()
    assert isinstance(pair, TokenPair)
    return Site(port, pair.access)


@asynccontextmanager
async def serving(data: Path) -> AsyncIterator[Site]:
    """A server that runs beside the test, as `openivr serve` would run it in a worker."""
    listening = supervisor.bind(socket.AF_INET, ("127.0.0.1", 0), is_shared=False)
    ready, is_ready = os.pipe()
    alive, ending = os.pipe()
    settings = Settings(data=data, has_access_log=False, drain_seconds=1)
    port = listening.getsockname()[1]
    serving = asyncio.create_task(
        http_process.serve(
            settings, allocate_counters(1), Interest(1), WorkerContext(0, (listening,), is_ready, alive)
        )
    )
    told, loop = asyncio.Event(), asyncio.get_running_loop()
    waiting = asyncio.create_task(told.wait())
    loop.add_reader(ready, told.set)
    try:
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        assert not serving.done(), "the server ended"
        yield make_site(data, port)
    finally:
        waiting.cancel()
        loop.remove_reader(ready)
        os.close(ending)
        async with asyncio.timeout(GUARD):
            await serving
        for descriptor in (ready, is_ready, alive):
            os.close(descriptor)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sockets")
    bootstrap.prepare(Settings(data=folder), is_demo=True)
    return folder


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HEAD_SECONDS", "IDLE_SECONDS", "STALL_SECONDS"):
        monkeypatch.setattr(slow_clients, name, SHORT)
    monkeypatch.setattr(http_process, "OVERDUE_SECONDS", 0.1)
    monkeypatch.setattr(body, "BODY_SECONDS", SHORT)
    monkeypatch.setattr(body, "BODY_RATE", 10**9)


Scenario = Callable[[Site], Coroutine[Any, Any, None]]


def run(data: Path, scenario: Scenario) -> None:
    async def main() -> None:
        async with asyncio.timeout(GUARD), serving(data) as site:
            await scenario(site)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def trickle(site: Site, start: bytes, drop: bytes) -> bytes:
    """Send a start and then a drop again and again, until the server ends it."""
    reader, writer = await site.connect()
    writer.write(start)
    answer = asyncio.create_task(read_all(reader))
    while not answer.done():
        writer.write(drop)
        await asyncio.wait([answer], timeout=0.02)
    writer.close()
    return answer.result()


@pytest.mark.parametrize(
    "start", [b"", b"G", b"GET /openapi/v1.0/ivr/list?x", b"GET / HTTP/1.1\r\nA: b\r\n", b"\r\n"]
)
def test_an_unfinished_head_ends_the_connection(data: Path, start: bytes) -> None:
    async def scenario(site: Site) -> None:
        silent = asyncio.create_task(site.talk(start))
        await site.check()
        assert await silent == b""

    run(data, scenario)


def test_a_head_that_trickles_in_ends_too(data: Path) -> None:
    async def scenario(site: Site) -> None:
        slow = [asyncio.create_task(trickle(site, b"GET /x HTTP/1.1\r\nA: ", b"a")) for _ in range(3)]
        await site.check()
        assert await asyncio.gather(*slow) == [b""] * 3

    run(data, scenario)


@pytest.mark.parametrize("after", [b"", b"\r\n", b"G"])
@pytest.mark.parametrize("head", ["", "Content-Length: 0\r\n"])
def test_an_idle_connection_ends(data: Path, head: str, after: bytes) -> None:
    """Also one on which came something, but no request, after its answer by either way."""

    async def scenario(site: Site) -> None:
        await site.check()
        reader, writer = await site.connect()
        writer.write(site.request(head=head))
        assert b"200 OK" in await reader.readuntil(b"\r\n")
        assert (await reader.readuntil(b"]}")).count(b"total_number") == 1
        writer.write(after)
        assert await reader.read() == b""
        writer.close()

    run(data, scenario)


@pytest.mark.parametrize("drop", [b"", b" "])
def test_a_body_that_never_ends_is_refused(data: Path, drop: bytes) -> None:
    async def scenario(site: Site) -> None:
        start = site.post(b'{"id":1,"name":"Changed"}', 5000)
        late = asyncio.create_task(trickle(site, start, drop))
        await site.check()
        answer = await late
        assert (
            b'{"errcode":40001,"errmsg":"PARAMETER SYNTAX ERROR","submsg":"the body took too long"}' in answer
        )
        assert b"connection: close" in answer
        assert b"Changed" not in await site.talk(site.request(head="Connection: close\r\n"))

    run(data, scenario)


def test_who_leaves_in_the_middle_of_a_body_changes_nothing(data: Path) -> None:
    async def scenario(site: Site) -> None:
        await site.talk(site.post(b'{"id":1,"name":"Changed"}', 26), ends=True)
        assert b"Changed" not in await site.talk(site.request(head="Connection: close\r\n"))

    run(data, scenario)


def test_a_get_whose_body_never_comes_is_answered_and_ended(data: Path) -> None:
    async def scenario(site: Site) -> None:
        answer = await trickle(site, site.request(head="Content-Length: 100000\r\n"), b"x")
        assert b'"total_number":4' in answer
        answer = await trickle(
            site, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", b"x"
        )
        assert answer.endswith(b"ok\n")

    run(data, scenario)


def test_an_oversized_head_is_refused(data: Path) -> None:
    async def scenario(site: Site) -> None:
        for start in (b"GET /" + b"x" * 60_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000):
            answer = await trickle(site, start, b"y" * 3000)
            assert answer.startswith(b"HTTP/1.1 400 ") or answer == b""
        await site.check()

    run(data, scenario)


@pytest.mark.parametrize("size", [70_000, 100_000, 200_000])
def test_f22_an_oversized_head_that_comes_in_one_read_is_refused(data: Path, size: int) -> None:
    async def scenario(site: Site) -> None:
        padding = "".join(f"A{n}: {'y' * 990}\r\n" for n in range(size // 1000))
        answer = await site.talk(site.request(head=padding + "Connection: close\r\n"))
        assert answer.startswith(b"HTTP/1.1 400 ") or answer == b""
        await site.check()

    run(data, scenario)


def test_many_small_heads_in_one_read_are_answered(data: Path) -> None:
    async def scenario(site: Site) -> None:
        last = site.request(head="Connection: close\r\n")
        answer = await site.talk(site.request() * 1500 + last)
        assert answer.count(b"HTTP/1.1 200 OK") == 1501

    run(data, scenario)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00" * 100,
        b"\xff\xfe\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HELO there\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x01\x7f HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nA b\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_garbage_is_refused_at_once(data: Path, garbage: bytes) -> None:
    async def scenario(site: Site) -> None:
        assert (await site.talk(garbage)).startswith(b"HTTP/1.1 400 ")
        await site.check()

    run(data, scenario)


def test_pipelined_requests_are_answered_in_their_order(data: Path) -> None:
    async def scenario(site: Site) -> None:
        pages = [
            site.request(query=f"&page={n}&page_size=1", head="Content-Length: 0\r\n" * (n % 2))
            for n in range(1, 5)
        ]
        others = [
            site.request("nothing"),
            site.request("ivr/get", "&id=2"),
            site.request("ivr/list", "&page=0"),
        ]
        end = site.request("ivr/get", "&id=99", head="Connection: close\r\n")
        answer = await site.talk(b"".join([*pages, *others, *pages, end]))
        signs = [b'"id":1,', b'"id":2,', b'"id":3,', b'"id":4,']
        expected = [*signs, b":10001,", b'"id":2,', b":40002,", *signs, b":60001,"]
        parts = answer.split(b"HTTP/1.1 200 OK\r\n")[1:]
        assert len(parts) == len(expected)
        assert all(sign in part for sign, part in zip(expected, parts, strict=True))

    run(data, scenario)


def count_lost(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """An event that comes when the server has given a connection up."""
    lost, original = asyncio.Event(), slow_clients.LimitedProtocol.connection_lost

    def note(protocol: slow_clients.LimitedProtocol, error: Exception | None) -> None:
        original(protocol, error)
        lost.set()

    monkeypatch.setattr(slow_clients.LimitedProtocol, "connection_lost", note)
    return lost


@pytest.mark.parametrize(("path", "times"), [("ivr/list", 20_000), ("openapi.json", 100)])
def test_who_never_reads_is_given_up(
    data: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    path: str,
    times: int,
) -> None:
    async def scenario(site: Site) -> None:
        lost = count_lost(monkeypatch)
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, ("127.0.0.1", site.port))
        sending = asyncio.create_task(loop.sock_sendall(connection, site.request(path) * times))
        await lost.wait()
        sending.cancel()
        await asyncio.wait([sending])
        connection.close()
        await site.check()

    run(data, scenario)
    assert "Exception" not in caplog.text


def test_who_reads_slowly_is_not(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = 5 * SHORT  # a busy machine may not let the reader read for longer than SHORT
    monkeypatch.setattr(slow_clients, "STALL_SECONDS", patience)

    async def scenario(site: Site) -> None:
        # With a large buffer, the kernel asks for more only when megabytes of it have been read.
        reader, writer = await site.connect(buffer=65_536)
        writer.write(
            site.request("openapi.json") * 60 + site.request("openapi.json", head="Connection: close\r\n")
        )
        size, started = 0, asyncio.get_running_loop().time()
        while part := await reader.read(65_536):
            size += len(part)
            await asyncio.sleep(0.06)
        writer.close()
        whole = len(await site.talk(site.request("openapi.json", head="Connection: close\r\n")))
        assert abs(size - 61 * whole) < 61 * 30  # all but some have no "connection: close"
        assert asyncio.get_running_loop().time() - started > 2 * patience

    run(data, scenario)


def test_a_crowd_of_slow_clients_delays_nobody(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_clients, "HEAD_SECONDS", 1000.0)
    later, original = 0, slow_clients.LimitedProtocol.close_late
    monkeypatch.setattr(
        slow_clients.LimitedProtocol, "close_late", lambda self, now: original(self, now + later)
    )

    async def scenario(site: Site) -> None:
        nonlocal later
        crowd = [asyncio.create_task(site.talk(b"GET /openapi/v1.0/ivr/list?")) for _ in range(300)]
        reader, writer = await site.connect()
        for _ in range(100):
            writer.write(site.request())
            await reader.readuntil(b"]}")
        assert not any(one.done() for one in crowd)
        writer.close()
        later = 1001
        assert await asyncio.gather(*crowd) == [b""] * 300

    run(data, scenario)
