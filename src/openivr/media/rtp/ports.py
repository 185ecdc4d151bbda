"""Addresses and ports for RTP: an even port for audio, the next for RTCP (RFC 3550, 11)."""

import errno
import ipaddress
import random
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

EXPEDITED = 0xB8  # DSCP EF: what networks with priorities give to voice (RFC 3246)
# Not ipaddress's is_private, which knows many more, such as those reserved for examples.
PRIVATE = [
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
]
TRIES = 100  # ports that other programs may have before a call is refused; each costs some microseconds
Source = tuple[str, int] | tuple[str, int, int, int]  # as sockets have it: IPv6 ends with its zone
TAKEN = (errno.EADDRINUSE, errno.EACCES)


class NoPorts(Exception):
    """Every pair of ports is in use, or no interface leads to where the leg is to lead."""


class NoFamily(NoPorts):
    """There is no interface of the family that a leg needs."""


@dataclass(frozen=True)
class Interface:
    """An address that RTP is received at, and what is told to others about it."""

    host: str  # to bind; 0.0.0.0 and :: bind all
    external: str = ""  # told to hosts outside in its place, where a NAT stands between
    inside: tuple[str, ...] | None = None  # not told it; None: private networks, if it is public

    @cached_property
    def family(self) -> socket.AddressFamily:
        return family_of(self.host)

    @cached_property
    def binds_all(self) -> bool:
        return ipaddress.ip_address(self.host).is_unspecified

    def advertised(self, towards: str) -> str:
        """The address that this host should send to."""
        if self.external and not self._is_inside(towards):
            return self.external
        return route(towards) if self.binds_all else self.host

    def _is_inside(self, host: str) -> bool:
        address = ipaddress.ip_address(host)
        if self.inside is None:
            return is_private(host) and not is_private(self.external)
        return any(address in ipaddress.ip_network(network) for network in self.inside)


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@lru_cache(maxsize=1024)
def is_private(host: str) -> bool:
    """Whether an address means nothing on the internet: private, link-local, loopback or none at all."""
    address = ipaddress.ip_address(host)
    return address.is_unspecified or any(address in network for network in PRIVATE)


def route(towards: str) -> str:
    """Our own address on the way to a host. Sends nothing."""
    with socket.socket(family_of(towards), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(in_zone(towards.partition("%")[0], 9, towards))
        except OSError as error:
            raise NoPorts(f"no route to {towards}") from error
        return str(probe.getsockname()[0])


def in_zone(host: str, port: int, peer: str) -> Source:
    """An address for a socket: a link-local one in the zone that a peer's is in (fe80::1%2)."""
    zone = peer.partition("%")[2]
    is_local = zone and ipaddress.ip_address(host).is_link_local
    return (host, port, 0, int(zone)) if is_local else (host, port)


def show(source: Source) -> str:
    """An address for people to read."""
    host, port = source[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def find_interface(interfaces: Sequence[Interface], towards: str) -> Interface:
    """The one of the host's family; of several the one with our address on the way there, or with all."""
    family = family_of(towards)
    found = [each for each in interfaces if each.family == family]
    if not found:
        raise NoFamily(f"no address of {'IPv6' if family == socket.AF_INET6 else 'IPv4'} is listened on")
    if len(found) == 1:
        return found[0]
    ours = route(towards)
    return min(found, key=lambda each: (each.host != ours, not each.binds_all))


@dataclass(frozen=True, slots=True)
class PortPair:
    """Two bound sockets at neighbouring ports."""

    port: int  # of RTP
    rtp: socket.socket
    rtcp: socket.socket
    release: Callable[[int], None]

    def close(self) -> None:
        """Give the ports back."""
        self.rtp.close()
        self.rtcp.close()
        self.release(self.port)


class Ports:
    """A range of ports, of which pairs are bound when they are needed."""

    def __init__(self, numbers: range) -> None:
        even = [number for number in numbers if number % 2 == 0 and number + 1 in numbers]
        if not even:
            raise ValueError("the range of ports holds no even port with the one above")
        random.shuffle(even)  # whoever guesses where the next call will be has to guess every time
        self.pairs = len(even)  # legs that there is room for
        self._free = deque(even)  # the one given back longest ago comes first: late packets are past by then

    def bind(self, interfaces: Sequence[Interface], towards: str) -> tuple[Interface, PortPair]:
        """A pair on the interface that leads to this host; NoPorts if there is none."""
        interface = find_interface(interfaces, towards)
        for _ in range(min(TRIES, len(self._free))):
            port = self._free.popleft()
            if sockets := bind_both(interface, port):
                return interface, PortPair(port, *sockets, self._free.append)
            self._free.append(port)
        raise NoPorts("all RTP ports are in use")


def bind_both(interface: Interface, port: int) -> tuple[socket.socket, socket.socket] | None:
    """Sockets at this port and the next, or None where another program has one of them."""
    rtp = None
    try:
        rtp = bind(interface, port)
        return rtp, bind(interface, port + 1)
    except OSError as error:
        if rtp:
            rtp.close()
        if error.errno not in TAKEN:
            raise NoPorts(f"cannot listen on {interface.host}: {error.strerror}") from error
        return None


def bind(interface: Interface, port: int) -> socket.socket:
    sock = socket.socket(interface.family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if interface.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED)
        sock.bind((interface.host, port))
    except OSError:
        sock.close()
        raise
    return sock
