"""Packets of every shape."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.media.rtp import packet as rtp

HEAD = rtp.pack(0x80, 0x80 | 101, 7, 8, 9)


@given(st.binary(max_size=100))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    packet = rtp.read(data)
    assert packet is None or bytes(packet.payload) in data


@given(st.binary(min_size=12, max_size=60), st.integers(0x80, 0xBF))
def test_no_packet_of_the_right_version_makes_it_fail(data: bytes, first: int) -> None:
    rtp.read(bytes([first]) + data[1:])


def test_the_fields() -> None:
    assert rtp.read(HEAD + b"abc") == rtp.Packet(101, True, 7, 8, 9, b"abc")
    assert rtp.read(b"\0" + HEAD[1:]) is None
    assert rtp.read(HEAD[:11]) is None


def test_sources_extension_and_padding_are_left_out() -> None:
    extension = b"\xbe\xde\0\1" + b"eeee"
    data = bytes([0x80 | 0x30 | 2]) + HEAD[1:] + b"s" * 8 + extension + b"abc" + b"\0\0\3"
    packet = rtp.read(data)
    assert packet
    assert packet.payload == b"abc"


def test_lengths_that_reach_beyond_the_packet() -> None:
    assert rtp.read(b"\x8f" + HEAD[1:] + b"abc") is None
    assert rtp.read(b"\x90" + HEAD[1:] + b"\0\0\xff\xffabcd") is None
    assert rtp.read(b"\x90" + HEAD[1:] + b"abc") is None
    assert rtp.read(b"\xa0" + HEAD[1:] + b"abc\x05") is None
    assert rtp.read(b"\xa0" + HEAD[1:] + b"abc\0") is None


def test_counters_compare_across_the_wrap() -> None:
    assert rtp.is_before(0xFFFF, 0, 16)
    assert not rtp.is_before(0, 0xFFFF, 16)
    assert not rtp.is_before(5, 5, 16)


def test_rtcp_on_the_same_port() -> None:
    assert rtp.is_rtcp(b"\x80\xc8")
    assert not rtp.is_rtcp(HEAD)
    assert not rtp.is_rtcp(b"\x80\x08")
    assert not rtp.is_rtcp(b"\x80")
