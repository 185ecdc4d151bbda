"""Says whether the HTTP workers of this machine have subscribers, in memory that all processes share."""

import mmap


class Interest:
    """One byte for each HTTP worker: 1 while it has subscribers.

    Make it before the processes are forked. While no worker has subscribers, nothing need be quick.
    """

    def __init__(self, workers: int) -> None:
        self._memory = mmap.mmap(-1, max(1, workers))

    def show(self, worker: int, *, exists: bool) -> None:
        """Show whether a worker has subscribers."""
        self._memory[worker] = exists

    @property
    def exists(self) -> bool:
        """Return True if a worker has subscribers."""
        return any(self._memory[:])
