"""Files that become prompts: what is read, bounded, mixed and brought to a level."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from openivr.media.audio.clip import Clip, ClipCache
from openivr.sounds import FOLDER
from openivr.sounds.containers import MAX_MINUTES, AudioFault, find_container, repair_length
from openivr.sounds.convert import RATE, ConvertedAudio, NotAudio, convert
from openivr.sounds.decode import measure_wav
from openivr.sounds.loudness import CEILING, SILENCE, TARGET, high_pass, measure_loudness, shelf

Wave = NDArray[np.float64]


def tone(seconds: float = 2, hertz: float = 997, level: float = 0.2, rate: int = RATE) -> Wave:
    return np.asarray(level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate))


def speech(level: float = 0.1, seconds: float = 4, rate: int = RATE) -> Wave:
    """Return noise in syllables, whose peaks are far above its mean, as those of speech are."""
    noise = np.random.default_rng(7).standard_normal(int(seconds * rate))
    syllables = np.clip(np.sin(2 * np.pi * 3 * np.arange(len(noise)) / rate), 0, 1)
    return np.asarray(level * noise * syllables / np.abs(noise * syllables).max())


def file(samples: Wave, rate: int = RATE, **form: str) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, samples, rate, **({"format": "WAV", "subtype": "PCM_16"} | form))
    return target.getvalue()


def hear(result: ConvertedAudio) -> Wave:
    samples, rate = soundfile.read(io.BytesIO(result.wav))
    assert rate == RATE
    return np.asarray(samples)


def decibels(ratio: float) -> float:
    return float(20 * np.log10(ratio))


def fault(data: bytes, extension: str) -> tuple[AudioFault, dict[str, str | int]]:
    with pytest.raises(NotAudio) as refused:
        convert(data, extension)
    return refused.value.fault, refused.value.params


def test_m18_the_weighting_is_that_of_the_standard() -> None:
    """ITU-R BS.1770-4, tables 1 and 2: the coefficients for 48 kHz."""
    (b, a), (d, c) = shelf(48_000), high_pass(48_000)
    assert b == pytest.approx((1.53512485958697, -2.69169618940638, 1.19839281085285), abs=1e-8)
    assert a == pytest.approx((-1.69065929318241, 0.73248077421585), abs=1e-8)
    assert d == (1.0, -2.0, 1.0)
    assert c == pytest.approx((-1.99004745483398, 0.99007225036621), abs=1e-8)


@pytest.mark.parametrize("rate", [8000, 48_000])
@pytest.mark.parametrize(("level", "lufs"), [(1.0, -3.01), (10 ** (-20 / 20), -23.01), (0.0001, -70.0)])
def test_m18_a_sine_of_997_hz_has_the_loudness_of_the_standard(rate: int, level: float, lufs: float) -> None:
    samples = tone(20, level=level, rate=rate).astype(np.float32)
    assert measure_loudness(samples, rate) == pytest.approx(lufs, abs=0.1)


def test_m18_pauses_do_not_count() -> None:
    """EBU Tech 3341, cases 3 and 4: quiet parts are gated."""
    loud, quiet = tone(20, level=10 ** (-23 / 20)), tone(10, level=10 ** (-36 / 20))
    whole = np.concatenate((quiet, loud, quiet)).astype(np.float32)
    assert measure_loudness(whole, RATE) == pytest.approx(-26.0, abs=0.1)
    silent = np.concatenate((np.zeros(RATE * 30), loud)).astype(np.float32)
    assert measure_loudness(silent, RATE) == pytest.approx(-26.0, abs=0.1)


@pytest.mark.parametrize(
    ("sound", "peak"),
    [
        (speech, 10 ** (-43 / 20)),
        (speech, 10 ** (-30 / 20)),
        (lambda level: tone(level=level), 10 ** (-43 / 20)),
        (lambda level: tone(level=level), 1.0),
    ],
)
def test_m18_the_level_is_brought_to_that_of_the_built_in_sounds(
    sound: Callable[[float], Wave], peak: float
) -> None:
    result = convert(file(sound(peak)), "wav")
    assert result.loudness == pytest.approx(TARGET, abs=2.5)
    assert np.abs(hear(result)).max() <= CEILING + 1 / 32768
    kept = convert(file(sound(peak)), "wav", keeps_level=True)
    assert np.abs(hear(kept)).max() == pytest.approx(peak, abs=2 / 32768)


def test_m18_the_built_in_sounds_have_the_target_and_stay_as_they_are() -> None:
    for path in sorted(FOLDER.glob("*.wav")):
        data = path.read_bytes()
        assert abs(measure_wav(data) - TARGET) <= 2, path
        assert np.array_equal(hear(convert(data, "wav")), soundfile.read(io.BytesIO(data))[0])


def test_m18_the_limiter_keeps_every_peak_and_nothing_else() -> None:
    quiet = speech(0.004, 10)
    quiet[40_000] = 0.5  # a click, which a plain gain would clip
    result = hear(convert(file(quiet), "wav"))
    assert np.abs(result).max() <= CEILING + 1 / 32768
    ratios = [
        np.sqrt((result[part] ** 2).mean() / (quiet[part] ** 2).mean())
        for part in (slice(30_000), slice(50_000, None))
    ]
    assert ratios[0] == pytest.approx(ratios[1], rel=0.01)


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
@pytest.mark.parametrize("whole", [0, 0xFFFFFFFF, 36])
def test_m18_a_wav_of_a_writer_that_streams_is_read_to_its_end(size: int, whole: int) -> None:
    data = file(speech())
    at = data.index(b"data")
    streamed = (
        data[:4] + struct.pack("<I", whole) + data[8 : at + 4] + struct.pack("<I", size) + data[at + 8 :]
    )
    assert convert(streamed, "wav") == convert(data, "wav")
    assert repair_length(streamed) == data


def test_m18_a_wav_without_data_is_empty_whatever_follows() -> None:
    head = file(speech())[:40]
    note = b"LIST" + struct.pack("<I", 4) + b"INFO"
    empty = head[:4] + struct.pack("<I", 36 + len(note)) + head[8:] + struct.pack("<I", 0) + note
    assert fault(empty, "wav")[0] is AudioFault.EMPTY


def mix(*channels: Wave) -> bytes:
    return file(np.column_stack(channels))


@pytest.mark.parametrize("at", range(6))
def test_m18_speech_in_one_channel_loses_nothing(at: int) -> None:
    """In the left one of two, or in the centre of 5.1."""
    words, silence = speech(0.3), np.zeros(len(speech()))
    channels = [silence] * 6
    channels[at] = words
    expected = hear(convert(file(words), "wav", keeps_level=True))
    assert np.array_equal(hear(convert(mix(*channels), "wav", keeps_level=True)), expected)
    hum = 0.001 * tone(4, 50)
    with_hum = hear(
        convert(mix(*[words if part is words else hum for part in channels]), "wav", keeps_level=True)
    )
    assert np.abs(with_hum - expected).max() < 0.002


def test_m18_channels_in_opposite_phase_are_heard() -> None:
    words = speech(0.3)
    for other in (-words, -0.9 * words):
        result = hear(convert(mix(words, other), "wav", keeps_level=True))
        assert np.abs(result).max() == pytest.approx(0.3, abs=0.001)


def test_m18_channels_that_all_carry_sound_are_mixed() -> None:
    first, second = tone(hertz=500, level=0.4), tone(hertz=1500, level=0.4)
    result = hear(convert(mix(first, second), "wav", keeps_level=True))
    assert np.abs(result - (first + second) / 2).max() < 0.001


@pytest.mark.parametrize("channels", [1, 2])
def test_m18_silence_stays_silence_and_is_known(channels: int) -> None:
    result = convert(mix(*[np.zeros(RATE)] * channels), "wav")
    assert result.loudness == SILENCE
    assert not hear(result).any()


def with_rate(data: bytes, rate: int) -> bytes:
    return data[:24] + struct.pack("<I", rate) + data[28:]


@pytest.mark.parametrize("rate", [1, 100, 3999, 192_001, 2**31 - 1])
def test_m19_the_rate_is_bounded(rate: int) -> None:
    found, params = fault(with_rate(file(tone()), rate), "wav")
    assert (found, params["low"], params["high"]) == (AudioFault.RATE, 4000, 192_000)
    assert params["rate"] == rate


@pytest.mark.parametrize("channels", [9, 32, 1024])
def test_m19_the_number_of_channels_is_bounded(channels: int) -> None:
    data = file(np.zeros((20, channels)))
    assert fault(data, "wav") == (AudioFault.CHANNELS, {"channels": channels, "high": 8})


def test_m19_the_length_is_bounded_and_so_is_the_memory() -> None:
    flac = file(np.zeros(RATE * (60 * MAX_MINUTES + 1)), format="FLAC")
    assert len(flac) < 100_000
    tracemalloc.start()
    try:
        assert fault(flac, "flac") == (AudioFault.TOO_LONG, {"minutes": MAX_MINUTES})
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


def test_m19_prompts_in_memory_are_bounded() -> None:
    cache = ClipCache()
    assert cache.limit == 128 * 2**20
    frames = tuple([bytes(160)] * (60 * MAX_MINUTES * 50))  # the longest prompt
    for name in range(20):
        cache.put(name, Clip(frames, frames))
    assert cache.size <= cache.limit
    assert len(cache) >= 7


@pytest.mark.parametrize(
    ("form", "extension", "found"),
    [
        ("MP3", "wav", "mp3"),
        ("WAV", "mp3", "wav"),
        ("FLAC", "wav", "flac"),
        ("OGG", "mp3", "ogg"),
        ("AIFF", "wav", "aiff"),
    ],
)
def test_m20_a_file_under_the_wrong_name_is_called_by_its_own(form: str, extension: str, found: str) -> None:
    data = file(
        tone(rate=16_000),
        16_000,
        format=form,
        subtype={"MP3": "MPEG_LAYER_III", "OGG": "VORBIS"}.get(form, "PCM_16"),
    )
    other = AudioFault.UNREADABLE if found == "aiff" else AudioFault.OTHER_TYPE
    assert fault(data, extension) == (
        other,
        {"found": found} | ({} if found == "aiff" else {"type": extension}),
    )


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\0\0\0 ftypM4A " + bytes(100), "m4a"),
        (b"\x1aE\xdf\xa3" + bytes(100), "webm"),
        (b"#!AMR\n" + bytes(100), "amr"),
    ],
)
def test_m21_types_that_are_not_read_are_named(data: bytes, found: str) -> None:
    assert find_container(data) == found
    assert fault(data, "wav") == (AudioFault.UNREADABLE, {"found": found})


MPEG = """
import sys
from pathlib import Path
from openivr.sounds.convert import NotAudio, convert
for path in sys.argv[1:]:
    try:
        print(convert(Path(path).read_bytes(), "mp3").seconds)
    except NotAudio as error:
        print(error.fault)
"""


def test_m20_nothing_of_a_library_reaches_the_terminal(tmp_path: os.PathLike[str]) -> None:
    folder = os.fspath(tmp_path)
    paths = []
    for rate in (8000, 44_100):
        data = file(tone(rate=rate), rate, format="MP3", subtype="MPEG_LAYER_III")
        cut = data[: len(data) // 2 + 7]
        spoilt = data[:400] + bytes(300) + data[400:900] + b"x" * 500 + data[900:]
        for number, content in enumerate((data, cut, spoilt, b"\xff\xfb\x90" + bytes(5000))):
            paths.append(f"{folder}/{rate}-{number}.mp3")
            with open(paths[-1], "wb") as target:
                target.write(content)
    result = subprocess.run(
        [sys.executable, "-c", MPEG, *paths], capture_output=True, text=True, timeout=120, check=True
    )
    assert result.stderr == ""
    lines = result.stdout.split()
    assert (lines[0], lines[3], lines[4], lines[7]) == ("2", "audio_type", "2", "audio_type")


@pytest.mark.parametrize(
    ("extension", "form"),
    [
        ("flac", {"format": "FLAC"}),
        ("ogg", {"format": "OGG", "subtype": "VORBIS"}),
        ("opus", {"format": "OGG", "subtype": "OPUS"}),
        ("ogg", {"format": "OGG", "subtype": "OPUS"}),
        ("mp3", {"format": "MP3", "subtype": "MPEG_LAYER_III"}),
    ],
)
def test_m21_what_browsers_and_telephones_record_is_taken(extension: str, form: dict[str, str]) -> None:
    result = convert(file(tone(2, 440, rate=48_000), 48_000, **form), extension)
    samples = hear(result)
    assert result.seconds in {2, 3}
    assert 1.9 < len(samples) / RATE < 2.2
    assert abs(int(np.argmax(np.abs(np.fft.rfft(samples[RATE // 2 : RATE // 2 + RATE])))) - 440) <= 1


def test_m22_every_16_bit_sample_is_stored_as_it_was() -> None:
    every = np.arange(-32768, 32768, dtype=np.int16)
    data = io.BytesIO()
    soundfile.write(data, every, RATE, format="WAV", subtype="PCM_16")
    result = convert(data.getvalue(), "wav", keeps_level=True)
    stored, _ = soundfile.read(io.BytesIO(result.wav), dtype="int16")
    assert np.array_equal(stored, every)


@pytest.mark.parametrize("form", [{}, {"format": "FLAC"}])
@pytest.mark.parametrize("level", [0.6, 0.9])
def test_m22_a_file_near_the_level_stays_sample_for_sample(level: float, form: dict[str, str]) -> None:
    samples = np.asarray(np.rint(speech(level) * 32767), np.int16)
    target = io.BytesIO()
    soundfile.write(target, samples, RATE, **({"format": "WAV", "subtype": "PCM_16"} | form))
    result = convert(target.getvalue(), "flac" if form else "wav")
    stored, _ = soundfile.read(io.BytesIO(result.wav), dtype="int16")
    assert np.array_equal(stored, samples)
