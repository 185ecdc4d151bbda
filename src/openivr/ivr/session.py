"""One call: tell it what happened, do what it answers.

    session = Session(snapshot)
    for command in session.handle(CallArrived("2000", Destination(DestinationKind.IVR, 1))):
        ...

A session never fails, never looks at a clock, and gives the same commands for the same events, always. What
it does when is in `transitions`; this module only walks that table.
"""

from openivr.ivr.call_state import CallState, Ignore
from openivr.ivr.commands import Command, HangupReason, StopDial, Topic
from openivr.ivr.events import CallArrived, DialAnswered, Digit, Event, HungUp, PromptEnded, TimerFired
from openivr.ivr.model import Destination, DestinationKind, Ivr, IvrSnapshot
from openivr.ivr.state import AWAY, PRIVATE, IvrState
from openivr.ivr.states import voicemail
from openivr.ivr.transitions import ACTS, AT_ONCE

KEYS = frozenset("0123456789*#ABCD")
UNCONFIRMED = (IvrState.RECORDING, IvrState.KEEPING)  # where a message may be kept or lost


class IvrSession:
    """A call and the snapshot it was started with."""

    __slots__ = ("_call",)

    def __init__(self, snapshot: IvrSnapshot) -> None:
        self._call = CallState(snapshot)

    @property
    def state(self) -> IvrState:
        """The state of the call."""
        return self._call.state

    @property
    def ended(self) -> bool:
        """True once the call is over. No event changes anything then."""
        return self._call.state is IvrState.ENDED

    @property
    def ivr(self) -> Ivr:
        """The menu that the call is in, or was in last; one with id 0 if in none."""
        return self._call.ivr

    @property
    def unconfirmed(self) -> int:
        """The token of a recording that was stopped and whose result has not come; 0: there is none."""
        return self._call.activity if self.state is IvrState.KEEPING else 0

    @property
    def is_leaving(self) -> bool:
        """Return True once the caller is gone, also while a result is awaited."""
        return bool(self._call.leaving) or self.ended

    @property
    def private(self) -> bool:
        """True while keys are a secret (a PIN), which nothing may keep or show."""
        return self._call.state in PRIVATE or self._call.ignore is Ignore.SECRET

    @property
    def pin_list(self) -> int:
        """The id of the PIN list that the caller is asked a PIN of, 0 if of none."""
        call = self._call
        return call.ivr.key_pins.get(call.guarded_key, 0) if call.state is IvrState.KEY_PIN else 0

    @property
    def place(self) -> Destination:
        """The place of the caller: the menu, or the destination that it led to."""
        call = self._call
        at_end = self.ended and call.destination.kind is DestinationKind.END_CALL
        return (
            call.destination
            if at_end or call.state in AWAY
            else Destination(DestinationKind.IVR, call.ivr.id)
        )

    def awaits(self, event: Event) -> bool:
        """Return True if an event ends an active play, timer, dial or recording. Others change nothing."""
        call = self._call
        token = getattr(event, "token", 0)
        current = (call.wait, call.limit, call.entry) if isinstance(event, TimerFired) else (call.activity,)
        return not self.ended and token != 0 and token in current

    def handle(self, event: Event) -> tuple[Command, ...]:
        """Take an event, of any kind and at any time, and say what is to be done, in order."""
        call = self._call
        call.out = []
        if isinstance(event, CallArrived | Digit | TimerFired) and event.moment:
            call.moment = event.moment
        self._take(event)
        if call.early and call.state is not IvrState.NEW:
            keys, call.early = call.early, ""
            for key in keys:
                self._take(Digit(key))
        return tuple(call.out)

    def _take(self, event: Event) -> None:
        call = self._call
        state = call.state
        if isinstance(event, HungUp):
            call.state = self._hang_up(event.reason or HangupReason.CALLER_HANGUP)
        elif isinstance(event, TimerFired) and event.token == call.limit and event.token:
            call.state = self._cut_off()
        elif isinstance(event, TimerFired) and event.token == call.entry and event.token:
            call.forget_entry()
        elif isinstance(event, Digit) and self.ignores(event):
            call.ignore_key(event.key)
        elif (act := ACTS[state].get(type(event))) and self._is_current(event):
            if isinstance(event, Digit):
                call.forget_entry()
            if isinstance(event, PromptEnded):
                call.note_missing(event.failed)
            state = act(call, event)
            while move_on := AT_ONCE.get(state):
                state = move_on(call)
            call.state = state

    def ignores(self, event: Event) -> bool:
        """Return True if an event is a key that belongs to an entry which is decided already."""
        call = self._call
        if not isinstance(event, Digit) or event.key not in KEYS or not call.entry:
            return False
        if Digit not in ACTS[call.state]:  # no key does anything there
            return False
        return call.ignore is not Ignore.POUND or event.key == "#"

    def _is_current(self, event: Event) -> bool:
        """Return True if an event belongs to an active command. An activity that it ends is forgotten."""
        call = self._call
        if isinstance(event, Digit):
            return event.key in KEYS
        if isinstance(event, CallArrived | HungUp):
            return True
        if isinstance(event, TimerFired):
            return event.token == call.wait != 0
        current = call.activity
        if event.token == current and not isinstance(event, DialAnswered):
            call.activity = 0
        return event.token == current != 0

    def _hang_up(self, reason: str) -> IvrState:
        call = self._call
        if call.state is IvrState.ENDED:
            return IvrState.ENDED
        if call.state in UNCONFIRMED:
            return voicemail.leave(call, reason)
        if call.state is IvrState.DIALLING:
            call.out.append(StopDial(call.activity))
        call.note(Topic.ENDED, reason)
        return IvrState.ENDED

    def _cut_off(self) -> IvrState:
        if self.ended:
            return IvrState.ENDED
        if self._call.state in UNCONFIRMED:
            return voicemail.leave(self._call, HangupReason.CALL_LENGTH_LIMIT)
        return self._call.end(HangupReason.CALL_LENGTH_LIMIT)
