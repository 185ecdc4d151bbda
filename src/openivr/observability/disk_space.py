"""Free space on the disk of the data folder, and whether it is low or used up."""

import errno
import os
import time
from collections.abc import Callable
from enum import Enum, unique
from pathlib import Path

MIB = 1024 * 1024
CACHE_SECONDS = 1.0
FULL_MARKS = ("disk is full", "No space left on device")  # of SQLite, and of PostgreSQL and the system
FULL_BYTES = 2 * MIB  # free, below which small writes are about to fail as well


@unique
class DiskState(Enum):
    """OK, low: below the floor, or full: nothing can be stored."""

    OK = "ok"
    LOW = "low"
    FULL = "full"


class DiskSpace:
    """The free space of a folder's file system. Below `floor`, in bytes, no audio of calls is written."""

    def __init__(self, folder: Path, floor: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.floor = floor
        self._folder, self._clock = folder, clock
        self._free, self._read_at = 0, float("-inf")

    def free(self) -> int:
        """Return the bytes that are free for this user, as of a second ago at most."""
        now = self._clock()
        if now - self._read_at >= CACHE_SECONDS:
            status = os.statvfs(self._folder)
            self._free, self._read_at = status.f_bavail * status.f_frsize, now
        return self._free

    def state(self) -> DiskState:
        """Return whether space is left. It recovers by itself when files are deleted."""
        free = self.free()
        if free < FULL_BYTES:
            return DiskState.FULL
        return DiskState.LOW if free < self.floor else DiskState.OK


def is_disk_full(error: BaseException) -> bool:
    """Return True if an error, or what caused it, says that the disk is full."""
    cause: BaseException | None = error
    while cause is not None:
        text = str(cause)
        if getattr(cause, "errno", 0) == errno.ENOSPC or any(mark in text for mark in FULL_MARKS):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
