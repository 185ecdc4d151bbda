"""The audio that each party of a call receives, as a pure function of the commands. No media, no SIP.

Two parties are connected. Each may be muted, which silences it for all others, and each may hold the call:
then the other one receives the hold sound, and neither the other. A monitor (P-Series: monitor-a-call)
receives both. With WHISPER the party that is monitored receives the monitor too, with BARGE both do.
"""

from dataclasses import dataclass, replace
from enum import StrEnum, unique

from openivr.b2bua.call_commands import MonitorMode


@unique
class Seat(StrEnum):
    """Places in the audio of a call."""

    CALLER = "caller"
    CALLEE = "callee"
    MONITOR = "monitor"

    @property
    def other(self) -> "Seat":
        """The other one of the two parties."""
        return Seat.CALLER if self is Seat.CALLEE else Seat.CALLEE


@dataclass(frozen=True, slots=True)
class Monitoring:
    """A monitor in a call: `seat` is the party that is monitored."""

    seat: Seat
    mode: MonitorMode


@dataclass(frozen=True, slots=True)
class Reception:
    """The audio that one party receives: of `sources`, or the hold sound if there are none."""

    sources: frozenset[Seat]
    has_hold_sound: bool = False


@dataclass(frozen=True, slots=True)
class TalkState:
    """The state that commands have set for the audio of a call. The first one is that of a plain call."""

    holding: frozenset[Seat] = frozenset()
    muted: frozenset[Seat] = frozenset()
    monitoring: Monitoring | None = None

    def hold(self, seat: Seat) -> "TalkState | None":
        """Return the state in which a party holds the call; None if it does already."""
        return None if seat in self.holding else replace(self, holding=self.holding | {seat})

    def unhold(self, seat: Seat) -> "TalkState | None":
        """Return the state in which a party does not hold the call; None if it did not."""
        return replace(self, holding=self.holding - {seat}) if seat in self.holding else None

    def mute(self, seat: Seat) -> "TalkState | None":
        """Return the state in which a party is muted; None if it is already."""
        return None if seat in self.muted else replace(self, muted=self.muted | {seat})

    def unmute(self, seat: Seat) -> "TalkState | None":
        """Return the state in which a party is not muted; None if it was not."""
        return replace(self, muted=self.muted - {seat}) if seat in self.muted else None

    def receives(self, seat: Seat) -> Reception:
        """Return what a party receives."""
        if seat is Seat.MONITOR:
            return Reception(self._monitor_sources())
        sources = frozenset() if self.holding or seat.other in self.muted else frozenset({seat.other})
        if self.monitoring is not None and self._is_addressed(seat, self.monitoring):
            sources |= {Seat.MONITOR}
        return Reception(sources, not sources and seat.other in self.holding and seat not in self.holding)

    @staticmethod
    def _is_addressed(seat: Seat, monitoring: Monitoring) -> bool:
        """Return True if the monitor speaks to a party."""
        is_whispered_to = monitoring.mode is MonitorMode.WHISPER and monitoring.seat is seat
        return is_whispered_to or monitoring.mode is MonitorMode.BARGE

    def _monitor_sources(self) -> frozenset[Seat]:
        """Return the parties that the monitor receives.

        While the call is held it receives only those that it speaks to: a consultation in the meantime.
        """
        if self.monitoring is None:
            return frozenset()
        seats = {Seat.CALLER, Seat.CALLEE} - self.muted
        if self.holding:
            seats = {seat for seat in seats if self._is_addressed(seat, self.monitoring)}
        return frozenset(seats)

    def is_plain(self, seat: Seat) -> bool:
        """Return True if a party receives the other one and nothing else, as in any call."""
        return self.receives(seat) == Reception(frozenset({seat.other}))
