"""Two tellers of one call, the telephone and the server's journal, in the order of what they tell."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from openivr.simulate.transcript import TranscriptLine


@dataclass(slots=True)
class EventOrder:
    """Holds lines back for `patience` ms, in which the other teller may come with earlier ones."""

    patience: int
    _held: list[TranscriptLine] = field(default_factory=list)

    def add(self, lines: Iterable[TranscriptLine]) -> None:
        """Take lines of either teller."""
        self._held.extend(lines)
        self._held.sort(key=lambda line: line.at)  # keeps the order of those that are of the same time

    def take(self, now: int) -> Iterator[TranscriptLine]:
        """Give those that have waited long enough at this time, in ms since the beginning."""
        while self._held and self._held[0].at <= now - self.patience:
            yield self._held.pop(0)

    def take_all(self) -> list[TranscriptLine]:
        """Give all that is left."""
        held, self._held = self._held, []
        return held
