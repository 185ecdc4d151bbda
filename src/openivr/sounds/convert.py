"""Converts sound files to telephone audio: WAV of 8 kHz, mono, 16 bit. Bytes in, bytes out."""

import io
from dataclasses import dataclass
from enum import StrEnum, unique

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

RATE = 8000
BLOCK = 65_536  # frames decoded at a time, which bounds the memory for floats
MAX_MINUTES = 60
CONTAINERS = {"wav": ("WAV", "WAVEX", "RF64"), "mp3": ("MP3", "MPEG"), "gsm": ("RAW", "WAV")}


@unique
class AudioFault(StrEnum):
    """Why a file cannot be a prompt."""

    TYPE = "audio_type"  # its contents are not what its name promises
    EMPTY = "audio_empty"
    TOO_LONG = "audio_too_long"


class NotAudio(Exception):
    """The data does not match the file type, or is longer than MAX_MINUTES."""

    def __init__(self, fault: AudioFault) -> None:
        super().__init__(fault.value)
        self.fault = fault
        self.params = {"minutes": MAX_MINUTES} if fault is AudioFault.TOO_LONG else {}


@dataclass(frozen=True, slots=True)
class ConvertedAudio:
    """Result of a conversion: the telephone version, and its length in seconds, rounded up."""

    wav: bytes
    seconds: int


def convert(data: bytes, extension: str) -> ConvertedAudio:
    """Decode a wav, mp3 or (raw) gsm file and resample it. Raises NotAudio if that fails."""
    try:
        with open_sound(data, extension) as source:
            samples = read_samples(source)
    except (soundfile.SoundFileError, RuntimeError, ValueError) as error:
        raise NotAudio(AudioFault.TYPE) from error
    if not len(samples):
        raise NotAudio(AudioFault.EMPTY)
    target = io.BytesIO()
    soundfile.write(target, samples, RATE, format="WAV", subtype="PCM_16")
    return ConvertedAudio(target.getvalue(), -(-len(samples) // RATE))


def find_peaks(wav: bytes, count: int) -> list[int]:
    """Return the waveform: the peak of each of `count` parts, scaled so that the highest is 100.

    A file with fewer samples than parts has fewer peaks.
    """
    samples, _rate = soundfile.read(io.BytesIO(wav), dtype="int16", always_2d=True)
    if not len(samples):
        return []
    loud = np.abs(samples.astype(np.int32)).max(axis=1)  # of all channels
    starts = np.linspace(0, len(loud), min(count, len(loud)), endpoint=False).astype(np.int64)
    tops = np.maximum.reduceat(loud, starts)
    return [int(top) for top in np.rint(tops * 100 / max(1, int(tops.max())))]


def open_sound(data: bytes, extension: str) -> soundfile.SoundFile:
    """Open the data. Raises NotAudio if its format is not that of the extension."""
    raw = {}
    if extension == "gsm" and not data.startswith(b"RIFF"):
        if len(data) % 33 or (data[:1] and data[0] >> 4 != 0xD):  # frames of 33 bytes that begin with 1101
            raise NotAudio(AudioFault.TYPE)
        raw = {"samplerate": RATE, "channels": 1, "format": "RAW", "subtype": "GSM610"}
    source = soundfile.SoundFile(io.BytesIO(data), **raw)
    if source.format not in CONTAINERS[extension]:
        raise NotAudio(AudioFault.TYPE)
    return source


def read_samples(source: soundfile.SoundFile) -> NDArray[np.int16]:
    """Read all samples, mixed to mono and resampled to 8 kHz."""
    resampler = soxr.ResampleStream(source.samplerate, RATE, 1, dtype="float32")
    parts, seconds = [], 0.0
    # source.blocks() would seek, which raw gsm does not support
    while len(block := source.read(BLOCK, "float32", always_2d=True)):
        seconds += len(block) / source.samplerate
        if seconds > MAX_MINUTES * 60:
            raise NotAudio(AudioFault.TOO_LONG)
        parts.append(to_int16(resampler.resample_chunk(block.mean(axis=1))))
    parts.append(to_int16(resampler.resample_chunk(np.zeros(0, np.float32), last=True)))
    return np.concatenate(parts)


def to_int16(
    samples: "np.ndarray[tuple[int], np.dtype[np.float32]]",
) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return (np.clip(samples, -1.0, 1.0) * 32767).astype(np.int16)
