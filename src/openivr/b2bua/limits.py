"""Limits against toll fraud: how often, and by whom, a route to the outside may be used.

Counts are of the last 3600 s. Times are Unix seconds, passed in.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.ivr.model import Limits

HOUR = 3600.0
MOST_REMEMBERED = 100_000  # starts of one route in an hour; its limit is at most this


@unique
class Limit(StrEnum):
    """Which limit refuses a call."""

    SIMULTANEOUS = "calls of this route at a time"
    PER_HOUR = "calls of this route in an hour"
    PER_CALLER = "calls of this caller over this route in an hour"
    TRUNK = "calls of this trunk at a time"


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """A call over a route that was begun."""

    route: int
    caller: str
    at: float


class Usage:
    """How the routes and trunks are used, by this process and, after a restart, by those before it."""

    def __init__(self) -> None:
        self._starts: dict[int, deque[OutboundCall]] = defaultdict(lambda: deque(maxlen=MOST_REMEMBERED))
        self._routes: Counter[int] = Counter()
        self._trunks: Counter[int] = Counter()

    def remember(self, starts: Iterable[OutboundCall]) -> None:
        """Count calls that were begun before, by other processes."""
        for start in sorted(starts, key=lambda start: start.at):
            self._starts[start.route].append(start)

    def refuse(self, start: OutboundCall, limits: Limits, trunk: int, most: int) -> Limit | None:
        """Which limit is in the way of this call, if one is. `most`: calls of the trunk; 0 is no limit."""
        recent = self._recent(start.route, start.at)
        if self._routes[start.route] >= limits.simultaneous:
            return Limit.SIMULTANEOUS
        if len(recent) >= limits.per_hour:
            return Limit.PER_HOUR
        if sum(one.caller == start.caller for one in recent) >= limits.per_caller_hour:
            return Limit.PER_CALLER
        if most and self._trunks[trunk] >= most:
            return Limit.TRUNK
        return None

    def _recent(self, route: int, now: float) -> deque[OutboundCall]:
        starts = self._starts[route]
        while starts and starts[0].at <= now - HOUR:
            starts.popleft()
        return starts

    def begin(self, start: OutboundCall, trunk: int) -> None:
        """Count a call that is placed now."""
        self._starts[start.route].append(start)
        self._routes[start.route] += 1
        self._trunks[trunk] += 1

    def arrive(self, trunk: int) -> None:
        """Count a call that came in over a trunk."""
        self._trunks[trunk] += 1

    def leave(self, trunk: int) -> None:
        """A call that came in over a trunk is over."""
        self._trunks[trunk] -= 1

    def end(self, route: int, trunk: int) -> None:
        """A call that was placed is over."""
        self._routes[route] -= 1
        self._trunks[trunk] -= 1
