"""Sounds as frames, and how many of them are kept."""

import io
import wave
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.media.audio.clip import Clip, ClipCache, UnsupportedWav
from openivr.media.audio.g711 import Law, decode, encode

SAMPLES = (np.arange(400) * 77 % 30_000 - 15_000).astype(np.int16)


def wav(samples: bytes, rate: int = 8000, channels: int = 1, width: int = 2) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setframerate(rate)
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.writeframes(samples)
    return target.getvalue()


@pytest.mark.parametrize("law", Law)
def test_frames_are_the_sound_filled_up_with_silence(law: Law) -> None:
    frames = Clip.from_wav(wav(SAMPLES.astype("<i2").tobytes())).frames(law)
    assert [len(frame) for frame in frames] == [160, 160, 160]
    assert b"".join(frames) == encode(SAMPLES, law) + encode(np.zeros(80, np.int16), law)
    assert abs(decode(frames[2][80:], law)).max() <= 8


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", wav(b"", rate=16000), wav(b"", channels=2), wav(b"", width=1)]
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedWav):
        Clip.from_wav(data)


@given(st.binary(max_size=60))
def test_a_damaged_file_is_refused_or_read(tail: bytes) -> None:
    whole = wav(SAMPLES[:10].tobytes())
    for data in (whole[:30] + tail, whole + tail, whole[: len(whole) - len(tail)]):
        with suppress(UnsupportedWav):
            Clip.from_wav(data)


def test_an_empty_sound_has_no_frames() -> None:
    assert Clip.from_wav(wav(b"")).pcmu == ()


def clip(frames: int) -> Clip:
    return Clip.from_samples(np.zeros(160 * frames, np.int16))


def test_the_least_recently_used_is_given_up() -> None:
    cache = ClipCache(limit=3 * clip(1).size)
    clips = [clip(1) for _ in range(4)]
    for number in range(3):
        cache.put(number, clips[number])
    assert cache.get(0) is clips[0]
    cache.put(3, clips[3])
    assert [cache.get(number) for number in range(4)] == [clips[0], None, clips[2], clips[3]]
    cache.put(0, clips[1])
    assert len(cache) == 3
    assert cache.size == 3 * clip(1).size


def test_one_clip_is_kept_however_long() -> None:
    cache = ClipCache(limit=1)
    cache.put("short", clip(1))
    long = clip(100)
    cache.put("long", long)
    assert cache.get("long") is long
    assert len(cache) == 1


def test_a_clip_is_given_up_when_asked() -> None:
    cache = ClipCache()
    cache.put("one", clip(1))
    cache.discard("one")
    cache.discard("one")
    assert (cache.get("one"), cache.size) == (None, 0)
