"""Writes the journal entries and log lines of one call."""

from collections.abc import Callable, Iterable
from typing import TypedDict

import structlog

from openivr.cdr.journal.entries import (
    CallAnswered,
    CallBegan,
    CallEnded,
    CallOutcome,
    CallStepped,
    HoldChanged,
    JournalEntry,
    LegChanged,
    LegRecord,
)
from openivr.cdr.journal.event_codec import HIDDEN_KEY, TimedEvent, describe
from openivr.ivr.commands import HIDDEN, Command, Note, Topic, mask
from openivr.ivr.events import Digit, Event
from openivr.ivr.session import IvrSession

log = structlog.get_logger(__name__)
WriteEntry = Callable[[JournalEntry], None]
MAX_EVENTS = 5_000  # of one call, so that a caller who presses keys for hours does not fill the disk


class CallHeader(TypedDict):
    """Facts known when a call begins: the fields of `CallBegan`."""

    caller: str
    caller_name: str
    called: str
    source_kind: str
    source_id: int
    source: str
    revision: int
    diverted_by: str


class CdrWriter:
    """Records one call. `now` returns Unix milliseconds and must not step during the call."""

    def __init__(self, call: str, write_entry: WriteEntry, now: Callable[[], int]) -> None:
        self.call, self._write_entry, self.now = call, write_entry, now
        self._entries = 0
        self._started = now()
        self.keys = ""
        self.legs: list[LegRecord] = []
        self.topics: set[Topic] = set()
        self.is_answered = False
        self._log = log.bind(call=call)

    def _head(self) -> tuple[str, int, int]:
        self._entries += 1
        return self.call, self._entries, self.now()

    def begin(self, header: CallHeader, *, is_outside: bool = False, stage: str = "") -> None:
        """Record that the call is offered. The number of an outside call is kept out of the log."""
        call, n, at = self._head()
        self._started = at
        self._write_entry(CallBegan(call=call, n=n, at=at, stage=stage, **header))
        shown = header | ({"called": HIDDEN} if is_outside else {})
        self._log.info("call begins", **shown)

    def step(
        self, event: Event, commands: Iterable[Command], session: IvrSession, *, was_private: bool
    ) -> None:
        """Record an event and the commands with which the IVR responds."""
        if self._entries > MAX_EVENTS:
            return
        if isinstance(event, Digit):
            self.keys += HIDDEN_KEY if was_private and event.key not in "*#" else event.key
        notes = [command for command in commands if isinstance(command, Note)]
        for note in notes:
            self._log_note(note)
        call, n, at = self._head()
        timed_event = TimedEvent(at - self._started, event)
        self._write_entry(
            CallStepped(
                call=call,
                n=n,
                at=at,
                event=describe(timed_event, is_private=was_private),
                notes=tuple(map(mask, notes)),
                stage=session.state.value,
                menu=session.ivr.id,
                keys=self.keys,
            )
        )

    def note(self, note: Note, stage: str = "") -> None:
        """Record a note outside of the IVR, and the new stage of the call if it has one."""
        self._log_note(note)
        call, n, at = self._head()
        self._write_entry(CallStepped(call=call, n=n, at=at, event={}, notes=(mask(note),), stage=stage))

    def _log_note(self, note: Note) -> None:
        self.topics.add(note.topic)
        if note.private and note.input and note.input in self.keys:
            start = self.keys.rindex(note.input)
            self.keys = self.keys[:start] + HIDDEN + self.keys[start + len(note.input) :]
        shown = mask(note)
        fields = {"menu": shown.ivr, "input": shown.input, "kind": shown.kind, "number": shown.number}
        fields |= {"target": shown.target, "detail": shown.detail}
        self._log.info(note.topic.value, **{name: value for name, value in fields.items() if value})

    def answer(self) -> None:
        """Record that the caller is answered. Only the first call has an effect."""
        if not self.is_answered:
            self.is_answered = True
            call, n, at = self._head()
            self._write_entry(CallAnswered(call=call, n=n, at=at))

    def add_leg(self, leg: LegRecord) -> int:
        """Record a leg that is rung. Return its number."""
        self.legs.append(leg)
        self._write_leg(len(self.legs) - 1)
        return len(self.legs) - 1

    def change_leg(self, number: int, leg: LegRecord) -> None:
        """Record the new state of a leg."""
        if self.legs[number] != leg:
            self.legs[number] = leg
            self._write_leg(number)

    def _write_leg(self, number: int) -> None:
        call, n, at = self._head()
        self._write_entry(LegChanged(call=call, n=n, at=at, leg=number, state=self.legs[number]))

    def hold(self, places: Iterable[int]) -> None:
        """Record the members that hold the call from now on: -1 is the caller, from 0 on they are legs."""
        call, n, at = self._head()
        self._write_entry(HoldChanged(call=call, n=n, at=at, holding=tuple(sorted(places))))

    def finish(
        self, reason: str, input_: dict[str, object], media: dict[str, object], recording: str = ""
    ) -> CallOutcome:
        """Record the end of the call. Return its outcome."""
        outcome = self.outcome()
        call, n, at = self._head()
        self._write_entry(
            CallEnded(
                call=call,
                n=n,
                at=at,
                outcome=outcome,
                reason=reason,
                input=input_,
                media=media,
                recording=recording,
            )
        )
        self._log.info("call ends", outcome=outcome.value, reason=reason, ms=at - self._started)
        return outcome

    def outcome(self) -> CallOutcome:
        """Return the outcome that follows from the notes so far."""
        if Topic.CONNECTED in self.topics:
            return CallOutcome.CONNECTED
        if Topic.RECORDED in self.topics:
            return CallOutcome.MESSAGE
        if self.is_answered:
            return CallOutcome.MENU
        return CallOutcome.MISSED if Topic.ARRIVED in self.topics else CallOutcome.REFUSED
