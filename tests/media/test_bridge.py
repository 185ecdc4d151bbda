"""Two bridged sessions, over real sockets."""

import asyncio

import pytest

from openivr.media.audio.g711 import Law, transcoding
from openivr.media.media import Media
from tests.media.rtp_peer import RtpPeer, with_media
from tests.media.test_session import QUIET, SOUND, Keys


def test_audio_passes_both_ways_unchanged() -> None:
    async def test(media: Media) -> None:
        one, other = RtpPeer(), RtpPeer()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        first.connect(one.remote())
        second.connect(other.remote(Law.PCMA))
        first.bridge(second)
        with pytest.raises(ValueError, match="one other"):
            first.bridge(second)
        frames = [bytes([number]) * 160 for number in range(40)]
        for frame in frames:
            one.send_audio(first, frame)
            other.send_audio(second, frame, payload_type=8)
            await asyncio.sleep(0)
        await one.until(lambda: len([p for p in one.received if p.payload != QUIET]) >= 40)
        await other.until(lambda: len([p for p in other.received if p.payload_type == 8]) >= 40)
        there, back = transcoding(Law.PCMU, Law.PCMA), transcoding(Law.PCMA, Law.PCMU)
        assert [packet.payload for packet in other.received][-40:] == [
            frame.translate(there) for frame in frames
        ]
        assert [packet.payload for packet in one.received][-40:] == [
            frame.translate(back) for frame in frames
        ]
        assert {packet.payload_type for packet in one.received} == {0}
        first.unbridge()
        first.unbridge()
        assert (await one.receive(2))[1].payload == QUIET

    with_media(test)


def test_events_are_reported_and_forwarded_under_the_other_payload_type() -> None:
    async def test(media: Media) -> None:
        one, other = RtpPeer(), RtpPeer()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        keys = Keys()
        first.on_dtmf = keys
        first.connect(one.remote())
        second.connect(other.remote(events_in=96, events_out=97))
        other.send_audio(second, QUIET)
        first.bridge(second)
        one.send_dtmf(first, "12")
        await keys.until("12")
        await other.until(lambda: len([p for p in other.received if p.payload_type == 97]) == 16)
        events = [packet for packet in other.received if packet.payload_type == 97]
        assert [packet.payload[0] for packet in events] == [1] * 8 + [2] * 8
        assert len({packet.timestamp for packet in events}) == 2

    with_media(test)


def test_events_become_tones_for_a_peer_without_events() -> None:
    async def test(media: Media) -> None:
        one, other, third = RtpPeer(), RtpPeer(), RtpPeer()
        first, second, listening = media.open("127.0.0.1"), media.open("127.0.0.1"), media.open("127.0.0.1")
        keys = Keys()
        listening.on_dtmf = keys
        first.connect(one.remote())
        second.connect(other.remote(events_in=None, events_out=None))
        listening.connect(third.remote(events_in=None, events_out=None))
        first.bridge(second)
        one.send_dtmf(first, "6")
        await other.receive(9)
        third.send_audio(listening, *(bytes(packet.payload) for packet in other.received))
        await keys.until("6")

    with_media(test)


def test_after_the_bridge_a_peer_gets_silence_and_then_prompts() -> None:
    async def test(media: Media) -> None:
        one, other = RtpPeer(), RtpPeer()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        first.connect(one.remote())
        second.connect(other.remote())
        first.bridge(second)
        second.close()
        assert first.partner is None
        assert (await one.receive(1))[0].payload == QUIET
        ended = asyncio.Event()
        first.play([SOUND], ended.set)
        await ended.wait()
        sound = b"".join(bytes(packet.payload) for packet in one.received)
        assert b"".join(SOUND.pcmu) in sound

    with_media(test)


@pytest.mark.parametrize(("agreed", "payload_types"), [(97, [97]), (None, [])])
def test_t4_comfort_noise_passes_to_a_peer_that_has_agreed_on_it(
    agreed: int | None, payload_types: list[int]
) -> None:
    async def test(media: Media) -> None:
        one, other = RtpPeer(), RtpPeer()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        first.connect(one.remote(noise_in=13, noise_out=13))
        second.connect(other.remote(noise_out=agreed, noise_in=agreed))
        first.bridge(second)
        one.send_audio(first, b"\x40", payload_type=13)
        one.send_audio(first, QUIET)
        await other.until(lambda: any(packet.payload == QUIET for packet in other.received))
        assert [packet.payload_type for packet in other.received if packet.payload_type] == payload_types

    with_media(test)


def test_t7_g711_passes_under_the_payload_types_of_each_side() -> None:
    async def test(media: Media) -> None:
        one, other = RtpPeer(), RtpPeer()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        first.connect(one.remote(audio_in=98, audio_out=98))
        second.connect(other.remote(Law.PCMA, audio_in=99, audio_out=99))
        assert {packet.payload_type for packet in await one.receive(2)} == {98}
        first.bridge(second)
        one.send_audio(first, SOUND.pcmu[0], payload_type=98)
        other.send_audio(second, SOUND.pcma[1], payload_type=99)
        there = SOUND.pcmu[0].translate(transcoding(Law.PCMU, Law.PCMA))
        back = SOUND.pcma[1].translate(transcoding(Law.PCMA, Law.PCMU))
        await other.until(lambda: other.received and other.received[-1].payload == there)
        await one.until(lambda: one.received[-1].payload == back)
        assert (one.received[-1].payload_type, other.received[-1].payload_type) == (98, 99)

    with_media(test)
