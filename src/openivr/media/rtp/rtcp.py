"""RTCP packets: sender and receiver reports, SDES and BYE (RFC 3550, 6). Bytes to values and back."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

SENDER_REPORT, RECEIVER_REPORT, SDES, BYE = 200, 201, 202, 203
CNAME = 1
HEADER = Struct("!BBH")
SENDER_INFO = Struct("!QIII")  # NTP time, RTP timestamp, packets, octets
REPORT_BLOCK = Struct("!IIIIII")
NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
INTERVAL = 5.0  # seconds, RFC 3550, 6.2


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """Reception report about one source (RFC 3550, 6.4.1)."""

    ssrc: int
    fraction_lost: int  # since the previous report, in 256ths
    lost: int  # in total
    highest: int  # extended sequence number
    jitter: int  # samples
    last_sr: int  # middle 32 bits of the NTP time in the last sender report; 0: none was received
    delay: int  # since that sender report arrived, in 65536ths of a second


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """Sender information of a sender report (RFC 3550, 6.4.1)."""

    ntp: int  # 64 bits
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class RtcpReport:
    """One sender or receiver report, or BYE, of a compound packet."""

    ssrc: int
    sender_info: SenderInfo | None = None
    blocks: tuple[ReportBlock, ...] = ()
    is_bye: bool = False


def ntp_time(unix_ns: int) -> int:
    """Convert Unix nanoseconds to an NTP timestamp: 32 bits of seconds and 32 of their fraction."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    return (seconds + NTP_EPOCH & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def middle(ntp: int) -> int:
    """Return the middle 32 bits of an NTP timestamp, by which reports refer to each other."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip(block: ReportBlock, now: int) -> float | None:
    """Return the round trip time in seconds, from a block on the local source received at `now` (NTP)."""
    if not block.last_sr:
        return None
    elapsed = (middle(now) - block.last_sr - block.delay) & 0xFFFFFFFF
    return elapsed / 65536 if elapsed < 60 << 16 else None  # a larger value comes from a clock that was set


def next_interval() -> float:
    """Return seconds until the next report: 5 on average, spread over the calls (RFC 3550, 6.3.1)."""
    return INTERVAL * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def write(
    ssrc: int, cname: str, sender_info: SenderInfo | None, block: ReportBlock | None, *, is_bye: bool = False
) -> bytes:
    """Write a compound packet: a report, SDES with CNAME, and BYE if it is the last one."""
    body = ssrc.to_bytes(4, "big")
    if sender_info:
        octets, packets = sender_info.octets & 0xFFFFFFFF, sender_info.packets & 0xFFFFFFFF
        body += SENDER_INFO.pack(sender_info.ntp, sender_info.timestamp, packets, octets)
    if block:
        lost = min(block.lost, 0x7FFFFF)
        rest = (block.highest, block.jitter, block.last_sr, block.delay)
        body += REPORT_BLOCK.pack(block.ssrc, block.fraction_lost << 24 | lost, *rest)
    name = cname.encode()
    item = ssrc.to_bytes(4, "big") + bytes([CNAME, len(name)]) + name + b"\0"
    report = SENDER_REPORT if sender_info else RECEIVER_REPORT
    packet = write_part(report, 1 if block else 0, body) + write_part(SDES, 1, item)
    return packet + write_part(BYE, 1, ssrc.to_bytes(4, "big")) if is_bye else packet


def write_part(packet_type: int, count: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return HEADER.pack(0x80 | count, packet_type, len(body) // 4) + body


def read(data: bytes | memoryview) -> list[RtcpReport]:
    """Read the complete reports of a compound packet. The list is empty if the datagram is not RTCP."""
    return list(parse(bytes(data)))


def parse(data: bytes) -> Iterator[RtcpReport]:
    while len(data) >= HEADER.size:
        first, packet_type, words = HEADER.unpack_from(data)
        if first >> 6 != 2:
            return
        body, data = data[4 : 4 + 4 * words], data[4 + 4 * words :]
        if len(body) < 4 * words or len(body) < 4:
            return
        ssrc, body = int.from_bytes(body[:4], "big"), body[4:]
        sender_info = None
        if packet_type == SENDER_REPORT:
            if len(body) < SENDER_INFO.size:
                return
            sender_info = SenderInfo(*SENDER_INFO.unpack_from(body))
            body = body[SENDER_INFO.size :]
        if packet_type in (SENDER_REPORT, RECEIVER_REPORT):
            yield RtcpReport(ssrc, sender_info, tuple(parse_blocks(body, first & 0x1F)))
        elif packet_type == BYE and first & 0x1F:
            yield RtcpReport(ssrc, is_bye=True)


def parse_blocks(body: bytes, count: int) -> Iterator[ReportBlock]:
    for number in range(min(count, len(body) // REPORT_BLOCK.size)):
        ssrc, loss, *rest = REPORT_BLOCK.unpack_from(body, number * REPORT_BLOCK.size)
        lost = loss & 0xFFFFFF
        yield ReportBlock(ssrc, loss >> 24, lost - (lost >> 23 << 24), *rest)
