"""RTP receiver: statistics, DTMF events, and audio for its listeners. No sockets, no clock."""

from collections.abc import Callable

from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import DtmfReader
from openivr.media.rtp.packet import Packet
from openivr.media.rtp.receive_stats import ReceiveStats

LAWS: dict[int, Law] = {law.value: law for law in Law}
NOISE = 13  # static payload type of comfort noise (RFC 3389), which phones also use without an agreement

Listener = Callable[[Packet, Law], None]
NoiseListener = Callable[[Packet], None]
OnEvent = Callable[[Packet, str | None], None]  # a telephone-event packet, with its digit if it begins one


class RtpReceiver:
    """Takes the packets of one source, in the order of arrival."""

    __slots__ = (
        "_dtmf", "_ignored", "_laws", "_noises", "_on_event", "events", "listeners", "noise_listeners",
        "on_digit", "received_at", "stats",
    )  # fmt: skip

    def __init__(self, on_digit: Callable[[str], None]) -> None:
        self.on_digit = on_digit
        self._dtmf = DtmfReader()
        self._laws = LAWS
        self._noises = frozenset([NOISE])
        self.events: int | None = None
        self.stats = ReceiveStats()
        self.received_at = 0  # ns, last packet
        self.listeners: list[Listener] = []  # of audio
        self.noise_listeners: list[NoiseListener] = []
        self._on_event: OnEvent | None = None
        self._ignored = 0  # number of the key press that is not forwarded

    def set_payload_types(self, law: Law, audio: int | None, events: int | None, noise: int | None) -> None:
        """Set the negotiated payload types. Those of RFC 3551 for G.711 and comfort noise count as well."""
        laws = LAWS if audio is None else LAWS | {audio: law}
        self._laws = {number: law for number, law in laws.items() if number != events}
        self.events = events
        self._noises = frozenset([NOISE] if noise is None else [NOISE, noise])

    def forward_events(self, on_event: OnEvent | None) -> None:
        """Call this with every telephone-event packet from now on, or nothing if it is None.

        The rest of a press that has begun is not forwarded: the digit was meant for the menu.
        """
        self._on_event, self._ignored = on_event, self._dtmf.press

    def take(self, packet: Packet, now: int) -> bool:
        """Take a packet that arrived at `now`, in ns. Return False if its payload type was not negotiated.

        Such a packet is counted all the same, and shows that the peer is alive.
        """
        self.received_at = now
        self.stats.count(packet.ssrc, packet.sequence, packet.timestamp, now)
        law = self._laws.get(packet.payload_type)
        if law is not None:
            for listener in self.listeners:
                listener(packet, law)
        elif packet.payload_type == self.events:
            self._take_event(packet)
        elif packet.payload_type in self._noises:
            for noise_listener in self.noise_listeners:
                noise_listener(packet)
        else:
            return False
        return True

    def _take_event(self, packet: Packet) -> None:
        digit = self._dtmf.read(packet)
        if self._on_event and self._dtmf.press != self._ignored:
            self._on_event(packet, digit)
        if digit:
            self.on_digit(digit)
