"""G.711: converts 16-bit samples to and from one byte each, by table. ITU-T G.711 (11/88), tables 1 and 2.

The two laws round differently. One table of 256 bytes converts from one law to the other (G.191).
"""

from enum import IntEnum, unique
from functools import cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]

RATE = 8000  # samples and bytes a second
FRAME = 160  # samples of a packet: 20 ms


@unique
class Law(IntEnum):
    """Companding law. The value is the payload type of RFC 3551."""

    PCMU = 0
    PCMA = 8

    @property
    def silence(self) -> bytes:
        """Return the byte of a silent sample."""
        return b"\xff" if self is Law.PCMU else b"\xd5"


@cache
def decoding(law: Law) -> Samples:
    """Return the sample of each of the 256 bytes."""
    byte = np.arange(256)
    if law is Law.PCMU:
        inverted = ~byte & 0xFF
        size = ((((inverted & 0x0F) << 3) + 0x84) << (inverted >> 4 & 7)) - 0x84
        return np.where(inverted & 0x80, -size, size).astype(np.int16)
    toggled = byte ^ 0x55
    exponent = toggled >> 4 & 7
    mantissa = ((toggled & 0x0F) << 4) + 8
    size = np.where(exponent, (mantissa + 0x100) << np.maximum(exponent - 1, 0), mantissa)
    return np.where(toggled & 0x80, size, -size).astype(np.int16)


@cache
def encoding(law: Law) -> NDArray[np.uint8]:
    """Return the byte of each of the 65,536 samples, indexed by the sample as an unsigned number."""
    sample = np.arange(65536).astype(np.uint16).view(np.int16).astype(np.int32)
    if law is Law.PCMU:
        size = np.minimum(np.where(sample < 0, ~sample, sample) >> 2, 8158) + 33
        exponent = segment(size, 64)
        mantissa = size >> (exponent + 1) & 0x0F
        code = ~(exponent << 4 | mantissa | np.where(sample < 0, 0x80, 0))
    else:
        size = np.where(sample < 0, ~sample, sample) >> 3
        exponent = segment(size, 32)
        mantissa = size >> np.maximum(exponent, 1) & 0x0F
        code = (exponent << 4 | mantissa | np.where(sample < 0, 0, 0x80)) ^ 0x55
    return np.asarray(code & 0xFF, np.uint8)


def segment(size: NDArray[np.int32], first: int) -> NDArray[np.int32]:
    """Return the segment (0 to 7) of each size. The first ends before `first`; each further one doubles."""
    return np.searchsorted(first << np.arange(7), size, side="right").astype(np.int32)


def encode(samples: Samples, law: Law) -> bytes:
    """Encode samples, one byte each."""
    return encoding(law)[samples.view(np.uint16)].tobytes()


def decode(data: bytes | bytearray | memoryview, law: Law) -> Samples:
    """Decode bytes, one sample each."""
    return decoding(law)[np.frombuffer(data, np.uint8)]


@cache
def transcoding(source: Law, target: Law) -> bytes:
    """Return a table for `bytes.translate` from one law to the other."""
    return encode(decoding(source), target)
