"""DTMF digits as telephone-events (RFC 4733), and the choice between several methods of receiving digits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum, unique
from struct import Struct
from typing import NamedTuple

from openivr.media.rtp.packet import Packet

DIGITS = "0123456789*#ABCD"  # by event code (RFC 4733, 3.2)
PAYLOAD = Struct("!BBH")  # event; end bit, reserved bit and volume; duration
END = 0x80
VOLUME = 10  # dB below full scale, as most phones send
MAX_DURATION = 0xFFFF  # a longer event continues in a further segment (RFC 4733, 2.5.1.3)
REMEMBERED_PRESSES = 16  # whose late packets are recognised
PACKET = 160  # samples, 20 ms; a pause between two presses is at least twice as long (ITU-T Q.24)
SLACK = 10  # samples a packet by which clocks of senders may differ
FULL_SEGMENT = 0xF000  # a segment at least this long may be followed by another one
END_PACKETS = 3  # copies of the last packet (RFC 4733, 2.5.1.4)


@unique
class DtmfMethod(StrEnum):
    """Method by which a digit was received, the most reliable first."""

    EVENT = "rfc4733"
    INFO = "info"
    TONE = "inband"


class EventPacket(NamedTuple):
    """The fields of a telephone-event packet that distinguish presses."""

    sequence: int
    timestamp: int
    marker: bool
    is_end: bool
    duration: int


@dataclass(slots=True)
class KeyPress:
    """One press of a key: the first and the last of its packets, in the order of sequence numbers."""

    number: int
    ssrc: int
    event: int
    first: EventPacket
    last: EventPacket

    def distance(self, sequence: int) -> int:
        """Return how far a sequence number is after the press; negative: before it, 0: within it."""
        after = sequence - self.last.sequence & 0xFFFF
        if after < 0x8000:
            return after
        before = self.first.sequence - sequence & 0xFFFF
        return -before if before < 0x8000 else 0

    def covers(self, packet: EventPacket) -> bool:
        """Return True if a packet within the press belongs to it."""
        # A sender that does not count its packets can be understood by their timestamps alone.
        return packet.sequence != self.last.sequence or continues(self.last, packet)

    def extend(self, packet: EventPacket) -> bool:
        """Return True, and extend the press, if the next packet before or after it belongs to it."""
        if self.distance(packet.sequence) > 0:
            if is_continued := continues(self.last, packet):
                self.last = packet
        elif is_continued := continues(packet, self.first):
            self.first = packet
        return is_continued


def continues(earlier: EventPacket, later: EventPacket) -> bool:
    """Return True if two packets of one source and event code belong to one press of the key.

    The packets are in the order of their sequence numbers. docs/media.md states the rule.
    """
    step = (later.timestamp - earlier.timestamp + 0x80000000 & 0xFFFFFFFF) - 0x80000000
    growth = later.duration - earlier.duration
    if step == 0:
        if earlier.is_end and not later.is_end:
            return False
        return growth >= 0 or is_full(earlier.duration)
    if is_own_timestamp(earlier, later, step, growth):
        return True
    if later.marker:
        return False
    return is_next_segment(earlier, later, step) or is_end_copy(earlier, later, step, growth)


def is_full(samples: int) -> bool:
    """Return True if a segment this long is followed by another one."""
    return FULL_SEGMENT <= samples <= MAX_DURATION


def is_next_segment(earlier: EventPacket, later: EventPacket, step: int) -> bool:
    """Return True if `later` is of the next segment of a long press (RFC 4733, 2.5.1.3)."""
    is_adjacent = abs(step - earlier.duration) <= PACKET
    if later.is_end and earlier.is_end:
        return False
    if earlier.is_end:
        return is_adjacent and is_full(earlier.duration)
    return is_adjacent or is_full(step)


def is_end_copy(earlier: EventPacket, later: EventPacket, step: int, growth: int) -> bool:
    """Return True if `later` is an end packet that was given a new timestamp."""
    if not later.is_end or growth < 0 or step > later.duration + END_PACKETS * PACKET:
        return False
    distance = later.sequence - earlier.sequence & 0xFFFF
    if earlier.is_end:
        return growth == 0 and distance < END_PACKETS
    return distance <= growth // PACKET + END_PACKETS


def is_own_timestamp(earlier: EventPacket, later: EventPacket, step: int, growth: int) -> bool:
    """Return True if each packet of a press has its own timestamp, which grows as its duration does."""
    distance = later.sequence - earlier.sequence & 0xFFFF
    is_steady = growth > 0 and abs(step - growth) <= PACKET and step >= distance * (PACKET - SLACK)
    return is_steady and not earlier.is_end and later.marker <= earlier.marker


class DtmfReader:
    """Reads digits from telephone-events. A digit is reported at the first packet of its press that arrives.

    Neither the first nor the end packet is needed; packets may be lost, duplicated and reordered.
    """

    __slots__ = ("_count", "_presses", "press")

    def __init__(self) -> None:
        self._presses: tuple[KeyPress, ...] = ()  # newest first
        self._count = 0
        self.press = 0
        """Number of the press that the last packet belongs to; 0 for none."""

    def read(self, packet: Packet) -> str | None:
        """Return the digit if this is the first packet of its press, or None."""
        self.press = 0
        if len(packet.payload) < PAYLOAD.size:
            return None
        event, flags, duration = PAYLOAD.unpack_from(packet.payload)
        if event >= len(DIGITS):
            return None
        fields = EventPacket(packet.sequence, packet.timestamp, packet.marker, flags & END != 0, duration)
        press = self._find(packet.ssrc, event, fields)
        if press is not None:
            self.press = press.number
            return None
        self._count = self.press = self._count + 1
        press = KeyPress(self._count, packet.ssrc, event, fields, fields)
        self._presses = (press, *self._presses[: REMEMBERED_PRESSES - 1])
        return DIGITS[event]

    def _find(self, ssrc: int, event: int, packet: EventPacket) -> KeyPress | None:
        """Find the press of a packet: one that covers its sequence number, or one next to it."""
        neighbours: dict[bool, tuple[int, KeyPress]] = {}
        for press in self._presses:
            if press.ssrc != ssrc:
                continue
            distance = press.distance(packet.sequence)
            if distance == 0:
                if press.event == event and press.covers(packet):
                    return press
                continue
            nearest = neighbours.get(distance > 0)
            if nearest is None or abs(distance) < nearest[0]:
                neighbours[distance > 0] = abs(distance), press
        for _, press in neighbours.values():
            if press.event == event and press.extend(packet):
                return press
        return None


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
