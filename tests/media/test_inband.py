"""Tones among noise, and what must not be taken for tones. Levels and twists are those of ITU-T Q.24."""

import itertools

import numpy as np
import pytest

from openivr.media.audio.g711 import FRAME, Law, Samples, encode
from openivr.media.audio.tone import HIGH, LOW, PAD
from openivr.media.dtmf.inband import InbandDetector, detect
from openivr.media.rtp.packet import Packet

NUMBER = "1234567890*#ABCD"


def tone(key: str, milliseconds: float = 60, level: float = 12, twist: float = 0, off: float = 0) -> Samples:
    """A key: `level` in dB below full scale of the low tone, the high one `twist` dB above it."""
    time = np.arange(int(milliseconds * 8)) / 8000
    low, high = (frequency * (1 + off) for frequency in (LOW[PAD.index(key) // 4], HIGH[PAD.index(key) % 4]))
    size = 32767 * 10 ** (-level / 20)
    wave = size * np.sin(2 * np.pi * low * time) + size * 10 ** (twist / 20) * np.sin(
        2 * np.pi * high * time + 1
    )
    return np.clip(wave, -32767, 32767).astype(np.int16)


def pause(milliseconds: float) -> Samples:
    return np.zeros(int(milliseconds * 8), np.int16)


def heard(sound: Samples, law: Law = Law.PCMU) -> str:
    keys: list[str] = []
    listener = InbandDetector(keys.append)
    coded = encode(np.append(sound, pause(60)), law)
    for start in range(0, len(coded) - FRAME + 1, FRAME):
        listener.collect(Packet(law, False, 0, 0, 0, coded[start : start + FRAME]), law)
        detect([listener])
    return "".join(keys)


def number(gap: float = 60, **how: float) -> Samples:
    return np.concatenate([part for key in NUMBER for part in (pause(gap), tone(key, **how))])


@pytest.mark.parametrize("law", Law)
def test_every_key(law: Law) -> None:
    assert heard(number(), law) == NUMBER


@pytest.mark.parametrize("offset", range(0, 160, 20))
def test_the_shortest_keys_count_wherever_packets_begin(offset: int) -> None:
    shortest = number(milliseconds=40, gap=40)
    assert heard(np.append(np.zeros(offset, np.int16), shortest)) == NUMBER


@pytest.mark.parametrize("milliseconds", [10, 15, 20])
def test_blips_do_not_count(milliseconds: float) -> None:
    assert heard(number(milliseconds=milliseconds)) == ""


def test_a_short_dropout_does_not_make_two_keys_of_one() -> None:
    sound = tone("5", 200)
    sound[800:880] = 0
    assert heard(sound) == "5"


def test_a_long_key_counts_once_and_the_same_key_again_counts_again() -> None:
    assert heard(np.concatenate([tone("7", 3000), pause(40), tone("7", 40)])) == "77"


@pytest.mark.parametrize("level", [6.1, 15, 25])
@pytest.mark.parametrize("twist", [-8, 0, 4])
def test_levels_and_twists_that_must_be_heard(level: float, twist: float) -> None:
    assert heard(number(level=level + max(twist, 0), twist=twist)) == NUMBER


@pytest.mark.parametrize("twist", [-14, 10])
def test_twists_that_no_telephone_has(twist: float) -> None:
    assert heard(number(twist=twist, level=20)) == ""


def test_faint_keys_are_heard() -> None:
    assert heard(number(level=33)) == NUMBER


def test_tones_too_faint_to_be_meant() -> None:
    assert heard(number(level=45)) == ""


@pytest.mark.parametrize("off", [-0.015, 0.015])
def test_frequencies_a_little_off(off: float) -> None:
    assert heard(number(off=off)) == NUMBER


@pytest.mark.parametrize("seed", range(5))
def test_noise_does_not_hide_keys(seed: int) -> None:
    sound = number(level=15).astype(float)
    noise = np.random.default_rng(seed).normal(0, 32767 * 10 ** (-33 / 20), len(sound))
    assert heard((sound + noise).astype(np.int16)) == NUMBER


@pytest.mark.parametrize("level", [3000, 12000])
def test_noise_is_no_key(level: float) -> None:
    noise = np.random.default_rng(3).normal(0, level, 8000 * 30)
    assert heard(np.clip(noise, -32767, 32767).astype(np.int16)) == ""


def speech(seed: int, seconds: int) -> Samples:
    """Vowels: harmonics of a gliding voice, shaped by formants, each vowel with its own, and pauses."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(seconds * 5):
        time = np.arange(1600) / 8000
        pitch = rng.uniform(80, 280) * (1 + rng.uniform(-0.2, 0.2) * time / 0.2)
        phase = 2 * np.pi * np.cumsum(pitch) / 8000
        formants = [
            (rng.uniform(250, 950), 90),
            (rng.uniform(850, 2300), 120),
            (rng.uniform(2300, 3200), 180),
        ]
        wave = np.zeros(1600)
        for harmonic in range(1, 40):
            frequency = pitch * harmonic
            gain = sum(1 / (1 + ((frequency - centre) / width) ** 2) for centre, width in formants)
            wave += np.where(frequency < 3800, gain, 0) * np.sin(harmonic * phase + rng.uniform(0, 6))
        envelope = np.sin(np.pi * np.minimum(time / 0.18, 1)) ** 0.5
        parts.append(wave * envelope / np.abs(wave).max() * rng.uniform(3000, 28000))
    return np.concatenate(parts).astype(np.int16)


@pytest.mark.parametrize("seed", range(6))
def test_speech_is_no_key(seed: int) -> None:
    assert heard(speech(seed, 40)) == ""


def test_single_tones_and_dial_tones_are_no_keys() -> None:
    time = np.arange(8000) / 8000
    for pair in [*itertools.combinations((350, 440, 480, 620), 2), *((each, each) for each in LOW + HIGH)]:
        wave = sum(8000 * np.sin(2 * np.pi * frequency * time) for frequency in pair)
        assert heard(np.asarray(wave).astype(np.int16)) == ""


@pytest.mark.parametrize("third", [770, 1336])
def test_a_third_tone_among_those_of_a_key_makes_it_none(third: int) -> None:
    sound = tone("1", 200).astype(float)
    extra = np.abs(sound).max() / 2 * 10 ** (-4 / 20) * np.sin(2 * np.pi * third * np.arange(1600) / 8000)
    assert heard(sound.astype(np.int16)) == "1"
    assert heard((sound + extra).astype(np.int16)) == ""


def test_many_calls_at_once_do_not_mix() -> None:
    results: list[list[str]] = [[] for _ in range(20)]
    listeners = [InbandDetector(result.append) for result in results]
    sounds = [encode(np.concatenate([tone(NUMBER[n % 16]), pause(100)]), Law.PCMU) for n in range(20)]
    for start in range(0, len(sounds[0]), FRAME):
        for listener, sound in zip(listeners, sounds, strict=True):
            listener.collect(Packet(0, False, 0, 0, 0, sound[start : start + FRAME]), Law.PCMU)
        detect(listeners)
    assert results == [[NUMBER[n % 16]] for n in range(20)]


@pytest.mark.parametrize("size", [80, 240, 480])
def test_packets_of_any_length(size: int) -> None:
    keys: list[str] = []
    listener = InbandDetector(keys.append)
    coded = encode(number(), Law.PCMA)
    for start in range(0, len(coded), size):
        listener.collect(Packet(8, False, 0, 0, 0, coded[start : start + size]), Law.PCMA)
        detect([listener])
    detect([listener])
    assert "".join(keys) == NUMBER


def test_t4_the_same_key_twice_with_comfort_noise_between() -> None:
    digits: list[str] = []
    detector = InbandDetector(digits.append)
    noise = Packet(13, False, 0, 0, 0, b"\x40")
    for _ in range(2):
        coded = encode(tone("5", 100), Law.PCMU)
        for start in range(0, len(coded), FRAME):
            detector.collect(Packet(0, False, 0, 0, 0, coded[start : start + FRAME]), Law.PCMU)
        detector.collect_pause(noise)
        for _ in range(10):
            detect([detector])
    assert digits == ["5", "5"]
