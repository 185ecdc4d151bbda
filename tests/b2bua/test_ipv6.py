"""`openivr serve` on IPv6, by UDP, TCP and TLS; one phone takes a call over from another."""

import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.b2bua.handset import Handset
from tests.b2bua.server_process import ServerProcess, run_server
from tests.b2bua.test_two_servers import press_on, talk
from tests.sip.front import free_port


@dataclass
class TlsServer:
    """A server, and its port and certificate for TLS."""

    server: ServerProcess
    port: int
    certificate: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    folder, port = tmp_path_factory.mktemp("reach"), free_port()
    with run_server(folder, "--sip", "[::1]:0", *secure_at(port, folder)) as server:
        yield TlsServer(server, port, folder / "cert.pem")


def secure_at(port: int, folder: Path) -> tuple[str, ...]:
    """The options for TLS at ::1, with a certificate made for it."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:::1")
    made = ("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    files = ("-out", str(certificate), "-keyout", str(key))
    subprocess.run([*made, *subject, *files], check=True, capture_output=True)
    return "--sip-tls", f"[::1]:{port}", "--sip-cert", str(certificate), "--sip-key", str(key)


@pytest.fixture
def tls_server(served: TlsServer) -> Iterator[TlsServer]:
    served.server.forget_records()
    yield served
    served.server.close_handsets()


def phone(tls_server: TlsServer, number: str, transport: str) -> Handset:
    """A phone of an extension, registered."""
    context = ssl.create_default_context(cafile=str(tls_server.certificate)) if transport == "TLS" else None
    port = tls_server.port if transport == "TLS" else tls_server.server.port
    password = tls_server.server.passwords[number]
    made = Handset(port, number, password, "::1", transport=transport, context=context)
    tls_server.server.handsets.append(made)
    assert made.register().status == 200
    return made


@pytest.mark.parametrize("transport", ["UDP", "TCP", "TLS"])
def test_a_call_through_a_menu_to_a_phone(tls_server: TlsServer, transport: str) -> None:
    ada, grace = phone(tls_server, "1000", transport), phone(tls_server, "1001", transport)
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
    record = tls_server.server.new_record()
    assert (record.outcome, record.reason) == ("connected", "callee_hangup")
    assert record.legs[0]["via"].startswith("[::1]:")


def test_another_phone_of_the_same_person_takes_a_call_over(tls_server: TlsServer) -> None:
    """INVITE with Replaces (RFC 3891): from the desk, by UDP, to the laptop, by TLS."""
    server = tls_server.server
    server.post("extension/update", id=2, concurrent_registrations=2)
    server.running.settle()
    ada, desk, laptop = (
        phone(tls_server, "1000", "UDP"),
        phone(tls_server, "1001", "UDP"),
        phone(tls_server, "1001", "TLS"),
    )
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
    assert server.new_record().outcome == "connected"


def test_nobody_takes_over_a_call_of_others(tls_server: TlsServer) -> None:
    ada, grace, alan = (phone(tls_server, number, "UDP") for number in ("1000", "1001", "1002"))
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
    tls_server.server.new_record()


def test_an_attended_transfer_from_one_phone_to_a_call_of_another(tls_server: TlsServer) -> None:
    """REFER with Replaces (RFC 5589): Grace talks to Ada at her desk, to Alan by laptop, and joins them."""
    server = tls_server.server
    server.post("extension/update", id=2, concurrent_registrations=2)
    server.running.settle()
    ada, alan = phone(tls_server, "1000", "UDP"), phone(tls_server, "1002", "TCP")
    desk = phone(tls_server, "1001", "UDP")
    ada.invite("1001")
    desk.pick_up(desk.ring())
    ada.until_answered()
    laptop = phone(tls_server, "1001", "TLS")
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
    assert sorted(record.reason for record in server.new_records(2)) == ["callee_hangup", "transferred"]


def test_tls_alone_is_of_ipv6(tmp_path: Path) -> None:
    """Sound is wherever calls are, also where that is another address for TLS than for UDP."""
    port = free_port()
    with run_server(tmp_path, *secure_at(port, tmp_path)) as server:
        ada = phone(TlsServer(server, port, tmp_path / "cert.pem"), "1000", "TLS")
        grace = server.handset("1001")
        ada.invite("1001")
        grace.pick_up(grace.ring())
        ada.until_answered()
        talk(ada, grace)
        grace.hang_up()
        ada.reply(ada.expect("BYE"), 200)
