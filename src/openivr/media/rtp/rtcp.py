"""RTCP: sender and receiver reports with SDES, and BYE (RFC 3550, 6). Bytes in, values out, and back."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

SENDER, RECEIVER, DESCRIPTION, BYE = 200, 201, 202, 203
CNAME = 1
HEAD = Struct("!BBH")
INFO = Struct("!QIII")  # NTP time, RTP time, packets, bytes
BLOCK = Struct("!IIIIII")
EPOCH = 2_208_988_800  # seconds from 1900 to 1970
INTERVAL = 5.0  # seconds, RFC 3550, 6.2


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What one side says about hearing another: RFC 3550, 6.4.1."""

    ssrc: int
    share: int  # of packets lost since the report before, in 256ths
    lost: int  # in all
    highest: int  # sequence number, extended
    jitter: int  # samples
    heard_of: int  # the middle of the NTP time in the last sender report from there; 0: none came
    delay: int  # since that report came, in 65536ths of a second


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """What a sender says about itself."""

    ntp: int  # 64 bits
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class RtcpReport:
    """One report out of a compound packet, or a BYE."""

    ssrc: int
    sent: SenderInfo | None = None
    blocks: tuple[ReportBlock, ...] = ()
    is_bye: bool = False


def ntp_time(unix_ns: int) -> int:
    """The time of day as NTP writes it, 32 bits of seconds and 32 of their fraction."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    return (seconds + EPOCH & 0xFFFFFFFF) << 32 | (rest << 32) // 1_000_000_000


def middle(ntp: int) -> int:
    """The 32 bits of it that reports refer to each other by."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip(block: ReportBlock, now: int) -> float | None:
    """Seconds from us to the other side and back, from a block about us that came at this NTP time."""
    if not block.heard_of:
        return None
    elapsed = (middle(now) - block.heard_of - block.delay) & 0xFFFFFFFF
    return elapsed / 65536 if elapsed < 60 << 16 else None  # more is a clock that was set


def next_interval() -> float:
    """Seconds until the next report: 5 on average, spread so that calls do not report together (6.3.1)."""
    return INTERVAL * random.uniform(0.5, 1.5)  # noqa: S311 - no secret


def write(
    ssrc: int, cname: str, sent: SenderInfo | None, block: ReportBlock | None, *, is_bye: bool = False
) -> bytes:
    """A compound packet: a report, who we are, and good-bye if this is the last."""
    body = ssrc.to_bytes(4, "big")
    if sent:
        body += INFO.pack(sent.ntp, sent.timestamp, sent.packets & 0xFFFFFFFF, sent.octets & 0xFFFFFFFF)
    if block:
        lost = min(block.lost, 0x7FFFFF)
        last = (block.highest, block.jitter, block.heard_of, block.delay)
        body += BLOCK.pack(block.ssrc, block.share << 24 | lost, *last)
    name = cname.encode()
    item = ssrc.to_bytes(4, "big") + bytes([CNAME, len(name)]) + name + b"\0"
    packet = part(SENDER if sent else RECEIVER, 1 if block else 0, body) + part(DESCRIPTION, 1, item)
    return packet + part(BYE, 1, ssrc.to_bytes(4, "big")) if is_bye else packet


def part(kind: int, count: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return HEAD.pack(0x80 | count, kind, len(body) // 4) + body


def read(data: bytes | memoryview) -> list[RtcpReport]:
    """The reports in a compound packet; as many as are whole, none for anything else."""
    return list(parse(bytes(data)))


def parse(data: bytes) -> Iterator[RtcpReport]:
    while len(data) >= HEAD.size:
        first, kind, words = HEAD.unpack_from(data)
        if first >> 6 != 2:
            return
        body, data = data[4 : 4 + 4 * words], data[4 + 4 * words :]
        if len(body) < 4 * words or len(body) < 4:
            return
        ssrc, body = int.from_bytes(body[:4], "big"), body[4:]
        sent = None
        if kind == SENDER:
            if len(body) < INFO.size:
                return
            sent, body = SenderInfo(*INFO.unpack_from(body)), body[INFO.size :]
        if kind in (SENDER, RECEIVER):
            yield RtcpReport(ssrc, sent, tuple(blocks(body, first & 0x1F)))
        elif kind == BYE and first & 0x1F:
            yield RtcpReport(ssrc, is_bye=True)


def blocks(body: bytes, count: int) -> Iterator[ReportBlock]:
    for number in range(min(count, len(body) // BLOCK.size)):
        ssrc, loss, *rest = BLOCK.unpack_from(body, number * BLOCK.size)
        lost = loss & 0xFFFFFF
        yield ReportBlock(ssrc, loss >> 24, lost - (lost >> 23 << 24), *rest)
