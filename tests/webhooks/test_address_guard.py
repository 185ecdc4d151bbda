"""Which addresses webhooks may reach: public ones, and those of networks that the settings allow."""

import asyncio
import ipaddress
import socket
from typing import Any

import anyio
import pytest

from openivr.server.webhooks.address_guard import ForbiddenAddress, GuardedBackend, UnknownName, may_reach

FORBIDDEN = (
    *("127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1"),
)
PUBLIC = ("1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")


@pytest.mark.parametrize("address", FORBIDDEN)
def test_what_is_not_public_is_out_of_reach(address: str) -> None:
    assert not may_reach(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_can_be_reached(address: str) -> None:
    assert may_reach(address, ())


def test_networks_of_the_settings_can_be_reached() -> None:
    networks = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("fd12::/16")]
    assert [may_reach(address, networks) for address in ("10.1.2.3", "10.2.0.1", "::ffff:10.1.0.1")] == [
        *(True, False, True)
    ]
    assert may_reach("fd12::1", networks)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name have these addresses, as a name server may say."""

    async def answer(_host: Any, port: Any, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(anyio, "getaddrinfo", answer)


def test_a_name_with_one_private_address_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, "1.1.1.1", "127.0.0.1")
    with pytest.raises(ForbiddenAddress):
        asyncio.run(GuardedBackend().connect_tcp("public.example", 80))


def test_the_address_that_was_checked_is_the_one_that_is_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that answers otherwise the second time gains nothing, because it is not asked again."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        resolve_to(monkeypatch, "127.0.0.1")
        backend = GuardedBackend([ipaddress.ip_network("127.0.0.0/8")])

        async def connect() -> Any:
            stream = await backend.connect_tcp("crm.example", port)
            peer = stream.get_extra_info("server_addr")
            await stream.aclose()
            return peer

        assert asyncio.run(connect())[0] == "127.0.0.1"


def test_a_name_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror

    monkeypatch.setattr(anyio, "getaddrinfo", fail)
    with pytest.raises(UnknownName):
        asyncio.run(GuardedBackend().connect_tcp("nowhere.example", 80))
