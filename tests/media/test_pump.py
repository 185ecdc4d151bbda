"""The pump in trouble, and without what only Linux has."""

import asyncio
import select
import time
from itertools import pairwise

import numpy as np
import pytest

from openivr.media import ticker
from openivr.media.audio.clip import Clip
from openivr.media.media import Media
from openivr.media.rtp import socket_filter
from openivr.media.session import MediaSession
from openivr.media.stream.sender import RtpSender
from tests.media.rtp_peer import RtpPeer, with_media
from tests.media.test_session import QUIET, Keys

SOUND = Clip.from_samples(np.random.default_rng(1).integers(-20_000, 20_000, 160 * 30).astype(np.int16))


def call(media: Media) -> tuple[RtpPeer, MediaSession]:
    phone, session = RtpPeer(), media.open("127.0.0.1")
    session.connect(phone.remote())
    return phone, session


def test_a_process_that_was_held_up_sends_no_burst_and_loses_no_sound() -> None:
    async def test(media: Media) -> None:
        phone, session = call(media)
        ended = asyncio.Event()
        session.play([SOUND], ended.set)
        await phone.receive(5)
        time.sleep(0.15)  # noqa: ASYNC251 - this is the trouble
        await ended.wait()
        heard = [packet for packet in phone.received if packet.payload != QUIET]
        assert [packet.payload for packet in heard] == list(SOUND.pcmu)
        steps = [
            ((after.timestamp - before.timestamp) & 0xFFFFFFFF, after.marker)
            for before, after in pairwise(heard)
        ]
        assert sum(step for step, marker in steps if marker) >= 5 * 160
        assert {step for step, marker in steps if not marker} == {160}
        assert media.missed_ticks >= 4

    with_media(test)


def test_calls_take_turns_and_each_has_its_own_every_20_ms() -> None:
    async def test(media: Media) -> None:
        calls = [call(media) for _ in range(50)]
        slots = [len(slot) for slot in media._pump._slots]
        assert slots == [10] * 5
        await asyncio.gather(*(phone.receive(5) for phone, _ in calls))
        counts = [len(phone.received) for phone, _ in calls]
        assert max(counts) - min(counts) <= 2
        for _, session in calls:
            session.close()
        assert [len(slot) for slot in media._pump._slots] == [0] * 5

    with_media(test)


def test_one_stream_that_fails_does_not_silence_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(media: Media) -> None:
        calls = [call(media) for _ in range(10)]
        broken = calls[0][1].sender
        tick = RtpSender.tick

        def failing(stream: RtpSender) -> None:
            if stream is broken:
                raise RuntimeError
            tick(stream)

        monkeypatch.setattr(RtpSender, "tick", failing)
        for phone, _ in calls[1:]:
            await phone.receive(3)
        assert broken not in {stream for slot in media._pump._slots for stream in slot}

    with_media(test)


def test_all_of_it_without_what_only_linux_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "epoll")
    monkeypatch.setattr(socket_filter, "IS_POSSIBLE", False)
    monkeypatch.setattr(ticker, "open_timer", lambda start: None)

    async def test(media: Media) -> None:
        (phone, session), keys, ended = call(media), Keys(), asyncio.Event()
        session.on_dtmf = keys
        session.play([SOUND], ended.set)
        phone.send_audio(session, *[QUIET] * 50)
        phone.send_dtmf(session, "47")
        await keys.until("47")
        await ended.wait()
        assert [packet.payload for packet in phone.received if packet.payload != QUIET] == list(SOUND.pcmu)
        assert session.statistics().heard >= 51 + 8
        assert session.statistics().lost == 0

    with_media(test)
