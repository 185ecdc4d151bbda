"""The built-in sounds: complete, in the telephone's format, equally loud, and said at a natural pace."""

import io
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest

from openivr import sounds
from openivr.ivr.builtin_sounds import BEEP, SOUNDS

ROOT = Path(__file__).parents[1]
FULL_SCALE = 32768


def samples(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    with wave.open(io.BytesIO(sounds.read(name))) as sound:
        return np.frombuffer(sound.readframes(sound.getnframes()), np.int16) / FULL_SCALE


def level(signal: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """In dB below full scale."""
    return 10 * float(np.log10(np.mean(signal**2) + 1e-12))


def test_every_name_has_its_sound_and_no_other() -> None:
    assert set(SOUNDS) == sounds.NAMES


@pytest.mark.parametrize("name", ["", "../demo", "digits", "digits/10", "beep.wav", "/etc/passwd"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(KeyError):
        sounds.read(name)
    with pytest.raises(KeyError):
        sounds.seconds(name)


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_the_format_is_the_telephones(name: str) -> None:
    with wave.open(io.BytesIO(sounds.read(name))) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (1, 8000, 2)
        assert sounds.seconds(name) == pytest.approx(sound.getnframes() / 8000)


@pytest.mark.parametrize("name", sorted(SOUNDS))
def test_a_sound_is_neither_clipped_nor_faint_nor_cut_off(name: str) -> None:
    signal = samples(name)
    assert np.abs(signal).max() < 0.9
    assert -21.5 < level(signal) < -17.5
    if name != BEEP:
        for end in (signal[:80], signal[-80:]):  # 10 ms
            assert level(end) < level(signal) - 20


@pytest.mark.parametrize("name", sorted(set(SOUNDS) - {BEEP}))
def test_the_words_are_said_at_a_natural_pace(name: str) -> None:
    """A sound that was cut in the wrong place, or says more or less than its words, would stand out."""
    words = SOUNDS[name]
    lowest, highest = (0.4, 0.9) if " " not in words else (len(words) * 0.045, len(words) * 0.085)
    assert lowest < sounds.seconds(name) < highest


def test_the_beep_is_one_tone() -> None:
    signal = samples(BEEP)
    spectrum = np.abs(np.fft.rfft(signal)) ** 2
    loudest = int(np.argmax(spectrum))
    assert loudest * 8000 / len(signal) == pytest.approx(1000, abs=5)
    assert spectrum[loudest - 3 : loudest + 4].sum() > 0.99 * spectrum.sum()


def test_the_files_are_those_that_third_party_md_lists() -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--ignore-missing", "--quiet", "THIRD_PARTY.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    page = (ROOT / "THIRD_PARTY.md").read_text()
    assert all(f"  src/openivr/sounds/{name}.wav\n" in page for name in SOUNDS)


def test_all_of_them_are_small() -> None:
    assert sum(len(sounds.read(name)) for name in sounds.NAMES) < 1_500_000
