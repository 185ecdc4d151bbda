"""The RTP and RTCP sockets of a media session: destination and accepted source."""

import ctypes
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from openivr.media.poller import Poller
from openivr.media.rtp import packet as rtp
from openivr.media.rtp import socket_filter
from openivr.media.rtp.latch import SILENCE, Latch, LatchState, Position, is_unspecified
from openivr.media.rtp.ports import PortPair, SocketAddress
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.stream.sender import RtpSender, discard

MAX_DRAINED = 256  # queued packets that are read when a source is latched
BUFFER = bytearray(rtp.MAX_SIZE)  # shared: each packet is processed before the next is read
VIEW = memoryview(BUFFER)

Take = Callable[[memoryview, int], bool]


class RtpSocket:
    """Passes packets of the latched source to `take`, which returns True for RTP of a negotiated type.

    While the latch is exclusive, the socket is connected to its source: the kernel drops packets from
    elsewhere, and without a listener its filter drops audio as well. Otherwise all packets are read.
    """

    def __init__(
        self, poller: Poller, pair: PortPair, sender: RtpSender, take: Take, take_rtcp: Take
    ) -> None:
        self.foreign = 0  # packets from other sources
        self.latch = Latch()
        self.dropped_at = 0  # ns, when the filter was last seen to have dropped packets of the source
        self._poller, self._pair, self._sender = poller, pair, sender
        self._take, self._take_rtcp = take, take_rtcp
        self._is_connected = False
        self._peer: SocketAddress | None = None  # that the socket is or was connected to
        self._rtcp_target: SocketAddress | None = None
        self._remote: RemoteMedia | None = None
        self._wants_audio = self._is_filtered = False
        self._dropped = 0  # by the kernel, at the last count
        self._new_drops = 0
        poller.add(pair.rtp.fileno(), self._read)
        poller.add(pair.rtcp.fileno(), self._read_rtcp)

    def connect(self, remote: RemoteMedia) -> None:
        """Apply the result of an offer and answer."""
        self._remote = remote
        self.latch.describe(remote, time.monotonic_ns())
        self._follow_description(remote)

    def locate(self, remote: RemoteMedia) -> None:
        """Take the address of the host that was described by name."""
        self._remote = remote
        self.latch.locate(remote)
        self._follow_description(remote)

    def _follow_description(self, remote: RemoteMedia) -> None:
        target = self.latch.target
        self._rtcp_target = remote.rtcp or (target and rtcp_address(target))
        self._follow_latch()

    def _follow_latch(self) -> None:
        """Connect the socket if the latch is exclusive, or disconnect it, and send to the target."""
        is_exclusive = self.latch.is_exclusive
        if self._is_connected and not (is_exclusive and self.latch.source == self._peer):
            self._filter(False)
            disconnect(self._pair.rtp)
            self._is_connected = False
        if is_exclusive and not self._is_connected and self.latch.source:
            self._connect_to(self.latch.source)
        elif self._is_connected:
            self._filter(not self._wants_audio)
        self._set_send()

    def _connect_to(self, source: SocketAddress) -> None:
        try:
            self._pair.rtp.connect(source)
        except OSError:  # no route
            return
        self._is_connected, self._peer = True, source
        self._drain(source)
        self._filter(not self._wants_audio)

    def _set_send(self) -> None:
        sock, target = self._pair.rtp, self.latch.target
        if target is None or not (self._remote and self._remote.receives):
            self._sender.send = discard
        elif self._is_connected:
            self._sender.send = sock.send
        else:
            self._sender.send = lambda packet: sock.sendto(packet, target)

    def send_rtcp(self, packet: bytes) -> None:
        """Send RTCP, to the RTP port if that was negotiated."""
        if self._remote is None or is_unspecified(self._remote.host):
            return
        sock, target = self._pair.rtcp, self._rtcp_target
        if self._remote.mux:
            sock, target = self._pair.rtp, self.latch.target
        with suppress(OSError):  # the port is closed; the next report may arrive
            if target:
                sock.sendto(packet, target)

    # Reading

    def _read(self) -> None:
        try:
            if self._is_connected:
                self._take(VIEW[: self._pair.rtp.recv_into(BUFFER)], time.monotonic_ns())
            else:
                size, source = self._pair.rtp.recvfrom_into(BUFFER)
                self._read_unconnected(VIEW[:size], source)
        except OSError:  # nothing to read, or an ICMP error of an earlier packet
            return

    def _read_unconnected(self, data: memoryview, source: SocketAddress) -> None:
        """Take a packet of any source, if the latch admits it."""
        now, position, latch = time.monotonic_ns(), position_of(data), self.latch
        if not latch.admits(source, position, now):
            self.foreign += 1
        elif self._take(data, now):
            before = latch.state, latch.source
            latch.take(source, position, now)
            if before != (latch.state, latch.source):
                self._on_source(source)

    def _on_source(self, source: SocketAddress) -> None:
        if self._remote and not self._remote.rtcp:
            self._rtcp_target = rtcp_address(source)
        self._follow_latch()

    def _drain(self, latched: SocketAddress) -> None:
        """Read what was queued before the socket was connected."""
        for _ in range(MAX_DRAINED):
            try:
                size, source = self._pair.rtp.recvfrom_into(BUFFER)
            except OSError:
                return
            if source == latched:
                self._take(VIEW[:size], time.monotonic_ns())
            else:
                self.foreign += 1

    def _read_rtcp(self) -> None:
        try:
            size, source = self._pair.rtcp.recvfrom_into(BUFFER)
        except OSError:
            return
        if not self.latch.admits_rtcp(source):
            self.foreign += 1
        elif self._take_rtcp(VIEW[:size], time.monotonic_ns()) and self._remote and not self._remote.rtcp:
            self._rtcp_target = source

    def is_silent(self, received_at: int, now: int) -> bool:
        """Return True if the latched source is silent, given the time of its last packet that was read."""
        if self.latch.state is not LatchState.LATCHED:
            return False
        if self._is_filtered:
            self._count_drops(now)
        return now - max(received_at, self.dropped_at) >= SILENCE

    def fall_silent(self, position: Position | None) -> None:
        """Let the latched source be replaced, given the position of its last packet."""
        self.latch.fall_silent(position)
        self._follow_latch()

    # Kernel filter

    def set_audio_wanted(self, is_wanted: bool) -> None:
        """Set if audio has a listener. Without one only telephone-events and RTCP are received."""
        self._wants_audio = is_wanted
        if self._is_connected:
            self._filter(not is_wanted)

    def _filter(self, is_filtered: bool) -> None:
        if is_filtered and self._remote:
            self._is_filtered = socket_filter.attach(self._pair.rtp, self._remote.events_in)
        elif self._is_filtered:
            self._count_drops(time.monotonic_ns())
            socket_filter.detach(self._pair.rtp)
            self._is_filtered = False

    def take_drops(self) -> int:
        """Return how many packets the filter dropped since the last call."""
        if self._is_filtered:
            self._count_drops(time.monotonic_ns())
        count, self._new_drops = self._new_drops, 0
        return count

    def _count_drops(self, now: int) -> None:
        total = socket_filter.dropped(self._pair.rtp)
        if total != self._dropped:
            self._new_drops += total - self._dropped & 0xFFFFFFFF
            self._dropped, self.dropped_at = total, now

    def close(self) -> None:
        """Stop sending and reading, and release the ports."""
        self._take = self._take_rtcp = reject
        self._poller.remove(self._pair.rtp.fileno())
        self._poller.remove(self._pair.rtcp.fileno())
        self._pair.close()


def position_of(data: memoryview) -> Position | None:
    """Return the position of an RTP packet; None for RTCP and anything else."""
    packet = None if rtp.is_rtcp(data) else rtp.read(data)
    return Position(packet.ssrc, packet.sequence) if packet else None


def reject(_data: memoryview, _now: int) -> bool:
    """Take nothing: the socket is closed."""
    return False


def rtcp_address(source: SocketAddress) -> SocketAddress:
    """Return the RTCP address of an RTP address: the next port."""
    host, port = source[:2]
    return (host, port + 1, source[2], source[3]) if len(source) == 4 else (host, port + 1)


def disconnect(sock: socket.socket) -> None:
    """Accept packets from any source again: connect(2) with AF_UNSPEC, which Python's connect cannot do."""
    unspecified = bytes(16)
    if sys.platform == "darwin":
        unspecified = b"\x10" + bytes(15)  # BSD puts the length first
    ctypes.CDLL(None).connect(sock.fileno(), unspecified, len(unspecified))
