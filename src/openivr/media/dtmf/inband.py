"""Keys heard as tones, where telephone-events were not agreed on: Goertzel's filters for all calls at once.

The power at the eight frequencies of ITU-T Q.23 in a piece of sound is a product with a fixed matrix, so the
pieces of all calls that listen are one matrix product. A piece is 15 ms long, and there is one every 10 ms. A
key counts once it was heard in three pieces on end (35 ms; Q.24 wants 40 ms to be enough), and again only
after three without it. What speech does is kept out by the tones' level, their share of all power, how alike
the two are (twist) and how far they stand out of their group.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from openivr.media.audio.g711 import FRAME, RATE, Law, Samples, decode
from openivr.media.audio.tone import HIGH, LOW, PAD
from openivr.media.rtp.packet import Packet

PIECE = 120  # samples
STEP = 80
KEPT = PIECE - STEP  # samples that a packet's first piece takes from the packet before
HITS = 3
MISSES = 3
LIMIT = RATE  # samples that may wait
ROUNDS = 4  # of 20 ms at one go, so that what a stall held up does not stay late

LEAST_LEVEL = 32767 * 10 ** (-38 / 20)  # amplitude of one tone; Q.24 wants -25 to -29 dBm heard
LEAST_SHARE = 0.7  # of the power of the piece that the two tones hold
HIGH_ABOVE_LOW = 10 ** (6 / 20)  # Q.24: 4 dB must be heard, 8 dB the other way; we are 2 dB off at worst
LOW_ABOVE_HIGH = 10 ** (10 / 20)
STANDS_OUT = 10 ** (6 / 20)  # above the others of its group

_phase = 2 * np.pi * np.outer(np.arange(PIECE), np.array(LOW + HIGH)) / RATE
WAVES = np.concatenate([np.cos(_phase), np.sin(_phase)], axis=1).astype(np.float32)


@dataclass(slots=True, eq=False)
class InbandDetector:
    """One call that listens. `hear` collects, `listen` works off what all calls have collected."""

    on_key: Callable[[str], None]
    _law: Law = Law.PCMU
    _coded: bytearray = field(default_factory=bytearray)
    _before: Samples = field(default_factory=lambda: np.zeros(KEPT, np.int16))
    _key: int = -1
    _hits: int = 0
    _misses: int = 0
    _is_told: bool = False

    def hear(self, packet: Packet, law: Law) -> None:
        """Collect a packet; what comes faster than it can be played is too much."""
        if law is not self._law or len(self._coded) > LIMIT:
            self._coded.clear()
        self._law = law
        self._coded += packet.payload

    def sound(self) -> Samples | None:
        """The next 20 ms, and the last samples before them."""
        if len(self._coded) < FRAME:
            return None
        fresh = decode(self._coded[:FRAME], self._law)
        del self._coded[:FRAME]
        sound = np.concatenate([self._before, fresh])
        self._before = fresh[-KEPT:]
        return sound

    def judge(self, key: int) -> None:
        """Take what the next piece holds: the place of a key on the pad, or -1."""
        if key >= 0 and key == self._key:
            self._hits, self._misses = self._hits + 1, 0
        elif self._is_told:
            self._misses += 1
            if self._misses >= MISSES:
                self._key, self._hits, self._misses, self._is_told = key, int(key >= 0), 0, False
        else:
            self._key, self._hits = key, int(key >= 0)
        if self._hits == HITS and not self._is_told:
            self._is_told = True
            self.on_key(PAD[key])


def listen(listeners: Iterable[InbandDetector]) -> None:
    """Take what every call has collected and tell each what its pieces hold."""
    ready = list(listeners)
    for _ in range(ROUNDS):
        ready = listen_once(ready)
        if not ready:
            return


def listen_once(listeners: list[InbandDetector]) -> list[InbandDetector]:
    """Take 20 ms of every call that has as much; those."""
    ready = [(listener, sound) for listener in listeners if (sound := listener.sound()) is not None]
    if not ready:
        return []
    sounds = np.array([sound for _, sound in ready], np.float32)
    found = [keys(sounds[:, start : start + PIECE]).tolist() for start in (0, STEP)]
    for (listener, _), *pieces in zip(ready, *found, strict=True):
        for key in pieces:
            listener.judge(key)
    return [listener for listener, _ in ready]


def keys(pieces: NDArray[np.float32]) -> NDArray[np.intp]:
    """For each piece, a row of samples, the place on the pad of the key in it, or -1."""
    parts = pieces @ WAVES
    level = 2 / PIECE * np.hypot(parts[:, :8], parts[:, 8:])  # amplitude at each frequency
    low, high = level[:, :4], level[:, 4:]
    row, column = low.argmax(axis=1), high.argmax(axis=1)
    low_groups, high_groups = np.sort(low, axis=1), np.sort(high, axis=1)
    low_top, high_top = low_groups[:, -1], high_groups[:, -1]
    power = np.square(pieces).mean(axis=1)
    is_key = (
        (np.minimum(low_top, high_top) > LEAST_LEVEL)
        & ((low_top**2 + high_top**2) / 2 > LEAST_SHARE * power)
        & (high_top < HIGH_ABOVE_LOW * low_top)
        & (low_top < LOW_ABOVE_HIGH * high_top)
        & (low_top > STANDS_OUT * low_groups[:, -2])
        & (high_top > STANDS_OUT * high_groups[:, -2])
    )
    return np.where(is_key, row * 4 + column, -1)
