"""Appends entries to the journal. What is written survives a crash of the process."""

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from openivr.cdr.journal.entries import JournalEntry, RunStarted, encode
from openivr.cdr.journal.reader import list_files
from openivr.clock import steady, wall_ms

log = structlog.get_logger(__name__)
FILE_BYTES = 16 * 2**20  # then a new file follows; the CDR worker removes files that are stored
MAX_WAITING = 64 * 2**20  # bytes kept while the disk is full; further entries are lost, and counted

LOG_SECONDS = 30.0  # between two lines about a disk that takes nothing


def next_stamp(folder: Path) -> int:
    """Return the time in ns for the name of a run, which sorts after all earlier runs.

    It does so even if the clock went back, because readers delete all files but the last once they are read.
    """
    stamps = [name.split("-", 1)[0] for name in list_files(folder)]
    return max(time.time_ns(), *(int(stamp) + 1 for stamp in stamps if stamp.isdecimal()), 0)


def call_now(work: Callable[[], None]) -> None:
    work()


class Journal:
    """Writes the journal of one process.

    An entry is with the kernel when `write` returns. With an event loop's `call_soon`, the entries of one
    iteration are written together at its end, or earlier by `flush`, which precedes every SIP message.
    """

    def __init__(
        self,
        folder: Path,
        file_bytes: int = FILE_BYTES,
        *,
        sip: str = "",
        call_soon: Callable[[Callable[[], None]], object] = call_now,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder, self.file_bytes, self.sip = folder, file_bytes, sip
        self.run = f"{next_stamp(folder):019d}-{secrets.token_hex(4)}"
        self._files = 0
        self._waiting = bytearray()
        self._lost = 0
        self._file = self._open()
        self._call_soon = call_soon
        self._is_flushing = self._is_rejected = False
        self._log_again_at = 0.0
        self.flush()  # at once, because it ends the open calls of earlier runs

    def _open(self) -> int:
        self._files += 1
        path = self.folder / f"{self.run}-{self._files:06d}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = 0
        self._waiting += encode(RunStarted(at=wall_ms(), run=self.run, sip=self.sip)) + b"\n"
        return file

    def write(self, entry: JournalEntry) -> None:
        """Append an entry. Never raises, because a full disk must not end a call."""
        line = encode(entry) + b"\n"
        if len(self._waiting) + len(line) > MAX_WAITING:
            self._lost += 1
            return
        self._waiting += line
        if not self._is_flushing:
            self._is_flushing = True
            self._call_soon(self._on_turn_end)

    def flush(self) -> None:
        """Write waiting entries now, unless the disk rejected the last write in this iteration."""
        if self._waiting and not self._is_rejected:
            self._write_waiting()

    def _on_turn_end(self) -> None:
        self._is_flushing = False
        self._write_waiting()
        if self._size > self.file_bytes and not self._waiting:
            os.close(self._file)
            self._file = self._open()

    def _write_waiting(self) -> None:
        try:
            while self._waiting:
                written = os.write(self._file, self._waiting)
                self._size += written
                del self._waiting[:written]
            self._is_rejected, self._log_again_at = False, 0.0
        except OSError as error:
            self._is_rejected = True
            self._log_rejection(error)
            return
        if self._lost:
            log.error("journal entries were lost", count=self._lost)
            self._lost = 0

    def _log_rejection(self, error: OSError) -> None:
        """Log that the disk takes nothing, once a while: a write is tried with every event of a call."""
        if steady() >= self._log_again_at:
            self._log_again_at = steady() + LOG_SECONDS
            log.error("journal cannot be written", error=error.strerror, waiting=len(self._waiting))

    def close(self) -> None:
        """Close the file. Entries that the disk rejected are lost."""
        self._write_waiting()
        os.close(self._file)
        self._waiting.clear()
        self._size = 0  # a flush that is still scheduled finds nothing to do
