"""RFC 4475: every message of it is read, refused or dropped as it says."""

import pytest

from openivr.sip.dialog.dialog import contact_uri, uas_dialog
from openivr.sip.message.headers import read_address, read_uri
from openivr.sip.message.message import Request, Response, read, respond
from openivr.sip.transaction.via import server_key
from tests.sip.scene import play, scene
from tests.sip.torture import FAULTY, REFUSED, RESPONSES, VALID

NAMES = """wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 unreason
noreason badinv01 clerr ncl scalar02 scalarlg quotbal ltgtruri lwsruri lwsstart trws escruri baddate regbadct
badaspec baddn badvers mismatch01 mismatch02 bigcode badbranch insuf unkscm novelsc unksm2 bext01 invut
regaut01 multi01 mcl01 bcast zeromf cparam01 cparam02 regescrt sdp01
inv2543"""


def test_none_is_left_out() -> None:
    assert {*VALID, *REFUSED, *FAULTY, *RESPONSES} == set(NAMES.split())


def valid(name: str) -> Request:
    message = read(VALID[name])
    assert isinstance(message, Request)
    assert message.fault is None
    return message


@pytest.mark.parametrize("name", VALID)
def test_valid_ones_are_read_and_answered(name: str) -> None:
    message = valid(name)
    again = read(message.encode())
    assert isinstance(again, Request)
    assert again.fault is None
    assert (again.headers, again.body) == (message.headers, message.body)
    assert read(respond(message, 200, tag="t").encode()) is not None


def test_wsinv() -> None:
    message = valid("wsinv")
    assert (message.to.tag, message.from_.tag, message.cseq) == ("1918n", "98as", 9)
    assert message.from_.display == 'J R \\"'
    assert len(message.headers["via"]) == 3
    assert message.via is not None
    assert message.via.branch == "390skdjuw"
    assert message.get("newfangledheader") == "newfangled value continued newfangled value"
    contact = read_address(message.get("contact"))
    assert contact is not None
    assert (contact.display, contact.uri) == ('Quoted string ""', "sip:jr@example.com")
    assert message.values("route") == ["<sip:services.example.com;lr;unknownwith=value;unknown-no-value>"]


def test_escapes_stay_what_they_are() -> None:
    uri = read_uri(valid("esc01").uri)
    assert uri is not None
    assert (uri.user, uri.host) == ("sips:user@example.com", "example.net")
    assert valid("esc02").method == "RE%47IST%45R"
    assert valid("esc02").to.display == "%Z%45"
    null = read_uri("sip:null-%00-null@example.com")
    assert null is not None
    assert null.user == "null-\0-null"
    semicolon = read_uri(valid("semiuri").uri)
    assert semicolon is not None
    assert (semicolon.user, semicolon.host) == ("user;par=u@example.net", "example.com")


def test_what_follows_the_body_is_left() -> None:
    assert valid("dblreq").body == b""


def test_names_without_white_space() -> None:
    assert valid("lwsdisp").from_.display == "caller"


def test_whose_parameter_it_is() -> None:
    header = read_address(valid("cparam01").get("contact"))
    inside = read_address(valid("cparam02").get("contact"))
    assert header is not None
    assert inside is not None
    assert (header.uri, header.rest) == ("sip:+19725552222@gw1.example.net", ";unknownparam")
    assert (inside.uri, inside.rest) == ("sip:+19725552222@gw1.example.net;unknownparam", "")
    assert contact_uri(valid("regescrt")) == "sip:user@example.com?Route=%3Csip:sip.example.com%3E"
    assert contact_uri(valid("regbadct")) == ""


def test_a_branch_of_nothing_but_the_cookie_tells_nothing_apart() -> None:
    message = valid("badbranch")
    other = valid("badbranch")
    other.cseq += 1
    assert server_key(message, "OPTIONS") != server_key(other, "OPTIONS")


def test_rfc_2543() -> None:
    dialog = uas_dialog(valid("inv2543"), "ours")
    assert dialog.remote_target == "sip:+13035551111@ift.client.example.net;user=phone"
    bye = dialog.request("BYE")
    assert bye.uri == "sip:UserB@example.com;maddr=ss1.example.com"  # a strict router
    assert bye.values("route") == [f"<{dialog.remote_target}>"]


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_ones(name: str) -> None:
    status, data = FAULTY[name]
    message = read(data)
    assert isinstance(message, Request)
    assert message.fault is not None
    assert message.fault.status == status
    assert b"SIP/2.0 400 Bad" in respond(message, 400, "Bad").encode()


@pytest.mark.parametrize("name", RESPONSES)
def test_responses(name: str) -> None:
    status, data = RESPONSES[name]
    message = read(data)
    assert (message.status if isinstance(message, Response) else None) == status


@play
async def test_an_agent_says_the_same() -> None:
    """All of them at one agent: each request gets the stated answer, responses get none."""
    async with scene(lambda leg: leg.reject(486)) as s:
        wanted: dict[str, tuple[int, ...]] = {
            name: (status,) for name, (status, _) in {**REFUSED, **FAULTY}.items()
        }
        wanted |= {name: (200, 486) for name in VALID if name not in wanted}
        messages = {**VALID, **{name: data for name, (_, data) in {**REFUSED, **FAULTY}.items()}}
        for _, data in RESPONSES.values():
            s.phone.send(data)
        for name, sample in messages.items():
            data = sample
            if b"192.0.2.10;branch" not in data or b"Call-ID: torture@" not in data:
                s.phone.send(data)  # its Via leads elsewhere, or its Call-ID is what is wrong with it
                continue
            here = f"127.0.0.1:{s.phone.port};branch=z9hG4bK{name}".encode()
            data = data.replace(b"192.0.2.10;branch=z9hG4bK", here).replace(b"torture@", f"{name}@".encode())
            s.phone.send(data)
            answer = await s.phone.receive_bytes()
            while f"\r\nCall-ID: {name}@".encode() not in answer:
                answer = (
                    await s.phone.receive_bytes()
                )  # a final response to an INVITE, sent until acknowledged
            assert int(answer[8:11]) in wanted[name], answer
