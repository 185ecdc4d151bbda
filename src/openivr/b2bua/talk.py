"""Carries out commands about the audio of a call that talks: who receives whom, and the hold sound."""

from collections.abc import Callable

from openivr.b2bua.call_commands import TalkAction
from openivr.b2bua.reception import Monitoring, Reception, Seat, TalkState
from openivr.media.audio.clip import Clip
from openivr.media.session import MediaSession

CHANGES: dict[TalkAction, Callable[[TalkState, Seat], TalkState | None]] = {
    TalkAction.HOLD: TalkState.hold,
    TalkAction.UNHOLD: TalkState.unhold,
    TalkAction.MUTE: TalkState.mute,
    TalkAction.UNMUTE: TalkState.unmute,
}


class Talk:
    """The audio of two bridged sessions, and of a monitor. Made with the first command.

    The bridge stays as it is: a session receives something else as long as the state says so.
    """

    def __init__(self, caller: MediaSession, callee: MediaSession, hold_sound: Clip) -> None:
        self.state = TalkState()
        self._sessions = {Seat.CALLER: caller, Seat.CALLEE: callee}
        self._hold_sound = hold_sound
        self._applied: dict[Seat, Reception] = {}

    def change(self, state: TalkState) -> None:
        """Go over to another state."""
        self.state = state
        for seat, session in self._sessions.items():
            self._apply(seat, session)

    def _apply(self, seat: Seat, session: MediaSession) -> None:
        """Have a session receive what the state says. What is so already goes on without a break."""
        reception = self.state.receives(seat)
        if self._applied.get(seat) == reception:
            return
        self._applied[seat] = reception
        if seat is not Seat.MONITOR and self.state.is_plain(seat):
            session.unmix()
        elif reception.has_hold_sound:
            session.substitute(self._hold_sound)
        else:
            sources = [self._sessions[source] for source in sorted(reception.sources)]
            session.mix(sources, passes_keys=seat.other in reception.sources)

    def add_monitor(self, session: MediaSession, monitoring: Monitoring) -> None:
        """Let a monitor take part."""
        self._sessions[Seat.MONITOR] = session
        self.change(TalkState(self.state.holding, self.state.muted, monitoring))

    def remove_monitor(self) -> None:
        """Let the parties go on without their monitor."""
        session = self._sessions.pop(Seat.MONITOR, None)
        self._applied.pop(Seat.MONITOR, None)
        if session is not None:
            session.unmix()
        self.change(TalkState(self.state.holding, self.state.muted))

    def end(self) -> None:
        """Let every session receive what it receives without commands."""
        for session in self._sessions.values():
            session.unmix()
