"""Fixed send schedule: a period of 20 ms divided into slots. Lateness does not move it."""

from collections.abc import Iterator

PERIOD = 20_000_000  # ns between two packets of a call
SLOTS = 5


class Schedule:
    """Tick n is due at start + n * PERIOD / SLOTS and serves slot n % SLOTS.

    Times are nanoseconds of one monotonic clock.
    """

    __slots__ = ("_served", "_start", "_tick")

    def __init__(self, start: int) -> None:
        self._start = start
        self._tick = 0  # the next one
        self._served = [slot - SLOTS for slot in range(SLOTS)]  # last tick of each slot

    @property
    def next_time(self) -> int:
        """Time at which the next slot is due."""
        return self._start + self._tick * PERIOD // SLOTS

    def due(self, now: int) -> Iterator[tuple[int, int]]:
        """Yield the slots to serve now, each with the number of its turns that were missed.

        No slot is yielded twice. After a stall every call sends one packet and skips the missed turns.
        """
        last = (now - self._start) * SLOTS // PERIOD
        first = max(self._tick, last - SLOTS + 1)
        self._tick = max(self._tick, last + 1)
        for tick in range(first, last + 1):
            slot = tick % SLOTS
            missed = (tick - self._served[slot]) // SLOTS - 1
            self._served[slot] = tick
            yield slot, missed
