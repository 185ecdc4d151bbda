"""`openivr serve` on IPv6, by UDP, TCP and TLS; one phone takes a call over from another."""

import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.b2bua.handset import Handset
from tests.b2bua.served import Served, serving
from tests.b2bua.test_two_servers import press_on, talk
from tests.sip.front import free_port


@dataclass
class Place:
    """A server, and its port and certificate for TLS."""

    house: Served
    port: int
    certificate: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("reach"), free_port()
    with serving(folder, "--sip", "[::1]:0", *secure_at(port, folder)) as house:
        yield Place(house, port, folder / "cert.pem")


def secure_at(port: int, folder: Path) -> tuple[str, ...]:
    """The options for TLS at ::1, with a certificate made for it."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:::1")
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    files = ("-out", str(certificate), "-keyout", str(key))
    subprocess.run([*made, *subject, *files], check=True, capture_output=True)
    return "--sip-tls", f"[::1]:{port}", "--sip-cert", str(certificate), "--sip-key", str(key)


@pytest.fixture
def place(served: Place) -> Iterator[Place]:
    served.house.forget_records()
    yield served
    served.house.close_handsets()


def phone(place: Place, number: str, transport: str) -> Handset:
    """A phone of an extension, registered."""
    context = ssl.create_default_context(cafile=str(place.certificate)) if transport == "TLS" else None
    port = place.port if transport == "TLS" else place.house.port
    password = place.house.passwords[number]
    made = Handset(port, number, password, "::1", transport=transport, context=context)
    place.house.handsets.append(made)
    assert made.register().status == 200
    return made


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
def test_a_call_through_a_menu_to_a_phone(place: Place, transport: str) -> None:
    ada, grace = phone(place, "1000", transport), phone(place, "1001", transport)
    ada.call("6200")
    ada.sound.listen(5)
    ada.sound.press("1001")
    invite = grace.ring()
    assert invite.get("Via").startswith(f"SIP/2.0/{transport} [::1]:")
    grace.pick_up(invite)
    talk(ada, grace)
    press_on(ada, grace, "7")
    grace.hang_up()
    ada.reply(ada.expect("BYE"), 200)
    record = place.house.new_record()
    assert (record.outcome, record.reason) == ("connected", "called side hung up")
    assert record.legs[0]["via"].startswith("[::1]:")


def test_another_phone_of_the_same_person_takes_a_call_over(place: Place) -> None:
    """INVITE with Replaces (RFC 3891): from the desk, by UDP, to the laptop, by TLS."""
    house = place.house
    house.post("extension/update", id=2, concurrent_registrations=2)
    house.server.settle()
    ada, desk, laptop = phone(place, "1000", "UDP"), phone(place, "1001", "UDP"), phone(place, "1001", "TLS")
    ada.invite("1001")
    invite = desk.ring()
    laptop.ring()
    desk.pick_up(invite)
    cancel = laptop.expect("CANCEL")
    laptop.reply(cancel, 200)
    ada.until_answered()
    theirs = desk.remote.partition(";tag=")[2]
    laptop.renew()
    replaces = f"Replaces: {desk.call_id};to-tag={theirs};from-tag={desk.tag}"
    laptop.invite("1000", replaces)
    laptop.until_answered()
    desk.reply(desk.expect("BYE"), 200)
    talk(ada, laptop)
    laptop.hang_up()
    ada.reply(ada.expect("BYE"), 200)
    assert house.new_record().outcome == "connected"


def test_nobody_takes_over_a_call_of_others(place: Place) -> None:
    ada, grace, alan = (phone(place, number, "UDP") for number in ("1000", "1001", "1002"))
    ada.invite("1001")
    grace.pick_up(grace.ring())
    ada.until_answered()
    theirs = grace.remote.partition(";tag=")[2]
    alan.invite("1000", f"Replaces: {grace.call_id};to-tag={theirs};from-tag={grace.tag}")
    refusal = alan.final()
    alan.acknowledge(refusal)
    assert refusal.status == 481
    talk(ada, grace)
    ada.hang_up()
    grace.reply(grace.expect("BYE"), 200)
    place.house.new_record()


def test_an_attended_transfer_from_one_phone_to_a_call_of_another(place: Place) -> None:
    """REFER with Replaces (RFC 5589): Grace talks to Ada at her desk, to Alan by laptop, and joins them."""
    house = place.house
    house.post("extension/update", id=2, concurrent_registrations=2)
    house.server.settle()
    ada, alan = phone(place, "1000", "UDP"), phone(place, "1002", "TCP")
    desk = phone(place, "1001", "UDP")
    ada.invite("1001")
    desk.pick_up(desk.ring())
    ada.until_answered()
    laptop = phone(place, "1001", "TLS")
    laptop.invite("1002")
    alan.pick_up(alan.ring())
    laptop.until_answered()
    theirs = laptop.remote.partition(";tag=")[2]
    named = quote(f"{laptop.call_id};to-tag={theirs};from-tag={laptop.tag}", safe="")
    desk.ask("REFER", f"Refer-To: <{desk.uri('1002')}?Replaces={named}>")
    desk.expect(202)
    told = desk.expect("NOTIFY")
    while "200 OK" not in told.body:
        desk.reply(told, 200)
        told = desk.expect("NOTIFY")
    desk.reply(told, 200)
    desk.reply(desk.expect("BYE"), 200)
    laptop.reply(laptop.expect("BYE"), 200)
    talk(ada, alan)
    alan.hang_up()
    ada.reply(ada.expect("BYE"), 200)
    assert sorted(record.reason for record in house.new_records(2)) == ["called side hung up", "transferred"]


def test_tls_alone_is_of_ipv6(tmp_path: Path) -> None:
    """Sound is wherever calls are, also where that is another address for TLS than for UDP."""
    port = free_port()
    with serving(tmp_path, *secure_at(port, tmp_path)) as house:
        ada = phone(Place(house, port, tmp_path / "cert.pem"), "1000", "TLS")
        grace = house.handset("1001")
        ada.invite("1001")
        grace.pick_up(grace.ring())
        ada.until_answered()
        talk(ada, grace)
        grace.hang_up()
        ada.reply(ada.expect("BYE"), 200)
