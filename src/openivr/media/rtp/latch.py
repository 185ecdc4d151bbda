"""Symmetric RTP: the sources that signalling allows, of which the first one that sends is latched.

The description of a phone behind NAT holds an address that cannot be reached; its packets come from another
one. So any port is accepted, and the source address may also be that of the SIP messages. Any further freedom
would let a caller direct audio to a third party, or take the audio of one.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from openivr.media.rtp.ports import SocketAddress, family_of, is_private, with_zone
from openivr.media.rtp.remote import RemoteMedia


@dataclass(frozen=True, slots=True)
class Latch:
    """The sources that one session description allows."""

    hosts: frozenset[str]
    target: SocketAddress | None  # destination until a source is latched; None: nothing is sent

    @classmethod
    def of(cls, remote: RemoteMedia) -> "Latch":
        """Build the latch of a description.

        If its host is private and the source of SIP is not, the destination is the latter. A source of SIP in
        the other address family says nothing about RTP.
        """
        host, signalling = (plain(address.partition("%")[0]) for address in (remote.host, remote.signalling))
        if is_unspecified(host):
            return cls(frozenset([signalling] if signalling else []), None)
        if signalling and family_of(signalling) != family_of(host):
            signalling = ""
        is_hidden = is_private(host) and signalling and not is_private(signalling)
        target = with_zone(signalling if is_hidden else host, remote.port, remote.signalling)
        return cls(frozenset([host, signalling] if signalling else [host]), target if remote.port else None)

    def allows(self, host: str) -> bool:
        """Return True if a packet from this address may be latched."""
        return host in self.hosts


@lru_cache(maxsize=1024)  # peers call repeatedly
def plain(host: str) -> str:
    """Return an address as sockets write it (IPv6 has many spellings). Raises ValueError for a name."""
    return str(ip_address(host)) if host else ""


def is_unspecified(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
