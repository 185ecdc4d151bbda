"""Symmetric RTP: which source is received, and where RTP is sent. No sockets; times are arguments in ns.

The description of a phone behind NAT holds an address that cannot be reached; its packets come from another
one. So any port is accepted, and the host may also be that of the SIP messages. Any further freedom would let
a caller direct audio to a third party, or take the audio of one. docs/media.md has the table of states.
"""

from dataclasses import dataclass
from enum import Enum, unique
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from openivr.media.rtp.packet import is_before
from openivr.media.rtp.ports import SocketAddress, family_of, is_private, with_zone
from openivr.media.rtp.remote import RemoteMedia

MILLISECOND = 1_000_000
SILENCE = 1000 * MILLISECOND  # without a packet until a latched source may be replaced
PROBATION = 2000 * MILLISECOND  # during which a source that was not described may be replaced
PAUSE = 300 * MILLISECOND  # without a packet until a source on probation may be replaced by its equal
LATE = 2000 * MILLISECOND  # after a move, packets from the former address may still arrive
MAX_FORMER = 16  # addresses

Address = tuple[str, int]


class Position(NamedTuple):
    """Place of a packet in a stream."""

    ssrc: int
    sequence: int

    def precedes(self, other: "Position") -> bool:
        """Return True if `other` is a later packet of the same stream."""
        return self.ssrc == other.ssrc and is_before(self.sequence, other.sequence, 16)


@unique
class LatchState(Enum):
    """State of the latch."""

    OPEN = "open"  # no source yet
    PROBATION = "probation"  # a source that was not described is received
    LATCHED = "latched"  # a source is received, and only the described one may replace it
    SILENT = "silent"  # the latched source has stopped


@dataclass(frozen=True, slots=True)
class Description:
    """The sources that one session description allows."""

    hosts: frozenset[str]
    target: SocketAddress | None  # destination until a source is latched; None: nothing is sent
    is_reachable: bool = True  # packets may come from the target itself

    @classmethod
    def of(cls, remote: RemoteMedia) -> "Description":
        """Read a description.

        If its host is private and the source of SIP is not, or if it names no address, the destination is the
        source of SIP. A source of SIP in the other address family says nothing about RTP.
        """
        host, signalling = (plain(address.partition("%")[0]) for address in (remote.host, remote.signalling))
        host = host or signalling
        if is_unspecified(host):
            return cls(frozenset([signalling] if signalling else []), None)
        if signalling and family_of(signalling) != family_of(host):
            signalling = ""
        is_hidden = is_private(host) and signalling and not is_private(signalling)
        target = with_zone(signalling if is_hidden else host, remote.port, remote.signalling)
        hosts = frozenset([host, signalling] if signalling else [host])
        return cls(hosts, target if remote.port else None, is_reachable=not is_hidden)

    def allows(self, host: str) -> bool:
        """Return True if a packet from this address may be latched."""
        return host in self.hosts


class Latch:
    """The latch of one media session."""

    __slots__ = (
        "_described", "_described_at", "_former", "_heard_at", "_position", "_run_at", "_run_since",
        "_run_source", "_since", "source", "state",
    )  # fmt: skip

    def __init__(self) -> None:
        self.state = LatchState.OPEN
        self.source: SocketAddress | None = None  # of the packets received
        self._described = Description(frozenset(), None)
        self._described_at = 0
        self._former: tuple[Address, ...] = ()  # left by a description since
        self._position: Position | None = None  # where the silent source stopped
        self._since = self._heard_at = 0  # of a source on probation
        self._run_source: Address | None = None  # a former address that goes on sending
        self._run_at = self._run_since = 0

    @property
    def target(self) -> SocketAddress | None:
        """The address that RTP is sent to, or None."""
        return self.source or self._described.target

    @property
    def is_exclusive(self) -> bool:
        """Return True if no other source can replace the latched one. Then the kernel drops their packets."""
        if self.state is not LatchState.LATCHED or self.source is None:
            return False
        target = self._described.target
        return not self._described.is_reachable or target is None or self.source[:2] == target[:2]

    # Events

    def describe(self, remote: RemoteMedia, now: int) -> None:
        """Apply the result of an offer and answer.

        The source stays if the address in the description does. Otherwise the address left is a former one,
        which cannot take the session back.
        """
        description, before = Description.of(remote), self._described
        if (
            description.target is None and before.hosts
        ):  # on hold: the next description is compared with the last
            return
        self._described, self._described_at = description, now
        source = self.source and self.source[:2]
        target = description.target and description.target[:2]
        if description.target == before.target and (source is None or source[0] in description.hosts):
            if self.state is LatchState.SILENT:  # it may have moved while it sent nothing
                self.state = LatchState.OPEN
            return
        for address in (before.target and before.target[:2], source):
            if address is not None and address not in self._former:
                self._former = (*self._former, address)[-MAX_FORMER:]
        self._former = tuple(address for address in self._former if address != target)
        self._run_source = None
        if source is None or source != target:
            self.source, self.state = None, LatchState.OPEN

    def locate(self, remote: RemoteMedia) -> None:
        """Take the address of the host that was described by name, known only now.

        No source becomes a former one by that. But one that was latched as the described one may be replaced.
        """
        self._described = Description.of(remote)
        target = self._described.target
        if self.source is not None and target is not None and self.source[:2] == target[:2]:
            self.state = LatchState.LATCHED

    def admits(self, source: SocketAddress, position: Position | None, now: int) -> bool:
        """Return True if a packet from this source is to be received; `position` is None for RTCP.

        If the latch is exclusive, packets of other sources do not arrive.
        """
        address, current = source[:2], self.source and self.source[:2]
        if address == current:
            return True
        if self.state is LatchState.SILENT and current is not None and address[0] == current[0]:
            return self._is_successor(address, position)
        if not self._described.allows(address[0]):
            return False
        if address == (self._described.target and self._described.target[:2]):
            return True
        if self.state in (LatchState.SILENT, LatchState.LATCHED):
            return self.state is LatchState.SILENT and self._is_successor(address, position)
        if address in self._former:
            return position is not None and self._has_stayed(address, now)
        is_weak = self.state is LatchState.OPEN or current in self._former
        return is_weak or now - self._heard_at >= PAUSE

    def take(self, source: SocketAddress, position: Position | None, now: int) -> None:
        """Receive a valid packet that was admitted. Its source may become that of the session."""
        address, current = source[:2], self.source and self.source[:2]
        target = self._described.target and self._described.target[:2]
        self._heard_at = now
        if (
            address == target
            or self.state is LatchState.SILENT
            or (address == current and self.state is LatchState.OPEN)
        ):
            self.state = LatchState.LATCHED
        elif address != current:
            self.state, self._since = LatchState.PROBATION, now
        elif now - self._since >= PROBATION and address not in self._former:
            self.state = LatchState.LATCHED
        self.source = source

    def fall_silent(self, position: Position | None) -> None:
        """Let the source be replaced: it sent nothing for SILENCE. `position` is that of its last packet."""
        if self.state is LatchState.LATCHED:
            self.state, self._position = LatchState.SILENT, position

    def admits_rtcp(self, source: SocketAddress) -> bool:
        """Return True if a packet on the RTCP port is to be received: from a host of the session."""
        host, port = source[:2]
        is_known = self._described.allows(host) or (self.source is not None and host == self.source[0])
        return is_known and (host, port - 1) not in self._former

    # Rules

    def _is_successor(self, address: Address, position: Position | None) -> bool:
        """Return True if a packet continues the stream of the silent source: NAT gave it another port."""
        is_next = position is not None and self._position is not None and self._position.precedes(position)
        return is_next and address not in self._former

    def _has_stayed(self, address: Address, now: int) -> bool:
        """Return True if a former address goes on sending, for longer than packets can be late.

        Then the description was wrong. Nothing else has been heard, or it has stopped.
        """
        if address != self._run_source or now - self._run_at > PAUSE:
            self._run_source, self._run_since = address, now
        self._run_at = now
        is_alone = self.source is None or now - self._heard_at >= LATE
        return is_alone and now - max(self._run_since, self._described_at) >= LATE


@lru_cache(maxsize=1024)  # peers call repeatedly
def plain(host: str) -> str:
    """Return an address as sockets write it (IPv6 has many spellings). Raises ValueError for a name."""
    return str(ip_address(host)) if host else ""


def is_unspecified(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
