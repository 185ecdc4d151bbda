"""Counters of a media session for the call record."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaStats:
    """Counters since the session was opened. None: the peer has not reported the value by RTCP.

    The field names are stored in call records.
    """

    sent: int  # packets
    heard: int  # packets received, including those that the kernel's filter dropped
    lost: int  # packets of the peer that did not arrive
    jitter_ms: float  # of the received packets (RFC 3550, 6.4.1)
    strangers: int  # packets rejected because of their source address
    source: str  # address and port that RTP is received from; "" if none was received
    far_lost: int | None = None  # packets that did not reach the peer
    far_jitter_ms: float | None = None
    round_trip_ms: float | None = None
