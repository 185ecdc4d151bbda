"""The laws against the decision values of ITU-T G.711, tables 1a and 2a, found by search and not by bits."""

from bisect import bisect_right
from itertools import accumulate

import numpy as np
import pytest

from openivr.media.audio.g711 import Law, decode, encode, transcoding

EVERY_BYTE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
# The sizes at which the next of 128 intervals begins, and how many 16-bit samples their unit is.
PCMU = list(accumulate([1] + [2] * 15 + [2 << segment for segment in range(1, 8) for _ in range(16)])), 4
PCMA = list(accumulate([2] * 32 + [2 << segment for segment in range(1, 7) for _ in range(16)])), 8


def interval(law: Law, sample: int) -> int:
    ends, unit = PCMU if law is Law.PCMU else PCMA
    return min(bisect_right(ends, (~sample if sample < 0 else sample) // unit), 127)


def expected_byte(law: Law, sample: int) -> int:
    if law is Law.PCMU:
        return 0xFF - interval(law, sample) - (0x80 if sample < 0 else 0)
    return (interval(law, sample) | (0 if sample < 0 else 0x80)) ^ 0x55


def expected_size(law: Law, place: int) -> int:
    """The middle of an interval; µ-law's first is around zero."""
    ends, unit = PCMU if law is Law.PCMU else PCMA
    if law is Law.PCMU and place == 0:
        return 0
    return (([0, *ends][place] + ends[place]) * unit) // 2


@pytest.mark.parametrize("law", Law)
def test_every_sample_becomes_the_byte_of_the_table(law: Law) -> None:
    assert list(encode(EVERY_SAMPLE, law)) == [expected_byte(law, int(sample)) for sample in EVERY_SAMPLE]


@pytest.mark.parametrize("law", Law)
def test_every_byte_becomes_the_sample_of_the_table(law: Law) -> None:
    by_byte = {expected_byte(law, int(sample)): sample for sample in EVERY_SAMPLE}
    for byte, sample in zip(EVERY_BYTE, decode(EVERY_BYTE, law).tolist(), strict=True):
        size = expected_size(law, interval(law, int(by_byte[byte])))
        assert sample == (size if by_byte[byte] >= 0 else -size)


def test_silence_is_the_smallest_sample() -> None:
    assert decode(Law.PCMU.silence, Law.PCMU).tolist() == [0]
    assert decode(Law.PCMA.silence, Law.PCMA).tolist() == [8]


def test_a_byte_of_one_law_is_the_nearest_of_the_other() -> None:
    there = EVERY_BYTE.translate(transcoding(Law.PCMU, Law.PCMA))
    before = decode(EVERY_BYTE, Law.PCMU).astype(int)
    after = decode(there, Law.PCMA).astype(int)
    nearest = np.abs(before[:, None] - decode(EVERY_BYTE, Law.PCMA).astype(int)[None, :]).min(axis=1)
    assert (np.abs(before - after) <= nearest + 4).all()
