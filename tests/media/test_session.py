"""Media sessions over real sockets."""

import asyncio
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import Law
from openivr.media.audio.tone import dtmf_tone
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.inactivity import InactivityLimits
from openivr.media.media import Media
from openivr.media.rtp import rtcp, socket_filter
from openivr.media.rtp.latch import LatchState
from openivr.media.session import MediaSession
from openivr.media.stream.sender import SILENCE
from tests.media.rtp_peer import EVENTS, RtpPeer, with_media

SOUND = Clip.from_samples(np.random.default_rng(1).integers(-20_000, 20_000, 2000).astype(np.int16))
QUIET = SILENCE[Law.PCMU]


class Keys:
    """The digits that a session reported."""

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


MAX_BYTES = 5_000  # of a session, without its sockets; an empty deque has 600


def test_a_session_is_small() -> None:
    async def test(media: Media) -> None:
        sessions = [media.open("127.0.0.1") for _ in range(5)]  # what the first one imports and caches
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            sessions += [media.open("127.0.0.1") for _ in range(50)]
            assert tracemalloc.get_traced_memory()[0] - before < 50 * MAX_BYTES
        finally:
            tracemalloc.stop()

    with_media(test)


@pytest.mark.parametrize("law", Law)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_is_played_arrives_to_the_sample(law: Law, host: str) -> None:
    async def test(media: Media) -> None:
        phone, session, ended = RtpPeer(host), media.open(host), asyncio.Event()
        assert session.address[0] == host
        session.connect(phone.remote(law))
        session.play([SOUND, SOUND], ended.set)
        await ended.wait()
        sound = b"".join(bytes(packet.payload) for packet in phone.received)
        assert sound.removeprefix(SILENCE[law]).startswith(b"".join(SOUND.frames(law) * 2))

    with_media(test, interfaces=interfaces(host))


def interfaces(host: str) -> tuple[object, ...]:
    from openivr.media.rtp.ports import Interface

    return (Interface(host),)


def test_a_key_is_answered_by_the_next_prompt_and_no_turn_is_waited_for() -> None:
    async def test(media: Media) -> None:
        phone, session = RtpPeer(), media.open("127.0.0.1")
        answers: list[int] = []

        def on_key(_key: str, _kind: DtmfMethod) -> None:
            before = session.statistics().sent
            session.play([SOUND])
            answers.append(session.statistics().sent - before)

        async def press() -> None:
            heard = len(phone.received)
            phone.send_dtmf(session, "1")
            await phone.until(lambda: any(one.payload == SOUND.pcmu[0] for one in phone.received[heard:]))

        session.connect(phone.remote())
        session.on_dtmf = on_key
        session.play([SOUND], loop=True)
        phone.send_audio(session, QUIET)
        for _ in range(15):
            await phone.receive(3)
            await press()
        assert answers == [1] * 15

    with_media(test)


async def talk(media: Media) -> tuple[RtpPeer, MediaSession, Keys]:
    """Return a latched peer, its session, and the digits that the session reports."""
    phone, session, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
    session.on_dtmf = keys
    session.connect(phone.remote())
    phone.send_audio(session, QUIET)
    await phone.receive(2)
    return phone, session, keys


def test_keys_come_through_the_filter_and_audio_does_not() -> None:
    async def test(media: Media) -> None:
        phone, session, keys = await talk(media)
        for _ in range(30):
            phone.send_audio(session, *[QUIET] * 20)
            await asyncio.sleep(0)
        phone.send_dtmf(session, "19*0#A")
        await keys.until("19*0#A")
        assert keys.kinds == {DtmfMethod.EVENT}
        statistics = session.statistics()
        assert statistics.lost == 0
        assert 601 + 5 * 8 < statistics.heard <= 601 + 6 * 8
        if socket_filter.IS_POSSIBLE:
            assert session.receiver.stats.received > 500
            assert session._socket._is_filtered

    with_media(test)


def test_what_the_filter_kept_out_is_counted_also_when_it_was_lifted_since() -> None:
    async def test(media: Media) -> None:
        phone, session, keys = await talk(media)
        phone.send_audio(session, *[QUIET] * 20)
        phone.send_dtmf(session, "1")
        await keys.until("1")
        session.add_listener(lambda *_: None)
        assert session.statistics().heard > 20

    with_media(test)


def test_an_event_of_another_payload_type_is_none() -> None:
    async def test(media: Media) -> None:
        phone, session, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(phone.remote(events_in=96, events_out=97))
        phone.send_audio(session, QUIET)
        phone.send_dtmf(session, "1")
        phone.send_dtmf(session, "2", payload_type=96)
        await keys.until("2")
        session.send_dtmf("3")
        await phone.until(lambda: any(packet.payload_type == 97 for packet in phone.received))

    with_media(test)


@pytest.mark.parametrize("law", Law)
def test_digits_are_detected_as_tones_without_events(law: Law) -> None:
    async def test(media: Media) -> None:
        phone, session, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(phone.remote(events_in=None, events_out=None))
        for key in "5#":
            phone.send_audio(session, *dtmf_tone(key, 100).frames(law), *[SILENCE[law]] * 4, payload_type=law)
        await keys.until("5#")
        assert keys.kinds == {DtmfMethod.TONE}

    with_media(test)


def test_strangers_are_neither_received_nor_answered() -> None:
    async def test(media: Media) -> None:
        phone, early, stranger = RtpPeer(), RtpPeer("127.0.0.9"), RtpPeer("127.0.0.9")
        session, keys = media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(phone.remote())
        early.send_dtmf(session, "7")  # before the phone's first packet
        await phone.receive(2)
        phone.send_dtmf(session, "1")
        stranger.send_dtmf(session, "8")  # in the queue when the source is found, or after it
        await keys.until("1")
        stranger.send_dtmf(session, "9")
        phone.send_dtmf(session, "2")
        await keys.until("12")
        await phone.receive(2)
        assert session.statistics().source == f"127.0.0.1:{phone.address[1]}"
        assert session.statistics().strangers >= 8
        assert stranger.received == early.received == []

    with_media(test)


def test_another_port_of_the_same_host_is_a_stranger_once_a_source_is_received() -> None:
    async def test(media: Media) -> None:
        announced, real, other = RtpPeer(), RtpPeer(), RtpPeer()  # behind NAT the port is another one
        session, keys = media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(announced.remote())
        await announced.receive(1)
        real.send_dtmf(session, "1")
        await keys.until("1")
        await real.receive(2)
        other.send_dtmf(session, "2")
        real.send_dtmf(session, "3")
        await keys.until("13")

    with_media(test)


class Talking:
    """A stream that never pauses: a packet every 20 ms, from the socket of the moment, some of them late."""

    def __init__(self, session: MediaSession, peer: RtpPeer) -> None:
        self.peer, self._session = peer, session
        self._task = asyncio.create_task(self._send())

    async def _send(self) -> None:
        while True:
            self.peer.send_audio(self._session, QUIET)
            await asyncio.sleep(0.02)

    def send_late(self, peer: RtpPeer, seconds: float) -> None:
        """Go on sending from a former socket for so long."""

        async def send() -> None:
            for _ in range(round(seconds / 0.02)):
                peer.send_audio(self._session, QUIET)
                await asyncio.sleep(0.02)

        self._late = asyncio.create_task(send())

    def move(self, peer: RtpPeer) -> None:
        """Send the same stream from another socket from now on."""
        peer.ssrc, peer.sequence, peer.timestamp = self.peer.ssrc, self.peer.sequence, self.peer.timestamp
        self.peer = peer

    def stop(self) -> None:
        self._task.cancel()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7"])
def test_t1_t2_packets_of_the_former_address_are_late_and_rtp_never_pauses(host: str) -> None:
    """T1: a re-INVITE moves the stream. T2: the 200 describes another port than the 183."""

    async def test(media: Media) -> None:
        before, after = RtpPeer(), RtpPeer(host)
        session, keys = media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(before.remote())
        talking = Talking(session, before)
        await before.receive(5)
        session.connect(after.remote())
        talking.move(after)
        talking.send_late(before, 0.04)
        before.send_rtcp(session, rtcp.write(before.ssrc, "x", None, None))
        heard = len(before.received)
        await after.receive(50)
        after.send_dtmf(session, "1")
        before.send_dtmf(session, "7")
        await keys.until("1")
        await after.until(lambda: after.reports)  # RTCP goes to the new address, too
        assert keys.text == "1"
        assert len(before.received) - heard <= 3  # that were under way
        assert session.statistics().source == f"{host}:{after.address[1]}"
        talking.stop()

    with_media(test)


def test_t2_forks_send_early_media_and_one_of_them_answers() -> None:
    async def test(media: Media) -> None:
        first, second = RtpPeer(), RtpPeer("127.0.0.7")
        session, keys = media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(first.remote())  # its 183
        session.connect(second.remote())  # the 183 of the other
        talking = [Talking(session, peer) for peer in (first, second)]  # until it is cancelled, and after
        await second.receive(10)
        session.connect(first.remote())  # its 200
        await first.receive(50)
        first.send_dtmf(session, "1")
        await keys.until("1")
        assert session.statistics().source == f"127.0.0.1:{first.address[1]}"
        for each in talking:
            each.stop()

    with_media(test)


def test_t3_nat_gives_the_stream_another_port_in_the_middle_of_a_call() -> None:
    async def test(media: Media) -> None:
        before, after, stranger = RtpPeer(), RtpPeer(), RtpPeer("127.0.0.9")
        session, keys = media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(before.remote())
        talking = Talking(session, before)
        await before.receive(10)
        talking.move(after)
        intruding = Talking(session, stranger)
        await after.receive(10)
        after.send_dtmf(session, "1")
        await keys.until("1")
        assert session.statistics().source == f"127.0.0.1:{after.address[1]}"
        assert stranger.received == []
        for each in (talking, intruding):
            each.stop()

    with_media(test)


def test_t3_another_stream_of_the_same_host_takes_no_session_that_is_silent() -> None:
    async def test(media: Media) -> None:
        phone, neighbour = RtpPeer(), RtpPeer()
        session, keys = media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(phone.remote())
        phone.send_audio(session, QUIET)
        await phone.receive(2)
        talking = Talking(session, neighbour)
        await phone.until(lambda: session._socket.latch.state is LatchState.SILENT)
        await phone.receive(20)
        neighbour.send_dtmf(session, "7")
        phone.send_dtmf(session, "1")
        await keys.until("1")
        assert neighbour.received == []
        talking.stop()

    with_media(test)


def test_a_new_offer_lets_the_source_change() -> None:
    async def test(media: Media) -> None:
        before, after = RtpPeer(), RtpPeer("127.0.0.5")
        session, keys = media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(before.remote())
        before.send_dtmf(session, "1")
        await keys.until("1")
        session.connect(after.remote(Law.PCMA))
        await after.receive(2)  # it is sent to at once
        before.send_dtmf(session, "2")
        after.send_dtmf(session, "3")
        await keys.until("13")
        assert (await after.receive(1))[0].payload_type == 8

    with_media(test)


def test_the_same_offer_again_changes_nothing() -> None:
    async def test(media: Media) -> None:
        announced, real = RtpPeer(), RtpPeer()
        session = media.open("127.0.0.1")
        session.connect(announced.remote())
        real.send_audio(session, QUIET)
        await real.receive(1)
        session.connect(announced.remote())
        heard = len(announced.received)
        await real.receive(3)
        assert len(announced.received) == heard
        real.send_audio(session, QUIET)  # the kernel must not keep away what the source is to be known by
        while not session.statistics().source:
            await real.receive(1)

    with_media(test)


def test_a_new_ssrc_of_the_same_source_goes_on() -> None:
    async def test(media: Media) -> None:
        phone, session, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(phone.remote())
        phone.send_dtmf(session, "1")
        phone.ssrc, phone.timestamp, phone.sequence = 99, 5, 5
        phone.send_dtmf(session, "2")
        await keys.until("12")

    with_media(test)


def test_a_peer_on_hold_is_sent_nothing_and_the_prompt_goes_on() -> None:
    async def test(media: Media) -> None:
        phone, session, ended = RtpPeer(), media.open("127.0.0.1"), asyncio.Event()
        session.connect(phone.remote(receives=False))
        session.play([SOUND], ended.set)
        await ended.wait()
        assert phone.received == []
        session.connect(phone.remote())
        await phone.receive(1)

    with_media(test)


def test_inactivity_is_reported_once() -> None:
    async def test(media: Media) -> None:
        phone, session, dead = RtpPeer(), media.open("127.0.0.1"), asyncio.Event()
        told: list[float] = []

        def on_dead() -> None:
            told.append(time.monotonic())
            dead.set()

        session.on_inactive = on_dead
        session.connect(phone.remote())
        phone.send_audio(session, QUIET)
        start = time.monotonic()
        await dead.wait()
        assert told[0] - start >= 0.2
        await phone.receive(120)
        assert len(told) == 1

    with_media(test, inactivity=InactivityLimits(unbridged=0.2))


def test_audio_that_the_kernel_keeps_away_is_life() -> None:
    async def test(media: Media) -> None:
        phone, session = RtpPeer(), media.open("127.0.0.1")
        told: list[bool] = []
        session.on_inactive = lambda: told.append(True)
        session.connect(phone.remote())
        phone.send_audio(session, QUIET)
        while len(phone.received) < 150:
            phone.send_audio(session, QUIET)
            await phone.receive(1)
        assert told == []

    with_media(test, inactivity=InactivityLimits(unbridged=0.2))


def test_a_peer_that_may_not_send_is_not_inactive() -> None:
    async def test(media: Media) -> None:
        phone, session = RtpPeer(), media.open("127.0.0.1")
        told: list[bool] = []
        session.on_inactive = lambda: told.append(True)
        session.connect(phone.remote(sends=False))
        await phone.receive(150)
        assert told == []

    with_media(test, inactivity=InactivityLimits(unbridged=0.2))


async def fall_silent(session: MediaSession, phone: RtpPeer, sign: Callable[[], None]) -> bool:
    """Return True if the session reports inactivity within 3 s in which the phone gives only this sign."""
    told: list[bool] = []
    session.on_inactive = lambda: told.append(True)
    phone.send_audio(session, QUIET)
    await phone.receive(2)
    for _ in range(15):
        sign()
        await phone.receive(10)
    return bool(told)


def test_t4_any_packet_of_the_peer_is_a_sign_of_life() -> None:
    async def test(media: Media) -> None:
        phones = [RtpPeer() for _ in range(4)]
        sessions = [media.open("127.0.0.1") for _ in phones]
        for phone, session in zip(phones, sessions, strict=True):
            session.connect(phone.remote())
        noise, unknown, reporting, _dead = phones

        def send_noise() -> None:
            noise.send_audio(sessions[0], b"\x40", payload_type=13)

        def send_unknown() -> None:
            unknown.send_audio(sessions[1], b"x", payload_type=120)

        def report() -> None:
            reporting.send_rtcp(sessions[2], rtcp.write(1, "x", None, None))

        signs = (send_noise, send_unknown, report, lambda: None)
        each = zip(sessions, phones, signs, strict=True)
        assert await asyncio.gather(*(fall_silent(*one) for one in each)) == [False, False, False, True]

    with_media(test, inactivity=InactivityLimits(unbridged=0.5))


def test_t4_a_caller_who_only_listens_is_not_inactive_and_talk_without_rtcp_has_a_longer_limit() -> None:
    async def test(media: Media) -> None:
        listening, talking, reporting = RtpPeer(), RtpPeer(), RtpPeer()
        sessions = [media.open("127.0.0.1") for _ in range(3)]
        for phone, session in zip((listening, talking, reporting), sessions, strict=True):
            session.connect(phone.remote())
        reporting.send_rtcp(sessions[2], rtcp.write(1, "x", None, None))
        sessions[1].bridge(sessions[2])
        sessions[1].play([SOUND], loop=True)
        sessions[2].play([SOUND], loop=True)
        phones = zip(sessions, (listening, talking, reporting), strict=True)
        results = await asyncio.gather(*(fall_silent(*one, lambda: None) for one in phones))
        assert results == [False, False, True]

    with_media(test, inactivity=InactivityLimits(bridged=0.5, bridged_without_rtcp=60, unbridged=0))


@pytest.mark.parametrize("mux", [False, True])
def test_reports_both_ways(mux: bool) -> None:
    async def test(media: Media) -> None:
        phone, session = RtpPeer(), media.open("127.0.0.1")
        session.connect(phone.remote(mux=mux))
        phone.send_audio(session, *[QUIET] * 5)
        await phone.until(lambda: any(report.sender_info and report.blocks for report in phone.reports))
        report = next(report for report in phone.reports if report.sender_info and report.blocks)
        assert report.sender_info
        assert report.sender_info.packets <= len(phone.received) + 1
        assert (report.blocks[0].ssrc, report.blocks[0].lost) == (phone.ssrc, 0)
        about_us = rtcp.ReportBlock(report.ssrc, 0, 3, 0, 80, rtcp.middle(report.sender_info.ntp), 0)
        data = rtcp.write(phone.ssrc, "x", None, about_us)
        if mux:
            phone.rtp.sendto(data, session.address)
        else:
            phone.send_rtcp(session, data)
        while session.statistics().round_trip_ms is None:
            await phone.receive(1)
        statistics = session.statistics()
        assert (statistics.far_lost, statistics.far_jitter_ms) == (3, 10)
        assert 0 <= (statistics.round_trip_ms or 0) < 1000
        session.close()
        await phone.until(lambda: phone.reports[-1].is_bye)

    with_media(test, inactivity=InactivityLimits(unbridged=0.4))


def test_nothing_is_called_back_after_the_end() -> None:
    async def test(media: Media) -> None:
        phone, session, told = RtpPeer(), media.open("127.0.0.1"), []
        session.on_dtmf = lambda key, kind: told.append(key)
        session.connect(phone.remote())
        session.play([Clip.from_samples(np.zeros(0, np.int16))], lambda: told.append("end"))
        session.close()
        session.close()
        phone.send_dtmf(session, "1")
        again = media.open("127.0.0.1")
        again.connect(phone.remote())
        await phone.receive(3)
        assert told == []

    with_media(test)


def test_digits_read_before_the_end_are_not_reported_after_it() -> None:
    async def test(media: Media) -> None:
        phone, session, told = RtpPeer(), media.open("127.0.0.1"), []
        other = media.open("127.0.0.1")
        other.connect(phone.remote())

        def take(key: str, kind: DtmfMethod) -> None:
            told.append(key)
            session.close()

        session.on_dtmf = take
        session.connect(phone.remote())
        phone.send_dtmf(session, "12")  # both are in the queue when the source is found, and read together
        await phone.until(lambda: told)
        await phone.receive(2)
        assert told == ["1"]

    with_media(test)


def test_garbage_is_left_aside() -> None:
    async def test(media: Media) -> None:
        phone, session, keys = RtpPeer(), media.open("127.0.0.1"), Keys()
        session.on_dtmf = keys
        session.connect(phone.remote(mux=True))
        noise = np.random.default_rng(2)
        for size in range(60):
            data = noise.integers(0, 256, size).astype(np.uint8).tobytes()
            for first in (data, b"\x80" + data, b"\x80\xc8" + data, bytes([0xBF, EVENTS]) + data):
                phone.rtp.sendto(first, session.address)
                phone.send_rtcp(session, first)
        phone.send_dtmf(session, "4")
        while not keys.text.endswith("4"):
            await phone.receive(1)

    with_media(test)
