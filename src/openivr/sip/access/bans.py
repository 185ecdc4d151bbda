"""Ban administration: lists and lifts bans for the command line, and logs each change."""

import time
from collections.abc import Callable

import structlog

from openivr.sip.access.rate_limit import Ban, RateLimiter

log = structlog.get_logger(__name__)


class BanAdministration:
    """The bans of one rate limiter. `clock` is the monotonic clock that the limiter is called with."""

    def __init__(self, rate_limiter: RateLimiter, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate_limiter = rate_limiter
        self._clock = clock

    def active(self) -> list[tuple[Ban, float]]:
        """Return the bans in force, each with the seconds that it has left."""
        now = self._clock()
        return [(ban, ban.until - now) for ban in self._rate_limiter.bans(now)]

    def lift(self, source: str) -> list[tuple[Ban, float]]:
        """Lift all bans of a source, for every user. Return them with the seconds that they had left."""
        now = self._clock()
        lifted = self._rate_limiter.unban(source, now)
        for ban in lifted:
            _log_lifted(ban)
        return [(ban, ban.until - now) for ban in lifted]

    def clear(self) -> None:
        """Lift all bans."""
        lifted = self._rate_limiter.unban_all(self._clock())
        for ban in lifted:
            _log_lifted(ban)
        log.info("sip bans lifted", count=len(lifted))


def log_ban(ban: Ban) -> None:
    """Log a new ban."""
    log.warning("sip source banned", source=ban.source, port=ban.port, user=ban.user, reason=ban.reason)


def _log_lifted(ban: Ban) -> None:
    log.warning("sip ban lifted", source=ban.source, user=ban.user, reason=ban.reason)
