"""Converts sound files to telephone audio: WAV of 8 kHz, mono, 16 bit. Bytes in, bytes out."""

import io

import numpy as np
import soundfile

from openivr.sounds.containers import CONTAINERS, RATE, AudioFault, NotAudio, check_container, find_container
from openivr.sounds.decode import ConvertedAudio, convert_here
from openivr.sounds.decoder_process import convert_apart

__all__ = ["CONTAINERS", "RATE", "AudioFault", "ConvertedAudio", "NotAudio", "convert", "find_peaks"]


def convert(data: bytes, extension: str, *, keeps_level: bool = False) -> ConvertedAudio:
    """Decode a sound file whose name has this extension. Raises NotAudio.

    The level is brought to that of the built-in sounds unless it is near it already, or `keeps_level`.
    """
    check_container(data, extension)
    if find_container(data) == "mp3":
        return convert_apart(data, extension, keeps_level=keeps_level)
    return convert_here(data, extension, keeps_level=keeps_level)


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
