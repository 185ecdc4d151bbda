"""Heads that no application should see, pages of other sites, and shares of connections."""

import asyncio
import json
import socket
from http.client import HTTPConnection

import pytest

from openivr.api.request_head import KnownHosts, find_fault
from openivr.connections.shares import ConnectionShares
from tests.live_server import ROOT, Api, Running

NAMED = KnownHosts(["pbx.example.com"])


@pytest.mark.parametrize(
    "value",
    [
        b"127.0.0.1:8088",
        b"192.0.2.7",
        b"[::1]:8088",
        b"[2001:db8::1]",
        b"localhost",
        b"LocalHost:8088",
        b"localhost.:8088",
        b"pbx.example.com",
        b"PBX.example.com:443",
        socket.gethostname().encode(),
    ],
)
def test_f15_known_hosts_are_answered(value: bytes) -> None:
    assert NAMED.knows(value)
    assert find_fault([(b"host", value)], "1.1", NAMED) is None


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"evil.example",
        b"pbx.example.com.evil.example",
        b"127.0.0.1.evil.example",
        b"localhost:80x",
        b"::1",
        b"[x]",
        b"\xff",
        b"a b",
    ],
)
def test_f15_other_names_are_not(value: bytes) -> None:
    assert find_fault([(b"host", value)], "1.1", NAMED) is not None
    assert find_fault([(b"host", value)], "1.1", None) is None  # behind a proxy, which sees to that


@pytest.mark.parametrize(
    ("headers", "version", "status"),
    [
        ([], "1.1", 400),
        ([], "1.0", None),
        ([(b"host", b"localhost"), (b"host", b"localhost")], "1.1", 400),
        ([(b"host", b"localhost"), (b"transfer-encoding", b"gzip, chunked")], "1.1", 501),
        (
            [(b"host", b"localhost"), (b"transfer-encoding", b"gzip"), (b"transfer-encoding", b"chunked")],
            "1.1",
            501,
        ),
        ([(b"host", b"localhost"), (b"transfer-encoding", b" Chunked ")], "1.1", None),
    ],
)
def test_f15_heads_are_read_as_rfc_9112_says(
    headers: list[tuple[bytes, bytes]], version: str, status: int | None
) -> None:
    fault = find_fault(headers, version, NAMED)
    assert (fault[0] if fault else None) == status


def ask(address: tuple[str, int], head: str) -> bytes:
    """All that a server answers to a head."""
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(head.encode())
        answer = b""
        while part := connection.recv(65_536):
            answer += part
    return answer


@pytest.mark.parametrize("path", ["/healthz", f"{ROOT}ivr/list?access_token=TOKEN", "/sign-in"])
@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ("Host: evil.example\r\n", b"421"),
        ("", b"400"),
        ("Host: localhost\r\nHost: localhost\r\n", b"400"),
        ("Host: localhost\r\nTransfer-Encoding: gzip, chunked\r\n", b"501"),
        ("Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", b"400"),
        (
            "Host: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\n"
            "Upgrade: h2c\r\nHTTP2-Settings: AA\r\n",
            b"400",
        ),
    ],
)
def test_f15_f23_refused_heads_on_every_path(
    demo: Running, reader: Api, path: str, fields: str, status: bytes
) -> None:
    target = path.replace("TOKEN", reader.token)
    answer = ask(demo.address, f"GET {target} HTTP/1.1\r\nUser-Agent: me\r\n{fields}\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status + b" ")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer
    assert "pip install" not in demo.log


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://evil.example"},
    ],
)
def test_f14_a_page_of_another_site_locks_nobody_out(server: Running, fields: dict[str, str]) -> None:
    body = json.dumps({"username": server.client_id, "password": "wrong"})
    for _ in range(8):
        connection = HTTPConnection(*server.address, timeout=30)
        headers = {"User-Agent": "a browser", "Content-Type": "text/plain", **fields}
        connection.request("POST", f"{ROOT}get_token", body, headers)
        answer = json.loads(connection.getresponse().read())
        assert (answer["errcode"], answer["submsg"]) == (-1, "requests by pages of other sites are refused")
        connection.close()
    server.log_in().close()  # not locked out


def test_a_page_of_the_server_itself_may_ask(server: Running) -> None:
    host = "{}:{}".format(*server.address)
    body = json.dumps({"username": server.client_id, "password": server.client_secret})
    connection = HTTPConnection(*server.address, timeout=30)
    headers = {"User-Agent": "a browser", "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    connection.request("POST", f"{ROOT}get_token", body, headers)
    assert json.loads(connection.getresponse().read())["errcode"] == 0
    connection.close()


class Connection:
    """A connection that is idle since a time, or busy."""

    def __init__(self, since: float | None) -> None:
        self.since = since


def test_f10_a_source_that_takes_too_much_loses_what_is_idle_for_longest() -> None:
    shares = ConnectionShares[Connection](total=6, share=3, idle_since=lambda each: each.since)
    one, busy, two = Connection(2.0), Connection(None), Connection(1.0)
    assert [shares.add("192.0.2.1", each) for each in (one, busy, two)] == [None] * 3
    new = Connection(3.0)
    assert shares.add("192.0.2.1", new) is two
    shares.remove("192.0.2.1", two)
    others = [Connection(0.5) for _ in range(3)]
    assert [shares.add(f"198.51.100.{n}", each) for n, each in enumerate(others)] == [None] * 3
    assert len(shares) == 6
    assert shares.add("203.0.113.1", Connection(9.0)) is one  # of the source that has most
    shares.remove("192.0.2.1", one)
    shares.remove("192.0.2.1", one)
    assert len(shares) == 6


def test_f10_where_all_are_busy_the_new_one_goes() -> None:
    shares = ConnectionShares[Connection](total=9, share=1, idle_since=lambda each: each.since)
    assert shares.add("2001:db8::1", Connection(None)) is None
    new = Connection(1.0)
    assert shares.add("2001:db8::2", new) is new
    assert shares.add("2001:db8:0:1::1", Connection(1.0)) is None


def test_f10_idle_connections_of_one_address_shut_nobody_out(demo: Running, reader: Api) -> None:
    async def scenario() -> None:
        crowd = [await asyncio.open_connection(*demo.address) for _ in range(1100)]
        for _, writer in crowd[::2]:
            writer.write(b"GET / HTTP/1.1\r\n")  # a slow head
        used = await asyncio.to_thread(reader.get, "ivr/list")
        assert used["errcode"] == 0
        closed = 0
        for stream, _ in crowd[:76]:  # more than the share: the oldest go first
            async with asyncio.timeout(30):
                try:
                    closed += await stream.read() == b""
                except ConnectionResetError:  # the rest of a slow head was not read
                    closed += 1
        assert closed == 76
        for _, writer in crowd:
            writer.transport.abort()

    asyncio.run(scenario())
