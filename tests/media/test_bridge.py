"""Two legs bridged, over real sockets."""

import asyncio

import pytest

from openivr.media.audio.g711 import Law, transcoding
from openivr.media.media import Media
from tests.media.rtp_peer import RtpPeer, with_media
from tests.media.test_session import QUIET, SOUND, Keys


def test_both_hear_each_other_to_the_byte() -> None:
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
            one.say(first, frame)
            other.say(second, frame, payload_type=8)
            await asyncio.sleep(0)
        await one.until(lambda: len([p for p in one.heard if p.payload != QUIET]) >= 40)
        await other.until(lambda: len([p for p in other.heard if p.payload_type == 8]) >= 40)
        there, back = transcoding(Law.PCMU, Law.PCMA), transcoding(Law.PCMA, Law.PCMU)
        assert [packet.payload for packet in other.heard][-40:] == [
            frame.translate(there) for frame in frames
        ]
        assert [packet.payload for packet in one.heard][-40:] == [frame.translate(back) for frame in frames]
        assert {packet.payload_type for packet in one.heard} == {0}
        first.unbridge()
        first.unbridge()
        assert (await one.hear(2))[1].payload == QUIET

    with_media(test)


def test_keys_are_heard_and_passed_on_under_the_other_number() -> None:
    async def test(media: Media) -> None:
        one, other = RtpPeer(), RtpPeer()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        keys = Keys()
        first.on_key = keys
        first.connect(one.remote())
        second.connect(other.remote(events_in=96, events_out=97))
        other.say(second, QUIET)
        first.bridge(second)
        one.press(first, "12")
        await keys.until("12")
        await other.until(lambda: len([p for p in other.heard if p.payload_type == 97]) == 16)
        events = [packet for packet in other.heard if packet.payload_type == 97]
        assert [packet.payload[0] for packet in events] == [1] * 8 + [2] * 8
        assert len({packet.timestamp for packet in events}) == 2

    with_media(test)


def test_keys_become_tones_for_who_does_not_know_events() -> None:
    async def test(media: Media) -> None:
        one, other, third = RtpPeer(), RtpPeer(), RtpPeer()
        first, second, listening = media.open("127.0.0.1"), media.open("127.0.0.1"), media.open("127.0.0.1")
        keys = Keys()
        listening.on_key = keys
        first.connect(one.remote())
        second.connect(other.remote(events_in=None, events_out=None))
        listening.connect(third.remote(events_in=None, events_out=None))
        first.bridge(second)
        one.press(first, "6")
        await other.hear(9)
        third.say(listening, *(bytes(packet.payload) for packet in other.heard))
        await keys.until("6")

    with_media(test)


def test_who_stays_behind_hears_silence_and_then_what_is_played() -> None:
    async def test(media: Media) -> None:
        one, other = RtpPeer(), RtpPeer()
        first, second = media.open("127.0.0.1"), media.open("127.0.0.1")
        first.connect(one.remote())
        second.connect(other.remote())
        first.bridge(second)
        second.close()
        assert first.partner is None
        assert (await one.hear(1))[0].payload == QUIET
        ended = asyncio.Event()
        first.play([SOUND], ended.set)
        await ended.wait()
        sound = b"".join(bytes(packet.payload) for packet in one.heard)
        assert b"".join(SOUND.pcmu) in sound

    with_media(test)
