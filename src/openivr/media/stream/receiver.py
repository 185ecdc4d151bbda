"""RTP receiver: statistics, DTMF events, and audio for its listeners. No sockets, no clock."""

from collections.abc import Callable

from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import DtmfReader
from openivr.media.rtp.packet import Packet
from openivr.media.rtp.receive_stats import ReceiveStats

LAWS: dict[int, Law] = {law.value: law for law in Law}

Listener = Callable[[Packet, Law], None]
OnEvent = Callable[[Packet, str | None], None]  # a telephone-event packet, with its digit if it begins one


class RtpReceiver:
    """Takes the packets of one source, in the order of arrival."""

    __slots__ = ("_dtmf", "_ignored", "_on_event", "events", "listeners", "on_digit", "received_at", "stats")

    def __init__(self, on_digit: Callable[[str], None]) -> None:
        self.on_digit = on_digit
        self._dtmf = DtmfReader()
        self.events: int | None = None
        self.stats = ReceiveStats()
        self.received_at = 0  # ns, last packet
        self.listeners: list[Listener] = []  # of audio
        self._on_event: OnEvent | None = None
        self._ignored = 0  # number of the key press that is not forwarded

    def forward_events(self, on_event: OnEvent | None) -> None:
        """Call this with every telephone-event packet from now on, or nothing if it is None.

        The rest of a press that has begun is not forwarded: the digit was meant for the menu.
        """
        self._on_event, self._ignored = on_event, self._dtmf.press

    def take(self, packet: Packet, now: int) -> bool:
        """Take a packet that arrived at `now`, in ns. Return False if its payload type was not negotiated."""
        law = LAWS.get(packet.payload_type)
        if law is None and packet.payload_type != self.events:
            return False
        self.received_at = now
        self.stats.count(packet.ssrc, packet.sequence, packet.timestamp, now)
        if law is not None:
            for listener in self.listeners:
                listener(packet, law)
            return True
        digit = self._dtmf.read(packet)
        if self._on_event and self._dtmf.press != self._ignored:
            self._on_event(packet, digit)
        if digit:
            self.on_digit(digit)
        return True
