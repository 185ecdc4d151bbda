"""The log: JSON lines on standard error, in colour where a person watches, and without secrets.

A line costs whoever logs some microseconds. Where waiting for who reads them would be heard, a thread writes.
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
MOST_LINES = 100_000  # kept for a log that cannot be written; further ones are dropped and counted
FLUSH_SECONDS = 0.1  # that a line waits for the thread at most
MOST_VECTORS = 1000  # lines that one system call writes
QUIET = ("uvicorn.error", "alembic", "asyncio")  # libraries that tell little of what anybody wants to know

log = structlog.get_logger(__name__)


def configure_logs(level: str = "info") -> None:
    """Log from this level on: our own lines, and those of libraries that use `logging`."""
    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            mask_secrets,
            structlog.processors.format_exc_info,
            *([structlog.dev.ConsoleRenderer(), to_bytes] if watched else [to_json]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),  # what nobody reads costs nothing
        cache_logger_on_first_use=True,
        logger_factory=lambda *_: output,
    )
    logging.basicConfig(handlers=[Foreign()], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class Output:
    """Where the lines go: a descriptor, standard error."""

    def __init__(self, descriptor: int = 2) -> None:
        self.descriptor = descriptor
        self.dropped = 0
        self._lines: deque[bytes] = deque()
        self._is_aside = False

    def write(self, line: bytes) -> None:
        """Write a line, or leave it to the thread; what that has no room for is left out, and counted."""
        if not self._is_aside:
            write_lines(self.descriptor, [line])
        elif len(self._lines) < MOST_LINES:
            self._lines.append(line)
        else:
            self.dropped += 1

    debug = info = warning = error = critical = write  # what structlog calls, by the level

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Let a thread write: a terminal or pipe that takes no more lines must not stop all else."""
        ended = Event()
        thread = Thread(target=self._write_now_and_then, args=(ended,), name="log")
        self._is_aside = True
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            self._is_aside = False
            self._write_all()
            dropped, self.dropped = self.dropped, 0
            if dropped:
                log.warning("lines of the log were dropped", count=dropped)

    def _write_now_and_then(self, ended: Event) -> None:
        """Many lines at one go: waking up for each would cost who logs more than the line does."""
        while not ended.wait(FLUSH_SECONDS):
            self._write_all()
        self._write_all()

    def _write_all(self) -> None:
        while self._lines:
            some = min(len(self._lines), MOST_VECTORS)
            write_lines(self.descriptor, [self._lines.popleft() for _ in range(some)])


output = Output()


def write_lines(descriptor: int, lines: Sequence[bytes]) -> None:
    """Write all of them, at most MOST_VECTORS; a log that nobody can be told of is no error."""
    with suppress(OSError):
        written = os.writev(descriptor, lines)  # lines as they are: joining them would hold up others
        rest = b"".join(lines)[written:] if written < sum(map(len, lines)) else b""
        while rest:
            rest = rest[os.write(descriptor, rest) :]


class Foreign(logging.Handler):
    """Takes what libraries log over into our log."""

    def __init__(self) -> None:
        super().__init__()
        self.log = structlog.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record as if it were ours; of a level that we do not have, as information."""
        try:
            tell = getattr(self.log, record.levelname.lower(), self.log.info)
            tell(record.getMessage(), exc_info=record.exc_info or None)
        except Exception:  # as `logging` has it: a line that cannot be made must not end who logs it
            self.handleError(record)


def to_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
    """The last processor: a line."""
    return msgspec.json.encode(event, enc_hook=repr) + b"\n"


def to_bytes(_logger: Any, _method: str, line: str) -> bytes:
    """The same for a line that is rendered already."""
    return f"{line}\n".encode(errors="backslashreplace")


def mask_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide every value whose name says that it is a secret."""
    for name in event:
        if is_secret(name):
            event[name] = "***"
    return event


@lru_cache(maxsize=1024)
def is_secret(name: str) -> bool:
    return any(secret in name.lower() for secret in SECRET_NAMES)
