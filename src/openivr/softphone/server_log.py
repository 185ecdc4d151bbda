"""Follows a call in the journal of a server on this machine, while the call goes on."""

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
from openivr.cdr.journal.event_codec import read_events
from openivr.cdr.journal.reader import list_files, read, read_file
from openivr.ivr.model import IvrSnapshot
from openivr.simulate.replay import fill_in
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import TranscriptLine
from openivr.simulate.words import LEG_RESULTS, REASONS, Why
from openivr.simulate.world import World

MAX_ENTRIES = 10_000  # of one poll
DIGIT_RECEIVED = "gets"  # the softphone itself reports "presses"


class ServerLog:
    """Follows the next call of an extension to a number. `load` reads the configuration at its beginning."""

    def __init__(self, folder: Path, caller: str, called: str, load: Callable[[], IvrSnapshot]) -> None:
        self.call = ""
        """Id of the call, once it has begun."""
        self.is_finished = False
        self._folder, self._caller, self._called, self._load = folder, caller, called, load
        self._positions = {name: (folder / name).stat().st_size for name in list_files(folder)}
        self._simulation: Simulation | None = None
        self._began = 0
        self._reported = 0
        self._legs: dict[int, str] = {}

    def poll(self) -> Iterator[TranscriptLine]:
        """Yield the lines written since the last poll. Their times are Unix milliseconds."""
        try:
            records = list(read(self._folder, self._positions, MAX_ENTRIES))
        except FileNotFoundError:  # it was deleted in between
            return
        for record in records:
            self._positions[record.file] = record.end
            if record.entry is not None:
                yield from self._take(record.entry)

    def _take(self, entry: JournalEntry) -> Iterator[TranscriptLine]:
        match entry:
            case CallBegan() if not self.call and entry.source_kind == "extension":
                if (entry.source, entry.called) == (self._caller, self._called):
                    self.call, self._began = entry.call, entry.at
                    self._simulation = Simulation(self._load(), World())
            case CallStepped(call=self.call) if self._simulation is not None:
                yield from self._follow(self._simulation, entry)
            case LegChanged(call=self.call):
                yield from self._leg_line(entry)
            case CallEnded(call=self.call):
                self.is_finished = True
                why = f"{entry.outcome}: {REASONS.get(entry.reason, entry.reason)}"
                yield TranscriptLine(entry.at, "kept", f"openivr calls show {self.call}", Why.NOTE, why)

    def _leg_line(self, entry: LegChanged) -> Iterator[TranscriptLine]:
        """Yield a line for a leg that rings, is answered or ends. Other changes are not reported."""
        state = entry.state
        talked = max(0, state.ended - state.answered) if state.ended and state.answered else 0
        news = f"over after {talked / 1000:.1f} s" if talked else LEG_RESULTS.get(state.result or "", "rings")
        if self._legs.get(entry.leg) != news:
            self._legs[entry.leg] = news
            yield TranscriptLine(
                entry.at,
                "phone",
                f"{state.number} at {state.via}" if state.via else state.number,
                Why.NOTE,
                news,
            )

    def _follow(self, simulation: Simulation, entry: CallStepped) -> Iterator[TranscriptLine]:
        for event in fill_in(read_events([entry.event])):
            simulation.follow(event)
        for line in simulation.lines[self._reported :]:
            yield TranscriptLine(
                self._began + line.at,
                DIGIT_RECEIVED if line.what == "presses" else line.what,
                line.text,
                line.why,
                line.about,
            )
        self._reported = len(simulation.lines)


def find_sip_address(folder: Path) -> str:
    """Return HOST:PORT where the last server on this data listens for SIP; "" if none ever ran."""
    for name in reversed(list_files(folder)):
        first = next(read_file(folder / name, 0), None)
        if first is not None and isinstance(first.entry, RunStarted):
            return first.entry.sip
    return ""
