"""What is recorded, compared with what was said."""

import asyncio
import io
import signal
import stat
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import RATE, Law, Samples, decode
from openivr.media.media import Media
from openivr.media.recording.audio_recording import RecordEnd, RecordingResult, trailing_silence
from openivr.media.recording.timeline import MAX_OFFSET, Timeline
from openivr.media.session import MediaSession
from tests.media.rtp_peer import RtpPeer, with_media

SPOKEN = Clip.from_samples(np.random.default_rng(5).integers(-20_000, 20_000, 160 * 30).astype(np.int16))
PLAYED = Clip.from_samples(np.random.default_rng(6).integers(-20_000, 20_000, 160 * 30).astype(np.int16))


def sound_of(clip: Clip, law: Law) -> Samples:
    return decode(b"".join(clip.frames(law)), law)


def read(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.int16]]":
    with wave.open(io.BytesIO(path.read_bytes())) as file:
        assert (file.getframerate(), file.getsampwidth()) == (RATE, 2)
        data = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return data.reshape(-1, file.getnchannels())


def find(clip: Clip, law: Law, hay: Samples) -> int:
    """Where a sound begins in a recording; between its packets a stall may have left silence."""
    data, places = hay.tobytes(), [0]
    for frame in clip.frames(law):
        place = data.find(decode(frame, law).tobytes(), places[-1])
        assert place >= 0
        places.append(place)
    return places[1] // 2


async def speak(phone: RtpPeer, session: MediaSession, law: Law) -> None:
    """Send the audio at the pace of the received packets."""
    for frame in SPOKEN.frames(law):
        phone.send_audio(session, frame, payload_type=law)
        await phone.receive(1)


@pytest.mark.parametrize("law", Law)
def test_the_caller_is_recorded_to_the_sample(tmp_path: Path, law: Law) -> None:
    async def test(media: Media) -> None:
        phone, session, ended = RtpPeer(), media.open("127.0.0.1"), asyncio.get_running_loop().create_future()
        session.connect(phone.remote(law))
        phone.send_audio(
            session, law.silence * 160, payload_type=law
        )  # the source is known, and its audio kept away
        await phone.receive(2)
        recording = session.record(tmp_path / "a.wav", ended.set_result)
        await speak(phone, session, law)
        recording.stop()
        recording.stop()
        recorded = await ended
        assert recorded.end is RecordEnd.STOPPED
        data = read(recorded.path)
        assert data.shape == (round(recorded.seconds * RATE), 1)
        assert find(SPOKEN, law, data[:, 0]) < RATE
        assert stat.S_IMODE(recorded.path.stat().st_mode) == 0o600
        assert session.receiver.listeners == []

    with_media(test)


def test_both_sides_are_recorded_beside_each_other(tmp_path: Path) -> None:
    async def test(media: Media) -> None:
        phone, session, ended = RtpPeer(), media.open("127.0.0.1"), asyncio.get_running_loop().create_future()
        session.connect(phone.remote())
        session.record(tmp_path / "a.wav", ended.set_result, both=True)
        session.play([PLAYED])
        await speak(phone, session, Law.PCMU)
        session.close()
        data = read((await ended).path)
        spoken = find(SPOKEN, Law.PCMU, data[:, 0])
        played = find(PLAYED, Law.PCMU, data[:, 1])
        assert abs(spoken - played) < RATE // 4

    with_media(test)


def test_a_bridged_session_is_recorded_with_the_audio_sent_to_it(tmp_path: Path) -> None:
    async def test(media: Media) -> None:
        one, other, ended = RtpPeer(), RtpPeer(), asyncio.get_running_loop().create_future()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        first.connect(one.remote())
        second.connect(other.remote(Law.PCMA))
        first.bridge(second)
        first.record(tmp_path / "a.wav", ended.set_result, both=True)
        pace, third = RtpPeer(), media.open("127.0.0.1")
        third.connect(pace.remote())
        for frame in SPOKEN.pcma:
            other.send_audio(second, frame, payload_type=8)
            await pace.receive(1)
        first.close()
        heard = read((await ended).path)[:, 1]
        spoken = sound_of(SPOKEN, Law.PCMA)
        assert np.abs(heard.astype(int)).max() > 15_000
        place = int(np.correlate(heard.astype(float), spoken[:800].astype(float)).argmax())
        off = np.abs(heard[place : place + len(spoken)].astype(int) - spoken)
        assert off.max() < 1024  # one step of the coarsest part of either law

    with_media(test)


SECRET = Clip.from_samples(np.random.default_rng(7).integers(-20_000, 20_000, 160 * 60).astype(np.int16))


def test_a_pause_is_left_out_of_both_sides_and_of_the_length(tmp_path: Path) -> None:
    async def test(media: Media) -> None:
        phone, session, ended = RtpPeer(), media.open("127.0.0.1"), asyncio.get_running_loop().create_future()
        session.connect(phone.remote())
        times = [time.monotonic()]
        recording = session.record(tmp_path / "a.wav", ended.set_result, both=True)
        times.append(time.monotonic())
        session.play([PLAYED])
        await speak(phone, session, Law.PCMU)
        for act in (recording.pause, recording.unpause, recording.stop):
            if act == recording.unpause:
                recording.pause()  # a second time
                session.play([SECRET], loop=True)
                for frame in SECRET.pcmu:
                    phone.send_audio(session, frame)
                    await phone.receive(1)
                session.play([PLAYED])
                await phone.until(lambda: phone.received[-1].payload == PLAYED.pcmu[0])
            times.append(time.monotonic())
            act()
            times.append(time.monotonic())
            assert recording.is_paused is (act == recording.pause)
            if act == recording.unpause:
                await speak(phone, session, Law.PCMU)
        recorded: RecordingResult = await ended
        data = read(recorded.path)
        before = times[2] - times[1] + times[6] - times[5], times[3] - times[0] + times[7] - times[4]
        assert before[0] - 0.001 <= recorded.seconds <= before[1] + 0.6
        assert len(data) == round(recorded.seconds * RATE)
        secret = {decode(frame, Law.PCMU).tobytes() for frame in SECRET.pcmu}
        for channel in (0, 1):
            sound = data[:, channel].tobytes()
            assert not any(frame in sound for frame in secret)
        spoken = find(SPOKEN, Law.PCMU, data[:, 0])
        assert find(SPOKEN, Law.PCMU, data[spoken + 160 * 30 :, 0]) < 2 * RATE
        assert recorded.sound >= 1.1

    with_media(test)


@given(
    gap=st.integers(0, 3 * MAX_OFFSET),
    before=st.integers(1, 40),
    after=st.integers(1, 40),
    start=st.integers(0, 2**32 - 1),
)
def test_what_follows_a_pause_begins_where_it_began(gap: int, before: int, after: int, start: int) -> None:
    """However long the pause is: the timestamps count on in it, and the position does not."""
    timeline, ones = Timeline(), np.ones(160, np.int16)
    for n in range(before):
        timeline.put(1, (start + 160 * n) % 2**32, ones, 160 * (n + 1))
    first = timeline.take(160 * before)
    timeline.discard()
    for n in range(after):
        timeline.put(1, (start + 160 * (before + n) + gap) % 2**32, 2 * ones, 160 * (before + n + 1))
    second = timeline.take(160 * (before + after))
    assert list(first) == [1] * 160 * before
    assert list(second) == [2] * 160 * after


def test_silence_ends_it(tmp_path: Path) -> None:
    async def test(media: Media) -> None:
        phone, session, ended = RtpPeer(), media.open("127.0.0.1"), asyncio.get_running_loop().create_future()
        session.connect(phone.remote())
        session.record(tmp_path / "a.wav", ended.set_result, silence_seconds=0.7)
        await speak(phone, session, Law.PCMU)
        recorded: RecordingResult = await ended
        assert recorded.end is RecordEnd.SILENCE
        assert 0.6 + 0.6 <= recorded.seconds < 0.6 + 0.7 + 1

    with_media(test)


def test_it_is_never_longer_than_allowed(tmp_path: Path) -> None:
    async def test(media: Media) -> None:
        phone, session, ended = RtpPeer(), media.open("127.0.0.1"), asyncio.get_running_loop().create_future()
        session.connect(phone.remote())
        session.record(tmp_path / "a.wav", ended.set_result, seconds=0.25)
        await speak(phone, session, Law.PCMU)
        recorded: RecordingResult = await ended
        assert (recorded.end, recorded.seconds) == (RecordEnd.LENGTH, 0.25)
        assert len(read(recorded.path)) == 2000

    with_media(test)


def test_a_failed_write_is_reported(tmp_path: Path) -> None:
    async def test(media: Media) -> None:
        session, ended = media.open("127.0.0.1"), asyncio.get_running_loop().create_future()
        (tmp_path / "there.wav").write_bytes(b"kept")
        session.record(tmp_path / "there.wav", ended.set_result)
        assert (await ended).end is RecordEnd.FAILED
        assert (tmp_path / "there.wav").read_bytes() == b"kept"

    with_media(test)


def test_the_end_of_the_house_waits_for_the_file(tmp_path: Path) -> None:
    async def test(media: Media) -> None:
        session = media.open("127.0.0.1")
        session.record(tmp_path / "a.wav")
        await media.close()
        read(tmp_path / "a.wav")

    async def run() -> None:
        from openivr.media.media import MediaSettings
        from tests.media.rtp_peer import PORTS

        await test(Media(MediaSettings(ports=PORTS)))

    asyncio.run(run())


KILLED = """
import asyncio, sys
from pathlib import Path
from openivr.media.media import Media, MediaSettings

async def main():
    session = Media(MediaSettings(ports=range(26000, 26100))).open("127.0.0.1")
    session.record(Path(sys.argv[1]))
    while not Path(sys.argv[1]).exists() or Path(sys.argv[1]).stat().st_size < 8000:
        await asyncio.sleep(0.05)
    print("written", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_a_killed_process_leaves_a_readable_file(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert len(read(path)) >= 3900


samples = np.arange(160 * 20).astype(np.int16)
FRAMES = [(place * 160, samples[place * 160 :][:160]) for place in range(20)]


@given(st.permutations(range(20)), st.integers(0, 2**32 - 1))
def test_packets_in_any_order_stand_where_their_timestamps_put_them(order: list[int], start: int) -> None:
    track = Timeline()
    track.put(1, start, FRAMES[0][1], 160)
    for number in order:
        where, frame = FRAMES[number]
        track.put(1, start + where & 0xFFFFFFFF, frame, 160 + where)
    assert (np.append(track.take(1000), track.take(4000)) == np.append(samples, np.zeros(800))).all()


def test_what_is_lost_is_silence_and_what_is_late_is_left_out() -> None:
    track = Timeline()
    track.put(1, 0, FRAMES[1][1], 160)
    track.put(1, 320, FRAMES[2][1], 480)
    sound = track.take(480)
    assert (sound[160:320] == 0).all()
    assert (sound[320:] == FRAMES[2][1]).all()
    track.put(1, 160, FRAMES[3][1], 500)
    track.put(1, 480, FRAMES[4][1], 640)
    assert (track.take(640) == FRAMES[4][1]).all()


def test_delayed_packets_are_placed_later_and_kept_whole() -> None:
    track = Timeline()
    track.put(1, 0, FRAMES[0][1], 160)
    track.take(2000)
    for where, frame in FRAMES[1:4]:
        track.put(1, where, frame, 2000)
    assert (track.take(2480) == samples[160:640]).all()


def test_another_source_or_clock_is_put_where_the_wall_clock_says() -> None:
    track = Timeline()
    track.put(1, 5_000_000, FRAMES[1][1], 160)
    track.put(2, 77, FRAMES[2][1], 1160)
    track.put(2, 77 + 160 + 2 * MAX_OFFSET, FRAMES[3][1], 1320)
    sound = track.take(1320)
    assert (sound[:160] == FRAMES[1][1]).all()
    assert (sound[1000:] == np.append(FRAMES[2][1], FRAMES[3][1])).all()


@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.integers(0, 2**32 - 1), st.integers(0, 400), st.integers(0, 10**6)),
        max_size=30,
    )
)
def test_no_stream_makes_the_line_longer_or_shorter(stream: list[tuple[int, int, int, int]]) -> None:
    track, until = Timeline(), 0
    for source, timestamp, size, place in stream:
        track.put(source, timestamp, np.ones(size, np.int16), place)
        until += 1000
        assert len(track.take(until)) == 1000


def test_silence_at_the_end() -> None:
    loud, quiet = np.full(320, 3000, np.int16), np.full(480, 100, np.int16)
    assert trailing_silence(np.append(loud, quiet), 999) == 480
    assert trailing_silence(quiet, 999) == 999 + 480
    assert trailing_silence(np.append(quiet, loud), 999) == 0
