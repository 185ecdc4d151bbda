"""The clerk's side of the journal: what was appended since the last look, file by file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

from openivr.cdr.journal.entries import JournalEntry, decode

log = structlog.get_logger(__name__)
CHUNK = 2**20  # bytes read at a time


@dataclass(frozen=True, slots=True)
class JournalPosition:
    """An entry and where the one after it begins."""

    file: str
    end: int
    entry: JournalEntry | None  # None: a line that cannot be read


def list_files(folder: Path) -> list[str]:
    """The journal's files, oldest first."""
    return sorted(path.name for path in folder.glob("*.jsonl"))


def read(folder: Path, positions: Mapping[str, int], most: int) -> Iterator[JournalPosition]:
    """Read on from these positions, at most so many entries; a line without its end is not there yet."""
    for name in list_files(folder):
        for place in read_file(folder / name, positions.get(name, 0)):
            yield place
            most -= 1
            if not most:
                return


def read_file(path: Path, position: int) -> Iterator[JournalPosition]:
    """Read one file from a position on, in pieces."""
    with path.open("rb") as file:
        file.seek(position)
        rest = b""
        while chunk := file.read(CHUNK):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                position += len(line) + 1
                yield JournalPosition(path.name, position, parse(path, line))


def parse(path: Path, line: bytes) -> JournalEntry | None:
    """Read a line; one that makes no sense is reported and passed over, so that it holds up no other."""
    try:
        entry: JournalEntry = decode(line)
    except msgspec.DecodeError as error:
        log.error("a line of the journal cannot be read", file=path.name, error=str(error))
        return None
    return entry


def finished_files(folder: Path, positions: Mapping[str, int]) -> Iterator[Path]:
    """Files that are read to their end and were followed by another."""
    for name in list_files(folder)[:-1]:
        path = folder / name
        if not any(read_file(path, positions.get(name, 0))):
            yield path
