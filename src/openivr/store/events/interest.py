"""Says whether the processes of this machine have subscribers or webhooks, in memory that they share."""

import mmap


class Interest:
    """One byte for each process that delivers events: 1 while it has receivers for them.

    Make it before the processes are forked. While no process has receivers, nothing need be quick.
    """

    def __init__(self, processes: int) -> None:
        self._memory = mmap.mmap(-1, max(1, processes))

    def show(self, process: int, *, exists: bool) -> None:
        """Show whether a process has receivers."""
        self._memory[process] = exists

    @property
    def exists(self) -> bool:
        """Return True if a process has receivers."""
        return any(self._memory[:])
