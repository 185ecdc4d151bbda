"""Telephone-events in all the ways in which networks mangle them."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.media.dtmf.rfc4733 import (
    DIGITS,
    END,
    END_PACKETS,
    MAX_DURATION,
    PAYLOAD,
    DtmfMethod,
    DtmfReader,
    DtmfSelector,
    event_payloads,
)
from openivr.media.rtp.packet import Packet

PACKETS = 5


class Sent(NamedTuple):
    """A packet of a telephone-event."""

    sequence: int
    timestamp: int
    marker: bool
    event: int
    is_end: bool
    duration: int


def packet(sent: Sent, ssrc: int = 1) -> Packet:
    payload = PAYLOAD.pack(sent.event, (END if sent.is_end else 0) | 10, sent.duration)
    return Packet(101, sent.marker, sent.sequence & 0xFFFF, sent.timestamp & 0xFFFFFFFF, ssrc, payload)


def read(stream: Iterable[Sent]) -> str:
    reader = DtmfReader()
    return "".join(filter(None, (reader.read(packet(sent)) for sent in stream)))


@dataclass(frozen=True)
class Sender:
    """A telephone: how it presses keys. Lengths are in packets of 20 ms."""

    length: int = PACKETS
    gap: int = 4  # from the first end packet to the next key
    has_audio: bool = True  # audio packets between keys count in the sequence
    marks: bool = True
    same_timestamp: bool = False  # all keys bear the timestamp of the first (T8)
    renewed_ends: int = 0  # so many end packets bear the current time as their timestamp (T9)
    own_timestamps: bool = False  # every packet does
    segment: int = 0xFFFF  # samples after which a long key goes on in the next segment (T10)
    update: int = 1  # packets of 20 ms between two packets of an event

    def press(self, keys: str, sequence: int = 0, timestamp: int = 0) -> list[list[Sent]]:
        """The packets of each key, in the order in which they are sent."""
        presses, time = [], timestamp
        for key in keys:
            sent: list[Sent] = []
            start, base = (timestamp if self.same_timestamp else time), time
            durations = [160 * n for n in range(self.update, self.length + 1, self.update)]
            for number, elapsed in enumerate([*durations, *[durations[-1]] * END_PACKETS]):
                is_end = number >= len(durations)
                while elapsed - (base - time) > self.segment:
                    start, base = start + self.segment, base + self.segment
                end_number = number - len(durations) + 1
                stamp = start
                if self.own_timestamps or end_number > END_PACKETS - self.renewed_ends:
                    stamp = time + 160 * (self.update * number)
                marker = self.marks and number == 0
                event = DIGITS.index(key)
                sent.append(Sent(sequence, stamp, marker, event, is_end, elapsed - (base - time)))
                sequence += 1
            presses.append(sent)
            time += durations[-1] + 160 * max(self.gap, END_PACKETS - 1)
            sequence += max(self.gap - END_PACKETS + 1, 0) if self.has_audio else 0
        return presses


keys = st.text(st.sampled_from(DIGITS), min_size=1, max_size=12)
starts = st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF))
phones = st.builds(
    Sender,
    length=st.integers(2, 40),
    gap=st.integers(2, 60),
    has_audio=st.booleans(),
    marks=st.booleans(),
)


def lose_and_double(event: list[Sent], data: st.DataObject) -> list[Sent]:
    """Draw packets of an event, in order: some are lost, some come twice, at least one is left."""
    some = data.draw(st.lists(st.sampled_from(range(len(event))), min_size=1, max_size=20))
    return [event[index] for index in sorted(some)]


def reorder(stream: list[Sent], data: st.DataObject, most: int = 4) -> list[Sent]:
    """Let packets be overtaken by up to `most` places."""
    delay = data.draw(st.lists(st.integers(0, most), min_size=len(stream), max_size=len(stream)))
    return [stream[index] for index in sorted(range(len(stream)), key=lambda index: index + delay[index])]


@given(phones, keys, starts, st.data())
def test_each_key_counts_once_whatever_is_lost_and_doubled(
    phone: Sender, keys: str, start: tuple[int, int], data: st.DataObject
) -> None:
    stream = [sent for event in phone.press(keys, *start) for sent in lose_and_double(event, data)]
    assert read(stream) == keys


@given(phones, keys, starts, st.data())
def test_each_key_counts_once_when_packets_overtake_each_other(
    phone: Sender, keys: str, start: tuple[int, int], data: st.DataObject
) -> None:
    stream = [sent for event in phone.press(keys, *start) for sent in event]
    assert sorted(read(reorder(stream, data))) == sorted(keys)
    assert read(reorder(stream, data, 3)) == keys  # no key is as short as to be overtaken by three


@given(phones, keys, starts, st.data())
def test_each_key_counts_once_when_packets_are_lost_doubled_and_overtaken(
    phone: Sender, keys: str, start: tuple[int, int], data: st.DataObject
) -> None:
    stream = [sent for event in phone.press(keys, *start) for sent in lose_and_double(event, data)]
    assert sorted(read(reorder(stream, data))) == sorted(keys)


ODD_SENDERS = {
    "T8": Sender(same_timestamp=True),
    "T8, a short key": Sender(length=2, same_timestamp=True),
    "T9, the last two end packets": Sender(renewed_ends=2),
    "T9, all end packets": Sender(renewed_ends=3),
    "T9, every packet": Sender(own_timestamps=True),
    "T10": Sender(length=900, segment=65520),
    "T10, 65535": Sender(length=900, segment=65535),
    "T10, 65440": Sender(length=900, segment=65440),
    "T10, 64000": Sender(length=900, segment=64000),
    "T10, 8000": Sender(length=120, segment=8000),
    "an update each 60 ms": Sender(length=15, update=3),
}


@pytest.mark.parametrize("phone", ODD_SENDERS.values(), ids=ODD_SENDERS)
@pytest.mark.parametrize("marks", [True, False])
@pytest.mark.parametrize("has_audio", [True, False])
def test_odd_senders_are_understood(phone: Sender, marks: bool, has_audio: bool) -> None:
    phone = replace(phone, marks=marks, has_audio=has_audio)
    for text in ("1", "123", "11", "5511", "1221"):
        assert read(sent for event in phone.press(text, 65_530, 2**32 - 900) for sent in event) == text


@given(
    st.sampled_from([phone for name, phone in ODD_SENDERS.items() if "8000" not in name]),
    st.booleans(),
    st.booleans(),
    starts,
    st.data(),
)
def test_one_key_of_an_odd_sender_never_gives_two(
    phone: Sender, marks: bool, has_audio: bool, start: tuple[int, int], data: st.DataObject
) -> None:
    """Packets of one key are lost, doubled and reordered; of a long one, no more than a second is lost."""
    [event] = replace(phone, marks=marks, has_audio=has_audio).press("5", *start)
    if len(event) > 100:
        kept = [index for index in range(len(event)) if index % 50 == 0 or data.draw(st.booleans())]
        stream = [event[index] for index in kept for _ in range(data.draw(st.integers(1, 2)))]
    else:
        stream = lose_and_double(event, data)
    assert read(reorder(stream, data)) == "5"


@given(
    st.sampled_from(
        [
            Sender(same_timestamp=True),
            Sender(renewed_ends=2),
            Sender(renewed_ends=3),
            Sender(own_timestamps=True),
            Sender(length=420, segment=65520),
        ]
    ),
    st.text(st.sampled_from("15"), min_size=2, max_size=4),
    starts,
    st.data(),
)
def test_keys_of_odd_senders_are_as_many_whatever_is_doubled_and_overtaken(
    phone: Sender, keys: str, start: tuple[int, int], data: st.DataObject
) -> None:
    stream = [sent for event in phone.press(keys, *start) for sent in event]
    if len(stream) < 100:
        stream = [sent for sent in stream for _ in range(data.draw(st.integers(1, 2)))]
        stream = reorder(stream, data)
    assert read(stream) == keys


fields = st.builds(
    Sent,
    st.integers(0, 9) | st.integers(0, 0xFFFF),
    st.integers(0, 2000) | st.integers(0, 0xFFFFFFFF),
    st.booleans(),
    st.sampled_from([1, 1, 5, 16, 255]),
    st.booleans(),
    st.integers(0, 0xFFFF),
)


@given(st.lists(fields), st.data())
def test_a_packet_that_comes_again_is_never_a_key(stream: list[Sent], data: st.DataObject) -> None:
    reader = DtmfReader()
    for sent in stream:
        reader.read(packet(sent))
        assert reader.read(packet(sent)) is None


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.booleans(), st.binary(max_size=8))))
def test_no_bytes_make_it_fail(stream: list[tuple[int, bool, bytes]]) -> None:
    reader = DtmfReader()
    for number, (timestamp, marker, payload) in enumerate(stream):
        digit = reader.read(Packet(101, marker, number & 0xFFFF, timestamp, 1, payload))
        assert digit is None or digit in DIGITS


def test_the_key_counts_at_its_first_packet() -> None:
    assert DtmfReader().read(packet(Sent(0, 0, True, 5, False, 0))) == "5"


def test_another_source_may_use_the_same_timestamp() -> None:
    reader = DtmfReader()
    sent = Sent(0, 0, False, 5, False, 0)
    assert [reader.read(packet(sent, ssrc)) for ssrc in (1, 2, 1)] == ["5", "5", None]


def test_an_end_packet_alone_is_a_key() -> None:
    assert read([Sent(0, 0, False, 11, True, 800)]) == "#"


def test_the_same_key_twice_is_two_keys() -> None:
    assert read(sent for event in Sender().press("77") for sent in event) == "77"


def test_a_sender_that_does_not_count_is_understood_by_its_timestamps() -> None:
    stream = [sent._replace(sequence=7) for event in Sender().press("7727") for sent in event]
    assert read(stream) == "7727"


def test_a_key_held_for_long_is_one_key() -> None:
    stream = [Sent(number, MAX_DURATION * number, number == 0, 1, False, MAX_DURATION) for number in range(3)]
    assert read(stream) == "1"
    stream[1] = stream[1]._replace(marker=True)
    assert read(stream) == "11"


def test_flash_is_no_key() -> None:
    assert read([Sent(0, 0, True, 16, False, 160)]) == ""


def test_what_is_sent_for_a_key() -> None:
    sent = [PAYLOAD.unpack(payload) for payload in event_payloads("#", 3, 160)]
    assert sent == [(11, 10, 160), (11, 10, 320), (11, 10, 480)] + [(11, END | 10, 480)] * 3


def test_the_first_way_to_hear_a_key_is_kept() -> None:
    choice = DtmfSelector()
    assert choice.accepts("1", DtmfMethod.INFO, 0.0)
    assert not choice.accepts("1", DtmfMethod.TONE, 0.1)
    assert choice.accepts("1", DtmfMethod.INFO, 0.2)
    assert choice.method is DtmfMethod.INFO


def test_a_more_reliable_way_takes_over_and_the_key_counts_once() -> None:
    choice = DtmfSelector()
    assert choice.accepts("1", DtmfMethod.TONE, 0.0)
    assert not choice.accepts("1", DtmfMethod.EVENT, 0.3)
    assert not choice.accepts("2", DtmfMethod.TONE, 1.0)
    assert choice.accepts("2", DtmfMethod.EVENT, 1.1)
    assert choice.accepts("2", DtmfMethod.EVENT, 1.2)


@pytest.mark.parametrize(("later", "counts"), [(0.0, False), (0.999, False), (1.0, True), (1.5, True)])
@pytest.mark.parametrize("method", [DtmfMethod.EVENT, DtmfMethod.INFO])
def test_the_same_key_by_two_methods_counts_once_within_a_second(
    method: DtmfMethod, later: float, counts: bool
) -> None:
    choice = DtmfSelector()
    assert choice.accepts("1", DtmfMethod.TONE, 5.0)
    assert choice.accepts("1", method, 5.0 + later) is counts
    assert choice.accepts("1", method, 5.0 + later), "by one method each key counts, however fast"


def test_a_more_reliable_way_with_another_key_counts() -> None:
    choice = DtmfSelector()
    assert choice.accepts("1", DtmfMethod.TONE, 0.0)
    assert choice.accepts("2", DtmfMethod.EVENT, 0.3)
