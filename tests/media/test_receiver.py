"""Any datagram on the socket of a call is read without an exception."""

import time

from hypothesis import given
from hypothesis import strategies as st

from openivr.media.dtmf.inband import InbandDetector
from openivr.media.dtmf.rfc4733 import DIGITS
from openivr.media.rtp import packet as rtp
from openivr.media.stream.receiver import RtpReceiver
from openivr.media.stream.rtcp_session import RtcpSession

headers = st.sampled_from(
    (b"", b"\x80\x00", b"\x80\x65\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02", b"\x81\xc8\x00\x06")
)
datagrams = st.tuples(headers, st.binary(max_size=220)).map(b"".join)


@given(st.lists(datagrams, max_size=20))
def test_no_datagram_makes_it_fail(stream: list[bytes]) -> None:
    keys: list[str] = []
    incoming, control = RtpReceiver(keys.append), RtcpSession("x@openivr")
    incoming.events = 101
    incoming.listeners.append(InbandDetector(keys.append).collect)
    for number, data in enumerate(stream):
        if rtp.is_rtcp(data):
            control.take(data, 1, time.time_ns())
        elif packet := rtp.read(data):
            incoming.take(packet, number * 20_000_000)
    assert set(keys) <= set(DIGITS)


def event(timestamp: int, payload: bytes) -> rtp.Packet:
    packet = rtp.read(b"\x80\x65\x00\x01" + timestamp.to_bytes(4, "big") + b"\x00\x00\x00\x07" + payload)
    assert packet is not None
    return packet


def test_the_rest_of_an_event_is_not_forwarded_to_the_party_it_dialled() -> None:
    """Digit 1 dials a party that answers while it is held. Digit 2 is for that party."""
    passed: list[tuple[int, str | None]] = []
    keys: list[str] = []
    incoming = RtpReceiver(keys.append)
    incoming.events = 101
    going_on, end, other = b"\x01\x0a\x00\xa0", b"\x01\x8a\x03\x20", b"\x02\x0a\x00\xa0"
    incoming.take(event(1000, going_on), 0)
    incoming.forward_events(lambda packet, key: passed.append((packet.timestamp, key)))
    for number, packet in enumerate(
        (event(1000, going_on), event(1000, end), event(3000, other), event(3000, other))
    ):
        incoming.take(packet, number)
    assert passed == [(3000, "2"), (3000, None)]
    assert keys == ["1", "2"]
