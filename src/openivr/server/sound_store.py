"""Sounds for calls: built-in ones from the package, prompts and messages from the database."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from openivr import sounds
from openivr.store.availability import Unavailable
from openivr.store.cdr import voicemail
from openivr.store.config import prompts
from openivr.store.database import Database


class SoundStore:
    """Prompts and messages from the package and the database, read in threads.

    Custom prompts are kept in a folder as well, for a start while the database is away.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder

    async def prompt(self, name: str) -> bytes | None:
        """Return a custom prompt, or a built-in sound."""
        try:
            wav = await self.database.read(prompts.telephone_audio, name)
        except Unavailable:
            wav = await self.database.run_in_thread(self.read_kept, name)
        else:
            if wav is not None:
                await self.database.run_in_thread(self.keep, name, wav)
        if wav is None and name in sounds.NAMES:
            wav = await self.database.run_in_thread(sounds.read, name)
        return wav

    async def message(self, name: str) -> bytes | None:
        """Return a voicemail message."""
        try:
            return await self.database.read(voicemail.audio_of, name)
        except Unavailable as error:
            raise OSError(str(error)) from error

    def path_of(self, name: str) -> Path:
        """Return the file of a custom prompt, whose name may have any characters."""
        return self.folder / f"{hashlib.sha256(name.encode()).hexdigest()}.wav"

    def read_kept(self, name: str) -> bytes | None:
        """Return a custom prompt from the folder."""
        try:
            return self.path_of(name).read_bytes()
        except OSError:
            return None

    def keep(self, name: str, wav: bytes) -> None:
        """Keep a custom prompt in the folder, if the disk takes it."""
        if self.read_kept(name) == wav:
            return
        path = self.path_of(name)
        with suppress(OSError):
            self.folder.mkdir(exist_ok=True, mode=0o700)
            part = path.with_suffix(".part")
            part.write_bytes(wav)
            part.replace(path)

    def forget_others(self, names: Iterable[str]) -> None:
        """Delete the files of prompts that are gone."""
        kept = set(map(self.path_of, names))
        for path in set(self.folder.glob("*.wav")) - kept:
            path.unlink(missing_ok=True)
