"""Connections to public addresses only, whatever a name resolves to.

A webhook's address is entered by people who may use the API, and the server can reach what they cannot:
itself, other machines of its network, the metadata service of a cloud. So the address that is connected to is
checked, not the name. Networks that the server's settings allow are exempt.
"""

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any

import anyio
import httpcore

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
# IPv6 networks whose addresses stand for IPv4 ones: NAT64 (RFC 6052), 6to4 (RFC 3056)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
BITS_AFTER_6TO4 = 80


class ForbiddenAddress(Exception):
    """A name resolves to an address that webhooks may not reach."""


class UnknownName(Exception):
    """A name has no address."""


def reveal(address: IpAddress) -> IpAddress:
    """Return the IPv4 address that an IPv6 address stands for, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in SIX_TO_FOUR:
        return ipaddress.IPv4Address(int(address) >> BITS_AFTER_6TO4 & 0xFFFFFFFF)
    return address


def may_reach(text: str, allowed: Iterable[IpNetwork]) -> bool:
    """Return True if an address is public or in one of the networks."""
    address = reveal(ipaddress.ip_address(text.partition("%")[0]))
    if any(address in network for network in allowed):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address in LOCAL_NAT64:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves names, checks every address, and connects to the first that answers."""

    def __init__(self, allowed: Sequence[IpNetwork] = ()) -> None:
        self._allowed, self._backend = tuple(allowed), httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - of httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect. Raises ForbiddenAddress if any address of the name is one, UnknownName if it has none."""
        addresses = await self.resolve(host, port)
        if not all(may_reach(address, self._allowed) for address in addresses):
            raise ForbiddenAddress
        error: Exception = UnknownName()
        for address in addresses:
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as failure:
                error = failure
        raise error

    async def resolve(self, host: str, port: int) -> list[str]:
        """Return the addresses of a name, each once."""
        try:
            found = await anyio.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UnknownName from error
        return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - of httpcore's interface
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: no web address names a Unix socket."""
        raise ForbiddenAddress

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)
