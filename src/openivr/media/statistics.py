"""How a leg fared, for the call record."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaStats:
    """Counts from a leg's opening to now. What the other side has not told is None."""

    sent: int  # packets
    heard: int  # packets, with those that the kernel took off our hands
    lost: int  # packets that did not reach us
    jitter_ms: float  # of what reached us (RFC 3550, 6.4.1)
    strangers: int  # packets from addresses that had no business here
    source: str  # address and port that sound comes from; "" if none was heard
    far_lost: int | None = None  # packets that did not reach the other side
    far_jitter_ms: float | None = None
    round_trip_ms: float | None = None
