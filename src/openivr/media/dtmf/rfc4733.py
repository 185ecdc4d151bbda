"""Keys as telephone-events: RFC 4733, read and written. And which of several ways to hear a key counts."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum, unique
from struct import Struct

from openivr.media.rtp.packet import Packet

KEYS = "0123456789*#ABCD"  # by their event code, RFC 4733, 3.2
PAYLOAD = Struct("!BBH")  # event; end bit, reserved bit and volume; duration
END = 0x80
VOLUME = 10  # dB below full scale, what most phones send
LONGEST = 0xFFFF  # a longer event goes on as a further one (RFC 4733, 2.5.1.3)
REMEMBERED = 16  # events whose late packets are still known for what they are
ENDS = 3  # times that the last packet is sent (RFC 4733, 2.5.1.4)


@unique
class DtmfMethod(StrEnum):
    """How a key was heard, the most reliable first."""

    EVENT = "rfc4733"
    INFO = "info"
    TONE = "inband"


class DtmfReader:
    """Finds the keys in a stream of telephone-events: one for each RTP timestamp of a source,
    at its first packet.

    It needs neither the first nor the end packet of an event, and takes them in any order and number.
    """

    __slots__ = ("_last", "_recent")

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        self._last = -1  # the event under way, until its end was seen

    def read(self, packet: Packet) -> str | None:
        """The key that this packet is the first to tell of, if any."""
        if len(packet.payload) < PAYLOAD.size:
            return None
        event, flags, _duration = PAYLOAD.unpack_from(packet.payload)
        if event >= len(KEYS):
            return None
        name = (packet.ssrc, packet.timestamp)
        is_known = name in self._recent
        goes_on = not packet.marker and event == self._last and self._follows(*name)
        self._last = -1 if flags & END else event
        if is_known:
            return None
        self._recent.append(name)
        return None if goes_on else KEYS[event]

    @property
    def last(self) -> tuple[int, int] | None:
        """The last key, by its source and RTP timestamp."""
        return self._recent[-1] if self._recent else None

    def _follows(self, ssrc: int, timestamp: int) -> bool:
        """Whether this is where the next part of an event too long for one begins."""
        if not self._recent or self._recent[-1][0] != ssrc:
            return False
        return (timestamp - self._recent[-1][1]) & 0xFFFFFFFF == LONGEST


def event_payloads(key: str, packets: int, step: int) -> Iterator[bytes]:
    """What is sent for a key, packet by packet, each `step` samples after the one before; then the ends."""
    event = KEYS.index(key)
    for number in range(1, packets + 1):
        yield PAYLOAD.pack(event, VOLUME, min(number * step, LONGEST))
    for _ in range(ENDS):
        yield PAYLOAD.pack(event, END | VOLUME, min(packets * step, LONGEST))


@dataclass(slots=True)
class DtmfSelector:
    """Picks one way of hearing keys where a phone uses several: the first heard, until a more reliable one.

    When a more reliable way takes over, the key that both told of counts once.
    """

    kind: DtmfMethod | None = field(default=None, init=False)
    _key: str = field(default="", init=False)
    _time: float = field(default=0.0, init=False)

    def takes(self, key: str, kind: DtmfMethod, now: float) -> bool:
        """Whether a key heard this way at this time, in seconds, counts."""
        order = list(DtmfMethod)
        if self.kind is not None and order.index(kind) > order.index(self.kind):
            return False
        is_repeat = kind is not self.kind and key == self._key and now - self._time < 1.0
        self.kind, self._key, self._time = kind, key, now
        return not is_repeat
