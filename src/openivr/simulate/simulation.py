"""A driver without a phone: runs an `IvrSession` on a virtual clock and records events and transcript.

The clock moves only by `advance` and `wait`, so a call of minutes takes a millisecond and the same call
always gives the same transcript.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import assert_never

from openivr.cdr.journal.event_codec import TimedEvent
from openivr.hours.calendar import PeriodKind
from openivr.hours.period import PeriodDecision, PeriodReason, period, scheduled
from openivr.ivr.call_state import NO_DESTINATION
from openivr.ivr.commands import (
    Answer,
    CallTimer,
    CheckPin,
    Command,
    DeleteMessage,
    Dial,
    Hangup,
    Note,
    OpenMailbox,
    Play,
    Record,
    SetTimer,
    StopDial,
    StopPlay,
    StopRecord,
    SwitchHours,
)
from openivr.ivr.events import (
    CallArrived,
    Cause,
    DialAnswered,
    DialEnded,
    DialFailed,
    Digit,
    Event,
    HoursSwitched,
    HungUp,
    MailboxOpened,
    MailboxRefused,
    PinAccepted,
    PinRefused,
    PromptEnded,
    RecordEnded,
    RecordResult,
    TimerFired,
)
from openivr.ivr.hours_code import HoursAction, HoursRequest
from openivr.ivr.inbound_route import IncomingCall, Routing, explain_inbound
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot
from openivr.ivr.periods import with_period
from openivr.ivr.policy import attempts, routes_of
from openivr.ivr.session import IvrSession
from openivr.simulate.transcript import Narrator, TranscriptLine
from openivr.simulate.world import World, right_pin
from openivr.sounds import NAMES, seconds

MESSAGE_SECONDS = 10.0  # of a message in a mailbox
TONE_SECONDS, MIN_MESSAGE_SECONDS = 0.4, 0.5  # the tone ahead of a message, and the shortest that is kept
KEY_GAP = 200  # ms between two keys


class Simulation:
    """One simulated call. `lines` is its transcript, `events` can be replayed.

    `incoming` describes a call from the outside, and `is_rejected` is True if no inbound route takes it.
    """

    def __init__(self, snapshot: IvrSnapshot, world: World | None = None, start: int = 0) -> None:
        self.snapshot = snapshot
        self.world = world or World()
        self.session = IvrSession(snapshot)
        self.incoming: IncomingCall | None = None
        self.is_rejected = False
        self.start = start  # moment of the call's arrival in Unix seconds, 0: none
        self.now = 0
        self.events: list[TimedEvent] = []
        self.commands: list[tuple[Command, ...]] = []
        self._narrator = Narrator(snapshot)
        self._spoke_from = 0  # ms, when the recording of a message began
        self._due: dict[str, TimedEvent] = {}  # what is running -> the event that ends it, and when

    @property
    def moment(self) -> int:
        """The moment of the virtual clock in Unix seconds, 0 if the call has none."""
        return self.start + self.now // 1000 if self.start else 0

    @property
    def lines(self) -> list[TranscriptLine]:
        """The transcript so far."""
        return self._narrator.lines

    @property
    def notes(self) -> list[Note]:
        """The notes so far."""
        return [command for commands in self.commands for command in commands if isinstance(command, Note)]

    @property
    def due(self) -> dict[str, TimedEvent]:
        """Return what is running, each with its end.

        The names are "play", "wait", "call", "dial", "record", "mailbox" and "pin".
        """
        return {slot: due for slot, due in self._due.items() if self.session.awaits(due.event)}

    @property
    def ended(self) -> bool:
        """Return True after the end of the call."""
        return self.is_rejected or self.session.ended

    def receive(self, call: IncomingCall) -> Routing:
        """Start a call from the outside. The inbound routes decide where the caller arrives."""
        call = replace(call, moment=self.start)
        self.incoming = call
        routing = explain_inbound(self.snapshot, call)
        self._narrator.add_routing(call, routing)
        if routing.destination:
            self.call(routing.destination, call.caller, routing.decision, routing.announcements)
        else:
            self.is_rejected = True
        return routing

    def call(
        self,
        destination: Destination,
        caller: str = "",
        decision: PeriodDecision | None = None,
        announcements: tuple[str, ...] = (),
    ) -> None:
        """Start the call: a caller arrives at a destination. The number of an extension calls from inside.

        A route may have chosen it by the period (`decision`), and has announcements played before it.
        """
        owner = self.snapshot.numbers.get(caller) if self.incoming is None else None
        is_internal = owner is not None and owner.kind is DestinationKind.EXTENSION
        arrival = CallArrived(caller, destination, moment=self.moment, is_internal=is_internal)
        self.handle(with_period(arrival, decision, announcements))

    def dial_code(self, request: HoursRequest, caller: str = "") -> None:
        """Start the call of a phone that dials a feature code for business hours."""
        arrival = CallArrived(caller, NO_DESTINATION, moment=self.moment)
        self.handle(replace(arrival, hours_action=request.action, extension=request.extension))

    def press(self, keys: str) -> None:
        """Press keys one after the other. Events that are due between them happen between them."""
        for place, key in enumerate(keys):
            if place:
                self.wait(KEY_GAP / 1000)
            self.handle(Digit(key, self.moment))

    def type_pin(self, *, is_right: bool) -> None:
        """Type a right or a wrong PIN of the list that is asked for, and `#`."""
        right = right_pin(self.snapshot, self.world, self.session.pin_list)
        wrong = next(pin for digit in "01" if (pin := digit * max(len(right), 1)) != right)
        self.press((right if is_right else wrong) + "#")

    def hang_up(self) -> None:
        """Let the caller hang up. What becomes of a message that is being left is known at once."""
        self.handle(HungUp())
        self.wait(0)

    def wait(self, seconds: float) -> None:
        """Advance the clock by some seconds."""
        until = self.now + round(seconds * 1000)
        while self._due and min(due.at for due in self._due.values()) <= until:
            self.advance()
        self.now = until

    def advance(self) -> bool:
        """Advance the clock to the next event that is due. Return False if there is none."""
        if not self._due:
            return False
        slot = min(self._due, key=lambda slot: self._due[slot].at)
        due = self._due.pop(slot)
        self.now = due.at
        self.handle(self._at_present(due.event))
        return True

    def _at_present(self, event: Event) -> Event:
        """Return an event with the moment of the virtual clock, if it has one."""
        if self.start and isinstance(event, CallArrived | Digit | TimerFired):
            return replace(event, moment=self.moment)
        return event

    def finish(self) -> None:
        """Run the call to its end."""
        while not self.ended and self.advance():
            pass

    def follow(self, happening: TimedEvent) -> None:
        """Apply a recorded event at its time, in place of the simulated one."""
        self.now = happening.at
        token = getattr(happening.event, "token", None)
        over = [slot for slot, due in self._due.items() if getattr(due.event, "token", 0) == token]
        for slot in over:
            del self._due[slot]
        self.handle(self._at_present(happening.event))

    def _place(self) -> Destination | None:
        """Return where the caller is. None after the end, unless the menu ended the call."""
        place = self.session.place
        return place if not self.session.ended or place.kind is DestinationKind.END_CALL else None

    def handle(self, event: Event) -> None:
        """Give the session an event now, and execute its commands. After a rejection nothing happens."""
        if self.is_rejected:
            return
        self.events.append(TimedEvent(self.now, event))
        if not self.session.ended:
            self._narrator.add_event(self.now, event, secret=self.session.private)
        commands = self.session.handle(event)
        self.commands.append(commands)
        if isinstance(event, DialAnswered):
            self._due.pop(CallTimer.WAIT, None)
            self._schedule("dial", self.world.talk, DialEnded(event.token))
        for command in commands:
            self._carry_out(command)
        self._narrator.add_commands(self.now, commands, self.session.state, self._place())
        if self.session.ended:
            self._due.clear()

    def _carry_out(self, command: Command) -> None:
        match command:
            case Play():
                self._schedule("play", self._length(command.prompts), PromptEnded(command.token))
            case SetTimer():
                self._schedule(command.timer, command.seconds, TimerFired(command.token))
            case Dial():
                self._dial(command)
            case Record():
                self._record(command)
            case OpenMailbox():
                self._schedule("mailbox", 0, self._open(command))
            case CheckPin():
                self._schedule("pin", 0, self._check(command))
            case SwitchHours():
                self._schedule("mailbox", 0, self._switch(command))
            case StopPlay():
                self._due.pop("play", None)
            case StopDial():
                self._due.pop("dial", None)
            case StopRecord():
                self._stop_recording(command)
            case Answer() | DeleteMessage() | Hangup() | Note():
                pass
            case _:
                assert_never(command)

    def _schedule(self, slot: str, seconds: float, event: Event) -> None:
        self._due[slot] = TimedEvent(self.now + round(seconds * 1000), event)

    def _length(self, prompts: Sequence[str]) -> float:
        return sum(self._seconds(name) for name in prompts)

    def _seconds(self, name: str) -> float:
        if name in self.snapshot.prompts:
            return self.snapshot.prompts[name].seconds
        return seconds(name) if name in NAMES else MESSAGE_SECONDS

    def _dial(self, dial: Dial) -> None:
        cause = self.world.outcome(dial.number, *self._line_names(dial))
        if cause and dial.mobile and self._reaches(dial.mobile, dial.target):
            cause = self.world.outcome(dial.mobile)
        if cause is Cause.NO_ANSWER:
            return  # it rings until the session gives up
        if cause:
            self._schedule("dial", self.world.fail_after, DialFailed(dial.token, cause))
            return
        self._schedule("dial", self.world.answer_after, DialAnswered(dial.token))

    def _reaches(self, number: str, extension: int) -> bool:
        """Return True if an extension may call an outside number."""
        routes = routes_of(self.snapshot, extension)
        return next(attempts(self.snapshot, routes, number), None) is not None

    def _line_names(self, dial: Dial) -> tuple[str, ...]:
        if dial.kind is not DestinationKind.EXTERNAL:
            return ()
        return self.snapshot.trunks[dial.trunk].name, self.snapshot.outbound_routes[dial.target].name

    def _switch(self, command: SwitchHours) -> HoursSwitched:
        """Switch the default calendar in this call alone. Every PIN is right."""
        calendar = self.snapshot.calendars[0]
        kind = {HoursAction.OPEN: PeriodKind.OPEN, HoursAction.CLOSE: PeriodKind.CLOSED}.get(
            HoursAction(command.action)
        )
        if kind:
            return HoursSwitched(command.token, kind.value, PeriodReason.SWITCH.value)
        decide = period if command.action == HoursAction.ASK else scheduled
        decision = decide(self.moment, calendar)
        return HoursSwitched(command.token, decision.period.value, decision.reason.value, decision.name)

    def _record(self, command: Record) -> None:
        self._spoke_from = self.now
        self._schedule("record", self.world.message, self._end_of_message(command.token, self.world.message))

    def _stop_recording(self, command: StopRecord) -> None:
        seconds = (self.now - self._spoke_from) / 1000
        self._schedule("record", 0, self._end_of_message(command.token, seconds))

    def _end_of_message(self, token: int, seconds: float) -> Event:
        is_empty = seconds < TONE_SECONDS + MIN_MESSAGE_SECONDS
        return RecordEnded(token, RecordResult.EMPTY if is_empty else self.world.recording)

    def _open(self, request: OpenMailbox) -> Event:
        mailbox = self.world.mailboxes.get(request.number)
        if mailbox and mailbox.pin == request.pin:
            return MailboxOpened(request.token, mailbox.messages, request.number)
        return MailboxRefused(request.token, request.number)

    def _check(self, request: CheckPin) -> Event:
        is_right = request.pin == right_pin(self.snapshot, self.world, request.pin_list)
        return (PinAccepted if is_right else PinRefused)(request.token)
