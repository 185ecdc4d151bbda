"""Reads the journal from a position on, file by file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from openivr.cdr.journal.entries import JournalEntry, decode
from openivr.cdr.journal.former import decode_former, to_codes

log = structlog.get_logger(__name__)
CHUNK = 2**20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class JournalPosition:
    """An entry, its file, and the position after it."""

    file: str
    end: int
    entry: JournalEntry | None  # None: an invalid line


def list_files(folder: Path) -> list[str]:
    """Return the names of the journal's files, oldest first."""
    return sorted(path.name for path in folder.glob("*.jsonl"))


def read(folder: Path, positions: Mapping[str, int], limit: int) -> Iterator[JournalPosition]:
    """Yield at most `limit` entries after these positions. An incomplete last line is left for later."""
    for name in list_files(folder):
        for position in read_file(folder / name, positions.get(name, 0)):
            yield position
            limit -= 1
            if not limit:
                return


def read_file(path: Path, position: int) -> Iterator[JournalPosition]:
    """Yield the entries of one file after a position."""
    with path.open("rb") as file:
        file.seek(position)
        rest = b""
        while chunk := file.read(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                position += len(line) + 1
                yield JournalPosition(path.name, position, parse(path, line))


def parse(path: Path, line: bytes) -> JournalEntry | None:
    """Parse a line. An invalid line is logged and skipped, so that it blocks no other."""
    try:
        return to_codes(decode_any(line))
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        log.error("invalid journal line", file=path.name, error=str(error))
        return None


def decode_any(line: bytes) -> JournalEntry:
    """Decode a line of this release or of one that had texts instead of codes."""
    try:
        entry: JournalEntry = decode(line)
    except msgspec.ValidationError:
        return decode_former(line)
    return entry


def finished_files(folder: Path, positions: Mapping[str, int]) -> Iterator[Path]:
    """Yield files that are read to their end and were followed by a newer file."""
    for name in list_files(folder)[:-1]:
        path = folder / name
        if not any(read_file(path, positions.get(name, 0))):
            yield path
