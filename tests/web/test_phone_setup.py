"""The set-up of phones: the address that they get, their codes, and the configuration for Linphone."""

import time
from pathlib import Path
from xml.etree import ElementTree

import pytest

from openivr.resources.extension import bind_digest
from openivr.web.core.middleware import shown_path
from openivr.web.core.request import ServerInfo
from openivr.web.resources.phone_setup import (
    ADDRESS,
    NAMESPACE,
    PhoneServer,
    PhoneSetup,
    find_server,
    sign,
    write_configuration,
)

ANYWHERE, ANYWHERE_TLS = ("0.0.0.0", 5060), ("0.0.0.0", 5061)
VALUES = {
    "number": "1000",
    "first_name": "Ada <&",
    "last_name": "Byron",
    "reg_name": "desk",
    "reg_password": bind_digest("desk", "secret of a phone"),
}


def server(*, listens: tuple[str, int] = ANYWHERE, tls: tuple[str, int] | None = None) -> ServerInfo:
    return ServerInfo("", "", range(2), 1, 1, Path(), (listens,), (tls,) if tls else ())


@pytest.mark.parametrize(
    ("info", "asked", "expected"),
    [
        (server(), "192.0.2.1", PhoneServer("192.0.2.1", 5060, "UDP")),
        (server(), "pbx.example.com", PhoneServer("pbx.example.com", 5060, "UDP")),
        (server(), "localhost", PhoneServer("localhost", 5060, "UDP", is_local=True)),
        (server(), "[::1]", PhoneServer("::1", 5060, "UDP", is_local=True)),
        (server(listens=("192.0.2.7", 5070)), "localhost", PhoneServer("192.0.2.7", 5070, "UDP")),
        (server(listens=("127.0.0.1", 5070)), "pbx", PhoneServer("127.0.0.1", 5070, "UDP", is_local=True)),
        (server(tls=ANYWHERE_TLS), "pbx.example.com", PhoneServer("pbx.example.com", 5061, "TLS")),
        (server(tls=ANYWHERE_TLS), "192.0.2.1", PhoneServer("192.0.2.1", 5060, "UDP")),
        (server(tls=ANYWHERE_TLS), "localhost", PhoneServer("localhost", 5060, "UDP", is_local=True)),
    ],
)
def test_the_address_that_phones_get(info: ServerInfo, asked: str, expected: PhoneServer) -> None:
    assert find_server(info, asked) == expected


def read(config: bytes) -> dict[str, dict[str, str]]:
    tree = ElementTree.fromstring(config)
    assert tree.tag == f"{{{NAMESPACE}}}config"
    return {
        section.attrib["name"]: {entry.attrib["name"]: entry.text or "" for entry in section}
        for section in tree
    }


def test_a_configuration_has_the_account_and_no_password() -> None:
    text = write_configuration(VALUES, PhoneServer("192.0.2.1", 5060, "UDP"))
    assert b"secret of a phone" not in text
    config = read(text)
    assert config["proxy_0"]["reg_identity"] == '"Ada <& Byron" <sip:desk@192.0.2.1>'
    assert config["proxy_0"]["reg_proxy"] == "<sip:192.0.2.1:5060;transport=udp>"
    digests = {f"{name}={config[f'auth_info_{at}']['ha1']}" for at, name in enumerate(("sha256", "md5"))}
    assert digests == set(VALUES["reg_password"].split())


def test_an_address_of_ipv6_has_brackets() -> None:
    config = read(write_configuration(VALUES, PhoneServer("2001:db8::1", 5061, "TLS")))
    assert config["proxy_0"]["reg_proxy"] == "<sip:[2001:db8::1]:5061;transport=tls>"
    assert config["proxy_0"]["reg_identity"].endswith("<sip:desk@[2001:db8::1]>")


def test_an_address_ends_with_the_password_and_the_time() -> None:
    now = int(time.time())
    mac = sign("key", 1, VALUES, now)
    renewed = VALUES | {"reg_password": bind_digest("desk", "another")}
    others = [sign("other", 1, VALUES, now), sign("key", 2, VALUES, now), sign("key", 1, VALUES, now + 1)]
    assert mac not in [*others, sign("key", 1, renewed, now)]
    assert ADDRESS.fullmatch(f"1-{now}-{mac}")


def test_codes_are_drawn_without_a_style() -> None:
    setup = PhoneSetup(1, "1000", "desk", PhoneServer("pbx", 5060, "UDP"), "p", "http://pbx/provision/1-2-3")
    for code in (setup.linphone_code, setup.text_code):
        assert code.startswith("<svg viewBox")
        assert "style" not in code  # the Content-Security-Policy forbids it


def test_the_address_of_a_configuration_is_not_logged() -> None:
    assert shown_path({"path": "/provision/1-2-3"}) == "/provision/"
    assert shown_path({"path": "/menus"}) == "/menus"
