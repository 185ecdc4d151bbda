"""Legs over real sockets."""

import asyncio
import time

import numpy as np
import pytest

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import Law
from openivr.media.audio.tone import key_tone
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.media import Media
from openivr.media.rtp import rtcp, socket_filter
from openivr.media.session import MediaSession
from openivr.media.stream.sender import SILENCE
from tests.media.rtp_peer import EVENTS, RtpPeer, with_media

SOUND = Clip.from_samples(np.random.default_rng(1).integers(-20_000, 20_000, 2000).astype(np.int16))
QUIET = SILENCE[Law.PCMU]


class Keys:
    """The keys that a leg told."""

    def __init__(self) -> None:
        self.text = ""
        self.kinds: set[DtmfMethod] = set()
        self._news = asyncio.Event()

    def __call__(self, key: str, kind: DtmfMethod) -> None:
        self.text += key
        self.kinds.add(kind)
        self._news.set()

    async def until(self, text: str) -> None:
        while len(self.text) < len(text):
            self._news.clear()
            await self._news.wait()
        assert self.text == text


@pytest.mark.parametrize("law", Law)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_is_played_arrives_to_the_sample(law: Law, host: str) -> None:
    async def test(media: Media) -> None:
        phone, leg, ended = RtpPeer(host), media.open(host), asyncio.Event()
        assert leg.address[0] == host
        leg.connect(phone.remote(law))
        leg.play([SOUND, SOUND], ended.set)
        await ended.wait()
        sound = b"".join(bytes(packet.payload) for packet in phone.heard)
        assert sound.removeprefix(SILENCE[law]).startswith(b"".join(SOUND.frames(law) * 2))

    with_media(test, interfaces=interfaces(host))


def interfaces(host: str) -> tuple[object, ...]:
    from openivr.media.rtp.ports import Interface

    return (Interface(host),)


def test_a_key_is_answered_by_the_next_prompt_and_no_turn_is_waited_for() -> None:
    async def test(media: Media) -> None:
        phone, leg = RtpPeer(), media.open("127.0.0.1")
        answers: list[int] = []

        def on_key(_key: str, _kind: DtmfMethod) -> None:
            before = leg.statistics().sent
            leg.play([SOUND])
            answers.append(leg.statistics().sent - before)

        async def press() -> None:
            heard = len(phone.heard)
            phone.press(leg, "1")
            await phone.until(lambda: any(one.payload == SOUND.pcmu[0] for one in phone.heard[heard:]))

        leg.connect(phone.remote())
        leg.on_key = on_key
        leg.play([SOUND], loop=True)
        phone.say(leg, QUIET)
        for _ in range(15):
            await phone.hear(3)
            await press()
        assert answers == [1] * 15

    with_media(test)


async def talk(media: Media) -> tuple[RtpPeer, MediaSession, Keys]:
    """A phone that has been heard, the leg that hears it, and the keys that it presses."""
    phone, leg, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
    leg.on_key = keys
    leg.connect(phone.remote())
    phone.say(leg, QUIET)
    await phone.hear(2)
    return phone, leg, keys


def test_keys_come_through_the_filter_and_audio_does_not() -> None:
    async def test(media: Media) -> None:
        phone, leg, keys = await talk(media)
        for _ in range(30):
            phone.say(leg, *[QUIET] * 20)
            await asyncio.sleep(0)
        phone.press(leg, "19*0#A")
        await keys.until("19*0#A")
        assert keys.kinds == {DtmfMethod.EVENT}
        statistics = leg.statistics()
        assert statistics.lost == 0
        assert 601 + 5 * 8 < statistics.heard <= 601 + 6 * 8
        if socket_filter.IS_POSSIBLE:
            assert leg.incoming.reception.received > 500
            assert leg._line._is_filtered

    with_media(test)


def test_what_the_filter_kept_out_is_counted_also_when_it_was_lifted_since() -> None:
    async def test(media: Media) -> None:
        phone, leg, keys = await talk(media)
        phone.say(leg, *[QUIET] * 20)
        phone.press(leg, "1")
        await keys.until("1")
        leg.listen(lambda *_: None)
        assert leg.statistics().heard > 20

    with_media(test)


def test_an_event_of_another_payload_type_is_none() -> None:
    async def test(media: Media) -> None:
        phone, leg, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        leg.on_key = keys
        leg.connect(phone.remote(events_in=96, events_out=97))
        phone.say(leg, QUIET)
        phone.press(leg, "1")
        phone.press(leg, "2", payload_type=96)
        await keys.until("2")
        leg.send_keys("3")
        await phone.until(lambda: any(packet.payload_type == 97 for packet in phone.heard))

    with_media(test)


@pytest.mark.parametrize("law", Law)
def test_keys_are_heard_as_tones_where_no_events_were_agreed_on(law: Law) -> None:
    async def test(media: Media) -> None:
        phone, leg, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        leg.on_key = keys
        leg.connect(phone.remote(events_in=None, events_out=None))
        for key in "5#":
            phone.say(leg, *key_tone(key, 100).frames(law), *[SILENCE[law]] * 4, payload_type=law)
        await keys.until("5#")
        assert keys.kinds == {DtmfMethod.TONE}

    with_media(test)


def test_strangers_are_neither_heard_nor_answered() -> None:
    async def test(media: Media) -> None:
        phone, early, stranger = RtpPeer(), RtpPeer("127.0.0.9"), RtpPeer("127.0.0.9")
        leg, keys = media.open("127.0.0.1"), Keys()
        leg.on_key = keys
        leg.connect(phone.remote())
        early.press(leg, "7")  # before the phone's first packet
        await phone.hear(2)
        phone.press(leg, "1")
        stranger.press(leg, "8")  # in the queue when the source is found, or after it
        await keys.until("1")
        stranger.press(leg, "9")
        phone.press(leg, "2")
        await keys.until("12")
        await phone.hear(2)
        assert leg.statistics().source == f"127.0.0.1:{phone.address[1]}"
        assert leg.statistics().strangers >= 8
        assert stranger.heard == early.heard == []

    with_media(test)


def test_another_port_of_the_same_host_is_a_stranger_once_a_source_is_held_to() -> None:
    async def test(media: Media) -> None:
        announced, real = RtpPeer(), RtpPeer()  # behind NAT the port is another than announced
        leg, keys = media.open("127.0.0.1"), Keys()
        leg.on_key = keys
        leg.connect(announced.remote())
        await announced.hear(1)
        real.press(leg, "1")
        await keys.until("1")
        await real.hear(2)
        announced.press(leg, "2")
        real.press(leg, "3")
        await keys.until("13")

    with_media(test)


def test_a_new_offer_lets_the_source_change() -> None:
    async def test(media: Media) -> None:
        before, after = RtpPeer(), RtpPeer("127.0.0.5")
        leg, keys = media.open("127.0.0.1"), Keys()
        leg.on_key = keys
        leg.connect(before.remote())
        before.press(leg, "1")
        await keys.until("1")
        leg.connect(after.remote(Law.PCMA))
        await after.hear(2)  # it is sent to at once
        before.press(leg, "2")
        after.press(leg, "3")
        await keys.until("13")
        assert (await after.hear(1))[0].payload_type == 8

    with_media(test)


def test_the_same_offer_again_changes_nothing() -> None:
    async def test(media: Media) -> None:
        announced, real = RtpPeer(), RtpPeer()
        leg = media.open("127.0.0.1")
        leg.connect(announced.remote())
        real.say(leg, QUIET)
        await real.hear(1)
        leg.connect(announced.remote())
        heard = len(announced.heard)
        await real.hear(3)
        assert len(announced.heard) == heard
        real.say(leg, QUIET)  # the kernel must not keep away what the source is to be known by
        while not leg.statistics().source:
            await real.hear(1)

    with_media(test)


def test_a_new_ssrc_of_the_same_source_goes_on() -> None:
    async def test(media: Media) -> None:
        phone, leg, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        leg.on_key = keys
        leg.connect(phone.remote())
        phone.press(leg, "1")
        phone.ssrc, phone.timestamp, phone.sequence = 99, 5, 5
        phone.press(leg, "2")
        await keys.until("12")

    with_media(test)


def test_who_is_on_hold_is_sent_nothing_and_the_prompt_goes_on() -> None:
    async def test(media: Media) -> None:
        phone, leg, ended = RtpPeer(), media.open("127.0.0.1"), asyncio.Event()
        leg.connect(phone.remote(hears=False))
        leg.play([SOUND], ended.set)
        await ended.wait()
        assert phone.heard == []
        leg.connect(phone.remote())
        await phone.hear(1)

    with_media(test)


def test_no_life_is_told_once() -> None:
    async def test(media: Media) -> None:
        phone, leg, dead = RtpPeer(), media.open("127.0.0.1"), asyncio.Event()
        told: list[float] = []

        def on_dead() -> None:
            told.append(time.monotonic())
            dead.set()

        leg.on_dead = on_dead
        leg.connect(phone.remote())
        phone.say(leg, QUIET)
        start = time.monotonic()
        await dead.wait()
        assert told[0] - start >= 0.2
        await phone.until(lambda: len(phone.reports) > 8)
        assert len(told) == 1

    with_media(test, dead_seconds=0.2)


def test_audio_that_the_kernel_keeps_away_is_life() -> None:
    async def test(media: Media) -> None:
        phone, leg = RtpPeer(), media.open("127.0.0.1")
        told: list[bool] = []
        leg.on_dead = lambda: told.append(True)
        leg.connect(phone.remote())
        phone.say(leg, QUIET)
        while len(phone.reports) < 8:
            phone.say(leg, QUIET)
            await phone.hear(1)
        assert told == []

    with_media(test, dead_seconds=0.2)


def test_who_was_told_not_to_send_is_not_missed() -> None:
    async def test(media: Media) -> None:
        phone, leg = RtpPeer(), media.open("127.0.0.1")
        told: list[bool] = []
        leg.on_dead = lambda: told.append(True)
        leg.connect(phone.remote(sends=False))
        await phone.until(lambda: len(phone.reports) > 8)
        assert told == []

    with_media(test, dead_seconds=0.2)


@pytest.mark.parametrize("mux", [False, True])
def test_reports_both_ways(mux: bool) -> None:
    async def test(media: Media) -> None:
        phone, leg = RtpPeer(), media.open("127.0.0.1")
        leg.connect(phone.remote(mux=mux))
        phone.say(leg, *[QUIET] * 5)
        await phone.until(lambda: any(report.sent and report.blocks for report in phone.reports))
        report = next(report for report in phone.reports if report.sent and report.blocks)
        assert report.sent
        assert report.sent.packets <= len(phone.heard) + 1
        assert (report.blocks[0].ssrc, report.blocks[0].lost) == (phone.ssrc, 0)
        about_us = rtcp.ReportBlock(report.ssrc, 0, 3, 0, 80, rtcp.middle(report.sent.ntp), 0)
        data = rtcp.write(phone.ssrc, "x", None, about_us)
        if mux:
            phone.rtp.sendto(data, leg.address)
        else:
            phone.report(leg, data)
        while leg.statistics().round_trip_ms is None:
            await phone.hear(1)
        statistics = leg.statistics()
        assert (statistics.far_lost, statistics.far_jitter_ms) == (3, 10)
        assert 0 <= (statistics.round_trip_ms or 0) < 1000
        leg.close()
        await phone.until(lambda: phone.reports[-1].is_bye)

    with_media(test, dead_seconds=0.4)


def test_nothing_is_called_back_after_the_end() -> None:
    async def test(media: Media) -> None:
        phone, leg, told = RtpPeer(), media.open("127.0.0.1"), []
        leg.on_key = lambda key, kind: told.append(key)
        leg.connect(phone.remote())
        leg.play([Clip.from_samples(np.zeros(0, np.int16))], lambda: told.append("end"))
        leg.close()
        leg.close()
        phone.press(leg, "1")
        again = media.open("127.0.0.1")
        again.connect(phone.remote())
        await phone.hear(3)
        assert told == []

    with_media(test)


def test_keys_that_were_read_before_the_end_are_not_told_after_it() -> None:
    async def test(media: Media) -> None:
        phone, leg, told = RtpPeer(), media.open("127.0.0.1"), []
        other = media.open("127.0.0.1")
        other.connect(phone.remote())

        def take(key: str, kind: DtmfMethod) -> None:
            told.append(key)
            leg.close()

        leg.on_key = take
        leg.connect(phone.remote())
        phone.press(leg, "12")  # both are in the queue when the source is found, and read together
        await phone.until(lambda: told)
        await phone.hear(2)
        assert told == ["1"]

    with_media(test)


def test_garbage_is_left_aside() -> None:
    async def test(media: Media) -> None:
        phone, leg, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        leg.on_key = keys
        leg.connect(phone.remote(mux=True))
        noise = np.random.default_rng(2)
        for size in range(60):
            data = noise.integers(0, 256, size).astype(np.uint8).tobytes()
            for first in (data, b"\x80" + data, b"\x80\xc8" + data, bytes([0xBF, EVENTS]) + data):
                phone.rtp.sendto(first, leg.address)
                phone.report(leg, first)
        phone.press(leg, "4")
        while not keys.text.endswith("4"):
            await phone.hear(1)

    with_media(test)
