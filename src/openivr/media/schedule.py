"""When which calls send: a period of 20 ms in slots, on a schedule that nothing can move."""

from collections.abc import Iterator

PERIOD = 20_000_000  # ns between two packets of a call
SLOTS = 5


class Schedule:
    """Tick n is due at start + n * PERIOD / SLOTS, however late we are, and is the turn of slot n % SLOTS.

    Times are in nanoseconds of one monotonic clock.
    """

    __slots__ = ("_served", "_start", "_tick")

    def __init__(self, start: int) -> None:
        self._start = start
        self._tick = 0  # the next to come
        self._served = [slot - SLOTS for slot in range(SLOTS)]  # the last tick of each slot

    @property
    def next_time(self) -> int:
        """When the next slot is due."""
        return self._start + self._tick * PERIOD // SLOTS

    def due(self, now: int) -> Iterator[tuple[int, int]]:
        """The slots to serve now, each with how many of its turns were missed before this one.

        None comes twice: after a stall every call sends one packet and leaves out those whose time is past.
        """
        last = (now - self._start) * SLOTS // PERIOD
        first = max(self._tick, last - SLOTS + 1)
        self._tick = max(self._tick, last + 1)
        for tick in range(first, last + 1):
            slot = tick % SLOTS
            missed = (tick - self._served[slot]) // SLOTS - 1
            self._served[slot] = tick
            yield slot, missed
