"""Limits for a peer that sends nothing any longer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InactivityLimits:
    """Seconds without RTP and RTCP after which a peer counts as gone; 0: never.

    The defaults are those of the server: time-outs of the menu bound a call that is not bridged, and a peer
    without RTCP may be silent only because it suppresses pauses.
    """

    bridged: float = 60  # with a peer that sends RTCP
    bridged_without_rtcp: float = 300
    unbridged: float = 0

    def limit(self, *, is_bridged: bool, has_rtcp: bool) -> float:
        """Return the limit that applies."""
        if not is_bridged:
            return self.unbridged
        return self.bridged if has_rtcp or not self.bridged else max(self.bridged, self.bridged_without_rtcp)
