"""Addresses of messages: targets as values, hops over open channels, and the target of a URI (RFC 3263)."""

from ipaddress import ip_address
from typing import NamedTuple, Protocol

from openivr.sip.message.headers import Uri, cached

PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061}


class Target(NamedTuple):
    """The destination or source of a message: transport, host and port.

    IPv6 is written without brackets, a link-local address with its zone as a number: fe80::1%2.
    """

    protocol: str  # UDP, TCP or TLS
    host: str
    port: int
    name: str = ""  # TLS: the name that the certificate must carry, if not the host


class Channel(Protocol):
    """A socket that sends messages: one for all peers (UDP), or a connection."""

    protocol: str
    reliable: bool
    closed: bool

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send a message. Return False if the channel has failed."""
        ...

    def advertised_address(self, address: tuple[str, int]) -> tuple[str, int]:
        """Return the local host and port as that peer can reach them."""
        ...


class Hop(NamedTuple):
    """A channel and the peer's address on it."""

    channel: Channel
    address: tuple[str, int]

    @property
    def target(self) -> Target:
        """Return the peer's address as a value."""
        return Target(self.channel.protocol, *self.address)


def uri_host(host: str) -> str:
    """Return a host as URIs write it: IPv6 in brackets and without its zone, which is local."""
    return f"[{host.partition('%')[0]}]" if ":" in host else host


@cached
def normalize_host(host: str) -> str:
    """Return a host as sockets write it: without brackets, IPv6 in the spelling of RFC 5952."""
    bare = host.strip("[]").lower()
    try:
        return str(ip_address(bare))
    except ValueError:
        return bare


def is_ipv6(host: str) -> bool:
    """Return True if a numeric host is an IPv6 address."""
    return ":" in host


def from_sockaddr(address: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    """Return the host, with its zone if it is link-local, and the port of a socket address."""
    if len(address) == 4 and address[3]:
        return f"{address[0]}%{address[3]}", address[1]
    return address[0], address[1]


def to_sockaddr(peer: tuple[str, int]) -> tuple[str, int] | tuple[str, int, int, int]:
    """Return a host and port as a socket address."""
    host, mark, zone = peer[0].partition("%")
    return (host, peer[1], 0, int(zone)) if mark else peer


@cached
def is_numeric(host: str) -> bool:
    """Return True if a host, without brackets, is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@cached
def is_private(host: str) -> bool:
    """Return True if an address is private, so that the external address is not valid there."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return False


def target_of_uri(uri: Uri) -> Target | None:
    """Return the target of a sip or sips URI, perhaps with a host name. None for tel and other transports."""
    if uri.scheme == "tel" or uri.transport not in ("", "UDP", "TCP", "TLS"):
        return None
    protocol = uri.transport or "UDP"
    if uri.scheme == "sips":
        protocol = "TLS"
    host = uri.parameters.get("maddr", "") or uri.host
    host = host.strip("[]")
    return Target(protocol, host, uri.port or PORTS[protocol], "" if is_numeric(host) else host)
