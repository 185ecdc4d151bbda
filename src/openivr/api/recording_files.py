"""Files of recordings on this machine, as wav, and copies of them as mp3."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

from openivr.sounds.mp3 import write_mp3

KEPT_SECONDS = 1800  # that a copy is kept
FOLDER = "downloads"  # beside the folder of recordings


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    """The folder of recordings, and the lock of the only conversion at a time."""

    folder: Path | None = None
    converting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def find(self, recording: str) -> Path | None:
        """Return the file of a recording, None if it is not on this machine."""
        if self.folder is None or not recording:
            return None
        path = self.folder / Path(recording).name
        return path if path.is_file() else None


def make_mp3(path: Path) -> Path:
    """Return a copy of a wav file as mp3, made now or in the last minutes. Older copies are deleted."""
    folder = path.parent.parent / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - KEPT_SECONDS:
            old.unlink(missing_ok=True)
    target = folder / f"{path.stem}.mp3"
    if not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
        part = target.with_suffix(".part")
        write_mp3(path, part)
        part.replace(target)
    return target
