"""Messages out of a stream, however it is cut into pieces."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.message.framing import MAX_HEAD, PING, Framing
from tests.sip.torture import VALID, request

ONE = request("OPTIONS sip:a@b SIP/2.0")
TWO = request("INVITE sip:a@b SIP/2.0", body="v=0\r\n\r\nx")


def take_all(framing: Framing) -> list[bytes]:
    found = []
    while (message := framing.next_message()) is not None:
        found.append(message)
    return found


@given(st.lists(st.sampled_from([ONE, TWO, PING, VALID["wsinv"]]), max_size=6), st.data())
def test_pieces_make_the_same_messages(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    framing, found = Framing(), []
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        framing.feed(stream[begin:end])
        found += take_all(framing)
    assert found == parts
    assert not framing.is_waiting
    assert not framing.is_broken


@given(st.lists(st.binary(max_size=200), max_size=10))
def test_any_bytes_are_taken(pieces: list[bytes]) -> None:
    framing = Framing()
    for piece in pieces:
        framing.feed(piece)
        take_all(framing)


def test_line_breaks_between_messages_are_left() -> None:
    framing = Framing()
    framing.feed(b"\r\n" + ONE + b"\r\n" + TWO)
    assert take_all(framing) == [ONE, TWO]


def test_a_head_without_end_breaks_the_stream() -> None:
    framing = Framing()
    framing.feed(b"x" * (MAX_HEAD + 1))
    assert framing.next_message() is None
    assert framing.is_broken
    framing.feed(ONE)
    assert framing.next_message() is None


def test_a_length_that_is_none_is_told_and_breaks_the_stream() -> None:
    for length in ("Content-Length: -1", "l: 1x", "Content-Length: 9999999", "Content-Length: 0\r\nl: 5"):
        framing = Framing()
        bad = ONE.replace(b"Content-Length: 0", length.encode())
        framing.feed(bad + TWO)
        assert take_all(framing) == [bad]
        assert framing.is_broken
