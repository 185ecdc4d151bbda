"""Session descriptions with a host name instead of an address (T7)."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openivr.media.rtp import packet as rtp
from openivr.sip.sdp.offer_answer import OfferAnswerSession
from openivr.sip.transport.locator import ServerLocator
from openivr.sip.transport.resolver import Resolver
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import WAIT_SECONDS, Line
from tests.sip.name_server import ORIGIN, name_server

MENU = "6200"


@contextmanager
def listening(host: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sound:
        sound.setblocking(False)
        sound.bind((host, 0))
        yield sound


async def call_with_name(pbx: Pbx, name: str, sound: socket.socket) -> Line:
    """Call a menu with a description that has a name and the port of a socket."""
    phone = await pbx.phone("1000")
    line = phone.open_line()
    vars(line.media)["connect"] = lambda _remote: None  # it sends nothing, so that nothing is latched
    line.session = OfferAnswerSession(f"{name}.{ORIGIN}".rstrip("."), sound.getsockname()[1], 1)
    phone.call(MENU, line)
    await line.until_answered()
    await receive(sound)
    return line


async def receive(sound: socket.socket) -> None:
    """Wait until a packet of audio comes."""
    async with asyncio.timeout(WAIT_SECONDS):
        data = await asyncio.get_running_loop().sock_recv(sound, 2048)
    packet = rtp.read(memoryview(data))
    assert packet is not None
    assert packet.payload_type == 0


@in_loop
async def test_t7_audio_goes_to_the_address_of_a_name(tmp_path: Path) -> None:
    records = "media AAAA 2001:db8::1\nmedia A 224.0.0.1\nmedia A 127.0.0.3"
    async with name_server(records) as (server, dns), open_pbx(tmp_path) as pbx:
        system = Resolver()
        hosts = Resolver(ServerLocator(system, dns).find_addresses)
        pbx.process.context.resolve_host = hosts.resolve
        with listening("127.0.0.3") as sound:
            line = await call_with_name(pbx, "media", sound)
            (call,) = pbx.process.call_manager.calls.values()
            server.is_silent, before = True, line.terms  # the address is kept while the call lasts
            hosts._known.clear()
            assert line.leg is not None
            line.leg.reinvite(line.session.offer())
            await line.until(lambda: line.terms is not before)
            assert call.caller.media._socket.latch.target == sound.getsockname()
            line.hang_up()
        await pbx.until_quiet()
        hosts.close()
        system.close()


@in_loop
async def test_t7_audio_goes_to_where_sip_comes_from_while_a_name_is_not_known(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        pbx.process.context.resolve_host = lambda _name, _on_addresses: None  # no answer yet
        with listening("127.0.0.1") as sound:
            line = await call_with_name(pbx, "media", sound)
            line.hang_up()
        await pbx.until_quiet()
