"""RTP packets (RFC 3550, 5.1). Reading never raises; writing is one `pack` call."""

from struct import Struct
from typing import NamedTuple

HEADER = Struct("!BBHII")
VERSION = 0x80
MARKER = 0x80
MAX_SIZE = 2048  # bytes of a datagram that are read; 20 ms of G.711 make 172

pack = HEADER.pack


class Packet(NamedTuple):
    """The header fields in use, and the payload, which may be a view of the receive buffer."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes | memoryview


def read(data: bytes | memoryview) -> Packet | None:
    """Read a packet; None if the datagram is not valid RTP."""
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
    """Return True if a datagram on a shared port is RTCP (RFC 5761, 4)."""
    return len(data) >= 2 and 64 <= data[1] & 0x7F < 96


def is_before(first: int, second: int, bits: int) -> bool:
    """Return True if counter value `first` precedes `second`, across the wrap."""
    return 0 < (second - first) & ((1 << bits) - 1) < 1 << (bits - 1)
