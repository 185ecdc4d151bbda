"""The busiest ways of callers, as many as a picture has room for.

A menu appears once for each way that leads to it. A call that comes back to a menu therefore goes on to the
right, and every call that enters a place leaves it again.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from openivr.ivr.commands import Topic
from openivr.store.cdr.call_records import NoteFilter
from openivr.store.cdr.reports import Journey

MAX_STEPS = 5  # menus, one after the other
MAX_MENUS = 16
MAX_ENDS = 12
LEAST = 0.01  # of all calls: thinner streams are no more than lines

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowEnd:
    """The end of calls: at a destination (`kind`, `target`), or with an outcome and perhaps a reason.

    Ends without room have the outcome `OTHER`, ways through further menus have `FURTHER`.
    """

    outcome: str
    reason: str = ""
    kind: str = ""
    target: int = 0

    @property
    def noted(self) -> NoteFilter | None:
        """The filter of notes for such calls."""
        if not self.kind:
            return None
        return NoteFilter((Topic.CONNECTED, Topic.RECORDED), kind=self.kind, target=self.target)


OTHER, FURTHER = FlowEnd("other"), FlowEnd("further")
REACHED = {"connected", "message"}
GAVE_UP = "menu"  # the outcome of which the reason tells more
Place = Path | FlowEnd


@dataclass(frozen=True, slots=True)
class Flow:
    """The number of calls from the last menu of a path to another menu, which ends `target`, or to an end.

    The path () stands for no menu, None for all menus without room.
    """

    source: Path | None
    target: Place
    calls: int


def end_of(journey: Journey) -> FlowEnd:
    """The end of a journey."""
    if journey.kind and journey.outcome in REACHED:
        return FlowEnd(journey.outcome, "", journey.kind, journey.target)
    return FlowEnd(journey.outcome, journey.reason if journey.outcome == GAVE_UP else "")


def find_ways(journeys: Iterable[Journey]) -> list[Flow]:
    """The ways with room, from the first menus on, the busiest first."""
    journeys = list(journeys)
    busiest, ends = keep_menus(journeys), keep_ends(journeys)
    ways: Counter[tuple[Path | None, Place]] = Counter()
    for journey in journeys:
        seen = longest(journey.path, busiest)
        for step in range(1, len(seen)):
            ways[seen[:step], seen[: step + 1]] += journey.calls
        end = end_of(journey) if seen == journey.path or not seen else FURTHER
        source = None if journey.path and not seen else seen
        ways[source, end if end in ends or end is FURTHER else OTHER] += journey.calls
    flows = [Flow(source, target, calls) for (source, target), calls in ways.items()]
    return sorted(flows, key=lambda way: (way.source is None, len(way.source or ()), -way.calls, str(way)))


def keep_menus(journeys: list[Journey]) -> set[Path]:
    """The busiest menus by the ways to them. A way is never busier than its beginning."""
    calls: Counter[Path] = Counter()
    for journey in journeys:
        for step in range(1, min(len(journey.path), MAX_STEPS) + 1):
            calls[journey.path[:step]] += journey.calls
    least = LEAST * sum(journey.calls for journey in journeys)
    ordered = sorted(calls, key=lambda path: (-calls[path], len(path), path))
    return {path for path in ordered[:MAX_MENUS] if calls[path] >= least}


def keep_ends(journeys: list[Journey]) -> set[FlowEnd]:
    calls: Counter[FlowEnd] = Counter()
    for journey in journeys:
        calls[end_of(journey)] += journey.calls
    return set(sorted(calls, key=lambda end: (-calls[end], str(end)))[:MAX_ENDS])


def longest(path: Path, busiest: set[Path]) -> Path:
    """The longest beginning of a path that has room."""
    return next((path[:step] for step in range(len(path), 0, -1) if path[:step] in busiest), ())
