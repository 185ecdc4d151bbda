"""In-band DTMF detection for calls without telephone-events: Goertzel filters for all calls at once.

The power at the eight frequencies of ITU-T Q.23 is a product of the samples with a fixed matrix, so the
blocks of all calls are one matrix product. A block is 15 ms long and begins every 10 ms. A digit counts once
it was detected in three consecutive blocks (35 ms; Q.24 requires 40 ms to suffice), and again only after
three blocks without it. Speech is rejected by the level of the tones, their share of the total power, their
twist and their distance to the other tones of their group.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from openivr.media.audio.g711 import FRAME, RATE, Law, Samples, decode
from openivr.media.audio.tone import HIGH, LOW, PAD
from openivr.media.rtp.packet import Packet

BLOCK = 120  # samples
STEP = 80
OVERLAP = BLOCK - STEP  # samples of the previous packet in the first block of a packet
PAUSE = 2 * FRAME  # samples of silence that comfort noise counts for, enough for the end of a tone
MIN_HITS = 3
MIN_MISSES = 3
MAX_WAITING = RATE  # samples
MAX_ROUNDS = 4  # of 20 ms in one pass, so that a stall does not leave a lasting delay

MIN_LEVEL = 32767 * 10 ** (-38 / 20)  # amplitude of one tone; Q.24 requires -25 to -29 dBm to suffice
MIN_SHARE = 0.7  # of the two tones in the power of the block
HIGH_ABOVE_LOW = 10 ** (6 / 20)  # Q.24 requires 4 dB, and 8 dB the other way; the filters err by 2 dB
LOW_ABOVE_HIGH = 10 ** (10 / 20)
MIN_CONTRAST = 10 ** (6 / 20)  # to the other tones of the group

_phase = 2 * np.pi * np.outer(np.arange(BLOCK), np.array(LOW + HIGH)) / RATE
WAVES = np.concatenate([np.cos(_phase), np.sin(_phase)], axis=1).astype(np.float32)


@dataclass(slots=True, eq=False)
class InbandDetector:
    """Detector of one call. `collect` takes its packets, `detect` processes those of all calls."""

    on_digit: Callable[[str], None]
    _law: Law = Law.PCMU
    _coded: bytearray = field(default_factory=bytearray)
    _before: Samples = field(default_factory=lambda: np.zeros(OVERLAP, np.int16))
    _digit: int = -1  # index on the pad, -1: none
    _hits: int = 0
    _misses: int = 0
    _is_reported: bool = False

    def collect(self, packet: Packet, law: Law) -> None:
        """Take a packet. A peer that sends faster than real time loses what is waiting."""
        if law is not self._law or len(self._coded) > MAX_WAITING:
            self._coded.clear()
        self._law = law
        self._coded += packet.payload

    def collect_pause(self, _packet: Packet) -> None:
        """Take comfort noise, which ends a tone: the peer sends no audio while it lasts."""
        if len(self._coded) <= MAX_WAITING:
            self._coded += self._law.silence * PAUSE

    def next_samples(self) -> Samples | None:
        """Return the next 20 ms with the overlap before them; None if less was collected."""
        if len(self._coded) < FRAME:
            return None
        fresh = decode(self._coded[:FRAME], self._law)
        del self._coded[:FRAME]
        samples = np.concatenate([self._before, fresh])
        self._before = fresh[-OVERLAP:]
        return samples

    def take_block(self, digit: int) -> None:
        """Take the result of the next block: the index of a digit on the pad, or -1."""
        if digit >= 0 and digit == self._digit:
            self._hits, self._misses = self._hits + 1, 0
        elif self._is_reported:
            self._misses += 1
            if self._misses >= MIN_MISSES:
                self._digit, self._hits, self._misses, self._is_reported = digit, int(digit >= 0), 0, False
        else:
            self._digit, self._hits = digit, int(digit >= 0)
        if self._hits == MIN_HITS and not self._is_reported:
            self._is_reported = True
            self.on_digit(PAD[digit])


def detect(detectors: Iterable[InbandDetector]) -> None:
    """Process the packets that the detectors have collected."""
    ready = list(detectors)
    for _ in range(MAX_ROUNDS):
        ready = detect_once(ready)
        if not ready:
            return


def detect_once(detectors: list[InbandDetector]) -> list[InbandDetector]:
    """Process 20 ms of every detector that has collected as much. Return those detectors."""
    ready = [
        (detector, samples) for detector in detectors if (samples := detector.next_samples()) is not None
    ]
    if not ready:
        return []
    rows = np.array([samples for _, samples in ready], np.float32)
    results = [classify(rows[:, start : start + BLOCK]).tolist() for start in (0, STEP)]
    for (detector, _), *digits in zip(ready, *results, strict=True):
        for digit in digits:
            detector.take_block(digit)
    return [detector for detector, _ in ready]


def classify(blocks: NDArray[np.float32]) -> NDArray[np.intp]:
    """Return the index on the pad of the digit in each block, a row of samples, or -1."""
    parts = blocks @ WAVES
    level = 2 / BLOCK * np.hypot(parts[:, :8], parts[:, 8:])  # amplitude at each frequency
    low, high = level[:, :4], level[:, 4:]
    row, column = low.argmax(axis=1), high.argmax(axis=1)
    low_groups, high_groups = np.sort(low, axis=1), np.sort(high, axis=1)
    low_top, high_top = low_groups[:, -1], high_groups[:, -1]
    power = np.square(blocks).mean(axis=1)
    is_digit = (
        (np.minimum(low_top, high_top) > MIN_LEVEL)
        & ((low_top**2 + high_top**2) / 2 > MIN_SHARE * power)
        & (high_top < HIGH_ABOVE_LOW * low_top)
        & (low_top < LOW_ABOVE_HIGH * high_top)
        & (low_top > MIN_CONTRAST * low_groups[:, -2])
        & (high_top > MIN_CONTRAST * high_groups[:, -2])
    )
    return np.where(is_digit, row * 4 + column, -1)
