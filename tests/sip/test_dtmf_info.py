"""Keys by INFO: the two kinds of bodies, as phones write them, and anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.message.dtmf_info import MAX_MILLISECONDS, PLAIN, RELAY, read_key, write_key
from openivr.sip.message.message import Request


def info(kind: str, body: bytes) -> Request:
    return Request("INFO", "sip:x@192.0.2.1", {"content-type": [kind]}, body)


@given(st.sampled_from("0123456789*#ABCD"), st.integers(1, MAX_MILLISECONDS))
def test_what_is_written_is_read(key: str, milliseconds: int) -> None:
    assert read_key(info(RELAY, write_key(key, milliseconds))) == (key, milliseconds)


@pytest.mark.parametrize(
    ("kind", "body", "key"),
    [
        (RELAY, b"Signal=5\r\nDuration=100\r\n", ("5", 100)),
        (RELAY, b"Signal= 5\nDuration= 100", ("5", 100)),
        (RELAY, b"Signal=11\r\nDuration=99999\r\n", ("#", MAX_MILLISECONDS)),
        (RELAY, b"Signal=d", ("D", 160)),
        (PLAIN, b" 10 ", ("*", 160)),
        (RELAY, b'Signal="3"\r\nDuration="250"\r\n', ("3", 250)),  # T11
        (RELAY, b"Signal='3'\r\n", ("3", 160)),
        (RELAY, b'Signal = " * "', ("*", 160)),
        (RELAY, b"signal:7\nduration:100", ("7", 100)),
        (RELAY, b"SIGNAL=7;DURATION=100", ("7", 100)),
        (RELAY, b"Signal=7, Duration=100", ("7", 100)),
        (RELAY, b"Duration=100\r\nSignal=7", ("7", 100)),
        (RELAY, b"\r\nSignal=7\r\nDuration=100\r\n\r\n\0", ("7", 100)),
        (RELAY, b"Signal=7\0\0", ("7", 160)),
        (RELAY, b"Signal=7\rDuration=100\r", ("7", 100)),
        (RELAY, b"Signal=07", ("7", 160)),
        (RELAY, b"d=7\r\nDuration=100", ("7", 100)),
        (RELAY, b"5", ("5", 160)),
        (PLAIN, b"Signal=5\r\nDuration=100", ("5", 100)),
        (PLAIN, b'"5"', ("5", 160)),
        (PLAIN, b"5\r\n\0", ("5", 160)),
        (PLAIN, b"#", ("#", 160)),
        (RELAY, b'Signal="55', None),
        (RELAY, b"Signal=55", None),
        (RELAY, b"Signal=", None),
        (RELAY, b"Signal=5x", None),
        (RELAY, b"NoSignal=5", None),
        (RELAY, b"Signal=16\r\n", None),
        (PLAIN, b"55", None),
        (PLAIN, b"", None),
        ("text/plain", b"5", None),
    ],
)
def test_as_phones_write_it(kind: str, body: bytes, key: tuple[str, int] | None) -> None:
    assert read_key(info(kind, body)) == key


@given(
    st.sampled_from((RELAY, PLAIN, "APPLICATION/DTMF; x=1", "", ";")),
    st.binary(max_size=60) | st.binary(max_size=9).map(lambda data: b"Signal=" + data),
)
def test_no_bytes_make_it_fail(kind: str, body: bytes) -> None:
    found = read_key(info(kind, body))
    assert found is None or (found[0] in "0123456789*#ABCD" and 0 <= found[1] <= MAX_MILLISECONDS)
