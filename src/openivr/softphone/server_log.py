"""What the server says of a call while it goes on: read from the journal of a server on this machine."""

from collections.abc import Callable, Iterator
from pathlib import Path

from openivr.cdr.journal.entries import (
    CallBegan,
    CallEnded,
    CallStepped,
    JournalEntry,
    LegChanged,
    RunStarted,
)
from openivr.cdr.journal.event_codec import read_happenings
from openivr.cdr.journal.reader import list_files, read, read_file
from openivr.ivr.model import IvrSnapshot
from openivr.simulate.replay import fill_in
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import TranscriptLine as Told
from openivr.simulate.world import World

MOST = 10_000  # entries at a look
HEARD = "gets"  # a key: that it was pressed is known from the telephone


class ServerLog:
    """Follows the next call of an extension to a number. `load` gives the configuration when it has begun."""

    def __init__(self, folder: Path, caller: str, called: str, load: Callable[[], IvrSnapshot]) -> None:
        self.call = ""
        """The call's id, once it is there."""
        self.is_over = False
        self._folder, self._caller, self._called, self._load = folder, caller, called, load
        self._positions = {name: (folder / name).stat().st_size for name in list_files(folder)}
        self._simulation: Simulation | None = None
        self._began = 0
        self._told = 0
        self._legs: dict[int, str] = {}

    def look(self) -> Iterator[Told]:
        """What has been written since the last look; times are Unix milliseconds."""
        try:
            places = list(read(self._folder, self._positions, MOST))
        except FileNotFoundError:  # it was tidied away in between
            return
        for place in places:
            self._positions[place.file] = place.end
            if place.entry is not None:
                yield from self._take(place.entry)

    def _take(self, entry: JournalEntry) -> Iterator[Told]:
        match entry:
            case CallBegan() if not self.call and entry.source_kind == "extension":
                if (entry.source, entry.called) == (self._caller, self._called):
                    self.call, self._began = entry.call, entry.at
                    self._simulation = Simulation(self._load(), World())
            case CallStepped(call=self.call) if self._simulation is not None:
                yield from self._follow(self._simulation, entry)
            case LegChanged(call=self.call):
                yield from self._tell_leg(entry)
            case CallEnded(call=self.call):
                self.is_over = True
                why = f"{entry.outcome}: {entry.reason}"
                yield Told(entry.at, "kept", f"openivr calls show {self.call}", why)

    def _tell_leg(self, entry: LegChanged) -> Iterator[Told]:
        """Who is rung, and what came of it; not every change of a leg says something new."""
        state = entry.state
        talked = state.ended - state.answered if state.ended and state.answered else 0
        news = f"over after {talked / 1000:.1f} s" if talked else state.result or "rings"
        if self._legs.get(entry.leg) != news:
            self._legs[entry.leg] = news
            yield Told(
                entry.at, "phone", f"{state.number} at {state.via}" if state.via else state.number, news
            )

    def _follow(self, simulation: Simulation, entry: CallStepped) -> Iterator[Told]:
        for happening in fill_in(read_happenings([entry.event])):
            simulation.follow(happening)
        for line in simulation.lines[self._told :]:
            yield Told(
                self._began + line.at, HEARD if line.what == "presses" else line.what, line.text, line.why
            )
        self._told = len(simulation.lines)


def find_listening(folder: Path) -> str:
    """HOST:PORT where the last server on this data listens for SIP; "" where none ever ran."""
    for name in reversed(list_files(folder)):
        first = next(read_file(folder / name, 0), None)
        if first is not None and isinstance(first.entry, RunStarted):
            return first.entry.sip
    return ""
