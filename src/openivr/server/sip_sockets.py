"""The listening sockets of SIP, which the supervisor opens and the calls process inherits."""

import os
import socket
from typing import NamedTuple

from openivr.config.settings import ListenAddress
from openivr.server.supervisor import CannotStart
from openivr.sip.address import Target
from openivr.sip.transport.sockets import bind_tcp, bind_udp

FREE_PORT_TRIES = 20


class SipSocket(NamedTuple):
    """A bound socket and the address and protocol that it is for."""

    target: Target
    socket: socket.socket


def open_plain(at: ListenAddress) -> tuple[SipSocket, SipSocket]:
    """Open a UDP and a TCP socket on one port. Port 0 finds a port that is free for both."""
    try:
        for _ in range(FREE_PORT_TRIES):
            tcp = bind_tcp(*at)
            try:
                port = port_of(tcp)
                udp = bind_udp(at.host, port)
                return SipSocket(Target("UDP", at.host, port), udp), SipSocket(
                    Target("TCP", at.host, port), tcp
                )
            except OSError:
                tcp.close()
                if at.port:
                    raise
    except OSError as error:
        raise cannot_listen(at, error) from error
    raise CannotStart(f"no port on {at.host} is free for both UDP and TCP")


def open_tls(at: ListenAddress) -> SipSocket:
    """Open a TCP socket for SIP over TLS."""
    try:
        tcp = bind_tcp(*at)
    except OSError as error:
        raise cannot_listen(at, error) from error
    return SipSocket(Target("TLS", at.host, port_of(tcp)), tcp)


def cannot_listen(at: ListenAddress, error: OSError) -> CannotStart:
    return CannotStart(f"cannot listen for SIP on {at}: {os.strerror(error.errno or 0)}")


def port_of(bound: socket.socket) -> int:
    """Return the port of a bound socket."""
    return int(bound.getsockname()[1])
