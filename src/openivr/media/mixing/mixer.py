"""Adds the frames of several sources, with a limiter that keeps the sum within 16 bits. No I/O."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from openivr.media.audio.g711 import FRAME, Law, Samples, encode
from openivr.media.mixing.jitter_buffer import JitterBuffer

PEAK = 32767
ATTACK = 16  # samples over which the gain falls: 2 ms, so that it does not click
RELEASE = 0.05  # by which the gain rises in a frame, at most: from half to full in 0.2 s


class Limiter:
    """Keeps sums within 16 bits by its gain, which falls at once and rises slowly."""

    __slots__ = ("gain",)

    def __init__(self) -> None:
        self.gain = 1.0  # at the end of the last frame

    def limit(self, total: NDArray[np.int32]) -> Samples:
        """Return a frame whose sums may exceed 16 bits as samples. Sums that do not pass unchanged."""
        peak = int(np.abs(total).max())
        before, bearable = self.gain, min(1.0, PEAK / peak) if peak else 1.0
        self.gain = min(bearable, before + RELEASE)
        if before == self.gain == 1.0:
            return total.astype(np.int16)
        gains = np.full(len(total), self.gain)
        if self.gain < before:
            gains[:ATTACK] = np.linspace(before, self.gain, min(ATTACK, len(total)), endpoint=False)
        else:
            gains = np.linspace(before, self.gain, len(total))
        return np.asarray(np.clip(total * gains, -PEAK, PEAK), np.int16)


class Mixer:
    """Mixes sources into one stream. `sources` may be replaced at any time."""

    __slots__ = ("_limiter", "sources")

    def __init__(self, sources: Sequence[JitterBuffer] = ()) -> None:
        self.sources = sources
        self._limiter = Limiter()

    def take(self) -> Samples | None:
        """Return the next frame; None if all sources are silent in it."""
        frames = [frame for source in self.sources if (frame := source.take()) is not None]
        if not frames:
            self._limiter.gain = min(1.0, self._limiter.gain + RELEASE)
            return None
        return self._limiter.limit(np.sum(frames, axis=0, dtype=np.int32))

    def frames(self, law: Law) -> Iterator[bytes]:
        """Yield frames for ever, encoded."""
        silence = law.silence * FRAME
        while True:
            frame = self.take()
            yield silence if frame is None else encode(frame, law)
