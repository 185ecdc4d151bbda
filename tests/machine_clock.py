"""A clock that stands still while the machine does.

A test that bounds how long something may wait is not to fail because another program had the processor. A
thread of this process counts short naps. A nap that took long counts as a short one: this process was not
running. What blocks the event loop is counted nonetheless, since the thread goes on.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

NAP_SECONDS = 0.01


class MachineClock:
    """Counts the seconds in which this process could run, in steps of NAP_SECONDS."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.naps = 0

    def read(self) -> float:
        """The seconds since the clock was started."""
        return self.naps * NAP_SECONDS

    def run(self) -> None:
        while not self.ended.wait(NAP_SECONDS):
            self.naps += 1


@contextmanager
def machine_clock() -> Iterator[MachineClock]:
    """A clock that runs."""
    clock = MachineClock()
    thread = threading.Thread(target=clock.run, name="machine clock")
    thread.start()
    try:
        yield clock
    finally:
        clock.ended.set()
        thread.join()
