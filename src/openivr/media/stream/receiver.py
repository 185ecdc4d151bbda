"""What one side of a call sends us: keys, and audio for those that want it. No sockets, no clock."""

from collections.abc import Callable

from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import DtmfReader
from openivr.media.rtp.packet import Packet
from openivr.media.rtp.receive_stats import ReceiveStats

LAWS: dict[int, Law] = {law.value: law for law in Law}

Listener = Callable[[Packet, Law], None]
OnEvent = Callable[[Packet, str | None], None]  # every telephone-event, and the key if it is the first of one


class RtpReceiver:
    """Takes the packets of one source, in the order in which they come."""

    __slots__ = ("_before", "_keys", "_on_event", "events", "heard_at", "listeners", "on_key", "reception")

    def __init__(self, on_key: Callable[[str], None]) -> None:
        self.on_key = on_key
        self._keys = DtmfReader()
        self.events: int | None = None
        self.reception = ReceiveStats()
        self.heard_at = 0  # ns
        self.listeners: list[Listener] = []  # hear the audio
        self._on_event: OnEvent | None = None
        self._before: tuple[int, int] | None = None  # the last key that was not passed on, by source and time

    def pass_on(self, on_event: OnEvent | None) -> None:
        """Tell this of every telephone-event from now on, or of none.

        What is left of the key that is under way is not told: whoever pressed it meant it for somebody else.
        """
        self._on_event, self._before = on_event, self._keys.last

    def take(self, packet: Packet, now: int) -> bool:
        """Take a packet at this time, in nanoseconds; False if it is of no kind that was agreed on."""
        law = LAWS.get(packet.payload_type)
        if law is None and packet.payload_type != self.events:
            return False
        self.heard_at = now
        self.reception.hear(packet.ssrc, packet.sequence, packet.timestamp, now)
        if law is not None:
            for listener in self.listeners:
                listener(packet, law)
            return True
        key = self._keys.read(packet)
        if self._on_event and (packet.ssrc, packet.timestamp) != self._before:
            self._on_event(packet, key)
        if key:
            self.on_key(key)
        return True
