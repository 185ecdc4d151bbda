"""RTCP reports and reception statistics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.media.rtp import rtcp
from openivr.media.rtp.receive_stats import ReceiveStats

words = st.integers(0, 0xFFFFFFFF)
blocks = st.builds(
    rtcp.ReportBlock,
    ssrc=words,
    fraction_lost=st.integers(0, 255),
    lost=st.integers(0, 0x7FFFFF),
    highest=words,
    jitter=words,
    last_sr=words,
    delay=words,
)
sent = st.builds(rtcp.SenderInfo, ntp=st.integers(0, 2**64 - 1), timestamp=words, packets=words, octets=words)


@given(words, st.none() | sent, st.none() | blocks, st.booleans())
def test_what_is_written_is_read(
    ssrc: int, sent: rtcp.SenderInfo | None, block: rtcp.ReportBlock | None, is_bye: bool
) -> None:
    data = rtcp.write(ssrc, "0123456789abcdef@openivr", sent, block, is_bye=is_bye)
    assert len(data) % 4 == 0
    expected = [rtcp.RtcpReport(ssrc, sent, (block,) if block else ())]
    assert rtcp.read(data) == expected + [rtcp.RtcpReport(ssrc, is_bye=True)] * is_bye


@given(
    st.binary(max_size=100), st.sampled_from([b"", b"\x81\xc8\0\x06", b"\x9f\xc9\0\x01", b"\x81\xcb\0\x01"])
)
def test_no_bytes_make_it_fail(data: bytes, head: bytes) -> None:
    rtcp.read(head + data)


def test_more_lost_than_sent_is_negative() -> None:
    data = bytearray(rtcp.write(1, "x", None, rtcp.ReportBlock(2, 0, 0, 0, 0, 0, 0)))
    data[13:16] = b"\xff\xff\xfe"
    assert rtcp.read(bytes(data))[0].blocks[0].lost == -2


def test_round_trip() -> None:
    """RFC 3550, 6.4.1, figure 2: its numbers."""
    now = 0xB710_8000 << 16
    block = rtcp.ReportBlock(1, 0, 0, 0, 0, last_sr=0xB705_2000, delay=0x0005_4000)
    assert rtcp.round_trip(block, now) == pytest.approx(6.125)
    assert rtcp.round_trip(rtcp.ReportBlock(1, 0, 0, 0, 0, 0, 0), now) is None


def test_the_time_of_day() -> None:
    assert rtcp.ntp_time(1_500_000_000) == (2_208_988_801 << 32) + (1 << 31)


def test_reports_are_spread() -> None:
    intervals = [rtcp.next_interval() for _ in range(1000)]
    assert 2.5 <= min(intervals) < 3
    assert 7 < max(intervals) <= 7.5


def reception(sequences: list[int]) -> ReceiveStats:
    heard = ReceiveStats()
    for sequence in sequences:
        heard.count(1, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, sequence * 20_000_000)
    return heard


def test_loss_across_the_wrap() -> None:
    heard = reception([0xFFFE, 0xFFFF, 0x10001, 0x10000, 0x10004])
    assert (heard.expected, heard.received, heard.lost) == (7, 5, 2)
    block = heard.report(0, 0)
    assert block
    assert (block.highest, block.fraction_lost, block.lost) == (0x10004, 2 * 256 // 7, 2)
    assert heard.jitter == 0


def test_the_share_is_of_the_time_since_the_report_before() -> None:
    heard = reception([1, 3])
    heard.report(0, 0)
    heard.count(1, 4, 640, 80_000_000)
    block = heard.report(0, 0)
    assert block
    assert (block.fraction_lost, block.lost) == (0, 1)


def test_jitter_is_the_smoothed_change_of_transit() -> None:
    heard = ReceiveStats()
    for number in range(400):
        late = 1_000_000 * (number % 2)  # 8 samples more or less each time
        heard.count(1, number, number * 160, number * 20_000_000 + late)
    assert heard.jitter == pytest.approx(8, abs=0.01)


def test_another_source_begins_anew_and_nothing_is_forgotten() -> None:
    heard = reception([1, 2, 5])
    heard.count(2, 40_000, 77, 0)
    assert (heard.lost, heard.lost_before, heard.received, heard.received_before) == (0, 2, 1, 3)


def test_without_packets_there_is_no_block() -> None:
    assert ReceiveStats().report(0, 0) is None


@given(st.lists(st.tuples(st.integers(1, 2), st.integers(0, 0xFFFF), words, st.integers(0, 2**62))))
def test_no_stream_makes_a_block_that_cannot_be_written(stream: list[tuple[int, int, int, int]]) -> None:
    heard = ReceiveStats()
    for packet in stream:
        heard.count(*packet)
        block = heard.report(0, 0)
        assert block
        assert rtcp.read(rtcp.write(1, "x", None, block))[0].blocks == (block,)
