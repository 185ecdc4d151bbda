"""Where messages go: targets as values, hops over open channels, and the way from a URI to a target.

Finding a target is RFC 3263 without NAPTR and SRV: numeric hosts at once, names by the system's resolver.
"""

from ipaddress import ip_address
from typing import NamedTuple, Protocol

from openivr.sip.message.headers import Uri, cached

PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061}


class Target(NamedTuple):
    """Where a message goes, or came from: transport, numeric host, port.

    IPv6 stands without brackets, a link-local address with its zone as a number: fe80::1%2.
    """

    protocol: str  # UDP, TCP or TLS
    host: str
    port: int
    name: str = ""  # TLS: the name that the certificate must carry, if not the host


class Channel(Protocol):
    """A socket that messages go out on: one for all peers (UDP) or a connection."""

    protocol: str
    reliable: bool
    closed: bool

    def send(self, data: bytes, address: tuple[str, int]) -> bool:
        """Send a message; whether it is on its way."""
        ...

    def advertised_address(self, address: tuple[str, int]) -> tuple[str, int]:
        """Our host and port as that peer should know them."""
        ...


class Hop(NamedTuple):
    """A channel and the peer's address on it."""

    channel: Channel
    address: tuple[str, int]

    @property
    def target(self) -> Target:
        """The peer as a value."""
        return Target(self.channel.protocol, *self.address)


def uri_host(host: str) -> str:
    """A host as URIs write it: without its zone, which means nothing elsewhere."""
    return f"[{host.partition('%')[0]}]" if ":" in host else host


@cached
def normalize_host(host: str) -> str:
    """A host as sockets write it: without brackets, IPv6 in the one spelling of many that RFC 5952 wants."""
    bare = host.strip("[]").lower()
    try:
        return str(ip_address(bare))
    except ValueError:
        return bare


def is_ipv6(host: str) -> bool:
    """Whether a numeric host is of IPv6."""
    return ":" in host


def from_sockaddr(address: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    """The host, with its zone if it is link-local, and port of an address that a socket has told."""
    if len(address) == 4 and address[3]:
        return f"{address[0]}%{address[3]}", address[1]
    return address[0], address[1]


def to_sockaddr(peer: tuple[str, int]) -> tuple[str, int] | tuple[str, int, int, int]:
    """The same as a socket takes it."""
    host, mark, zone = peer[0].partition("%")
    return (host, peer[1], 0, int(zone)) if mark else peer


@cached
def is_numeric(host: str) -> bool:
    """Whether a host, without brackets, is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@cached
def is_private(host: str) -> bool:
    """Whether an address is of a network of ours, where the external address means nothing."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return False


def target_of_uri(uri: Uri) -> Target | None:
    """The target of a sip or sips URI, its host still a name perhaps; `None` for what cannot be reached."""
    if uri.scheme == "tel" or uri.transport not in ("", "UDP", "TCP", "TLS"):
        return None
    protocol = uri.transport or "UDP"
    if uri.scheme == "sips":
        protocol = "TLS"
    host = uri.parameters.get("maddr", "") or uri.host
    host = host.strip("[]")
    return Target(protocol, host, uri.port or PORTS[protocol], "" if is_numeric(host) else host)
