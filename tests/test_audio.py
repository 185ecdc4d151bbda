"""What is worked out from the telephone version of a sound."""

import io

import numpy as np
import soundfile

from openivr.sounds.convert import RATE, find_peaks


def as_wav(samples: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bytes:
    target = io.BytesIO()
    soundfile.write(target, samples, RATE, format="WAV", subtype="PCM_16")
    return target.getvalue()


def test_peaks_follow_the_sound() -> None:
    quiet, loud = np.zeros(RATE), 0.25 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    assert find_peaks(as_wav(np.concatenate((quiet, loud, loud / 2, -loud))), 4) == [0, 100, 50, 100]


def test_peaks_of_silence_and_of_hardly_anything() -> None:
    assert find_peaks(as_wav(np.zeros(100)), 3) == [0, 0, 0]
    assert len(find_peaks(as_wav(np.ones(2) / 2), 50)) == 2
    assert find_peaks(as_wav(np.zeros(0)), 50) == []


def test_the_loudest_negative_sample_fits() -> None:
    assert find_peaks(as_wav(np.array([-1.0, 1.0])), 2) == [100, 100]
