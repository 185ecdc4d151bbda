"""Calls for the tests of the journal: simulated, and written down as the calls process does."""

from collections.abc import Iterator
from typing import Any

from openivr.cdr.journal.entries import (
    CallAnswered,
    CallBegan,
    CallEnded,
    CallEntry,
    CallStepped,
    LegChanged,
    LegRecord,
    LegResult,
)
from openivr.cdr.journal.event_codec import TimedEvent, describe
from openivr.ivr.commands import Answer, Note, mask
from openivr.ivr.events import CallArrived, Event
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import Mailbox, World

START = 1_700_000_000_000


class Recorded(Simulation):
    """A simulation whose steps become entries of the journal."""

    def __init__(self, snapshot: IvrSnapshot, ident: str, start: int = START) -> None:
        super().__init__(snapshot, World(mailboxes={"1000": Mailbox("1234", ("vm-1",))}))
        self.ident, self.start = ident, start
        self.entries: list[CallEntry] = []

    def handle(self, event: Event) -> None:
        if isinstance(event, CallArrived):
            self.entries.append(
                CallBegan(
                    **self.head(),
                    caller=event.caller,
                    called="6200",
                    source_kind="extension",
                    source_id=1,
                    source="1000",
                    revision=7,
                )
            )
        private = self.session.private
        super().handle(event)
        notes = tuple(mask(command) for command in self.commands[-1] if isinstance(command, Note))
        self.entries.append(
            CallStepped(
                **self.head(),
                event=describe(TimedEvent(self.now, event), is_private=private),
                notes=notes,
                stage=self.session.state.value,
                menu=self.session.ivr.id,
            )
        )
        if any(isinstance(command, Answer) for command in self.commands[-1]):
            self.entries.append(CallAnswered(**self.head()))

    def head(self) -> dict[str, Any]:
        return {"call": self.ident, "n": len(self.entries) + 1, "at": self.start + self.now}

    def end(self) -> list[CallEntry]:
        """All entries of the call, run to its end."""
        self.finish()
        leg = LegRecord(
            kind="extension", target=1, number="1000", began=self.start, result=LegResult.ANSWERED
        )
        self.entries.append(LegChanged(**self.head(), leg=0, state=leg))
        digits: dict[str, object] = {"heard": {"rfc4733": 1}}
        self.entries.append(CallEnded(**self.head(), outcome="menu", reason="menu_timeout", input=digits))
        return self.entries


def record(snapshot: IvrSnapshot, ident: str, keys: str = "", start: int = START, menu: int = 1) -> Recorded:
    """A call to a menu in which these keys are pressed."""
    call = Recorded(snapshot, ident, start)
    call.call(Destination(DestinationKind.IVR, menu), "2000")
    if keys:
        call.press(keys)
    return call


def many(snapshot: IvrSnapshot, count: int) -> Iterator[CallEntry]:
    """Entries of calls that are under way at the same time, mixed."""
    calls = [record(snapshot, f"call-{at:03d}", "3", START + at).end() for at in range(count)]
    for step in range(max(map(len, calls))):
        yield from (call[step] for call in calls if step < len(call))
