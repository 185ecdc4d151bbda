"""Certificates: an authority of one's own, a pin for a self-signed one, and what is refused."""

import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from openivr.client import Lost, Network, Untrusted

from .conftest import QUICK, Connect, Pbx, open_demo

REQUEST = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=pbx -addext subjectAltName=IP:127.0.0.1"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", *REQUEST.split(), "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "cert.pem"


@pytest.fixture(scope="module")
def tls_pbx(certificate: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pbx]:
    key = str(certificate.with_name("key.pem"))
    data = tmp_path_factory.mktemp("tls-pbx")
    with open_demo(data, "--tls-cert", str(certificate), "--tls-key", key) as found:
        yield found


def fingerprint(certificate: Path) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    return hashlib.sha256(der).hexdigest()


def count(pbx: Pbx, connect: Connect, network: Network) -> int:
    driven = connect(pbx.url, network, account=pbx.account)
    return len(driven.rows())


def test_an_authority_of_ones_own(tls_pbx: Pbx, connect: Connect, certificate: Path) -> None:
    assert count(tls_pbx, connect, replace(QUICK, ca=certificate)) == 4


@pytest.mark.parametrize("spelling", ["plain", "openssl"])
def test_a_pin(tls_pbx: Pbx, connect: Connect, certificate: Path, spelling: str) -> None:
    pin = fingerprint(certificate)
    pairs = ":".join(pin[at : at + 2].upper() for at in range(0, 64, 2))
    network = replace(QUICK, pin=pin if spelling == "plain" else f"sha256 Fingerprint={pairs}")
    assert count(tls_pbx, connect, network) == 4


def test_another_pin(tls_pbx: Pbx, connect: Connect) -> None:
    with pytest.raises(Untrusted, match="not the pinned one"):
        count(tls_pbx, connect, replace(QUICK, pin="0" * 64))


def test_a_certificate_that_nobody_vouches_for(tls_pbx: Pbx, connect: Connect) -> None:
    with pytest.raises(Untrusted):
        count(tls_pbx, connect, QUICK)


def test_authorities_of_the_environment_are_not_used(
    tls_pbx: Pbx, connect: Connect, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(Untrusted):
        count(tls_pbx, connect, QUICK)


def test_a11_a_wrong_pin_says_what_to_do(tls_pbx: Pbx, connect: Connect) -> None:
    with pytest.raises(Untrusted) as refused:
        count(tls_pbx, connect, replace(QUICK, pin="0" * 64))
    text = str(refused.value)
    assert text.startswith("get_token: the server's certificate is not the pinned one; give its fingerprint")
    assert "openssl x509 -noout -fingerprint -sha256" in text
    assert "(" not in text


def test_a11_a_certificate_without_a_pin_says_what_to_do(tls_pbx: Pbx, connect: Connect) -> None:
    with pytest.raises(Untrusted) as refused:
        count(tls_pbx, connect, QUICK)
    text = str(refused.value)
    assert "is not trusted: self-signed certificate; give its authority as ca" in text
    assert "_ssl.c" not in text


def test_a11_http_to_a_port_for_https(tls_pbx: Pbx, connect: Connect) -> None:
    driven = connect(tls_pbx.url.replace("https", "http"), QUICK, account=tls_pbx.account)
    with pytest.raises(Lost, match="if this port is for HTTPS, the URL must begin with https://"):
        driven.rows()


def test_a11_https_to_a_port_for_http(pbx: Pbx, connect: Connect) -> None:
    driven = connect(pbx.url.replace("http", "https"), replace(QUICK, pin="0" * 64), account=pbx.account)
    with pytest.raises(Untrusted, match="if it is for HTTP, the URL must begin with http://"):
        driven.rows()


def test_settings_that_cannot_be(certificate: Path) -> None:
    with pytest.raises(ValueError, match="64 hexadecimal"):
        Network(pin="12:34").transport_options()
    with pytest.raises(ValueError, match="a ca or a pin"):
        Network(pin="0" * 64, ca=certificate).transport_options()
