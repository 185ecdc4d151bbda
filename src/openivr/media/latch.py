"""Where RTP may come from: the first real source within what signalling allows, and then only that one.

A caller behind NAT writes an address in its description that nobody outside can reach; its packets come from
another. So a source is not held to the description's port, and its address may also be the one that its SIP
messages come from. Any further freedom would let a caller send our sound to, or take it from, a third party.
"""

from dataclasses import dataclass

from openivr.media.ports import is_private
from openivr.media.remote import Remote

Source = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Latch:
    """The sources that one description allows."""

    hosts: frozenset[str]
    target: Source | None  # where to send before any source was heard; None: nowhere

    @classmethod
    def of(cls, remote: Remote) -> "Latch":
        """From an address that only its own network knows, send to where SIP comes from instead."""
        named = not is_unspecified(remote.host)
        hosts = frozenset(host for host in (remote.host if named else "", remote.signalling) if host)
        hidden = is_private(remote.host) and remote.signalling and not is_private(remote.signalling)
        host = remote.signalling if hidden else remote.host
        return cls(hosts, (host, remote.port) if named and remote.port else None)

    def allows(self, host: str) -> bool:
        """Whether a packet from this address may be the first."""
        return host in self.hosts


def is_unspecified(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
