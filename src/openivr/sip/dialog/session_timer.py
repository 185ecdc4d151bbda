"""Session timers (RFC 4028): detect and end calls whose peer is gone."""

from collections.abc import Callable
from typing import NamedTuple

from openivr.sip.message.headers import parameter, read_number
from openivr.sip.message.message import Message, Request, Response
from openivr.sip.transaction.timers import Timer, Timers


class SessionTimerTerms(NamedTuple):
    """The negotiated interval in seconds, and whether the local side refreshes."""

    seconds: int
    we_refresh: bool


def interval_too_small(request: Request, min_se: int) -> bool:
    """Return True if an INVITE or UPDATE gets 422 (section 9). A peer without session timers never does."""
    asked = read_number(request.get("session-expires"))
    return asked is not None and asked < min_se and "timer" in request.tokens("supported")


def answer_terms(request: Request, wanted: int) -> SessionTimerTerms | None:
    """Return the terms for a 2xx as UAS (section 9, table 2). `wanted` 0: only if the peer asks for it."""
    stated = request.get("session-expires")
    asked = read_number(stated)
    is_supported = "timer" in request.tokens("supported")
    if asked is None or asked == 0:
        if not is_supported or not wanted:
            return None
        return SessionTimerTerms(max(wanted, read_number(request.get("min-se")) or 0), we_refresh=False)
    return SessionTimerTerms(asked, we_refresh=not is_supported or _refresher(stated) == "uas")


def read_terms(response: Response) -> SessionTimerTerms | None:
    """Return the terms of a received 2xx as UAC (section 7.2)."""
    stated = response.get("session-expires")
    seconds = read_number(stated)
    return SessionTimerTerms(seconds, we_refresh=_refresher(stated) != "uas") if seconds else None


def _refresher(stated: str) -> str:
    _, semicolon, rest = stated.partition(";")
    return parameter(semicolon + rest, "refresher").lower()


def write_answered_terms(message: Response, terms: SessionTimerTerms) -> None:
    """Write the terms into a 2xx."""
    message.headers["session-expires"] = [f"{terms.seconds};refresher={'uas' if terms.we_refresh else 'uac'}"]
    if not terms.we_refresh:
        message.headers["require"] = ["timer"]


def write_requested_terms(
    message: Message, seconds: int, terms: SessionTimerTerms | None, min_se: int
) -> None:
    """Request a session timer in an INVITE or UPDATE. The refresher stays as negotiated."""
    role = "" if terms is None else ";refresher=uac" if terms.we_refresh else ";refresher=uas"
    message.headers["session-expires"] = [f"{seconds}{role}"]
    message.headers["min-se"] = [str(min_se)]


class SessionTimer:
    """The refresh and expiry timers of one call."""

    __slots__ = ("_expire", "_expiry", "_refresh", "_refreshing", "_timers", "terms")

    def __init__(self, timers: Timers, refresh: Callable[[], None], expire: Callable[[], None]) -> None:
        self._timers = timers
        self._refresh = refresh
        self._expire = expire
        self._refreshing: Timer | None = None
        self._expiry: Timer | None = None
        self.terms: SessionTimerTerms | None = None

    def start(self, terms: SessionTimerTerms | None) -> None:
        """Restart the timers after a 2xx. None turns them off."""
        self.stop()
        self.terms = terms
        if terms is None:
            return
        if terms.we_refresh:
            self._refreshing = self._timers.set(terms.seconds / 2, self._refresh)
        self._expiry = self._timers.set(terms.seconds - min(32, terms.seconds / 3), self._expire)

    def stop(self) -> None:
        """Cancel both timers."""
        for timer in (self._refreshing, self._expiry):
            if timer is not None:
                self._timers.cancel(timer)
        self._refreshing = self._expiry = None
