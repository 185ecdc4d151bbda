"""Merges the events of the softphone and of the server's journal in the order of their times."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from openivr.simulate.transcript import TranscriptLine


@dataclass(slots=True)
class ReorderBuffer:
    """Holds lines back for `delay` ms, because the other source may still deliver earlier ones."""

    delay: int
    _held: list[TranscriptLine] = field(default_factory=list)

    def add(self, lines: Iterable[TranscriptLine]) -> None:
        """Add lines of either source."""
        self._held.extend(lines)
        self._held.sort(key=lambda line: line.at)  # stable: lines of the same time keep their order

    def take(self, now: int) -> Iterator[TranscriptLine]:
        """Yield the lines that have waited long enough at `now`, in ms since the start."""
        while self._held and self._held[0].at <= now - self.delay:
            yield self._held.pop(0)

    def take_all(self) -> list[TranscriptLine]:
        """Return all remaining lines."""
        held, self._held = self._held, []
        return held
