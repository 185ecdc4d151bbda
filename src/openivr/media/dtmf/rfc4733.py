"""DTMF digits as telephone-events (RFC 4733), and the choice between several methods of receiving digits."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum, unique
from struct import Struct

from openivr.media.rtp.packet import Packet

DIGITS = "0123456789*#ABCD"  # by event code (RFC 4733, 3.2)
PAYLOAD = Struct("!BBH")  # event; end bit, reserved bit and volume; duration
END = 0x80
VOLUME = 10  # dB below full scale, as most phones send
MAX_DURATION = 0xFFFF  # a longer event continues in a further segment (RFC 4733, 2.5.1.3)
REMEMBERED_EVENTS = 16  # whose late packets are recognised
END_PACKETS = 3  # copies of the last packet (RFC 4733, 2.5.1.4)


@unique
class DtmfMethod(StrEnum):
    """Method by which a digit was received, the most reliable first."""

    EVENT = "rfc4733"
    INFO = "info"
    TONE = "inband"


class DtmfReader:
    """Reads digits from telephone-events: one for each RTP timestamp of a source, at its first packet.

    It needs neither the first nor the end packet of an event, and takes them in any order and number.
    """

    __slots__ = ("_last", "_recent")

    def __init__(self) -> None:
        self._recent: deque[tuple[int, int]] = deque(maxlen=REMEMBERED_EVENTS)
        self._last = -1  # the event in progress, until its end was seen

    def read(self, packet: Packet) -> str | None:
        """Return the digit that this packet is the first of, or None."""
        if len(packet.payload) < PAYLOAD.size:
            return None
        event, flags, _duration = PAYLOAD.unpack_from(packet.payload)
        if event >= len(DIGITS):
            return None
        name = (packet.ssrc, packet.timestamp)
        is_known = name in self._recent
        goes_on = not packet.marker and event == self._last and self._follows(*name)
        self._last = -1 if flags & END else event
        if is_known:
            return None
        self._recent.append(name)
        return None if goes_on else DIGITS[event]

    @property
    def last(self) -> tuple[int, int] | None:
        """The last event, by SSRC and RTP timestamp."""
        return self._recent[-1] if self._recent else None

    def _follows(self, ssrc: int, timestamp: int) -> bool:
        """Return True if this timestamp begins the next segment of a long event."""
        if not self._recent or self._recent[-1][0] != ssrc:
            return False
        return (timestamp - self._recent[-1][1]) & 0xFFFFFFFF == MAX_DURATION


def event_payloads(digit: str, packets: int, step: int) -> Iterator[bytes]:
    """Yield the payloads of a digit: `packets` that are `step` samples apart, then the end packets."""
    event = DIGITS.index(digit)
    for number in range(1, packets + 1):
        yield PAYLOAD.pack(event, VOLUME, min(number * step, MAX_DURATION))
    for _ in range(END_PACKETS):
        yield PAYLOAD.pack(event, END | VOLUME, min(packets * step, MAX_DURATION))


@dataclass(slots=True)
class DtmfSelector:
    """Selects one method where a phone uses several: the first one received, until a more reliable one.

    When a more reliable method takes over, the digit that both carried counts once.
    """

    method: DtmfMethod | None = field(default=None, init=False)
    _digit: str = field(default="", init=False)
    _time: float = field(default=0.0, init=False)

    def accepts(self, digit: str, method: DtmfMethod, now: float) -> bool:
        """Return True if a digit received by this method at `now`, in seconds, counts."""
        order = list(DtmfMethod)
        if self.method is not None and order.index(method) > order.index(self.method):
            return False
        is_repeat = method is not self.method and digit == self._digit and now - self._time < 1.0
        self.method, self._digit, self._time = method, digit, now
        return not is_repeat
