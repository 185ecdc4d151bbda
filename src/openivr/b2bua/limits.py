"""Limits against toll fraud: how many calls a route, a caller and a trunk may have.

Calls an hour are counted over the last 3600 s. Times are seconds of a steady clock, passed in.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, unique
from typing import NamedTuple

from openivr.ivr.model import Limits

HOUR = 3600.0
MAX_REMEMBERED = 100_000  # calls of one route in an hour; its limit is at most this


@unique
class Limit(StrEnum):
    """Limits that can refuse a call."""

    SIMULTANEOUS = "route_calls"
    PER_HOUR = "route_calls_per_hour"
    PER_CALLER = "caller_calls_per_hour"
    TRUNK = "trunk_calls"


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A call that was placed over an outbound route."""

    route: int
    caller: str
    at: float


class RouteSlot(NamedTuple):
    """A place in the limits of a route and a trunk, which an outbound call holds until it ends."""

    route: int
    trunk: int


class CallLimiter:
    """Counts the calls of routes and trunks: those of this process, and calls that recovery adds."""

    def __init__(self) -> None:
        self._calls: dict[int, deque[OutboundCall]] = defaultdict(lambda: deque(maxlen=MAX_REMEMBERED))
        self._routes: Counter[int] = Counter()
        self._trunks: Counter[int] = Counter()

    def restore(self, calls: Iterable[OutboundCall]) -> None:
        """Count calls that earlier processes placed."""
        for call in sorted(calls, key=lambda call: call.at):
            self._calls[call.route].append(call)

    def exceeded(self, call: OutboundCall, limits: Limits, trunk: int, max_calls: int) -> Limit | None:
        """Return the limit that this call would exceed. `max_calls` is the trunk's; 0 is no limit."""
        recent = self._recent(call.route, call.at)
        if self._routes[call.route] >= limits.simultaneous:
            return Limit.SIMULTANEOUS
        if len(recent) >= limits.per_hour:
            return Limit.PER_HOUR
        if sum(other.caller == call.caller for other in recent) >= limits.per_caller_hour:
            return Limit.PER_CALLER
        if max_calls and self._trunks[trunk] >= max_calls:
            return Limit.TRUNK
        return None

    def _recent(self, route: int, now: float) -> deque[OutboundCall]:
        calls = self._calls[route]
        while calls and calls[0].at <= now - HOUR:
            calls.popleft()
        return calls

    def begin_outbound(self, call: OutboundCall, trunk: int) -> RouteSlot:
        """Count a call that is placed now; `end_outbound` takes back the slot."""
        self._calls[call.route].append(call)
        self._routes[call.route] += 1
        self._trunks[trunk] += 1
        return RouteSlot(call.route, trunk)

    def end_outbound(self, slot: RouteSlot) -> None:
        """Free the slot of a call that has ended."""
        self._routes[slot.route] -= 1
        self._trunks[slot.trunk] -= 1

    def begin_inbound(self, trunk: int) -> None:
        """Count a call that came in over a trunk."""
        self._trunks[trunk] += 1

    def end_inbound(self, trunk: int) -> None:
        """Count down when a call that came in over a trunk ends."""
        self._trunks[trunk] -= 1
