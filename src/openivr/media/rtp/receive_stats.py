"""Reception statistics: sequence numbers, loss and jitter (RFC 3550, A.1, A.3 and A.8)."""

from openivr.media.audio.g711 import RATE
from openivr.media.rtp.rtcp import ReportBlock

MAX_STEP = 1 << 14  # a larger step in sequence starts a new count; the filter passes 1 packet in 256
SAMPLE_NS = 1_000_000_000 // RATE


class ReceiveStats:
    """Counts the packets of one source. Another SSRC starts a new count."""

    __slots__ = (
        "_base", "_cycles", "_expected_before", "_highest", "_received_before", "_transit",
        "jitter", "lost_before", "received", "received_before", "ssrc",
    )  # fmt: skip

    def __init__(self) -> None:
        self.received = self.received_before = 0  # from this source, and from earlier ones
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

    def count(self, ssrc: int, sequence: int, timestamp: int, now: int) -> None:
        """Count a packet that arrived at `now`, in nanoseconds."""
        if ssrc != self.ssrc:
            self.lost_before += self.lost
            self.ssrc = ssrc
            self._restart(sequence)
        step = (sequence - self._highest) & 0xFFFF
        if step < MAX_STEP:
            self._cycles += sequence < self._highest
            self._highest = sequence
        elif step <= 0x10000 - MAX_STEP:
            self.lost_before += self.lost
            self._restart(sequence)
        self.received += 1
        transit = now // SAMPLE_NS - timestamp
        if self._transit is not None:
            difference = (transit - self._transit + 0x80000000 & 0xFFFFFFFF) - 0x80000000
            if abs(difference) < RATE:  # a larger difference means that the source reset its clock
                self.jitter += (abs(difference) - self.jitter) / 16
        self._transit = transit

    @property
    def highest(self) -> int:
        """The extended highest sequence number: the number of wraps in the upper bits."""
        return self._cycles << 16 | self._highest

    @property
    def expected(self) -> int:
        return self.highest - self._base + 1 if self.ssrc is not None else 0

    @property
    def lost(self) -> int:
        """Packets of this source that did not arrive. Duplicates do not make it negative."""
        return max(self.expected - self.received, 0)

    def report(self, last_sr: int, delay: int) -> ReportBlock | None:
        """Return a block on the time since the previous report. See `rtcp.ReportBlock` for the arguments."""
        if self.ssrc is None:
            return None
        expected, received = self.expected - self._expected_before, self.received - self._received_before
        self._expected_before, self._received_before = self.expected, self.received
        fraction = min(max(expected - received, 0) * 256 // expected, 255) if expected > 0 else 0
        return ReportBlock(
            self.ssrc, fraction, self.lost, self.highest & 0xFFFFFFFF, int(self.jitter), last_sr, delay
        )
