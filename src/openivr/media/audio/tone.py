"""Tones: the beep of the mailbox, the ringback and the hold tone, and DTMF digits."""

from functools import cache

import numpy as np

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import RATE, Samples

LOW = (697, 770, 852, 941)  # Hz, ITU-T Q.23
HIGH = (1209, 1336, 1477, 1633)
PAD = "123A456B789C*0#D"  # row by row
FADE = 40  # samples; a tone that begins or ends abruptly clicks


def sines(frequencies: tuple[int, ...], seconds: float, level: float) -> Samples:
    """Mix sines of the same level, in dB below full scale for each."""
    time = np.arange(round(seconds * RATE)) / RATE
    amplitude = 32767 * 10 ** (-level / 20)
    wave = sum(amplitude * np.sin(2 * np.pi * frequency * time) for frequency in frequencies)
    return np.asarray(np.clip(wave, -32768, 32767)).astype(np.int16)


def faded(samples: Samples) -> Samples:
    ramp = np.minimum(np.arange(len(samples)), FADE) / FADE
    return (samples * np.minimum(ramp, ramp[::-1])).astype(np.int16)


def pause(seconds: float) -> Samples:
    return np.zeros(round(seconds * RATE), np.int16)


@cache
def beep() -> Clip:
    """Return the tone that asks a caller to speak: 0.4 s of 1000 Hz."""
    return Clip.from_samples(faded(sines((1000,), 0.4, 13)))


@cache
def ringback(frequencies: tuple[int, ...] = (425,), on: float = 1.0, off: float = 4.0) -> Clip:
    """Return one period of the ringing tone, to be played in a loop.

    425 Hz is the tone of ETSI TR 101 041. The USA use (440, 480) for 2 s with pauses of 4 s.
    """
    return Clip.from_samples(np.concatenate([faded(sines(frequencies, on, 16)), pause(off)]))


@cache
def hold_tone() -> Clip:
    """Return one period of the sound of a call on hold, to be played in a loop: two soft notes in 4 s."""
    notes = [faded(sines((frequency,), 0.35, 26)) for frequency in (523, 659)]
    return Clip.from_samples(np.concatenate([*notes, pause(3.3)]))


@cache
def dtmf_tone(digit: str, milliseconds: int) -> Clip:
    """Return the two tones of a DTMF digit (ITU-T Q.23), at -9 dB each."""
    index = PAD.index(digit)
    return Clip.from_samples(sines((LOW[index // 4], HIGH[index % 4]), milliseconds / 1000, 9))
