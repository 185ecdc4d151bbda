"""Where RTP may come from: the first real source within what signalling allows, and then only that one.

A caller behind NAT writes an address in its description that nobody outside can reach; its packets come from
another. So a source is not held to the description's port, and its address may also be the one that its SIP
messages come from. Any further freedom would let a caller send our sound to, or take it from, a third party.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

from openivr.media.rtp.ports import Source, family_of, in_zone, is_private
from openivr.media.rtp.remote import RemoteMedia


@dataclass(frozen=True, slots=True)
class Latch:
    """The sources that one description allows."""

    hosts: frozenset[str]
    target: Source | None  # where to send before any source was heard; None: nowhere

    @classmethod
    def of(cls, remote: RemoteMedia) -> "Latch":
        """From an address that only its own network knows, send to where SIP comes from instead.

        Where SIP is of the other family than sound, it says nothing about where that may come from.
        """
        host, signalling = (plain(one.partition("%")[0]) for one in (remote.host, remote.signalling))
        if is_unspecified(host):
            return cls(frozenset([signalling] if signalling else []), None)
        if signalling and family_of(signalling) != family_of(host):
            signalling = ""
        is_hidden = is_private(host) and signalling and not is_private(signalling)
        target = in_zone(signalling if is_hidden else host, remote.port, remote.signalling)
        return cls(frozenset([host, signalling] if signalling else [host]), target if remote.port else None)

    def allows(self, host: str) -> bool:
        """Whether a packet from this address may be the first."""
        return host in self.hosts


@lru_cache(maxsize=1024)  # of every call, and peers call more than once
def plain(host: str) -> str:
    """An address as sockets write it, for IPv6 can be written in many ways. ValueError: a name."""
    return str(ip_address(host)) if host else ""


def is_unspecified(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
