"""The two sockets of a leg: where its RTP goes, and from whom it is taken."""

import ctypes
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from openivr.media.poller import Poller
from openivr.media.rtp import packet as rtp
from openivr.media.rtp import socket_filter
from openivr.media.rtp.latch import Latch, is_unspecified
from openivr.media.rtp.ports import PortPair, Source
from openivr.media.rtp.remote import RemoteMedia
from openivr.media.stream.sender import RtpSender, discard

DRAINED = 256  # packets read away at most when a source has been found
BUFFER = bytearray(rtp.LARGEST)  # every packet is read into it, and done with before the next
VIEW = memoryview(BUFFER)

Take = Callable[[memoryview, int], bool]


class RtpSocket:
    """Hands what comes from the right source to `take`, which says whether it was RTP of a kind agreed on.

    Until then everybody within the latch may speak. The first who does is held to: the socket is connected,
    so that the kernel keeps strangers out, and if nobody `wants_audio`, its filter keeps audio out as well.
    """

    def __init__(
        self, poller: Poller, pair: PortPair, stream: RtpSender, take: Take, take_control: Take
    ) -> None:
        self.source: Source | None = None  # of RTP, once heard
        self.strangers = 0  # packets that were not taken
        self._poller, self._pair, self._stream = poller, pair, stream
        self._take, self._take_control = take, take_control
        self._latch = Latch(frozenset(), None)
        self._control_target: Source | None = None
        self._remote: RemoteMedia | None = None
        self._wants_audio = self._is_filtered = False
        self._dropped = 0  # by the kernel, when last counted
        self._fresh = 0  # of those, what was not asked for yet
        poller.add(pair.rtp.fileno(), self._read)
        poller.add(pair.rtcp.fileno(), self._read_control)

    def aim(self, remote: RemoteMedia) -> None:
        """Send as was agreed on, and let the source change, once."""
        self._remote, before = remote, self._latch
        self._latch = Latch.of(remote)
        target = self.source if self.source and self._latch == before else self._latch.target
        self._filter(False)
        if self.source:
            disconnect(self._pair.rtp)
            self.source = None
        self._control_target = remote.rtcp or (target and beside(target))
        self._send_to(target)

    def _send_to(self, target: Source | None) -> None:
        sock = self._pair.rtp
        if target is None or not (self._remote and self._remote.hears):
            self._stream.send = discard
        elif self.source:
            self._stream.send = sock.send
        else:
            self._stream.send = lambda packet: sock.sendto(packet, target)

    def send_control(self, packet: bytes) -> None:
        """Send RTCP, to the RTP port if that was agreed on."""
        if self._remote is None or is_unspecified(self._remote.host):
            return
        sock, target = self._pair.rtcp, self._control_target
        if self._remote.mux:
            sock, target = self._pair.rtp, self.source or self._latch.target
        with suppress(OSError):  # nobody listens there: the next report may reach somebody
            if target:
                sock.sendto(packet, target)

    # Reading

    def _read(self) -> None:
        try:
            if self.source:
                self._take(VIEW[: self._pair.rtp.recv_into(BUFFER)], time.monotonic_ns())
            else:
                size, source = self._pair.rtp.recvfrom_into(BUFFER)
                self._listen(VIEW[:size], source)
        except OSError:  # nothing there after all, or news of a packet that could not be delivered
            return

    def _listen(self, data: memoryview, source: Source) -> None:
        """Take a packet while no source is held to."""
        if not self._latch.allows(source[0]):
            self.strangers += 1
        elif self._take(data, time.monotonic_ns()):
            self._hold_to(source)

    def _hold_to(self, source: Source) -> None:
        try:
            self._pair.rtp.connect(source)
        except OSError:  # no route to there
            return
        self.source = source
        self._send_to(source)
        if self._remote and not self._remote.rtcp:
            self._control_target = beside(source)
        self._drain(source)
        self._filter(not self._wants_audio)

    def _drain(self, held: Source) -> None:
        """Read what others had sent before the kernel kept them out."""
        for _ in range(DRAINED):
            try:
                size, source = self._pair.rtp.recvfrom_into(BUFFER)
            except OSError:
                return
            if source == held:
                self._take(VIEW[:size], time.monotonic_ns())
            else:
                self.strangers += 1

    def _read_control(self) -> None:
        try:
            size, source = self._pair.rtcp.recvfrom_into(BUFFER)
        except OSError:
            return
        if not self._latch.allows(source[0]):
            self.strangers += 1
        elif self._take_control(VIEW[:size], time.monotonic_ns()) and self._remote and not self._remote.rtcp:
            self._control_target = source

    # The filter in the kernel

    def want_audio(self, is_wanted: bool) -> None:
        """Say whether audio is listened to. If not, telephone-events and RTCP still come through."""
        self._wants_audio = is_wanted
        if self.source:
            self._filter(not is_wanted)

    def _filter(self, is_filtered: bool) -> None:
        if is_filtered and self._remote:
            self._is_filtered = socket_filter.attach(self._pair.rtp, self._remote.events_in)
        elif self._is_filtered:
            self._count_dropped()
            socket_filter.detach(self._pair.rtp)
            self._is_filtered = False

    def dropped(self) -> int:
        """How many packets the filter kept from us since this was asked last."""
        if self._is_filtered:
            self._count_dropped()
        fresh, self._fresh = self._fresh, 0
        return fresh

    def _count_dropped(self) -> None:
        now = socket_filter.dropped(self._pair.rtp)
        self._fresh += now - self._dropped & 0xFFFFFFFF
        self._dropped = now

    def close(self) -> None:
        """Send and read no more, and give the ports back."""
        self._take = self._take_control = leave
        self._poller.remove(self._pair.rtp.fileno())
        self._poller.remove(self._pair.rtcp.fileno())
        self._pair.close()


def leave(_data: memoryview, _now: int) -> bool:
    """Take nothing: the line is closed."""
    return False


def beside(source: Source) -> Source:
    """The port for RTCP of one for RTP."""
    host, port = source[:2]
    return (host, port + 1, source[2], source[3]) if len(source) == 4 else (host, port + 1)


def disconnect(sock: socket.socket) -> None:
    """Take packets from anybody again: connect(2) with AF_UNSPEC, which Python's own cannot do."""
    unspecified = bytes(16)
    if sys.platform == "darwin":
        unspecified = b"\x10" + bytes(15)  # BSD has the length in front
    ctypes.CDLL(None).connect(sock.fileno(), unspecified, len(unspecified))
