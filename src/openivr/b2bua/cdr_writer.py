"""Writes a call down, step by step, as entries of the journal; and says it in the log."""

from collections.abc import Callable, Iterable
from typing import TypedDict

import structlog

from openivr.cdr.journal.entries import (
    CallAnswered,
    CallBegan,
    CallEnded,
    CallOutcome,
    CallStepped,
    JournalEntry,
    LegChanged,
    LegRecord,
)
from openivr.cdr.journal.event_codec import HIDDEN_KEY, TimedEvent, describe
from openivr.ivr.commands import HIDDEN, Command, Note, Topic, mask
from openivr.ivr.events import Digit, Event
from openivr.ivr.session import IvrSession

log = structlog.get_logger(__name__)
Write = Callable[[JournalEntry], None]
MOST_EVENTS = 5_000  # of one call that are kept; somebody who types for hours does not fill the disk


class CallHeader(TypedDict):
    """What is known of a call when it begins: the fields of `CallBegan`."""

    caller: str
    caller_name: str
    called: str
    source_kind: str
    source_id: int
    source: str
    revision: int


class CdrWriter:
    """One call's. `now` gives Unix milliseconds."""

    def __init__(self, call: str, write: Write, now: Callable[[], int]) -> None:
        self.call, self._write, self._now = call, write, now
        self._entries = 0
        self._started = now()
        self.keys = ""
        self.legs: list[LegRecord] = []
        self.topics: set[Topic] = set()
        self.is_answered = False
        self._log = log.bind(call=call)

    def _head(self) -> tuple[str, int, int]:
        self._entries += 1
        return self.call, self._entries, self._now()

    def begin(self, facts: CallHeader, *, is_outside: bool = False) -> None:
        """The call is offered; outside: the log must not have the number called."""
        call, n, at = self._head()
        self._started = at
        self._write(CallBegan(call=call, n=n, at=at, **facts))
        shown = facts | ({"called": HIDDEN} if is_outside else {})
        self._log.info("call begins", **shown)

    def step(
        self, event: Event, commands: Iterable[Command], session: IvrSession, *, was_private: bool
    ) -> None:
        """The menu core was told something, and said this."""
        if self._entries > MOST_EVENTS:
            return
        if isinstance(event, Digit):
            self.keys += HIDDEN_KEY if was_private and event.key not in "*#" else event.key
        notes = [command for command in commands if isinstance(command, Note)]
        for note in notes:
            self._tell(note)
        call, n, at = self._head()
        happening = TimedEvent(at - self._started, event)
        self._write(
            CallStepped(
                call=call,
                n=n,
                at=at,
                event=describe(happening, is_private=was_private),
                notes=tuple(map(mask, notes)),
                stage=session.state.value,
                menu=session.ivr.id,
                keys=self.keys,
            )
        )

    def _tell(self, note: Note) -> None:
        self.topics.add(note.topic)
        if note.private and note.input and note.input in self.keys:
            start = self.keys.rindex(note.input)
            self.keys = self.keys[:start] + HIDDEN + self.keys[start + len(note.input) :]
        shown = mask(note)
        facts = {"menu": shown.ivr, "input": shown.input, "kind": shown.kind, "number": shown.number}
        facts |= {"target": shown.target, "detail": shown.detail}
        self._log.info(note.topic.value, **{name: value for name, value in facts.items() if value})

    def answer(self) -> None:
        """The caller was answered."""
        if not self.is_answered:
            self.is_answered = True
            call, n, at = self._head()
            self._write(CallAnswered(call=call, n=n, at=at))

    def add_leg(self, leg: LegRecord) -> int:
        """Somebody is rung; the number of the leg."""
        self.legs.append(leg)
        self._write_leg(len(self.legs) - 1)
        return len(self.legs) - 1

    def change_leg(self, number: int, leg: LegRecord) -> None:
        """What is known of a leg now."""
        if self.legs[number] != leg:
            self.legs[number] = leg
            self._write_leg(number)

    def _write_leg(self, number: int) -> None:
        call, n, at = self._head()
        self._write(LegChanged(call=call, n=n, at=at, leg=number, state=self.legs[number]))

    def finish(
        self, reason: str, input_: dict[str, object], media: dict[str, object], recording: str = ""
    ) -> CallOutcome:
        """The call is over; what became of it."""
        outcome = self.outcome()
        call, n, at = self._head()
        self._write(
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
        """In one word, from what was noted."""
        if Topic.CONNECTED in self.topics:
            return CallOutcome.CONNECTED
        if Topic.RECORDED in self.topics:
            return CallOutcome.MESSAGE
        if self.is_answered:
            return CallOutcome.MENU
        return CallOutcome.MISSED if Topic.ARRIVED in self.topics else CallOutcome.REFUSED
