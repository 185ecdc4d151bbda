"""Orders the packets of one direction by their timestamps. No clock, no disk."""

import numpy as np

from openivr.media.audio.g711 import RATE, Samples
from openivr.media.rtp.packet import is_before

MAX_OFFSET = RATE // 2  # samples; a packet further from the position of its arrival has another clock


class Timeline:
    """The samples since the start of a recording. Missing packets are silence."""

    __slots__ = ("_latest", "_pending", "_shift", "_source", "taken")

    def __init__(self) -> None:
        self.taken = 0  # samples
        self._pending: list[tuple[int, Samples]] = []
        self._source: int | None = None
        self._latest = 0  # newest timestamp
        self._shift = 0  # from timestamps to positions

    def put(self, source: int, timestamp: int, samples: Samples, arrival: int) -> None:
        """Add a packet. `arrival` is the time it arrived, in samples from the start."""
        start = max(arrival - len(samples), 0)
        position = timestamp + self._shift & 0xFFFFFFFF
        is_new_clock = source != self._source or abs(position - start) > MAX_OFFSET
        is_next = is_new_clock or is_before(self._latest, timestamp, 32)
        if is_new_clock or (is_next and position < self.taken):  # delayed, not reordered
            position = max(start if is_new_clock else position, self.taken)
            self._source, self._shift = source, position - timestamp
        if is_next:
            self._latest = timestamp
        self._pending.append((position, samples))

    def discard(self) -> None:
        """Drop the packets that were not taken. The next one begins where the recording is then."""
        self._pending = []
        self._source = None

    @property
    def end(self) -> int:
        """Return the end of the last packet that was not taken."""
        return max((position + len(samples) for position, samples in self._pending), default=0)

    def take(self, until: int) -> Samples:
        """Return the samples from the last `take` up to this position."""
        length = max(until - self.taken, 0)
        sound = np.zeros(length, np.int16)
        later = []
        for position, samples in self._pending:
            start = position - self.taken
            if start >= length:
                later.append((position, samples))
                continue
            piece = samples[max(-start, 0) : length - start]
            sound[max(start, 0) : max(start, 0) + len(piece)] = piece
            if start + len(samples) > length:
                later.append((position, samples))
        self._pending = later
        self.taken += length
        return sound
