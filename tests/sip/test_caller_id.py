"""Caller ID, called numbers and tolerant addresses: T12 to T17 and T23 of the inputs that failed."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.b2bua.call_manager import look_up, read_invite
from openivr.b2bua.dialplan import DialplanMatch, NoMatch
from openivr.config.call_config import CallConfig, SipAccount, TrunkAccount
from openivr.ivr.inbound_route import IncomingCall, find_inbound
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    InboundRoute,
    IvrSnapshot,
    NumberRule,
    Trunk,
)
from openivr.ivr.number_format import AS_WRITTEN, NumberFormat
from openivr.sip.address import Target
from openivr.sip.dialog.dialog import contact_uri
from openivr.sip.message.caller_id import CallerIdSource, read_caller_id, read_diverting_number
from openivr.sip.message.headers import read_address, repair_address, split_addresses
from openivr.sip.message.message import Request, read
from openivr.sip.message.phone_number import number_of
from openivr.sip.registrar.register_message import read_register
from openivr.sip.registrar.registrar import RegisterRequest

MENU = Destination(DestinationKind.IVR, 1, "6200")
FROM = 'From: "Someone" <sip:2000@192.0.2.1>;tag=1'


def invite(
    *headers: str, uri: str = "sip:6200@pbx", sender: str = FROM, to: str = "To: <sip:6200@pbx>"
) -> Request:
    lines = (
        f"INVITE {uri} SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
        sender,
        to,
        "Call-ID: a",
        "CSeq: 1 INVITE",
        *headers,
    )
    request = read(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(request, Request)
    assert request.fault is None
    return request


def trunk(**changes: object) -> TrunkAccount:
    values = {"username": "", "auth_name": "", "password": "", "caller_id": "", "max_calls": 0} | changes
    return TrunkAccount(1, "Provider", "peer", True, "udp", "192.0.2.1", 5060, "", **values)  # type: ignore[arg-type]


def snapshot(
    *, did: tuple[str, ...] = (), callers: tuple[str, ...] = (), numbers: NumberFormat = AS_WRITTEN
) -> IvrSnapshot:
    route = InboundRoute(1, "In", MENU, did_patterns=did, caller_patterns=callers)
    return IvrSnapshot(inbound_routes={1: route}, trunks={1: Trunk(1, "Provider", number_format=numbers)})


def call_from(number: str) -> IncomingCall:
    return IncomingCall(1, ("6200",), number)


def caller(*headers: str, source: str = "pai", sender: str = FROM) -> tuple[str, str]:
    number, name = read_caller_id(invite(*headers, sender=sender), CallerIdSource(source))
    return number, name


# T12


@pytest.mark.parametrize(
    ("privacy", "is_shown"),
    [
        ("user;id", False),
        ("id", False),
        ("ID ; critical", False),
        ("header;session", False),
        ("user", False),
        ("critical, id", False),
        ("none", True),
        ("session", True),
        ("session;critical", True),
        ("", True),
    ],
)
def test_t12_privacy_is_a_list_separated_by_semicolons(privacy: str, is_shown: bool) -> None:
    pai = "P-Asserted-Identity: <sip:+442079460000@provider>"
    assert caller(pai, f"Privacy: {privacy}") == (("+442079460000", "") if is_shown else ("", ""))


# T13


@pytest.mark.parametrize(
    "lines",
    [
        ("P-Asserted-Identity: <sip:+442079460000@p>, <tel:+442079460000>",),
        ("P-Asserted-Identity: <tel:+44-20-7946-0000>, <sip:other@p>",),
        ("P-Asserted-Identity: <sip:p>, tel:+442079460000",),
        (
            "P-Asserted-Identity: <sip:anonymous@anonymous.invalid>",
            "P-Asserted-Identity: <tel:+442079460000>",
        ),
        ('P-Asserted-Identity: "Doe, John" <sip:+442079460000@p>, <tel:+441>',),
        ("P-Asserted-Identity: Doe, John <sip:+442079460000@p>, <tel:+441>",),
    ],
)
def test_t13_the_first_usable_asserted_identity_counts(lines: tuple[str, ...]) -> None:
    assert caller(*lines)[0] == "+442079460000"


# T14

IDENTITIES = (
    'Remote-Party-ID: "Rp" <sip:111@p>;party=called, "Rpid" <sip:222@p>;party=calling;screen=yes;privacy=off',
    'P-Preferred-Identity: "Ppi" <sip:333@p>',
    'P-Asserted-Identity: "Pai" <sip:444@p>',
)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rpid", ("222", "Rpid")),
        ("ppi", ("333", "Ppi")),
        ("pai", ("444", "Pai")),
        ("from", ("2000", "Someone")),
    ],
)
def test_t14_the_trunk_says_which_header_has_the_caller(source: str, shown: tuple[str, str]) -> None:
    assert caller(*IDENTITIES, source=source) == shown
    assert caller(source=source) == ("2000", "Someone"), "without that header"
    info = read_invite(invite(*IDENTITIES), trunk(get_caller_id_from=source))
    assert (info.caller, info.name) == shown


@pytest.mark.parametrize(("privacy", "shown"), [("full", ("", "")), ("uri", ("", "")), ("name", ("222", ""))])
def test_t14_a_remote_party_may_be_private(privacy: str, shown: tuple[str, str]) -> None:
    assert caller(f'Remote-Party-ID: "Rpid" <sip:222@p>;privacy={privacy}', source="rpid") == shown


@pytest.mark.parametrize(
    ("headers", "number"),
    [
        (
            ("Diversion: <tel:+44-20-7946-0001>;reason=no-answer;counter=1, <sip:1@p>;reason=unconditional",),
            "+442079460001",
        ),
        (("Diversion: <sip:123@p>;privacy=full",), ""),
        (("History-Info: <sip:123@p>;index=1, <sip:6200@p;cause=302>;index=1.1",), "123"),
        (("History-Info: <sip:123@p?Privacy=history>;index=1, <sip:6200@p>;index=1.1",), ""),
        (("History-Info: <sip:6200@p>;index=1",), ""),
        (("History-Info: <sip:6200@a>;index=1, <sip:6200@b>;index=1.1",), ""),
        ((), ""),
    ],
)
def test_t14_a_diverted_call_names_who_diverted_it(headers: tuple[str, ...], number: str) -> None:
    assert read_diverting_number(invite(*headers)) == number
    assert read_invite(invite(*headers), trunk()).diverted_by == number


# T15

NAMES = [
    ("Müller", "Müller"),
    ("Bob [Sales]", "Bob [Sales]"),
    ("Bell, Alexander", "Bell, Alexander"),
    ("a@b.example", "a@b.example"),
    ("Desk 1/2", "Desk 1/2"),
    ("(020) 7946", "(020) 7946"),
    ('"Mr. J. User', "Mr. J. User"),
    ("sip:fake@x", "sip:fake@x"),
    ('"quoted, \\"name\\""', 'quoted, "name"'),
]


@pytest.mark.parametrize(("written", "name"), NAMES)
def test_t15_the_uri_counts_whatever_the_name_is(written: str, name: str) -> None:
    request = invite(
        f"Contact: {written} <sip:2000@192.0.2.1:5070>;expires=60",
        sender=f"From: {written} <sip:2000@192.0.2.1>;tag=abc",
        to=f"To: {written} <sip:6200@pbx>",
    )
    assert (request.from_.display, request.from_.uri, request.from_.tag) == (
        name,
        "sip:2000@192.0.2.1",
        "abc",
    )
    assert request.to.uri == "sip:6200@pbx"
    assert contact_uri(request) == "sip:2000@192.0.2.1:5070"
    repaired = read_address(repair_address(request.get("from")))
    assert repaired is not None
    assert (repaired.uri, repaired.tag) == ("sip:2000@192.0.2.1", "abc")


@pytest.mark.parametrize(
    ("rest", "tag"),
    [
        (";tag=1;x=", "1"),
        (";;tag=1;", "1"),
        (";x=a=b;tag=1", "1"),
        (';x="open;tag=1', "1"),
        (";tag=1?", "1?"),
    ],
)
def test_t15_malformed_parameters_are_passed_over(rest: str, tag: str) -> None:
    address = read_address(f"<sip:a@h>{rest}")
    assert address is not None
    assert address.tag == tag


@given(st.text(alphabet='"<>,;:=\\ aß@', max_size=40))
def test_t15_any_list_can_be_split(text: str) -> None:
    for item in split_addresses(text):
        read_address(item)


def test_t15_a_list_of_contacts_is_split_where_it_should_be() -> None:
    assert split_addresses('Doe, John <sip:a,b@h>;q=1, "x, y" <sip:c@h>, sip:d@h') == [
        "Doe, John <sip:a,b@h>;q=1",
        '"x, y" <sip:c@h>',
        "sip:d@h",
    ]


# T16


@pytest.mark.parametrize(
    ("uri", "number"),
    [
        ("tel:+1-201-555-0123", "+12015550123"),
        ("tel:+1(201)555.0123;isub=7", "+12015550123"),
        ("sip:+1-201-555-0123@pbx;user=phone", "+12015550123"),
        ("sip:+1-201-555-0123@pbx", "+12015550123"),
        ("sip:+12015550123;npdi;rn=+12025550000@pbx;user=phone", "+12015550123"),
        ("tel:+12015550123;npdi;rn=+12025550000", "+12015550123"),
        ("tel:555-0123;phone-context=+1-201", "5550123"),
        ("sip:%2B12015550123@pbx", "+12015550123"),
        ("sip:+1%20201%20555%200123@pbx", "+12015550123"),
        ("sip:201%20alice@pbx", "201 alice"),
        ("sip:*98@pbx", "*98"),
        ("sip:alice@pbx", "alice"),
        ("sip:alice-b;x=y@pbx", "alice-b;x=y"),
        ("sip:@pbx", ""),
        ("sip:pbx", ""),
        ("sip:-@pbx", "-"),
        ("mailto:a@b", ""),
    ],
)
def test_t16_uris_become_numbers(uri: str, number: str) -> None:
    assert number_of(uri) == number


@pytest.mark.parametrize(
    "uri",
    [
        "tel:+1-201-555-0123",
        "sip:+1-201-555-0123@192.0.2.9;user=phone",
        "sip:12015550123@192.0.2.9",
        "sip:+12015550123;npdi;rn=+12025550000@192.0.2.9",
        "tel:201-555-0123;phone-context=+1",
        "sip:2015550123;phone-context=+1@192.0.2.9;user=phone",
    ],
)
def test_t16_a_trunk_reaches_a_number_in_any_spelling(uri: str) -> None:
    config = CallConfig(snapshot(did=("+12015550123",)))
    match = look_up(config, trunk(), read_invite(invite(uri=uri), trunk()))
    assert isinstance(match, DialplanMatch)
    assert match.destination == MENU


@pytest.mark.parametrize(
    "pattern", ["+442079460000", "02079460000", "00442079460000", "0207946XXXX", "+4420."]
)
@pytest.mark.parametrize("number", ["+442079460000", "02079460000", "442079460000", "+44-20-7946-0000"])
def test_t16_national_and_international_numbers_meet_by_the_rule_of_the_trunk(
    pattern: str, number: str
) -> None:
    rule = NumberFormat("44", "0")
    sender = f"From: <sip:{number}@192.0.2.1>;tag=1"
    for patterns in ({"did": (pattern,)}, {"callers": (pattern,)}):
        config = CallConfig(snapshot(**patterns, numbers=rule))
        match = look_up(config, trunk(), read_invite(invite(uri=f"sip:{number}@pbx", sender=sender), trunk()))
        assert isinstance(match, DialplanMatch), patterns


@pytest.mark.parametrize("number", ["+442079460000", "02079460000", "442079460000"])
def test_t16_a_blocked_caller_is_blocked_in_any_form(number: str) -> None:
    known = replace(
        snapshot(numbers=NumberFormat("44", "0")),
        block_rules={1: NumberRule(1, "Nuisance", ("02079460000",))},
    )
    assert find_inbound(known, call_from(number)) is None
    assert find_inbound(known, call_from("+442079460001")) == MENU
    allowed = replace(known, allow_rules={1: NumberRule(1, "Friends", ("+4420.",))})
    assert find_inbound(allowed, call_from(number)) == MENU


def test_t16_without_a_rule_only_the_plus_does_not_count() -> None:
    config = CallConfig(snapshot(did=("02079460000",)))
    for uri in ("sip:+442079460000@pbx", "sip:442079460000@pbx"):
        assert look_up(config, trunk(), read_invite(invite(uri=uri), trunk())) is NoMatch.NO_ROUTE


def test_t16_a_phone_dials_a_number_in_any_spelling() -> None:
    account = SipAccount(1, "1000", "Ada", "ada", "")
    config = CallConfig(IvrSnapshot(voicemail_code="*97"))
    for uri in ("tel:*97;phone-context=pbx", "sip:*9-7@pbx", "sip:*97;x=1@pbx;user=phone"):
        match = look_up(config, account, read_invite(invite(uri=uri), account))
        assert isinstance(match, DialplanMatch)
        assert match.destination.kind is DestinationKind.VOICEMAIL
    assert look_up(config, account, read_invite(invite(uri="sip:*9x7@pbx"), account)) is NoMatch.UNKNOWN


# T17


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ((), "From: <sip:anonymous@anonymous.invalid>;tag=1"),
        (("Privacy: id", "P-Asserted-Identity: <sip:1@p>"), FROM),
        ((), "From: <sip:Restricted@p>;tag=1"),
    ],
)
def test_t17_withheld_callers_match_a_pattern(headers: tuple[str, ...], sender: str) -> None:
    info = read_invite(invite(*headers, sender=sender), trunk())
    assert info.caller == ""
    assert find_inbound(snapshot(callers=("anonymous",)), call_from(info.caller)) == MENU
    assert find_inbound(snapshot(callers=("X.",)), call_from(info.caller)) is None
    assert find_inbound(snapshot(callers=("anonymous",)), call_from("2000")) is None


# T23


@pytest.mark.parametrize("parameters", [";expires=", ";expires= ;q=", ";expires;q=0.5", ";x=;expires="])
def test_t23_an_empty_parameter_counts_as_absent(parameters: str) -> None:
    request = invite(f"Contact: <sip:a@192.0.2.7>{parameters}", "Expires: 120")
    register = read_register(request, Target("UDP", "192.0.2.7", 5060))
    assert isinstance(register, RegisterRequest)
    assert (register.contacts[0].expires, register.expires) == (None, 120)
