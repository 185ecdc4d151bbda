"""The log: JSON lines on standard error, coloured text on a terminal, and never secrets.

Logging a line takes some microseconds. Where blocking on the log's reader would interrupt media, a thread
writes.
"""

import logging
import os
import sys
from collections import deque
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from threading import Event, Thread
from typing import Any

import msgspec
import structlog

SECRET_NAMES = ("token", "password", "secret", "authorization", "pin")
MAX_LINES = 100_000  # kept while the log cannot be written; further lines are dropped, and counted
FLUSH_SECONDS = 0.1  # that a line waits for the thread at most
END_SECONDS = 5.0  # for the lines that are left at the end
MAX_VECTORS = 1000  # lines that one system call writes
QUIET = ("uvicorn.error", "alembic", "asyncio")  # libraries whose information is of no use here

log = structlog.get_logger(__name__)


def configure_logs(level: str = "info") -> None:
    """Log from this level on, including libraries that use `logging`."""
    is_terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            mask_secrets,
            structlog.processors.format_exc_info,
            *([structlog.dev.ConsoleRenderer(), to_bytes] if is_terminal else [to_json]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),  # lines below the level cost nothing
        cache_logger_on_first_use=True,
        logger_factory=lambda *_: output,
    )
    logging.basicConfig(handlers=[LibraryLogHandler()], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class Output:
    """Writes lines to a file descriptor, standard error by default."""

    def __init__(self, descriptor: int = 2) -> None:
        self.descriptor = descriptor
        self.dropped = 0
        self._lines: deque[bytes] = deque()
        self._is_threaded = False

    def write(self, line: bytes) -> None:
        """Write a line or queue it for the thread. A line that does not fit is dropped, and counted."""
        if not self._is_threaded:
            write_lines(self.descriptor, [line])
        elif len(self._lines) < MAX_LINES:
            self._lines.append(line)
        else:
            self.dropped += 1

    def extend(self, lines: Sequence[bytes]) -> None:
        """Write lines as `write` does."""
        for line in lines:
            self.write(line)

    debug = info = warning = error = critical = write  # structlog calls them by the level

    @contextmanager
    def in_thread(self) -> Iterator[None]:
        """Write in a thread, so that a terminal or pipe that blocks does not stop the process.

        At the end the thread has `END_SECONDS` to write what is left.
        """
        ended = Event()
        thread = Thread(target=self._write_periodically, args=(ended,), name="log", daemon=True)
        self._is_threaded = True
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(END_SECONDS)
            if not thread.is_alive():
                self._is_threaded = False
                self._write_all()
                dropped, self.dropped = self.dropped, 0
                if dropped:
                    log.warning("log lines were dropped", count=dropped)

    def _write_periodically(self, ended: Event) -> None:
        """Write many lines at a time, because waking the thread for each would cost more than the line."""
        while not ended.wait(FLUSH_SECONDS):
            self._write_all()
        self._write_all()

    def _write_all(self) -> None:
        while self._lines:
            some = min(len(self._lines), MAX_VECTORS)
            write_lines(self.descriptor, [self._lines.popleft() for _ in range(some)])


output = Output()


def write_lines(descriptor: int, lines: Sequence[bytes]) -> None:
    """Write at most MAX_VECTORS lines. Errors are ignored, because there is nowhere to report them."""
    with suppress(OSError):
        written = os.writev(descriptor, lines)  # joining long batches would delay other threads
        rest = b"".join(lines)[written:] if written < sum(map(len, lines)) else b""
        while rest:
            rest = rest[os.write(descriptor, rest) :]


class LibraryLogHandler(logging.Handler):
    """Passes log records of libraries to this log."""

    def __init__(self) -> None:
        super().__init__()
        self.log = structlog.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record at its level; unknown levels as information."""
        try:
            write = getattr(self.log, record.levelname.lower(), self.log.info)
            write(record.getMessage(), exc_info=record.exc_info or None)
        except Exception:  # as `logging` does: a failure to format must not reach the code that logs
            self.handleError(record)


def to_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    """Encode an event as a line of JSON. The last processor."""
    return msgspec.json.encode(event, enc_hook=repr) + b"\n"


def to_bytes(_logger: Any, _method: str, line: str) -> bytes:
    """Encode a rendered line. The last processor on a terminal."""
    return f"{line}\n".encode(errors="backslashreplace")


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace every value whose name marks a secret."""
    for name in event:
        if is_secret(name):
            event[name] = "***"
    return event


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    return any(secret in name.lower() for secret in SECRET_NAMES)
