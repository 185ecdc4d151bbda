"""Loudness of telephone audio by ITU-R BS.1770-4, as EBU R 128 uses it, and a change of level to a target.

pyloudnorm would measure the same, but needs SciPy, which is larger than everything else that is installed.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

TARGET = -19.0  # LUFS, that of the built-in sounds
TOLERANCE = 4.0  # LU within which a recording stays as it is
SILENCE = -70.0  # LUFS, the absolute gate; nothing is quieter
MAX_GAIN = 40.0  # dB; more would only raise noise
CEILING = 10 ** (-1 / 20)  # of peaks after a gain: 1 dB below full scale
OFFSET = -0.691  # dB, of the standard
GATE = 10.0  # LU below the loudness of all blocks, under which a block does not count
STEPS, STEPS_OF_BLOCK = 10, 4  # steps a second, and those of a block of 400 ms
TAPS = 4096  # of the impulse response, which has decayed by then
LIMITER_SECONDS = 0.005
Samples = NDArray[np.float32]
Triple = tuple[float, float, float]


def measure_loudness(samples: Samples, rate: int) -> float:
    """Return the integrated loudness of mono samples (full scale 1.0) in LUFS, SILENCE for silence."""
    powers = block_powers(samples, rate)
    loud = powers[powers > to_power(SILENCE)]
    if not len(loud):
        return SILENCE
    loud = loud[loud > to_power(to_lufs(float(loud.mean())) - GATE)]
    return to_lufs(float(loud.mean()))


def to_lufs(power: float) -> float:
    return OFFSET + 10 * math.log10(power)


def to_power(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET) / 10))


def block_powers(samples: Samples, rate: int) -> NDArray[np.float64]:
    """Return the mean square of each block of 400 ms, which overlap by 75 %, after the K-weighting."""
    step = rate // STEPS
    sums = [np.add.reduceat(part * part, np.arange(0, len(part), step)) for part in weighted(samples, rate)]
    if not sums:
        return np.zeros(0)
    squares = np.concatenate(sums)
    if len(squares) < STEPS_OF_BLOCK:
        return np.array([squares.sum() / len(samples)])
    whole = squares[: len(samples) // step] if len(samples) // step >= STEPS_OF_BLOCK else squares
    return np.convolve(whole, np.ones(STEPS_OF_BLOCK), "valid") / (step * STEPS_OF_BLOCK)


def weighted(samples: Samples, rate: int) -> "list[NDArray[np.float64]]":
    """Return the samples after the K-weighting, in parts of whole steps."""
    size = rate // STEPS * 80
    length = 1 << (size + 2 * TAPS - 1).bit_length()
    response = np.fft.rfft(impulse_response(rate), length)
    ahead = np.zeros(TAPS, np.float32)
    parts = []
    for start in range(0, len(samples), size):
        part = samples[start : start + size]
        joined = np.concatenate((ahead, part))
        filtered = np.fft.irfft(np.fft.rfft(joined, length) * response, length)
        parts.append(filtered[TAPS : TAPS + len(part)])
        ahead = joined[-TAPS:]
    return parts


@cache
def impulse_response(rate: int) -> NDArray[np.float64]:
    """Return the response of the K-weighting to an impulse."""
    values = [1.0] + [0.0] * (TAPS - 1)
    for filter_ in (shelf(rate), high_pass(rate)):
        values = run_biquad(values, *filter_)
    return np.array(values)


def run_biquad(values: list[float], b: Triple, a: tuple[float, float]) -> list[float]:
    """Filter values in transposed direct form II."""
    result, first, second = [], 0.0, 0.0
    for value in values:
        output = b[0] * value + first
        first = b[1] * value - a[0] * output + second
        second = b[2] * value - a[1] * output
        result.append(output)
    return result


def shelf(rate: int) -> tuple[Triple, tuple[float, float]]:
    """Return the first stage, the effect of a head, for any sample rate.

    The standard has coefficients for 48 kHz only. These are those of the analog filter behind them, by the
    bilinear transform.
    """
    k = math.tan(math.pi * 1681.974450955533 / rate)
    q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    scale = 1 + k / q + k * k
    b0 = (high + band * k / q + k * k) / scale
    b1, b2 = 2 * (k * k - high) / scale, (high - band * k / q + k * k) / scale
    return (b0, b1, b2), (2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale)


def high_pass(rate: int) -> tuple[Triple, tuple[float, float]]:
    """Return the second stage, in the same way."""
    k, q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    scale = 1 + k / q + k * k
    return (1.0, -2.0, 1.0), (2 * (k * k - 1) / scale, (1 - k / q + k * k) / scale)


def normalise(samples: Samples, rate: int) -> Samples:
    """Bring the samples to TARGET if they are further than TOLERANCE from it. Peaks are limited.

    Silence stays as it is.
    """
    loudness = measure_loudness(samples, rate)
    if loudness <= SILENCE or abs(loudness - TARGET) <= TOLERANCE:
        return samples
    gain = 10 ** (min(TARGET - loudness, MAX_GAIN) / 20)
    return limit(samples * np.float32(gain), rate)


def limit(samples: Samples, rate: int) -> Samples:
    """Keep peaks at CEILING by a gain that changes slowly, and begins to fall before the peak."""
    size = int(rate * LIMITER_SECONDS)
    tops = np.maximum.reduceat(np.abs(samples), np.arange(0, len(samples), size))
    gains = np.minimum(1.0, CEILING / np.maximum(tops, 1e-9))
    if gains.min() >= 1.0:
        return samples
    edges = np.pad(gains, 1, constant_values=1.0)
    lowest = np.minimum(np.minimum(edges[:-2], edges[1:-1]), edges[2:])  # of a part and its neighbours
    middles = np.arange(len(lowest)) * size + size / 2
    curve = np.interp(np.arange(len(samples)), middles, lowest).astype(np.float32)
    limited: Samples = samples * curve
    return limited
