"""How well the other side is heard: RFC 3550, A.1 (sequence numbers), A.3 (loss) and A.8 (jitter)."""

from openivr.media.audio.g711 import RATE
from openivr.media.rtp.rtcp import ReportBlock

JUMP = 1 << 14  # a sequence number further off begins a new count; the filter lets through 1 packet in 256
SAMPLE_NS = 1_000_000_000 // RATE


class ReceiveStats:
    """Counts the packets of one source; another SSRC begins anew."""

    __slots__ = (
        "_base", "_cycles", "_expected_before", "_highest", "_received_before", "_transit",
        "jitter", "lost_before", "received", "received_before", "ssrc",
    )  # fmt: skip

    def __init__(self) -> None:
        self.received = self.received_before = 0  # from this source, and from those that are no more
        self.lost_before = 0
        self.ssrc: int | None = None
        self._restart(0)

    def _restart(self, sequence: int) -> None:
        self.received_before += self.received
        self._base = self._highest = sequence
        self._cycles = self.received = 0
        self._expected_before = self._received_before = 0
        self.jitter = 0.0  # samples
        self._transit: int | None = None

    def hear(self, ssrc: int, sequence: int, timestamp: int, now: int) -> None:
        """Count a packet that came at this time, in nanoseconds."""
        if ssrc != self.ssrc:
            self.lost_before += self.lost
            self.ssrc = ssrc
            self._restart(sequence)
        step = (sequence - self._highest) & 0xFFFF
        if step < JUMP:
            self._cycles += sequence < self._highest
            self._highest = sequence
        elif step <= 0x10000 - JUMP:
            self.lost_before += self.lost
            self._restart(sequence)
        self.received += 1
        transit = now // SAMPLE_NS - timestamp
        if self._transit is not None:
            difference = (transit - self._transit + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            if abs(difference) < RATE:  # further off, the source has set its clock anew
                self.jitter += (abs(difference) - self.jitter) / 16
        self._transit = transit

    @property
    def highest(self) -> int:
        """The highest sequence number, with the number of wraps above it."""
        return self._cycles << 16 | self._highest

    @property
    def expected(self) -> int:
        return self.highest - self._base + 1 if self.ssrc is not None else 0

    @property
    def lost(self) -> int:
        """Of this source; never below zero, though copies of packets would make it so."""
        return max(self.expected - self.received, 0)

    def report(self, heard_of: int, delay: int) -> ReportBlock | None:
        """What a report says of the time since the one before. See `rtcp.Block` for both arguments."""
        if self.ssrc is None:
            return None
        expected, received = self.expected - self._expected_before, self.received - self._received_before
        self._expected_before, self._received_before = self.expected, self.received
        share = min(max(expected - received, 0) * 256 // expected, 255) if expected > 0 else 0
        return ReportBlock(
            self.ssrc, share, self.lost, self.highest & 0xFFFFFFFF, int(self.jitter), heard_of, delay
        )
