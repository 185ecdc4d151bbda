"""Local addresses and ports for RTP: an even port for RTP, the next one for RTCP (RFC 3550, 11)."""

import errno
import ipaddress
import random
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

EXPEDITED = 0xB8  # DSCP EF, the class for voice (RFC 3246)
# ipaddress.is_private also covers ranges reserved for examples, which are not meant here.
PRIVATE_NETWORKS = [
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
MAX_TRIES = 100  # ports that other programs may hold before a call is refused; each costs microseconds
SocketAddress = tuple[str, int] | tuple[str, int, int, int]  # of IPv6 with flow and zone, as sockets have it
PORT_IN_USE = (errno.EADDRINUSE, errno.EACCES)


class NoPorts(Exception):
    """All port pairs are in use, or no interface leads to the peer."""


class NoFamily(NoPorts):
    """No interface has the address family of the peer."""


@dataclass(frozen=True)
class Interface:
    """A local address for RTP, and the address that session descriptions show for it."""

    host: str  # to bind; 0.0.0.0 and :: bind all
    external: str = ""  # shown to hosts outside instead, where a NAT is in between
    inside: tuple[str, ...] | None = None  # networks it is not shown to; None: private ones, if it is public

    @cached_property
    def family(self) -> socket.AddressFamily:
        return family_of(self.host)

    @cached_property
    def binds_all(self) -> bool:
        return ipaddress.ip_address(self.host).is_unspecified

    def advertised(self, towards: str) -> str:
        """Return the address that this host should send to."""
        if self.external and not self._is_inside(towards):
            return self.external
        return local_address_towards(towards) if self.binds_all else self.host

    def _is_inside(self, host: str) -> bool:
        address = ipaddress.ip_address(host)
        if self.inside is None:
            return is_private(host) and not is_private(self.external)
        return any(address in ipaddress.ip_network(network) for network in self.inside)


def family_of(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@lru_cache(maxsize=1024)
def is_private(host: str) -> bool:
    """Return True if an address is not routed on the internet: private, link-local, loopback, unspecified."""
    address = ipaddress.ip_address(host)
    return address.is_unspecified or any(address in network for network in PRIVATE_NETWORKS)


def local_address_towards(host: str) -> str:
    """Return the local address of the route to a host. Sends nothing."""
    with socket.socket(family_of(host), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(with_zone(host.partition("%")[0], 9, host))
        except OSError as error:
            raise NoPorts(f"no route to {host}") from error
        return str(probe.getsockname()[0])


def with_zone(host: str, port: int, peer: str) -> SocketAddress:
    """Return a socket address; a link-local one gets the zone of the peer's (fe80::1%2)."""
    zone = peer.partition("%")[2]
    is_local = zone and ipaddress.ip_address(host).is_link_local
    return (host, port, 0, int(zone)) if is_local else (host, port)


def format_address(address: SocketAddress) -> str:
    """Format an address for people to read."""
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def find_interface(interfaces: Sequence[Interface], towards: str) -> Interface:
    """Return the interface of the host's family. Raises NoFamily if there is none.

    Of several, the one with the local address of the route wins, then one that binds all addresses.
    """
    family = family_of(towards)
    candidates = [each for each in interfaces if each.family == family]
    if not candidates:
        raise NoFamily(f"no address of {'IPv6' if family == socket.AF_INET6 else 'IPv4'} is listened on")
    if len(candidates) == 1:
        return candidates[0]
    local = local_address_towards(towards)
    return min(candidates, key=lambda each: (each.host != local, not each.binds_all))


@dataclass(frozen=True, slots=True)
class PortPair:
    """Bound sockets for RTP and RTCP at neighbouring ports."""

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
    """A range of ports, from which pairs are bound on demand."""

    def __init__(self, numbers: range) -> None:
        even = [number for number in numbers if number % 2 == 0 and number + 1 in numbers]
        if not even:
            raise ValueError("the range of ports holds no even port with the one above")
        random.shuffle(even)  # so that an attacker cannot guess the port of the next call
        self.capacity = len(even)  # sessions
        self._free = deque(even)  # longest free first, so that late packets of its last call are past

    def bind(self, interfaces: Sequence[Interface], towards: str) -> tuple[Interface, PortPair]:
        """Bind a pair on the interface that leads to this host. Raises NoPorts if none is free."""
        interface = find_interface(interfaces, towards)
        for _ in range(min(MAX_TRIES, len(self._free))):
            port = self._free.popleft()
            if sockets := bind_both(interface, port):
                return interface, PortPair(port, *sockets, self._free.append)
            self._free.append(port)
        raise NoPorts("all RTP ports are in use")


def bind_both(interface: Interface, port: int) -> tuple[socket.socket, socket.socket] | None:
    """Bind this port and the next; None if another program holds one of them."""
    rtp = None
    try:
        rtp = bind(interface, port)
        return rtp, bind(interface, port + 1)
    except OSError as error:
        if rtp:
            rtp.close()
        if error.errno not in PORT_IN_USE:
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
