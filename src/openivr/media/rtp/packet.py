"""RTP packets (RFC 3550, 5.1): read without ever failing, written by one `pack`."""

from struct import Struct
from typing import NamedTuple

HEADER = Struct("!BBHII")
VERSION = 0x80
MARKER = 0x80
LARGEST = 2048  # bytes of a packet that is read whole; G.711 of 20 ms makes 172

pack = HEADER.pack


class Packet(NamedTuple):
    """What matters of a packet. The payload may be a view of the buffer that was read into."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes | memoryview


def read(data: bytes | memoryview) -> Packet | None:
    """A packet, or None for anything that is none."""
    size = len(data)
    if size < HEADER.size:
        return None
    first, second, sequence, timestamp, ssrc = HEADER.unpack_from(data)
    start, end = HEADER.size, size
    if first != VERSION:
        if first >> 6 != 2:
            return None
        start += 4 * (first & 0x0F)
        if first & 0x10:
            if size < start + 4:
                return None
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4], "big")
        if first & 0x20:
            padding = data[-1]
            if not padding:
                return None
            end -= padding
        if start > end:
            return None
    return Packet(second & 0x7F, second >= MARKER, sequence, timestamp, ssrc, data[start:end])


def is_rtcp(data: bytes | memoryview) -> bool:
    """Whether a packet on a shared port is RTCP: RFC 5761, 4."""
    return len(data) >= 2 and 64 <= data[1] & 0x7F < 96


def before(first: int, second: int, bits: int) -> bool:
    """Whether one counter value comes before another, across the wrap."""
    return 0 < (second - first) & ((1 << bits) - 1) < 1 << (bits - 1)
