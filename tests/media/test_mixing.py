"""Mixing: the order of packets, the limiter, and what the parties of a mix receive."""

import asyncio

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import FRAME, Law, Samples, decode, encode
from openivr.media.media import Media
from openivr.media.mixing.jitter_buffer import DELAY, MAX_PACKETS, JitterBuffer
from openivr.media.mixing.mixer import PEAK, RELEASE, Limiter, Mixer
from openivr.media.session import MediaSession
from tests.media.rtp_peer import RtpPeer, with_media
from tests.media.test_session import QUIET, SOUND

TURNS = DELAY // FRAME
LOUD = encode(np.full(FRAME, 20_000, np.int16), Law.PCMU)
LOUDEST = encode(np.full(FRAME, 32_000, np.int16), Law.PCMU)


def numbered(index: int, length: int = FRAME) -> Samples:
    """Samples that say where they belong."""
    return np.arange(index * length + 1, (index + 1) * length + 1).astype(np.int16)


def take(buffer: JitterBuffer, turns: int) -> Samples:
    frames = [buffer.take() for _ in range(turns)]
    return np.concatenate([np.zeros(FRAME, np.int16) if frame is None else frame for frame in frames])


# The jitter buffer


@given(
    start=st.integers(0, 2**32 - 1), length=st.sampled_from([80, 160, 240]), lost=st.sets(st.integers(1, 39))
)
def test_packets_come_out_to_the_sample_after_the_delay_and_lost_ones_are_silence(
    start: int, length: int, lost: set[int]
) -> None:
    buffer, out = JitterBuffer(), []
    packets = 40
    arrivals = [
        [n for n in range(packets) if n * length // FRAME == turn]
        for turn in range(packets * length // FRAME)
    ]
    for arriving in arrivals:
        for n in arriving:
            if n not in lost:
                buffer.add(7, (start + n * length) % 2**32, numbered(n, length))
        out.append(take(buffer, 1))
    sound = np.concatenate([*out, take(buffer, 10)])[DELAY : DELAY + packets * length]
    for n in range(packets):
        piece = sound[n * length : (n + 1) * length]
        assert np.array_equal(piece, np.zeros(length) if n in lost else numbered(n, length)), n


@given(order=st.permutations(range(3)), start=st.integers(0, 2**32 - 1))
def test_packets_that_overtake_each_other_within_the_delay_come_out_in_order(
    order: list[int], start: int
) -> None:
    buffer = JitterBuffer()
    buffer.add(1, start, numbered(0))
    for n in order:
        buffer.add(1, (start + (n + 1) * FRAME) % 2**32, numbered(n + 1))
    assert np.array_equal(take(buffer, TURNS + 4)[DELAY:], np.concatenate([numbered(n) for n in range(4)]))


arrivals = st.lists(
    st.one_of(
        st.none(),  # a turn
        st.tuples(st.integers(1, 2), st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 80, 160, 400])),
        st.tuples(st.just(1), st.integers(0, 3000), st.just(160)),
    ),
    max_size=200,
)


@given(arrivals)
def test_whatever_a_source_sends_frames_are_whole_and_memory_is_bounded(
    happenings: list[tuple[int, int, int] | None],
) -> None:
    buffer = JitterBuffer()
    for happening in happenings:
        if happening is None:
            frame = buffer.take()
            assert frame is None or len(frame) == FRAME
        else:
            source, timestamp, length = happening
            buffer.add(source, timestamp, np.ones(length, np.int16))
        assert len(buffer._pending) <= MAX_PACKETS


@given(drift=st.sampled_from([-8, -1, 1, 8]))
def test_a_source_whose_clock_differs_is_followed_without_going_back(drift: int) -> None:
    buffer, out = JitterBuffer(), []
    position = 0.0
    timestamp = 0
    for _ in range(2000):
        position += FRAME + drift / 10
        while timestamp + FRAME <= position:
            buffer.add(1, timestamp, np.full(FRAME, timestamp // FRAME + 1, np.int16))
            timestamp += FRAME
        out.append(take(buffer, 1))
    heard = np.concatenate(out)
    heard = heard[heard > 0]
    assert np.all(np.diff(heard.astype(int)) >= 0)
    assert heard[-1] >= timestamp // FRAME - 9
    assert len(np.unique(heard)) > 1950


def test_a_source_that_pauses_without_counting_on_begins_again() -> None:
    buffer = JitterBuffer()
    buffer.add(1, 0, numbered(0))
    take(buffer, 100)
    buffer.add(1, FRAME, numbered(1))
    assert np.array_equal(take(buffer, TURNS + 1)[DELAY:], numbered(1))


def test_another_source_replaces_the_first() -> None:
    buffer = JitterBuffer()
    buffer.add(1, 0, numbered(0))
    buffer.add(2, 999_999, numbered(1))
    assert np.array_equal(take(buffer, TURNS + 1)[DELAY:], numbered(1))


# The limiter

sums = st.lists(st.integers(0, 5), min_size=1, max_size=30)


@given(sums, st.integers(0, 2**31))
def test_sums_never_clip_or_turn_over(levels: list[int], seed: int) -> None:
    """The output has the sign of the sum, is at most full scale, and equals a sum that needs no limit."""
    limiter, noise = Limiter(), np.random.default_rng(seed)
    for level in levels:
        before = limiter.gain
        total = noise.integers(-PEAK * level // 2, PEAK * level // 2 + 1, FRAME).astype(np.int32)
        out = limiter.limit(total).astype(np.int32)
        assert np.abs(out).max() <= PEAK
        assert np.all(np.sign(out) * np.sign(total) >= 0)
        assert np.all(np.abs(out) <= np.abs(total))
        assert 0 < limiter.gain <= min(1.0, before + RELEASE)
        if before == 1.0 and np.abs(total).max() <= PEAK:
            assert np.array_equal(out, total)


def test_a_loud_moment_does_not_keep_the_rest_quiet() -> None:
    limiter = Limiter()
    limiter.limit(np.full(FRAME, 3 * PEAK, np.int32))
    assert limiter.gain < 0.4
    for _ in range(14):
        limiter.limit(np.full(FRAME, 100, np.int32))
    assert limiter.gain == 1.0


@given(st.permutations(range(3)), st.lists(st.integers(-32768, 32767), min_size=3, max_size=3))
def test_the_order_of_sources_does_not_matter(order: list[int], levels: list[int]) -> None:
    def mixed(indices: list[int]) -> Samples:
        sources = []
        for index in indices:
            buffer = JitterBuffer()
            buffer.add(index, 0, np.full(FRAME, levels[index], np.int16))
            sources.append(buffer)
        mixer = Mixer(sources)
        return np.concatenate([frame for _ in range(TURNS + 1) if (frame := mixer.take()) is not None])

    assert np.array_equal(mixed(order), mixed([0, 1, 2]))


def test_silent_sources_cost_no_sum() -> None:
    assert Mixer([JitterBuffer(), JitterBuffer()]).take() is None
    assert next(Mixer().frames(Law.PCMA)) == Law.PCMA.silence * FRAME


# Sessions


class Scene:
    """Two sessions that are bridged and a third, each with its peer."""

    def __init__(self, media: Media) -> None:
        self.peers = [RtpPeer() for _ in range(3)]
        self.sessions = [media.open("127.0.0.1") for _ in range(3)]
        for peer, session in zip(self.peers, self.sessions, strict=True):
            session.connect(peer.remote())
        self.sessions[0].bridge(self.sessions[1])

    async def until_received(self, peer: int, payload: bytes) -> None:
        """Wait until this peer receives the payload, which the others go on sending."""
        seen = len(self.peers[peer].received)
        await self.peers[peer].until(lambda: payload in [p.payload for p in self.peers[peer].received[seen:]])


async def speak(peer: RtpPeer, session: MediaSession, payload: bytes) -> None:
    """Send a packet for every packet that is received, for ever."""
    while True:
        await peer.receive(1)
        peer.send_audio(session, payload)


def test_a_mix_has_both_sources_and_its_sources_still_receive_each_other() -> None:
    async def test(media: Media) -> None:
        scene = Scene(media)
        first, second, third = scene.sessions
        low = [encode(np.full(FRAME, level, np.int16), Law.PCMU) for level in (1000, 4000)]
        total = encode(np.full(FRAME, sum(decoded(low)), np.int16), Law.PCMU)
        third.mix([first, second])
        scene.peers[0].send_audio(first, low[0])
        scene.peers[1].send_audio(second, low[1])
        tasks = [asyncio.create_task(speak(scene.peers[n], scene.sessions[n], low[n])) for n in (0, 1)]
        await scene.until_received(2, total)
        await scene.until_received(0, low[1])
        await scene.until_received(1, low[0])
        third.unmix()
        await scene.until_received(2, QUIET)
        assert not any("put" in str(listener) for listener in first.receiver.listeners)
        for task in tasks:
            task.cancel()

    with_media(test)


def decoded(payloads: list[bytes]) -> list[int]:
    return [int(decode(payload, Law.PCMU)[0]) for payload in payloads]


def test_two_full_voices_do_not_clip() -> None:
    async def test(media: Media) -> None:
        scene = Scene(media)
        first, second, third = scene.sessions
        third.mix([first, second])
        scene.peers[0].send_audio(first, LOUDEST)
        scene.peers[1].send_audio(second, LOUDEST)
        tasks = [asyncio.create_task(speak(scene.peers[n], scene.sessions[n], LOUDEST)) for n in (0, 1)]
        full = encode(np.full(FRAME, PEAK, np.int16), Law.PCMU)
        await scene.until_received(2, full)
        for task in tasks:
            task.cancel()

    with_media(test)


def test_a_clip_in_the_place_of_the_other_session_goes_on_after_a_prompt() -> None:
    async def test(media: Media) -> None:
        scene = Scene(media)
        first, second, _ = scene.sessions
        music = Clip.from_samples(np.full(5 * FRAME, 9000, np.int16))
        first.substitute(music)
        scene.peers[1].send_audio(second, LOUD)
        await scene.until_received(0, music.pcmu[0])
        ended = asyncio.Event()
        first.play([SOUND], ended.set)
        await ended.wait()
        await scene.until_received(0, music.pcmu[0])
        scene.peers[1].send_audio(second, LOUD)
        scene.peers[1].send_dtmf(second, "7")
        await scene.until_received(0, music.pcmu[1])
        received = b"".join(bytes(packet.payload) for packet in scene.peers[0].received)
        assert b"".join(SOUND.pcmu) in received
        assert LOUD not in [packet.payload for packet in scene.peers[0].received]
        assert {packet.payload_type for packet in scene.peers[0].received} == {0}
        first.unmix()
        scene.peers[1].send_audio(second, LOUD)
        await scene.until_received(0, LOUD)

    with_media(test)


def test_keys_pass_a_mix_only_where_they_shall() -> None:
    async def test(media: Media) -> None:
        scene = Scene(media)
        first, second, third = scene.sessions
        second.mix([first, third], passes_keys=True)
        scene.peers[0].send_audio(first, QUIET)
        scene.peers[0].send_dtmf(first, "5")
        events = scene.peers[1]
        await events.until(lambda: any(p.payload_type == 101 for p in events.received))
        await events.until(lambda: events.received[-1].payload_type == 0)
        before = len(events.received)
        second.mix([])
        scene.peers[0].send_dtmf(first, "6")
        await events.receive(20)
        assert {p.payload_type for p in events.received[before:]} == {0}

    with_media(test)


def test_the_end_of_a_session_ends_its_mix_and_leaves_the_others() -> None:
    async def test(media: Media) -> None:
        scene = Scene(media)
        first, second, third = scene.sessions
        third.mix([first, second])
        third.close()
        assert len(first.receiver.listeners) == len(second.receiver.listeners) == 1
        second.mix([first])
        first.close()
        await scene.until_received(1, QUIET)

    with_media(test)
