"""Tokens shared between processes: a file that only its owner may read, and a lock beside it.

The lock is the system's own (flock) and ends with the process that holds it. POSIX only.
"""

import os
import stat
from pathlib import Path
from typing import IO

import msgspec

from openivr.client.errors import UnsafeFile
from openivr.client.session import Saved

MODE = 0o600


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The file's content: whose it is, and what is saved."""

    server: str
    client_id: str
    saved: Saved


class HeldFile:
    """A token file that this process has locked."""

    def __init__(self, path: Path, server: str, client_id: str, lock: IO[bytes]) -> None:
        self.path, self.server, self.client_id, self.lock = path, server, client_id, lock

    def load(self) -> Saved:
        """Return the saved state, an empty one if it is unreadable or of another server or account."""
        try:
            with open_own(self.path, os.O_RDONLY, "rb") as file:
                entry = msgspec.json.decode(file.read(), type=Entry)
        except (FileNotFoundError, msgspec.DecodeError):
            return Saved()
        is_ours = (entry.server, entry.client_id) == (self.server, self.client_id)
        return entry.saved if is_ours else Saved()

    def save(self, saved: Saved) -> None:
        """Put a whole new file in the place of the old one."""
        part = self.path.with_name(self.path.name + ".part")
        part.unlink(missing_ok=True)
        entry = Entry(server=self.server, client_id=self.client_id, saved=saved)
        with open_own(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, "wb") as file:
            file.write(msgspec.json.encode(entry))
        part.replace(self.path)

    def release(self) -> None:
        """Let other processes have it."""
        self.lock.close()


def hold(path: Path, server: str, client_id: str) -> HeldFile:
    """Wait for the lock of a token file and take it. UnsafeFile where others could read the tokens."""
    import fcntl  # not on every system, and needed only here

    lock = open_own(path.with_name(path.name + ".lock"), os.O_WRONLY | os.O_CREAT, "wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except BaseException:
        lock.close()
        raise
    return HeldFile(path, server, client_id, lock)


def open_own(path: Path, flags: int, mode: str) -> IO[bytes]:
    """Open a file that only this user can read. Raises UnsafeFile for others, and for symbolic links."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
    except FileNotFoundError:
        if flags & os.O_CREAT:
            raise UnsafeFile(f"there is no folder {path.parent}") from None
        raise
    except OSError as error:
        raise UnsafeFile(f"{path}: {error.strerror}") from None
    file = os.fdopen(descriptor, mode)
    found = os.fstat(descriptor)
    if found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        file.close()
        raise UnsafeFile(f"{path} must be yours and readable by nobody else (chmod 600)")
    return file
