"""Telephone-events in all the ways in which networks mangle them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.media.dtmf.rfc4733 import (
    DIGITS,
    END,
    MAX_DURATION,
    PAYLOAD,
    DtmfMethod,
    DtmfReader,
    DtmfSelector,
    event_payloads,
)
from openivr.media.rtp.packet import Packet

PACKETS = 5
Sent = tuple[int, bool, bytes]  # timestamp, marker, payload


def packet(timestamp: int, marker: bool, payload: bytes, ssrc: int = 1) -> Packet:
    return Packet(101, marker, 0, timestamp, ssrc, payload)


def packets(keys: str, start: int) -> list[list[Sent]]:
    """What a phone sends for each key."""
    return [
        [
            (start + 3200 * number & 0xFFFFFFFF, place == 0, payload)
            for place, payload in enumerate(event_payloads(key, PACKETS, 160))
        ]
        for number, key in enumerate(keys)
    ]


def read(stream: list[Sent]) -> str:
    reader = DtmfReader()
    return "".join(filter(None, (reader.read(packet(*each)) for each in stream)))


keys = st.text(st.sampled_from(DIGITS), min_size=1, max_size=12)


@given(keys, st.integers(0, 0xFFFFFFFF), st.data())
def test_each_key_counts_once_whatever_is_lost_and_doubled(
    keys: str, start: int, data: st.DataObject
) -> None:
    stream: list[Sent] = []
    for event in packets(keys, start):
        some = data.draw(st.lists(st.sampled_from(event), min_size=1, max_size=20))
        stream += sorted(some, key=event.index)
    assert read(stream) == keys


@given(keys, st.integers(0, 0xFFFFFFFF), st.data())
def test_each_key_counts_once_when_packets_overtake_each_other(
    keys: str, start: int, data: st.DataObject
) -> None:
    stream = [each for event in packets(keys, start) for each in event]
    delay = data.draw(st.lists(st.integers(0, 4), min_size=len(stream), max_size=len(stream)))
    order = sorted(range(len(stream)), key=lambda place: place + delay[place])
    assert read([stream[place] for place in order]) == keys


@given(st.lists(st.tuples(st.integers(0, 0xFFFFFFFF), st.booleans(), st.binary(max_size=8))))
def test_no_bytes_make_it_fail(stream: list[Sent]) -> None:
    assert set(read(stream)) <= set(DIGITS)


def test_the_key_counts_at_its_first_packet() -> None:
    reader = DtmfReader()
    assert reader.read(packet(0, True, PAYLOAD.pack(5, 10, 0))) == "5"


def test_another_source_may_use_the_same_timestamp() -> None:
    reader = DtmfReader()
    first, second = (packet(0, False, PAYLOAD.pack(5, 10, 0), ssrc) for ssrc in (1, 2))
    assert [reader.read(each) for each in (first, second, first)] == ["5", "5", None]


def test_an_end_packet_alone_is_a_key() -> None:
    assert read([(0, False, PAYLOAD.pack(11, END | 10, 800))]) == "#"


def test_the_same_key_twice_is_two_keys() -> None:
    assert read([each for event in packets("77", 0) for each in event]) == "77"


def test_a_key_held_for_long_is_one_key() -> None:
    stream = [(start, start == 0, PAYLOAD.pack(1, 10, 160)) for start in (0, MAX_DURATION, 2 * MAX_DURATION)]
    assert read(stream) == "1"
    stream[1] = (MAX_DURATION, True, PAYLOAD.pack(1, 10, 160))
    assert read(stream) == "11"


def test_flash_is_no_key() -> None:
    assert read([(0, True, PAYLOAD.pack(16, 10, 160))]) == ""


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
