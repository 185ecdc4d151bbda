"""Prompts ready to play: built-in sounds, custom prompts and voicemail messages, each encoded once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import structlog

from openivr.media.audio.clip import Clip, ClipCache, UnsupportedWav

log = structlog.get_logger(__name__)


class PromptStore(Protocol):
    """Source of sounds as wav files. Methods work off the event loop and return None if there is none."""

    async def prompt(self, name: str) -> bytes | None:
        """Return a built-in sound or a custom prompt."""
        ...

    async def message(self, name: str) -> bytes | None:
        """Return a message of a mailbox."""
        ...


OffLoop = Callable[[Callable[[bytes], Clip], bytes], Awaitable[Clip]]


class PromptCache:
    """Clips by name. A clip that is not cached is loaded and encoded in a thread."""

    def __init__(self, store: PromptStore, off_loop: OffLoop) -> None:
        self._store, self._off_loop = store, off_loop
        self._clips = ClipCache()
        self._missing: set[str] = set()
        self._loading: dict[str, asyncio.Task[None]] = {}

    def cached(self, names: Iterable[str]) -> list[Clip] | None:
        """Return the clips, without those known to be missing; None if any has to be loaded first."""
        entries = [(name, self._clips.get(name)) for name in names if name not in self._missing]
        clips = [clip for _, clip in entries if clip is not None]
        return clips if len(clips) == len(entries) else None

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return those of the names for which no sound was found."""
        return tuple(name for name in dict.fromkeys(names) if name in self._missing)

    async def load(self, names: Iterable[str], messages: frozenset[str] = frozenset()) -> None:
        """Load these sounds into the cache; `messages` names those that are voicemail messages."""
        for name in dict.fromkeys(names):
            if self._clips.get(name) is None:
                await self._load_once(name, name in messages)

    async def _load_once(self, name: str, is_message: bool) -> None:
        """Load a sound, or join a load in progress, since many callers may want the same at once."""
        task = self._loading.get(name)
        if task is None:
            task = self._loading[name] = asyncio.create_task(self._load(name, is_message))
            task.add_done_callback(lambda task: self._is_current(name, task) and self._loading.pop(name))
        await asyncio.shield(task)

    async def _load(self, name: str, is_message: bool) -> None:
        try:
            wav = await (self._store.message(name) if is_message else self._store.prompt(name))
            clip = None if wav is None else await self._off_loop(Clip.from_wav, wav)
        except (UnsupportedWav, OSError) as error:
            log.error("prompt cannot be played", name=name, error=str(error))
            clip = None
        if not self._is_current(name, asyncio.current_task()):
            return  # discarded meanwhile, so this may be the previous sound
        if clip is not None:
            self._clips.put(name, clip)
        else:
            self._missing.add(name)

    def _is_current(self, name: str, task: asyncio.Task[None] | None) -> bool:
        return self._loading.get(name) is task

    def discard(self, names: Iterable[str]) -> None:
        """Drop sounds that have changed or are deleted; the next `load` reads them again."""
        for name in names:
            self._missing.discard(name)
            self._clips.discard(name)
            self._loading.pop(name, None)
