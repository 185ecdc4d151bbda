"""Jitter buffer: takes the packets of one source as they arrive, and gives out frames of 20 ms in order.

No clock and no socket: a frame is due whenever `take` is called. The first packet is given out after DELAY.
A packet that comes too late is dropped. A gap is silence.
"""

import numpy as np

from openivr.media.audio.g711 import FRAME, Law, Samples, decode
from openivr.media.rtp.packet import Packet

DELAY = 2 * FRAME  # samples between the arrival of a packet and its turn
MAX_DELAY = 8 * FRAME  # beyond it the source is ahead of the reader, and the reader skips
MAX_PACKETS = 32  # that wait, whatever a source sends
MODULUS = 1 << 32


def distance(start: int, end: int) -> int:
    """Return the samples from one RTP timestamp to another; negative if `end` is the earlier one."""
    return (end - start + MODULUS // 2) % MODULUS - MODULUS // 2


class JitterBuffer:
    """The packets of one source that are not given out yet."""

    __slots__ = ("_latest", "_next", "_pending", "_source")

    def __init__(self) -> None:
        self._pending: list[tuple[int, Samples]] = []
        self._source: int | None = None
        self._next = 0  # timestamp of the next sample that `take` gives out
        self._latest = 0  # newest timestamp

    def put(self, packet: Packet, law: Law) -> None:
        """Add an audio packet."""
        self.add(packet.ssrc, packet.timestamp, decode(packet.payload, law))

    def add(self, source: int, timestamp: int, samples: Samples) -> None:
        """Add samples that begin at an RTP timestamp."""
        is_newest = source != self._source or distance(self._latest, timestamp) > 0
        wait = distance(self._next, timestamp)
        if source != self._source or (is_newest and not 0 <= wait <= MAX_DELAY):
            is_same = source == self._source
            self._source, self._next = source, (timestamp - DELAY) % MODULUS
            self._pending = [entry for entry in self._pending if is_same and self._is_due(entry[0])]
        elif not 0 <= wait <= MAX_DELAY or len(self._pending) >= MAX_PACKETS:
            return
        if is_newest:
            self._latest = timestamp
        self._pending.append((timestamp, samples))

    def _is_due(self, timestamp: int) -> bool:
        return 0 <= distance(self._next, timestamp) < DELAY

    def take(self) -> Samples | None:
        """Return the next frame; None if the source is silent in it."""
        if not self._pending:
            self._next = (self._next + FRAME) % MODULUS
            return None
        frame = None
        later = []
        for timestamp, samples in self._pending:
            start = distance(self._next, timestamp)
            if start < FRAME and start + len(samples) > 0:
                frame = np.zeros(FRAME, np.int16) if frame is None else frame
                piece = samples[max(-start, 0) : FRAME - start]
                frame[max(start, 0) : max(start, 0) + len(piece)] = piece
            if start + len(samples) > FRAME:
                later.append((timestamp, samples))
        self._pending = later
        self._next = (self._next + FRAME) % MODULUS
        return frame
