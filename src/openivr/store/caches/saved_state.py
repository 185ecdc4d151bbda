"""Copies on disk of what the processes know, so that they can start while the database is away.

The files hold hashes of passwords and trunk passwords in clear, as the database does. Only their owner may
read them, and each is written whole before it takes the place of the one before.
"""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec

from openivr.resources.resource_type import Values
from openivr.store.schema import HEAD

CALLS_FILE, LISTS_FILE = "last-config.json", "last-lists.json"
SAVE_SECONDS = 5.0  # at least, between two writes of a file


class SavedState(msgspec.Struct, frozen=True, kw_only=True):
    """When and with which schema a file was written. `saved` is in Unix seconds."""

    saved: float
    schema: str

    @property
    def age(self) -> float:
        """Seconds since it was written."""
        return max(0.0, time.time() - self.saved)


class SavedBinding(NamedTuple):
    """The registration of a phone, as the journal has it."""

    extension: int
    contact: str
    data: Mapping[str, Any]


class SavedConfig(SavedState, frozen=True, kw_only=True):
    """The configuration of calls: rows of every kind, registrations (`bindings`), names of callers by id."""

    revision: int
    rows: Mapping[str, dict[int, Values]]
    bindings: Sequence[SavedBinding] = ()
    contacts: Sequence[msgspec.Raw] = ()  # parts, each encoded on its own: no thread waits for all of them


class SavedLists(SavedState, frozen=True, kw_only=True):
    """The lists of the API, with the tokens by fingerprint and the allow list."""

    config: int
    auth: int
    lists: Mapping[str, list[msgspec.Raw]]
    tokens: Mapping[str, int]
    networks: Sequence[str]


S = TypeVar("S", bound=SavedState)


def save(path: Path, state: SavedState) -> None:
    """Write a file atomically. Raises OSError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            target.write(msgspec.json.encode(state))
            target.flush()
            os.fsync(target.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def load(path: Path, kind: type[S]) -> S | None:
    """Read a file; None if there is none, or if it is damaged or of another schema."""
    try:
        state = msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return state if state.schema == HEAD else None
