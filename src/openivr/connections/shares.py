"""Shares of the connections that a process accepts, so that one source cannot take them all."""

import ipaddress
import time
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

import structlog

log = structlog.get_logger(__name__)
C = TypeVar("C", bound=Hashable)
UNUSED_SECONDS = 86_400.0  # for which a connection that was never used counts as idle in addition
LOG_SECONDS = 10.0  # between two warnings of too many connections


@lru_cache(4096)
def network_of(address: str) -> str:
    """Return the source of a connection: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
    return str(parsed)


class ConnectionShares(Generic[C]):
    """Bounds connections: `total` in all, `share` of each source.

    One too many costs its own source a connection: the one that has been idle for longest, else the new one.
    With all places taken it costs the source that has most. `idle_since` returns the time since which a
    connection has been idle, or None if it is busy.
    """

    def __init__(self, total: int, share: int, idle_since: Callable[[C], float | None]) -> None:
        self.total, self.share = total, share
        self._idle_since = idle_since
        self._sources: dict[str, dict[C, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, address: str, connection: C) -> C | None:
        """Count a new connection. Return the connection that has to be closed for it, if any."""
        group = self._sources.setdefault(network_of(address), {})
        group[connection] = None
        self._count += 1
        if len(group) > self.share:
            return self._choose(group, connection)
        if self._count > self.total:
            return self._choose(max(self._sources.values(), key=len), connection)
        return None

    def remove(self, address: str, connection: C) -> None:
        """Count a connection no longer. One that is not counted is no error."""
        source = network_of(address)
        group = self._sources.get(source, {})
        if connection in group:
            del group[connection]
            self._count -= 1
            if not group:
                del self._sources[source]

    def _choose(self, group: dict[C, None], new: C) -> C:
        """Return the connection of a group that has been idle for longest, or the new one."""
        times = ((self._idle_since(each), each) for each in group if each is not new)
        idle = [(since, each) for since, each in times if since is not None]
        return min(idle, key=lambda pair: pair[0])[1] if idle else new


class CountedConnection(Protocol):
    """A connection that counts for its source."""

    def __hash__(self) -> int: ...

    def idle_since(self) -> float | None:
        """Return the time since which it has been idle, or None if it is busy."""
        ...

    def end(self) -> None:
        """Close it at once, because its source has too many."""
        ...


class Shares(ConnectionShares[CountedConnection]):
    """Shares of connections of several kinds, which closes those that are too many."""

    def __init__(self, total: int, share: int) -> None:
        super().__init__(total, share, lambda each: each.idle_since())
        self._logged = -LOG_SECONDS

    def count(self, address: str, connection: CountedConnection) -> bool:
        """Count a new connection, and close one if that is too many. Return False if it was the new one."""
        surplus = self.add(address, connection)
        if surplus is None:
            return True
        source = next(source for source, group in self._sources.items() if surplus in group)
        self.remove(source, surplus)
        now = time.monotonic()
        if now - self._logged > LOG_SECONDS:
            self._logged = now
            log.warning("too many connections", source=source, connections=len(self))
        surplus.end()
        return surplus is not connection
