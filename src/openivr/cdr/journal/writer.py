"""The calls process's side of the journal: lines appended to files, which a kill cannot take back."""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from openivr.cdr.journal.entries import JournalEntry, RunStarted, encode

log = structlog.get_logger(__name__)
FILE_BYTES = 16 * 2**20  # then a new file is begun; the clerk removes old ones once they are in the database
MOST_WAITING = 4 * 2**20  # bytes kept for a disk that takes none; beyond that entries are lost, and counted


def now() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


def at_once(work: Callable[[], None]) -> None:
    work()


class Journal:
    """Appends entries, if the disk takes them.

    Each is with the kernel when `write` returns. With `soon`, an event loop's `call_soon`, all those of one
    turn of the loop are written together at its end, or by `flush` before others hear what led to them.
    """

    def __init__(
        self,
        folder: Path,
        file_bytes: int = FILE_BYTES,
        *,
        sip: str = "",
        soon: Callable[[Callable[[], None]], object] = at_once,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self.file_bytes, self.sip = folder, file_bytes, sip
        self.run = f"{time.time_ns():019d}-{secrets.token_hex(4)}"  # sorts behind those of runs before
        self._files = 0
        self._waiting = bytearray()
        self._lost = 0
        self._file = self._open()
        self._soon = soon
        self._is_flushing = self._is_refused = False
        self.flush()  # at once: what the last run left open is over

    def _open(self) -> int:
        self._files += 1
        path = self.folder / f"{self.run}-{self._files:06d}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0
        self._waiting += encode(RunStarted(at=now(), run=self.run, sip=self.sip)) + b"\n"
        return file

    def write(self, entry: JournalEntry) -> None:
        """Append a line. Never raises: a call must not end because a disk is full."""
        line = encode(entry) + b"\n"
        if len(self._waiting) + len(line) > MOST_WAITING:
            self._lost += 1
            return
        self._waiting += line
        if not self._is_flushing:
            self._is_flushing = True
            self._soon(self._end_turn)

    def flush(self) -> None:
        """Hand what waits to the kernel now; a disk that took nothing is not asked again before its turn."""
        if self._waiting and not self._is_refused:
            self._empty()

    def _end_turn(self) -> None:
        self._is_flushing = False
        self._empty()
        if self._size > self.file_bytes and not self._waiting:
            os.close(self._file)
            self._file = self._open()

    def _empty(self) -> None:
        try:
            while self._waiting:
                written = os.write(self._file, self._waiting)
                self._size += written
                del self._waiting[:written]
            self._is_refused = False
        except OSError as error:
            self._is_refused = True
            log.error("the journal cannot be written", error=error.strerror, waiting=len(self._waiting))
            return
        if self._lost:
            log.error("entries of the journal were lost", count=self._lost)
            self._lost = 0

    def close(self) -> None:
        """End the file. What the disk did not take is lost."""
        self._empty()
        os.close(self._file)
        self._waiting.clear()
        self._size = 0  # so that a flush which is still to come finds nothing to do
