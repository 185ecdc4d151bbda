"""Decodes sound files to telephone audio, in this process: mixes, resamples, and brings to a level."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from openivr.sounds.containers import (
    MAX_MINUTES,
    RATE,
    AudioFault,
    NotAudio,
    open_sound,
)
from openivr.sounds.loudness import measure_loudness, normalise

BLOCK = 65_536  # frames decoded at a time, which bounds the memory for floats
QUIET_CHANNEL = 0.01  # of the power of the loudest channel (20 dB), below which a channel carries no sound
CANCELLED = 0.1  # of the power of its channels, below which a mix has lost them by opposite phases
FULL_SCALE = 32_768


@dataclass(frozen=True, slots=True)
class ConvertedAudio:
    """Result of a conversion: the telephone version, its length in seconds, rounded up, and its loudness.

    The loudness is in LUFS (ITU-R BS.1770), -70 for silence.
    """

    wav: bytes
    seconds: int
    loudness: int


def convert_here(data: bytes, extension: str, *, keeps_level: bool) -> ConvertedAudio:
    """Convert a file in this process."""
    try:
        samples = read_samples(data, extension)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise NotAudio(AudioFault.TYPE) from error
    if not len(samples):
        raise NotAudio(AudioFault.EMPTY)
    if not keeps_level:
        samples = normalise(samples, RATE)
    telephone = to_int16(samples)
    target = io.BytesIO()
    soundfile.write(target, telephone, RATE, format="WAV", subtype="PCM_16")
    return ConvertedAudio(target.getvalue(), -(-len(telephone) // RATE), measure(telephone))


def measure(telephone: NDArray[np.int16]) -> int:
    """Return the loudness of telephone audio in LUFS."""
    return round(measure_loudness(np.divide(telephone, FULL_SCALE, dtype=np.float32), RATE))


def measure_wav(wav: bytes) -> int:
    """Return the loudness of a telephone version in LUFS, as `convert` does."""
    samples, _rate = soundfile.read(io.BytesIO(wav), dtype="int16")
    return measure(samples)


def read_samples(data: bytes, extension: str) -> NDArray[np.float32]:
    """Read all samples, mixed to mono and resampled to 8 kHz. At 8 kHz they stay as they are."""
    weights = choose_weights(data, extension)
    with open_sound(data, extension) as source:
        mono = (block @ weights for block in read_blocks(source))
        if source.samplerate == RATE:
            return join(mono)
        resampler = soxr.ResampleStream(source.samplerate, RATE, 1, dtype="float32")
        parts = [resampler.resample_chunk(part) for part in mono]
        parts.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        return join(parts)


def join(parts: "Iterator[NDArray[np.float32]] | list[NDArray[np.float32]]") -> NDArray[np.float32]:
    return np.concatenate([np.zeros(0, np.float32), *parts])


def read_blocks(source: soundfile.SoundFile) -> Iterator[NDArray[np.float32]]:
    """Yield all frames. Raises NotAudio if they last too long."""
    seconds = 0.0
    # source.blocks() would seek, which raw gsm does not support
    while len(block := source.read(BLOCK, "float32", always_2d=True)):
        seconds += len(block) / source.samplerate
        if seconds > MAX_MINUTES * 60:
            raise NotAudio(AudioFault.TOO_LONG, minutes=MAX_MINUTES)
        yield block


def choose_weights(data: bytes, extension: str) -> NDArray[np.float32]:
    """Return the weight of each channel in the mix: an equal share for those that carry sound.

    If these cancel each other, because they are in opposite phase, only the loudest one is taken.
    """
    with open_sound(data, extension) as source:
        if source.channels == 1:
            return np.ones(1, np.float32)
        products = np.zeros((source.channels, source.channels))
        for block in read_blocks(source):
            frames = block.astype(np.float64)
            products += frames.T @ frames
    powers = np.diag(products)
    carries = powers > QUIET_CHANNEL * powers.max()
    if not carries.any():
        carries[:] = True
    weights: NDArray[np.float64] = carries / carries.sum()
    if weights @ products @ weights < CANCELLED * powers[carries].mean():
        weights = np.eye(len(powers))[powers.argmax()]
    return np.asarray(weights, np.float32)


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Round samples to 16 bit. Samples that came from 16 bit are exactly those again."""
    return np.clip(np.rint(samples * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
