"""The sockets: UDP, TCP and TLS, both families, names, and what strangers do to connections."""

import asyncio
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from openivr.sip.address import Hop, Target, from_sockaddr, to_sockaddr, uri_host
from openivr.sip.agent import Agent
from openivr.sip.dialog.dialog import nat_hop
from openivr.sip.message.message import Request, Response, read
from openivr.sip.settings import AgentSettings
from openivr.sip.termination import FailureReason
from openivr.sip.transaction.via import add_received
from openivr.sip.transport import sockets as transports
from openivr.sip.transport.sockets import AdvertisedAddresses
from tests.sip.scene import play, scene
from tests.sip.test_access_control import Channel
from tests.sip.torture import request
from tests.sip.wire import ANSWER, OFFER, SECONDS, Ear, House, Phone, answer_at_once, running, settings


@asynccontextmanager
async def pair(
    *protocols: str, host: str = "127.0.0.1", **changes: object
) -> AsyncIterator[tuple[Agent, Agent, House]]:
    """Two agents, of which the second answers every call."""
    house = House(answer_at_once)
    caller = await running(House(), settings(*protocols, host=host, **changes))
    callee = await running(house, settings(*protocols, host=host, **changes))
    try:
        yield caller, callee, house
    finally:
        caller.close()
        callee.close()


async def call_through(caller: Agent, house: House, uri: str) -> str:
    """Call, offer anew from both sides, and hang up; the Contact of who was called."""
    ear = Ear()
    leg = caller.call(uri, ear, body=OFFER)
    assert await ear.hears("answered") == ANSWER
    other, other_ear = await house.call()
    await other_ear.hears("acknowledged")
    leg.reinvite(b"v=0 one")
    assert await other_ear.hears("offered") == b"v=0 one"
    await ear.hears("agreed")
    other.reinvite(b"v=0 two")
    assert await ear.hears("offered") == b"v=0 two"
    await other_ear.hears("agreed")
    other.hangup()
    assert (await ear.ending("ended")).by_peer
    await other_ear.ending("ended")
    assert leg.dialog is not None
    return leg.dialog.remote_target


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_calls_over_both_transports_and_families(protocol: str, host: str) -> None:
    @play
    async def run() -> None:
        async with pair(protocol, host=host) as (caller, callee, house):
            written = f"[{host}]" if ":" in host else host
            port = callee.listening[0].port
            await call_through(caller, house, f"sip:100@{written}:{port};transport={protocol.lower()}")

    run()


@play
async def test_one_agent_listens_on_both_families_and_says_where_in_each() -> None:
    """Its ports differ, so that a Contact with the other one's would be seen."""
    both = [Target(protocol, host, 0) for host in ("127.0.0.1", "::1") for protocol in ("UDP", "TCP")]
    house = House(answer_at_once)
    callee = await running(house, replace(settings(), listen=tuple(both)))
    for at in callee.listening:
        caller = await running(House(), settings(at.protocol, host=at.host))
        kind = f";transport={at.protocol.lower()}"
        told = await call_through(caller, house, f"sip:100@{uri_host(at.host)}:{at.port}{kind}")
        ours = f"sip:{uri_host(at.host)}:{at.port}{kind if at.protocol == 'TCP' else ''}"
        assert told == callee.contact_uri(caller.listening[0]) == ours
        caller.close()
    callee.close()


@play
async def test_without_an_address_of_its_family_nobody_is_reached() -> None:
    async with pair("UDP", "TCP") as (caller, _, _):
        for protocol in ("udp", "tcp"):
            ear = Ear()
            caller.call(f"sip:100@[::1]:5060;transport={protocol}", ear, body=OFFER)
            assert (await ear.ending("failed")).status == 503
        with pytest.raises(ValueError, match="no socket"):
            caller.contact_uri(Target("TCP", "::1", 5060))
        assert not caller.supports_family("::1")


def test_a_link_local_peer_keeps_its_zone_and_tells_it_to_nobody() -> None:
    assert from_sockaddr(("fe80::7", 5060, 0, 2)) == ("fe80::7%2", 5060)
    assert to_sockaddr(("fe80::7%2", 5060)) == ("fe80::7", 5060, 0, 2)
    for peer in (("2001:db8::7", 5060, 0, 0), ("192.0.2.7", 5060)):
        assert to_sockaddr(from_sockaddr(peer)) == peer[:2]
    assert uri_host("fe80::7%2") == "[fe80::7]"
    asked = request("OPTIONS sip:h SIP/2.0", "Via: SIP/2.0/UDP [fe80::7];rport;branch=z9hG4bK1", "Call-ID: x")
    message = read(asked)
    assert isinstance(message, Request)
    add_received(message, Hop(Channel(), ("fe80::7%2", 5060)))
    assert message.get("via").endswith(";received=fe80::7")


@pytest.mark.parametrize(
    ("contact", "claimed", "real", "is_fixed"),
    [
        ("sip:a@[2001:DB8:0::7]:5062", "[2001:db8::7]", "2001:db8::7", False),
        ("sip:a@[fd00::7]", "[FD00:0::7]", "2620:fe::fe", True),
        ("sip:a@[fd00::7]", "[2001:db8::7]", "2620:fe::fe", True),
        ("sip:a@[fe80::7]", "[fe80::7]", "fe80::7%2", True),
        ("sip:a@phone.local", "phone.local", "fe80::7%2", True),
    ],
)
def test_who_is_reached_where_its_messages_come_from(
    contact: str, claimed: str, real: str, is_fixed: bool
) -> None:
    hop = Hop(Channel(), (real, 5060))
    assert nat_hop(contact, claimed, hop) == (hop if is_fixed else None)


@play
async def test_names_are_resolved() -> None:
    async with pair("UDP") as (caller, callee, house):
        for _ in range(2):  # looked up, then remembered
            await call_through(caller, house, f"sip:100@localhost:{callee.listening[0].port}")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    files = str(folder / "certificate.pem"), str(folder / "key.pem")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    paths = ["-out", files[0], "-keyout", files[1]]
    command = ["openssl", "req", "-x509", *kind, "-subj", "/CN=localhost", "-addext", names, *paths]
    subprocess.run(command, check=True, capture_output=True)
    return files


def test_calls_over_tls(certificate: tuple[str, str]) -> None:
    files = {"certificate": certificate[0], "key": certificate[1]}

    @play
    async def run() -> None:
        async with pair("TLS", **files, authorities=certificate[0]) as (caller, callee, house):
            await call_through(caller, house, f"sips:100@localhost:{callee.listening[0].port}")
            await call_through(caller, house, f"sip:100@127.0.0.1:{callee.listening[0].port};transport=tls")
        async with pair("TLS", **files) as (caller, callee, _):
            ear = Ear()
            caller.call(f"sips:100@localhost:{callee.listening[0].port}", ear, body=OFFER)
            assert (await ear.ending("failed")).failure is FailureReason.TRANSPORT  # nobody vouches for it

    run()


@play
async def test_tls_without_a_certificate_is_an_error_at_the_start() -> None:
    with pytest.raises(OSError, match="certificate"):
        await running(House(), settings("UDP", "TLS"))


@play
async def test_a_port_that_is_taken_is_an_error_at_the_start() -> None:
    async with scene() as s:
        taken = s.agent.listening[0]
        with pytest.raises(OSError, match="in use"):
            await Agent(AgentSettings(listen=(taken,)), House(), House()).start()


class Line:
    """A TCP connection that speaks SIP as the test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, agent: Agent, tls: ssl.SSLContext | None = None) -> "Line":
        return cls(*await asyncio.open_connection(*agent.listening[0][1:3], ssl=tls))

    async def response(self) -> Response:
        async with asyncio.timeout(SECONDS):
            data = await self.reader.readuntil(b"\r\n\r\n")
        message = read(data)
        assert isinstance(message, Response)
        return message

    async def closed(self) -> None:
        async with asyncio.timeout(SECONDS):
            assert await self.reader.read() == b""

    def close(self) -> None:
        self.writer.close()


@play
async def test_a_connection_is_answered_over_itself() -> None:
    async with scene(None, settings("TCP")) as s:
        line = await Line.open(s.agent)
        data = request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1")
        line.writer.write(data[:50])
        await line.writer.drain()
        line.writer.write(data[50:] + data.replace(b"z9hG4bK1", b"z9hG4bK2").replace(b"torture", b"other"))
        assert [(await line.response()).status for _ in range(2)] == [200, 200]
        line.close()


@play
async def test_a_ping_gets_a_pong() -> None:
    async with scene(None, settings("TCP")) as s:
        line = await Line.open(s.agent)
        line.writer.write(b"\r\n\r\n")
        async with asyncio.timeout(SECONDS):
            assert await line.reader.readexactly(2) == b"\r\n"
        line.close()


@play
async def test_many_messages_at_once_are_all_answered() -> None:
    async with scene(None, settings("TCP")) as s:
        line = await Line.open(s.agent)
        for number in range(50):
            changes = (f"Via: SIP/2.0/TCP h;branch=z9hG4bK{number}", f"Call-ID: {number}")
            line.writer.write(request("OPTIONS sip:a@b SIP/2.0", *changes))
        answered = [(await line.response()).get("call-id") for _ in range(50)]
        assert answered == [str(number) for number in range(50)]
        line.close()


@play
async def test_a_stream_that_lost_its_way_is_answered_and_closed() -> None:
    async with scene(None, settings("TCP")) as s:
        for bad in ("Content-Length: -1", "Content-Length: 99999999"):
            line = await Line.open(s.agent)
            line.writer.write(request("OPTIONS sip:a@b SIP/2.0", bad))
            assert (await line.response()).status == 400
            await line.closed()
            line.close()
        line = await Line.open(s.agent)
        line.writer.write(b"x" * 40_000)
        await line.closed()
        line.close()


@play
async def test_a_line_that_is_cut_loses_what_waits_on_it() -> None:
    async with scene(None, settings("TCP")) as s:
        server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
        ear = Ear()
        port = server.sockets[0].getsockname()[1]
        s.agent.call(f"sip:a@127.0.0.1:{port};transport=tcp", ear, body=OFFER)
        assert (await ear.ending("failed")).failure is FailureReason.TRANSPORT
        server.close()


@play
async def test_large_requests_go_by_tcp_and_by_udp_where_nobody_listens() -> None:
    async with scene(None, settings("UDP", "TCP")) as s:
        large = OFFER + b"a=x\r\n" * 300
        s.agent.call(s.phone.uri, Ear(), body=large)
        invite = await s.phone.asked("INVITE")  # its TCP port refuses
        assert invite.body == large
        assert invite.via is not None
        assert invite.via.protocol == "UDP"
        other = House(answer_at_once)
        port = socket.socket()
        port.bind(("127.0.0.1", 0))
        number = port.getsockname()[1]
        port.close()
        both = tuple(Target(protocol, "127.0.0.1", number) for protocol in ("UDP", "TCP"))
        callee = await running(other, AgentSettings(listen=both))
        ear = Ear()
        s.agent.call(f"sip:a@127.0.0.1:{number}", ear, body=large)
        await ear.hears("answered")
        leg, _ = await other.call()
        assert leg.source.protocol == "TCP"
        callee.close()


@play
async def test_keep_alives() -> None:
    async with scene() as s:
        s.agent.send_keepalive(Target("UDP", "127.0.0.1", s.phone.port))
        assert await s.phone.receive_bytes() == b"\r\n\r\n"
        s.phone.send(b"\r\n\r\n")
        s.phone.send(b"\0")
        s.phone.request("OPTIONS")
        await s.phone.response(200)
        assert s.house.complaints == 0


@play
async def test_no_more_connections_than_allowed() -> None:
    async with scene(None, settings("TCP")) as s:
        lines = [await Line.open(s.agent) for _ in range(3)]
        s.agent._context.transports.shares.total = 3
        one_more = await Line.open(s.agent)
        await lines[0].closed()  # idle for longest
        one_more.writer.write(request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TCP h;branch=z9hG4bK3"))
        assert (await one_more.response()).status == 200
        for line in (*lines, one_more):
            line.close()


@play
async def test_f10_a_source_takes_its_share_of_connections_and_no_other_is_shut_out() -> None:
    async with scene(None, settings("TCP")) as s:
        s.agent._context.transports.shares.share = 5
        phone = await Line.open(s.agent)
        phone.writer.write(request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TCP h;branch=z9hG4bK4"))
        assert (await phone.response()).status == 200
        crowd = [await Line.open(s.agent) for _ in range(40)]
        for line in crowd[:-5]:
            await line.closed()
        phone.writer.write(request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TCP h;branch=z9hG4bK5"))
        assert (await phone.response()).status == 200  # what is used outlives what was never used
        assert len(s.agent._context.transports.shares) == 5
        for line in (phone, *crowd):
            line.close()


def test_f10_handshakes_count_for_their_source(certificate: tuple[str, str]) -> None:
    """Of a crowd that opens TLS and says no more, the oldest go at once, and a phone is served."""
    trusted = ssl.create_default_context(cafile=certificate[0])

    @play
    async def run() -> None:
        async with scene(None, settings("TLS", certificate=certificate[0], key=certificate[1])) as s:
            shares = s.agent._context.transports.shares
            shares.share = 5
            crowd = [await Line.open(s.agent) for _ in range(30)]
            for line in crowd[:-5]:
                await line.closed()
            phone = await Line.open(s.agent, trusted)
            phone.writer.write(request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TLS h;branch=z9hG4bK4"))
            assert (await phone.response()).status == 200
            await crowd[-5].closed()
            assert len(shares) == 5
            crowd += [await Line.open(s.agent) for _ in range(10)]
            await crowd[-5].closed()
            phone.writer.write(request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TLS h;branch=z9hG4bK5"))
            assert (await phone.response()).status == 200  # what is used outlives what was never used
            for line in (phone, *crowd):
                line.close()

    run()


def test_silent_connections_are_dropped_and_our_own_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(transports, "PING_SECONDS", 0.0)

    @play
    async def run() -> None:
        async with scene(None, settings("TCP")) as s:
            silent = await Line.open(s.agent)
            half = await Line.open(s.agent)
            half.writer.write(request("OPTIONS sip:a@b SIP/2.0") + b"OPTIONS sip:a@b SIP/2.0\r\n")
            assert (await half.response()).status == 200
            whole = await Line.open(s.agent)
            whole.writer.write(request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TCP h;branch=z9hG4bK3"))
            assert (await whole.response()).status == 200
            await silent.closed()
            await half.closed()
            pinged = asyncio.Event()

            async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await reader.readuntil(b"\r\n\r\n\r\n\r\n")  # the end of a request, and a ping
                pinged.set()
                writer.close()

            server = await asyncio.start_server(hear, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            s.agent.request("OPTIONS", f"sip:127.0.0.1:{port};transport=tcp", lambda reply: None)
            async with asyncio.timeout(SECONDS):
                await pinged.wait()
            whole.writer.write(
                request("OPTIONS sip:a@b SIP/2.0", "Via: SIP/2.0/TCP h;branch=z9hG4bK4", "Call-ID: x")
            )
            assert (await whole.response()).status == 200
            server.close()
            for line in (silent, half, whole):
                line.close()

    run()


def test_the_face_that_a_peer_sees() -> None:
    faces = AdvertisedAddresses(["198.51.100.9", "2001:4860::9"])
    assert faces.find("10.1.2.3", "8.8.8.8") == "198.51.100.9"
    assert faces.find("10.1.2.3", "10.9.9.9") == "10.1.2.3"
    assert faces.find("0.0.0.0", "127.0.0.1") == "127.0.0.1"
    assert faces.find("fd00::3", "2620:fe::fe") == "2001:4860::9"
    assert faces.find("fd00::3", "fd00::7") == "fd00::3"
    assert faces.find("::", "::1") == "::1"
    assert AdvertisedAddresses().find("10.1.2.3", "8.8.8.8") == "10.1.2.3"
    assert AdvertisedAddresses(["198.51.100.9"]).find("fd00::3", "2620:fe::fe") == "fd00::3"


@play
async def test_bursts_leave_room_for_others() -> None:
    """A hundred datagrams wait; when the time for them is up the loop takes other turns between them."""
    async with scene() as s:
        patch = pytest.MonkeyPatch()
        patch.setattr(transports, "MAX_TURN_SECONDS", 0)
        phone = Phone(s.phone.agent)
        for number in range(100):
            phone.send(phone.build("OPTIONS", cseq=number + 1))
        turns = 0
        done = False

        def turn() -> None:
            nonlocal turns
            turns += 1
            if not done:
                asyncio.get_running_loop().call_soon(turn)

        turn()
        for _ in range(100):
            await phone.response(200)
        done = True
        patch.undo()
        assert turns > 100
        phone.close()
