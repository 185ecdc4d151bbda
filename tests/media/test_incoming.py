"""Whatever comes on the socket of a call: nothing makes its readers fail."""

import time

from hypothesis import given
from hypothesis import strategies as st

from openivr.media import rtp
from openivr.media.control import Control
from openivr.media.inband import ToneListener
from openivr.media.incoming import Incoming
from openivr.media.keys import KEYS

headers = st.sampled_from(
    (b"", b"\x80\x00", b"\x80\x65\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02", b"\x81\xc8\x00\x06")
)
datagrams = st.tuples(headers, st.binary(max_size=220)).map(b"".join)


@given(st.lists(datagrams, max_size=20))
def test_no_datagram_makes_it_fail(stream: list[bytes]) -> None:
    keys: list[str] = []
    incoming, control = Incoming(keys.append), Control("x@openivr")
    incoming.events = 101
    incoming.listeners.append(ToneListener(keys.append).hear)
    for number, data in enumerate(stream):
        if rtp.is_rtcp(data):
            control.take(data, 1, time.time_ns())
        elif packet := rtp.read(data):
            incoming.take(packet, number * 20_000_000)
    assert set(keys) <= set(KEYS)
