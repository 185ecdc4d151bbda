"""Packets sent, turn by turn."""

import numpy as np
import pytest

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import Law, transcoding
from openivr.media.dtmf.rfc4733 import PAYLOAD
from openivr.media.rtp import packet as rtp
from openivr.media.stream.sender import DIGIT_PACKETS, GAP_PACKETS, SILENCE, RtpSender

QUIET = SILENCE[Law.PCMU]
EVENTS = 96


def clip(frames: int, seed: int = 1) -> Clip:
    return Clip.from_samples(np.random.default_rng(seed).integers(-9999, 9999, frames * 160).astype(np.int16))


class Wire:
    """A sender and the packets it has sent."""

    def __init__(self) -> None:
        self.stream = RtpSender()
        self.stream.sequence, self.stream.timestamp = 0xFFFE, 0xFFFFFF00  # both wrap at once
        self.sent: list[rtp.Packet] = []
        self.stream.send = self._send
        self.ended: list[str] = []

    def _send(self, data: bytes) -> None:
        packet = rtp.read(data)
        assert packet
        self.sent.append(packet)

    def play(self, *clips: Clip, loop: bool = False, name: str = "end") -> None:
        self.stream.play(clips, loop=loop, on_end=lambda: self.ended.append(name))

    def tick(self, turns: int = 1) -> list[rtp.Packet]:
        before = len(self.sent)
        for _ in range(turns):
            self.stream.tick()
        return self.sent[before:]

    @property
    def payloads(self) -> list[bytes | memoryview]:
        return [packet.payload for packet in self.sent]

    def assert_continuous(self) -> None:
        """No gap in sequence numbers, none in timestamps but where a marker says so."""
        for before, after in zip(self.sent, self.sent[1:], strict=False):
            assert after.sequence == before.sequence + 1 & 0xFFFF
            if not after.marker and after.payload_type == before.payload_type:
                step = (after.timestamp - before.timestamp) & 0xFFFFFFFF
                assert step == (160 if after.payload_type in (0, 8) else 0)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_silence_is_sent_while_nothing_plays(wire: Wire) -> None:
    wire.tick(3)
    assert wire.payloads == [QUIET] * 3
    assert [packet.marker for packet in wire.sent] == [True, False, False]
    wire.assert_continuous()


def test_the_first_packet_leaves_at_once_and_takes_the_place_of_the_next_turn(wire: Wire) -> None:
    wire.tick(2)
    sound = clip(3)
    wire.play(sound)
    assert wire.payloads[2:] == [sound.pcmu[0]]
    assert wire.tick() == []
    wire.tick(2)
    assert wire.payloads[2:] == list(sound.pcmu)
    wire.assert_continuous()


def test_the_end_is_reported_one_turn_after_the_last_packet(wire: Wire) -> None:
    sound = clip(2)
    wire.play(sound, sound)
    wire.tick(4)
    assert wire.payloads == list(sound.pcmu * 2)
    assert wire.ended == []
    assert wire.tick()[0].payload == QUIET
    assert wire.ended == ["end"]
    assert not wire.stream.is_playing


def test_a_second_play_within_one_turn_does_not_run_ahead(wire: Wire) -> None:
    one, other = clip(3, 1), clip(3, 2)
    wire.play(one)
    wire.play(other)
    wire.tick(4)
    assert wire.payloads == [one.pcmu[0], *other.pcmu]
    wire.assert_continuous()
    wire.tick()
    assert wire.ended == ["end"]


def test_a_stopped_or_replaced_play_does_not_report_its_end(wire: Wire) -> None:
    wire.play(clip(2), name="replaced")
    wire.play(clip(2), name="stopped")
    wire.stream.stop()
    wire.tick(5)
    assert wire.ended == []
    assert wire.payloads[1:] == [QUIET] * 4


def test_a_loop_goes_on_until_it_is_stopped(wire: Wire) -> None:
    sound = clip(2)
    wire.play(sound, loop=True)
    wire.tick(7)
    assert wire.payloads == list(sound.pcmu * 4)[:7]
    assert wire.ended == []


@pytest.mark.parametrize("loop", [True, False])
def test_a_play_of_nothing_ends_at_once(wire: Wire, loop: bool) -> None:
    wire.play(clip(0), loop=loop)
    assert wire.payloads == [QUIET]
    assert wire.ended == ["end"]


def test_after_missed_turns_the_timestamp_jumps_and_the_prompt_goes_on(wire: Wire) -> None:
    sound = clip(5)
    wire.play(sound)
    wire.stream.skip(3)  # the first of them was used by the packet that left at once
    wire.tick(2)
    assert wire.payloads == list(sound.pcmu[:3])
    first, second = wire.sent[:2]
    assert (second.timestamp - first.timestamp) & 0xFFFFFFFF == 3 * 160
    assert second.marker
    wire.assert_continuous()


def test_a_change_of_law_keeps_the_place(wire: Wire) -> None:
    sound = clip(4)
    for loop in (False, True):
        wire.sent.clear()
        wire.stream.set_law(Law.PCMU)
        wire.play(sound, loop=loop)
        wire.tick(2)
        wire.stream.set_law(Law.PCMA)
        wire.tick(2)
        assert wire.payloads == [*sound.pcmu[:2], *sound.pcma[2:]]
        assert [packet.payload_type for packet in wire.sent] == [0, 0, 8, 8]
        wire.stream.stop()
        wire.tick()


def test_a_closed_port_of_the_other_side_stops_nothing(wire: Wire) -> None:
    def refuse(packet: bytes) -> None:
        raise ConnectionRefusedError

    sound = clip(3)
    wire.play(sound)
    wire.tick()
    wire.stream.send, send = refuse, wire.stream.send
    wire.tick()
    wire.stream.send = send
    wire.tick()
    assert wire.payloads == [sound.pcmu[0], sound.pcmu[2]]


def test_keys_as_events(wire: Wire) -> None:
    wire.stream.events = EVENTS
    sound = clip(3)
    wire.play(sound)
    wire.tick()
    wire.stream.send_dtmf("1#")
    sent = wire.tick(2 * (DIGIT_PACKETS + 3 + GAP_PACKETS) + 2)
    events = [packet for packet in sent if packet.payload_type == EVENTS]
    first, second = events[: DIGIT_PACKETS + 3], events[DIGIT_PACKETS + 3 :]
    for event, number in ((first, 1), (second, 11)):
        assert {packet.timestamp for packet in event} == {event[0].timestamp}
        assert [packet.marker for packet in event] == [True] + [False] * (DIGIT_PACKETS + 2)
        told = [PAYLOAD.unpack(packet.payload) for packet in event]
        durations = [160 * turn for turn in range(1, DIGIT_PACKETS + 1)] + [160 * DIGIT_PACKETS] * 3
        assert told == [
            (number, 10 | (0x80 if turn >= DIGIT_PACKETS else 0), duration)
            for turn, duration in enumerate(durations)
        ]
    gap = (second[0].timestamp - first[0].timestamp) & 0xFFFFFFFF
    assert gap == 160 * (DIGIT_PACKETS + 3 + GAP_PACKETS)
    assert [packet.payload for packet in sent[-2:]] == list(sound.pcmu[1:])  # the prompt had waited
    wire.assert_continuous()


def test_keys_as_tones(wire: Wire) -> None:
    wire.stream.send_dtmf("5")
    sent = wire.tick(DIGIT_PACKETS + GAP_PACKETS)
    assert [packet.payload_type for packet in sent] == [0] * len(sent)
    assert [packet.payload == QUIET for packet in sent] == [False] * DIGIT_PACKETS + [True] * GAP_PACKETS
    wire.assert_continuous()


def test_only_keys_can_be_pressed(wire: Wire) -> None:
    with pytest.raises(ValueError, match="E"):
        wire.stream.send_dtmf("1E")


def far(number: int, ssrc: int = 5, marker: bool = False) -> rtp.Packet:
    """A packet that another session received."""
    return rtp.Packet(0, marker, 100 + number & 0xFFFF, 7000 + 160 * number, ssrc, bytes([number]) * 160)


def test_a_bridge_passes_on_in_our_numbers(wire: Wire) -> None:
    wire.tick(2)
    wire.stream.set_bridged(True)
    assert wire.tick(2) == []
    for number in range(3):
        wire.stream.forward(far(number), Law.PCMU)
        wire.tick()
    wire.stream.forward(far(50, ssrc=6), Law.PCMU)
    wire.stream.set_bridged(False)
    wire.tick(2)
    assert wire.payloads[2:] == [far(number).payload for number in (0, 1, 2, 50)] + [QUIET] * 2
    assert [packet.marker for packet in wire.sent[2:]] == [True, False, False, True, True, False]
    assert len({packet.ssrc for packet in wire.sent}) == 1
    assert (wire.sent[2].timestamp - wire.sent[1].timestamp) & 0xFFFFFFFF == 3 * 160
    wire.assert_continuous()
    assert all(
        rtp.is_before(before.timestamp, after.timestamp, 32)
        for before, after in zip(wire.sent, wire.sent[1:], strict=False)
    )


def test_loss_and_order_are_passed_on_as_they_are(wire: Wire) -> None:
    wire.stream.set_bridged(True)
    for number in (0, 3, 4, 2):
        wire.stream.forward(far(number), Law.PCMU)
    start = wire.sent[0].sequence
    assert [(packet.sequence - start) & 0xFFFF for packet in wire.sent] == [0, 3, 4, 2]
    wire.stream.set_bridged(False)
    assert (wire.tick()[0].sequence - start) & 0xFFFF == 5


def test_a_bridge_between_two_laws(wire: Wire) -> None:
    wire.stream.set_bridged(True)
    every = bytes(range(160))
    wire.stream.forward(far(0)._replace(payload=every), Law.PCMA)
    assert wire.payloads == [every.translate(transcoding(Law.PCMA, Law.PCMU))]


def test_a_prompt_replaces_the_audio_of_the_other_session(wire: Wire) -> None:
    wire.stream.set_bridged(True)
    wire.stream.forward(far(0), Law.PCMU)
    sound = clip(2)
    wire.play(sound)
    wire.stream.forward(far(1), Law.PCMU)
    wire.tick(3)
    wire.stream.forward(far(4), Law.PCMU)
    assert wire.payloads == [far(0).payload, *sound.pcmu, QUIET, far(4).payload]
    assert wire.ended == ["end"]
    wire.assert_continuous()


def test_events_are_passed_on_under_our_number(wire: Wire) -> None:
    wire.stream.events = EVENTS
    wire.stream.set_bridged(True)
    wire.stream.forward(far(0), Law.PCMU)
    event = PAYLOAD.pack(3, 10, 160)
    wire.stream.forward_event(far(1, marker=True)._replace(payload_type=101, payload=event), "3")
    wire.stream.forward_event(
        far(2)._replace(payload_type=101, payload=event, timestamp=far(1).timestamp), None
    )
    types = [(packet.payload_type, packet.marker) for packet in wire.sent]
    assert types == [(0, True), (EVENTS, True), (EVENTS, False)]
    assert wire.sent[2].timestamp == wire.sent[1].timestamp
    wire.assert_continuous()
