"""What is read of headers above the message itself: any value is read, or is as if it were not there."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.call_manager import read_invite
from openivr.config.call_config import TrunkAccount
from openivr.sip.address import Target
from openivr.sip.auth.client import read_challenges
from openivr.sip.dialog.dialog import uas_dialog
from openivr.sip.dialog.refer import (
    is_refer_event,
    is_subscription_terminated,
    read_refer_to,
    read_replaces,
    read_sipfrag,
    write_refer_to,
    write_replaces,
)
from openivr.sip.dialog.session_timer import answer_terms, read_terms
from openivr.sip.message.message import Request, Response, read
from openivr.sip.registrar.register_message import read_register
from openivr.sip.termination import read_reason
from openivr.sip.trunk.trunk_manager import read_answer
from openivr.sip.validation import check_invite, check_request

TRUNK = TrunkAccount(1, "Line", "peer", True, "udp", "192.0.2.1", 5060, "", "", "", "", "", 0)
SOURCE = Target("UDP", "192.0.2.1", 5060)
NAMES = (
    *("Contact", "Expires", "Refer-To", "Replaces", "Session-Expires", "Min-SE", "Reason", "Record-Route"),
    *("Route", "Event", "Subscription-State", "WWW-Authenticate", "Retry-After", "Min-Expires", "Privacy"),
    *(
        "P-Asserted-Identity",
        "Accept",
        "Require",
        "Supported",
        "Content-Type",
        "Content-Disposition",
        "Allow",
    ),
)
PIECES = (
    *("sip:a@192.0.2.1", "<sip:a@b;lr>", "*", ";", ",", "=", '"', "\\", "<", ">", "?", "%40", "%", "@", ":"),
    *("expires", "q", "1", "-1", "99999999999999999999", "0.5", "+sip.instance", "tag", "refresher", "uas"),
    *("Replaces", "to-tag", "from-tag", "early-only", "method", "cause", "Q.850", "text", "timer", "id", "²"),
    *(
        "Digest",
        "realm",
        "nonce",
        "qop",
        "auth",
        "algorithm",
        "MD5",
        "SHA-256",
        "stale",
        "true",
        "lr",
        "maddr",
    ),
    *("active", "terminated", "refer", "application/sdp", "application/*", "*/*", "handling", " ", "\t", "é"),
)
VALUES = st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=40)
HEADERS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6)
BODIES = st.binary(max_size=40) | st.binary(max_size=12).map(lambda data: b"SIP/2.0 " + data)


def write(start: str, method: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx",
        "From: <sip:1000@192.0.2.1>;tag=f",
        "To: <sip:6200@192.0.2.9>",
        "Call-ID: c",
        f"CSeq: 1 {method}",
        *(f"{name}: {value.replace(chr(13), ' ').replace(chr(10), ' ')}" for name, value in headers),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body


@given(st.sampled_from(("INVITE", "REGISTER", "REFER", "NOTIFY", "BYE")), HEADERS, BODIES)
def test_any_headers_of_a_request_are_read(method: str, headers: list[tuple[str, str]], body: bytes) -> None:
    request = read(write(f"{method} sip:6200@192.0.2.9 SIP/2.0", method, headers, body))
    if not isinstance(request, Request) or request.fault is not None:
        return
    check_request(request)
    check_invite(request, 90)
    answer_terms(request, 1800)
    uas_dialog(request, "tag")
    read_reason(request)
    read_register(request, SOURCE)
    is_refer_event(request)
    is_subscription_terminated(request)
    read_sipfrag(request.body)
    replaces = read_replaces(request.get("replaces"))
    if replaces is not None:
        assert read_replaces(write_replaces(replaces)) == replaces._replace(early_only=False)
    for wish in map(read_refer_to, request.values("refer-to")):
        if wish is not None:
            write_refer_to(*wish)


@given(HEADERS, VALUES)
def test_any_caller_has_a_name_and_number_that_can_be_written(
    headers: list[tuple[str, str]], source: str
) -> None:
    """Of what a trunk says; what would break a header or a log is not in it."""
    data = write("INVITE sip:6200@192.0.2.9 SIP/2.0", "INVITE", headers, b"")
    said = source.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogatepass")
    request = read(data.replace(b"<sip:1000@192.0.2.1>", said))
    if not isinstance(request, Request) or request.fault is not None:
        return
    asked = read_invite(request, TRUNK)
    assert all(text.isprintable() for text in (asked.caller, asked.name, asked.called))


@given(st.sampled_from((200, 401, 407, 422, 423, 503)), HEADERS)
def test_any_headers_of_an_answer_are_read(status: int, headers: list[tuple[str, str]]) -> None:
    response = read(write(f"SIP/2.0 {status} Whatever", "REGISTER", headers, b""))
    if not isinstance(response, Response):
        return
    read_terms(response)
    read_reason(response)
    read_challenges(status, response.headers.get("www-authenticate", ()))
    answer = read_answer(response, "sip:a@192.0.2.1")
    assert answer.expires is None or answer.expires >= 0
    assert answer.retry_after is None or answer.retry_after >= 0
