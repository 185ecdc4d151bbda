"""Messages and the values in them: read from any bytes, written so that others read the same."""

import time
import tracemalloc

import pytest
import sipmessage
from hypothesis import given
from hypothesis import strategies as st

from openivr.sip.message import headers as fields
from openivr.sip.message.message import Request, Response, read, respond
from openivr.sip.validation import check_body
from tests.sip.torture import FAULTY, REFUSED, RESPONSES, VALID, request

SAMPLES = [*VALID.values(), *(data for _, data in (*REFUSED.values(), *FAULTY.values(), *RESPONSES.values()))]
READERS = (
    fields.read_uri,
    fields.read_address,
    fields.read_via,
    fields.read_cseq,
    fields.read_number,
    fields.read_parameters,
    fields.split_list,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A message of which some bytes were changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(SAMPLES)))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(data) - 1)) if data else 0
        data[at : at + draw(st.integers(0, 5))] = draw(
            st.binary(max_size=5) | st.sampled_from([b"\r\n", b",", b'"', b"<", b";"])
        )
    return bytes(data)


@given(st.binary(max_size=300) | damaged())
def test_any_bytes_are_read_or_dropped(data: bytes) -> None:
    message = read(data)
    if isinstance(message, Request) and message.fault is None:
        again = read(message.encode())
        assert isinstance(again, Request)
        assert (again.method, again.uri, again.cseq) == (message.method, message.uri, message.cseq)
        assert again.headers == message.headers
    if isinstance(message, Request):
        answer = respond(message, 400, tag="t").encode()
        assert answer.count(b"\r\n\r\n") == 1  # nobody smuggles a second message into our answer


@given(st.text(max_size=60) | st.text('<>"\\;,=:@%[]. \t?ab1sip', max_size=60))
def test_any_text_is_a_value_or_none(text: str) -> None:
    for reader in READERS:
        reader(text)


HOSTILE = (
    "Digest " + ",".join('a="b"' for _ in range(2000)) + ",!",
    '"' * 5000,
    '"\\' * 5000,
    ";a=b" * 3000 + "!",
    ";a" * 3000 + '="',
    "sip:" + "a" * 9000 + "%",
    "sip:" + "a.b-" * 3000 + "!",
    "a " * 4000 + "<",
    "<sip:" * 2000,
    "SIP/2.0/UDP " + "a-" * 4000 + " ;x",
    "sip:a@b" + ";x=y" * 3000 + " ",
    "," * 9000,
    '"a" ' * 3000,
    " " * 9000,
)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_values_take_no_time(text: str) -> None:
    """Each in a time that grows with its length: 10,000 characters in well under 50 ms."""
    for reader in READERS:
        best = min(_timed(reader, text) for _ in range(3))
        assert best < 0.05, reader


def _timed(reader: object, text: str) -> float:
    begun = time.thread_time()
    reader(text)  # type: ignore[operator]
    return time.thread_time() - begun


@pytest.mark.parametrize(
    ("text", "user", "host", "port", "transport"),
    [
        ("sip:100@pbx1", "100", "pbx1", 0, ""),
        ("SIP:100@my_host;Transport=tcp", "100", "my_host", 0, "TCP"),
        ("sips:%31%30@[2001:db8::1]:5071", "10", "[2001:db8::1]", 5071, ""),
        ("sip:example.com", "", "example.com", 0, ""),
        ("sip:a:secret@192.0.2.1:5060;lr?X=y", "a", "192.0.2.1", 5060, ""),
        ("tel:+1-201-555-0123", "+1-201-555-0123", "", 0, ""),
        ("sip:a@b;", "a", "b", 0, ""),
        ("sip:a@b:;;transport=tcp", "a", "b", 0, "TCP"),
    ],
)
def test_uris(text: str, user: str, host: str, port: int, transport: str) -> None:
    uri = fields.read_uri(text)
    assert uri is not None
    assert (uri.user, uri.host, uri.port, uri.transport) == (user, host, port, transport)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "sip:@",
        "sip:a@",
        "sip:a b@c",
        "sip:a@b:99999",
        "sip:a@b:0",
        "http://a",
        "sip:%zz@b",
        "sip:a@[::1",
    ],
)
def test_what_is_no_uri(text: str) -> None:
    assert fields.read_uri(text) is None


def test_addresses() -> None:
    named = fields.read_address('"A \\"B\\", C" <sip:a@b;x=y>;tag=1;z')
    assert named is not None
    assert (named.display, named.uri, named.tag) == ('A "B", C', "sip:a@b;x=y", "1")
    bare = fields.read_address("sip:a@b;tag=2")
    assert bare is not None
    assert (bare.uri, bare.tag) == ("sip:a@b", "2")
    tricky = fields.read_address('"x;tag=no" <sip:a@b;tag=no>')
    assert tricky is not None
    assert tricky.tag == ""


def test_lists_are_split_where_the_commas_are_commas() -> None:
    assert fields.split_list('"a, b" <sip:x,y@z>, <sip:c@d>;p="q,r"') == [
        '"a, b" <sip:x,y@z>',
        '<sip:c@d>;p="q,r"',
    ]
    assert fields.split_list('"open, <sip:a@b>') == []


def test_compact_names_and_folds() -> None:
    message = read(
        b"INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:x@y>;tag=1\r\n"
        b"t: <sip:a@b>\r\n"
        b"i: 1@y\r\nCSeq: 1\r\n INVITE\r\nm: <sip:x@y>\r\nk: timer\r\n ,100rel\r\nl: 2\r\n\r\nabc"
    )
    assert isinstance(message, Request)
    assert message.fault is None
    assert message.tokens("supported") == {"timer", "100rel"}
    assert message.body == b"ab"
    assert message.call_id == "1@y"


def test_line_breaks_in_values_of_ours_begin_no_header() -> None:
    message = read(VALID["lwsdisp"])
    assert isinstance(message, Request)
    message.add("Alert-Info", "x\r\nX-Evil: 1")
    again = read(message.encode())
    assert isinstance(again, Request)
    assert again.get("alert-info") == "x X-Evil: 1"
    assert "x-evil" not in again.headers
    name = fields.write_address("sip:a@b", 'Ada\r\nX: "1"')
    assert "\n" not in name
    assert fields.read_address(name) is not None


@pytest.mark.parametrize("stray", [b"\n", b"\r"])
def test_stray_line_breaks_are_not_echoed(stray: bytes) -> None:
    assert (
        read(request("OPTIONS sip:a@b SIP/2.0", "X-A: 1").replace(b"X-A: 1", b"X-A: 1" + stray + b"X-B: 2"))
        is None
    )


@given(
    st.text("abcxyzé;,", max_size=12),  # of spaces, quotes and brackets not all would come out right
    st.text("abcäß+*#1;?", min_size=1, max_size=9),
    st.binary(max_size=30),
)
def test_a_second_opinion(display: str, user: str, body: bytes) -> None:
    """Another reader of SIP understands what we write as it is meant."""
    uri = fields.write_user("sip", user, "example.com")
    headers = {"from": [fields.write_address(uri, display, "t1")], "call-id": ["c"], "cseq": ["7 INVITE"]}
    written = Request("INVITE", uri, headers, body).encode()
    theirs = sipmessage.Message.parse(written)
    assert isinstance(theirs, sipmessage.Request)
    assert theirs.uri.user == user
    assert (theirs.cseq.sequence, theirs.call_id, theirs.body) == (7, "c", body)
    assert theirs.from_address.parameters["tag"] == "t1"
    assert theirs.from_address.name == display
    ours = read(written.replace(b"\r\n", b"\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nTo: <sip:a@b>\r\n", 1))
    assert isinstance(ours, Request)
    assert ours.from_.display == display
    parsed = fields.read_uri(ours.uri)
    assert parsed is not None
    assert parsed.user == user


@given(st.text(max_size=40).filter(str.isprintable))
def test_any_name_is_read_as_it_was_written(display: str) -> None:
    address = fields.read_address(fields.write_address("sip:a@b", display, "t"))
    assert address == fields.NameAddr(display, "sip:a@b", ";tag=t", "t")


def test_responses_keep_what_the_request_says() -> None:
    message = read(VALID["wsinv"])
    assert isinstance(message, Request)
    answer = respond(message, 180, tag="x")
    assert answer.headers["via"] == message.headers["via"]
    assert answer.get("to") == message.get("to")  # it had a tag
    again = read(answer.encode())
    assert isinstance(again, Response)
    assert (again.status, again.reason, again.cseq, again.method) == (180, "Ringing", 9, "INVITE")
    options = read(VALID["lwsdisp"])
    assert isinstance(options, Request)
    assert respond(options, 200, tag="x").get("to").endswith(";tag=x")


def test_long_headers_of_strangers_do_not_fill_the_memory() -> None:
    tracemalloc.start()
    try:
        for number in range(200):
            name = f"{number}".ljust(30_000, "x")
            message = read(
                f"OPTIONS sip:{name}@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nTo: <sip:a@b>\r\n"
                f"From: <sip:{name}@h>;tag=1\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n".encode()
            )
            assert isinstance(message, Request)
            assert fields.read_uri(message.uri) is not None
        del message
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


# Bodies of several parts

SDP_BODY = (
    b"v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
)
PARTS = (
    b"preamble\r\n--x\r\nContent-Type: application/isup;version=itu\r\n"
    b"Content-Transfer-Encoding: binary\r\n\r\n\x01\x00--x\r\n\r\n"
    b"--x\r\nContent-Type: application/sdp\r\nContent-Disposition: session\r\n\r\n"
    + SDP_BODY
    + b"\r\n--x--\r\n"
)


def with_body(start: str, content_type: str, body: bytes) -> bytes:
    lines = (
        start,
        "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1",
        "From: <sip:a@192.0.2.7>;tag=1",
        "To: <sip:b@192.0.2.1>",
        "Call-ID: c",
        "CSeq: 1 INVITE",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


PASSED_OVER = {
    "a line without a colon": "Server says hello",
    "a name that is no token": "X-Ümlaut: x",
    "a name without letters": ": x",
    "a header twice": "Call-ID: c",
    "blanks before the colon": "Subject : x",
    "dates and times": "Date: yesterday\r\nTimestamp: x",
}


@pytest.mark.parametrize("start", ["INVITE sip:b@192.0.2.1 SIP/2.0", "SIP/2.0 200 OK"])
@pytest.mark.parametrize("line", PASSED_OVER.values(), ids=PASSED_OVER)
def test_a_line_that_is_not_needed_is_passed_over(start: str, line: str) -> None:
    data = with_body(start, "application/sdp", SDP_BODY)
    message = read(data.replace(b"Call-ID: c\r\n", f"Call-ID: c\r\n{line}\r\n".encode()))
    assert message is not None
    assert not isinstance(message, Request) or message.fault is None
    assert (message.get("call-id"), message.body) == ("c", SDP_BODY)


@pytest.mark.parametrize(
    ("content_type", "is_refused"),
    [
        ("", False),
        ("Application / SDP ; charset=x", False),
        ("application/sdp;", False),
        ("text/plain", True),
    ],
)
def test_a_description_is_known_by_its_type_or_without_one_by_its_beginning(
    content_type: str, is_refused: bool
) -> None:
    message = read(with_body("INVITE sip:b@192.0.2.1 SIP/2.0", content_type, SDP_BODY))
    assert isinstance(message, Request)
    assert (check_body(message) is not None) is is_refused


@pytest.mark.parametrize(
    ("via", "sent_by"),
    [
        ("SIP/2.0/UDP h;;branch=z9hG4bK1;", "h"),
        ("SIP/2.0/UDP h:;branch=z9hG4bK1", "h"),
        ("SIP/2.0/UDP h;branch=z9hG4bK1 (a comment)", "h"),
        ("SIP / 2.0 / UDP [2001:DB8::7]:5062 ; branch = z9hG4bK1", "[2001:DB8::7]:5062"),
        ("SIP/2.0/UDP 2001:db8::7;branch=z9hG4bK1", "[2001:db8::7]"),
        ("SIP/2.0/UDP 2001:1234::7;branch=z9hG4bK1", "[2001:1234::7]"),
        ("SIP/2.0/UDP ::1;branch=z9hG4bK1", "[::1]"),
    ],
)
def test_a_via_is_read_as_far_as_it_is_needed(via: str, sent_by: str) -> None:
    read_ = fields.read_via(via)
    assert read_ is not None
    assert (read_.sent_by, read_.branch.split()[0]) == (sent_by, "z9hG4bK1")


@pytest.mark.parametrize("start", ["INVITE sip:b@192.0.2.1 SIP/2.0", "SIP/2.0 200 OK"])
@pytest.mark.parametrize(
    "content_type", ["multipart/mixed;boundary=x", 'Multipart/Mixed; charset=a; boundary="x"']
)
def test_t20_the_description_of_a_multipart_body_is_read(start: str, content_type: str) -> None:
    message = read(with_body(start, content_type, PARTS))
    assert isinstance(message, Request | Response)
    assert message.media_type() == "application/sdp"
    assert message.body.rstrip(b"\r\n") == SDP_BODY.rstrip(b"\r\n")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", PARTS),
        ("multipart/mixed;boundary=y", PARTS),
        ("multipart/mixed;boundary=x", b"--x\r\nContent-Type: text/plain\r\n\r\nhello\r\n--x--\r\n"),
        ("multipart/mixed;boundary=x", b""),
        ("multipart/mixed;boundary=x", b"Content-Type: multipart/mixed;boundary=x\r\n\r\n--x\r\n" * 900),
    ],
)
def test_t20_a_multipart_body_without_a_description_stays_as_it_is(content_type: str, body: bytes) -> None:
    message = read(with_body("INVITE sip:b@192.0.2.1 SIP/2.0", content_type, body))
    assert isinstance(message, Request)
    assert (message.media_type(), message.body) == ("multipart/mixed", body)


@given(st.binary(max_size=200))
def test_t20_any_parts_can_be_read(body: bytes) -> None:
    read(with_body("INVITE sip:b@192.0.2.1 SIP/2.0", "multipart/mixed;boundary=x", b"--x\r\n" + body))


def test_t21_lines_end_with_crlf_and_a_sequence_number_is_below_2_to_the_31() -> None:
    message = with_body("INVITE sip:b@192.0.2.1 SIP/2.0", "application/sdp", SDP_BODY)
    assert read(message.replace(b"\r\n", b"\n")) is None
    high = read(message.replace(b"CSeq: 1 ", b"CSeq: 2147483648 "))
    assert isinstance(high, Request)
    assert high.fault is not None
    assert high.fault.status == 400
