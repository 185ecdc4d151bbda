"""The peer of a media session: plain sockets, and the packets they received."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import uvloop

from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import event_payloads
from openivr.media.media import Media, MediaSettings
from openivr.media.rtp import packet as rtp
from openivr.media.rtp import rtcp
from openivr.media.rtp.ports import family_of
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.session import MediaSession

PORTS = range(25000, 26000)
SECONDS = 60  # after which a test has failed
EVENTS = 101

ssrcs = count(0x1234)
peers: list["RtpPeer"] = []  # of the running test


def with_media(test: Callable[[Media], Awaitable[None]], **settings: Any) -> None:
    """Run a test in an event loop of its own."""

    async def run() -> None:
        media = Media(MediaSettings(ports=PORTS, **settings))
        try:
            async with asyncio.timeout(SECONDS):
                await test(media)
        finally:
            await media.close()
            while peers:
                peers.pop().close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


class RtpPeer:
    """Sends and receives RTP and RTCP at two neighbouring ports."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        peers.append(self)
        self.host = host
        self.rtp, self.rtcp = neighbours(host)
        self.received: list[rtp.Packet] = []
        self.reports: list[rtcp.RtcpReport] = []
        self.ssrc, self.sequence, self.timestamp = next(ssrcs), 65_530, 2**32 - 480
        self._news = asyncio.Event()
        for sock, take in ((self.rtp, self._take), (self.rtcp, self._take_rtcp)):
            asyncio.get_running_loop().add_reader(sock, self._read, sock, take)

    @property
    def address(self) -> tuple[str, int]:
        return (self.host, self.rtp.getsockname()[1])

    def remote(self, law: Law = Law.PCMU, **more: Any) -> RemoteMedia:
        """The result of offer and answer with this peer."""
        values: dict[str, Any] = {"events_in": EVENTS, "events_out": EVENTS, "signalling": self.host} | more
        return RemoteMedia(self.host, self.address[1], law, **values)

    def _read(self, sock: socket.socket, take: Callable[[bytes], None]) -> None:
        take(sock.recv(2048))
        self._news.set()

    def _take(self, data: bytes) -> None:
        if rtp.is_rtcp(data):
            return self._take_rtcp(data)
        packet = rtp.read(data)
        assert packet
        self.received.append(packet)
        return None

    def _take_rtcp(self, data: bytes) -> None:
        self.reports += rtcp.read(data)

    async def until(self, is_so: Callable[[], object]) -> None:
        """Wait until a condition holds; it is checked after each packet."""
        while not is_so():
            self._news.clear()
            await self._news.wait()

    async def receive(self, packets: int) -> list[rtp.Packet]:
        """Wait for the next packets and return them."""
        end = len(self.received) + packets
        await self.until(lambda: len(self.received) >= end)
        return self.received[end - packets : end]

    def send_audio(
        self, session: MediaSession, *payloads: bytes, payload_type: int = 0, marker: bool = False
    ) -> None:
        """Send audio packets back to back."""
        for payload in payloads:
            head = rtp.pack(0x80, payload_type | marker << 7, self.sequence, self.timestamp, self.ssrc)
            self.rtp.sendto(head + payload, session.address)
            self.sequence = self.sequence + 1 & 0xFFFF
            self.timestamp = self.timestamp + 160 & 0xFFFFFFFF

    def send_dtmf(self, session: MediaSession, digits: str, payload_type: int = EVENTS) -> None:
        """Send digits as telephone-events, back to back."""
        for digit in digits:
            for index, payload in enumerate(event_payloads(digit, 5, 160)):
                second = payload_type | (0x80 if index == 0 else 0)
                head = rtp.pack(0x80, second, self.sequence, self.timestamp, self.ssrc)
                self.rtp.sendto(head + payload, session.address)
                self.sequence = self.sequence + 1 & 0xFFFF
            self.timestamp = self.timestamp + 1600 & 0xFFFFFFFF

    def send_rtcp(self, session: MediaSession, data: bytes) -> None:
        """Send RTCP to the port above."""
        self.rtcp.sendto(data, (session.address[0], session.address[1] + 1))

    def close(self) -> None:
        for sock in (self.rtp, self.rtcp):
            asyncio.get_running_loop().remove_reader(sock)
            sock.close()


def neighbours(host: str) -> tuple[socket.socket, socket.socket]:
    while True:
        first, second = (socket.socket(family_of(host), socket.SOCK_DGRAM) for _ in range(2))
        first.setblocking(False)
        second.setblocking(False)
        first.bind((host, 0))
        try:
            second.bind((host, first.getsockname()[1] + 1))
        except OSError:
            first.close()
            second.close()
            continue
        return first, second
