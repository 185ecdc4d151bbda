"""Packets of one direction put into the order and to the place of their timestamps. No clock, no disk."""

import numpy as np

from openivr.media.audio.g711 import RATE, Samples
from openivr.media.rtp.packet import before

OFF = RATE // 2  # samples; a packet further than this from where its arrival puts it has another clock


class Timeline:
    """A line of sound from the start of a recording on; what did not come is silence."""

    __slots__ = ("_latest", "_pending", "_shift", "_source", "taken")

    def __init__(self) -> None:
        self.taken = 0  # samples
        self._pending: list[tuple[int, Samples]] = []
        self._source: int | None = None
        self._latest = 0  # the newest timestamp
        self._shift = 0  # from timestamps to places

    def put(self, source: int, timestamp: int, samples: Samples, place: int) -> None:
        """Add a packet. `place` is where the clock on the wall puts its end, in samples from the start."""
        start = max(place - len(samples), 0)
        where = timestamp + self._shift & 0xFFFFFFFF
        is_other = source != self._source or abs(where - start) > OFF
        is_next = is_other or before(self._latest, timestamp, 32)
        if is_other or (is_next and where < self.taken):  # held up, not overtaken: it comes later, and whole
            where = max(start if is_other else where, self.taken)
            self._source, self._shift = source, where - timestamp
        if is_next:
            self._latest = timestamp
        self._pending.append((where, samples))

    @property
    def end(self) -> int:
        """Where the last packet that was not taken ends."""
        return max((where + len(samples) for where, samples in self._pending), default=0)

    def take(self, until: int) -> Samples:
        """The sound from the last `take` up to this place."""
        length = max(until - self.taken, 0)
        sound = np.zeros(length, np.int16)
        later = []
        for where, samples in self._pending:
            start = where - self.taken
            if start >= length:
                later.append((where, samples))
                continue
            piece = samples[max(-start, 0) : length - start]
            sound[max(start, 0) : max(start, 0) + len(piece)] = piece
            if start + len(samples) > length:
                later.append((where, samples))
        self._pending = later
        self.taken += length
        return sound
