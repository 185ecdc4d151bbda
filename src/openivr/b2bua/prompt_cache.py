"""Sounds ready to be played: the built-in ones, prompts and messages, each encoded once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import structlog

from openivr.media.audio.clip import Clip, ClipCache, UnsupportedWav

log = structlog.get_logger(__name__)


class PromptStore(Protocol):
    """Where sounds come from. Each gives a wav file, None if there is none; both do it off the event loop."""

    async def prompt(self, name: str) -> bytes | None:
        """A built-in sound or a custom prompt."""
        ...

    async def message(self, name: str) -> bytes | None:
        """A message of a mailbox."""
        ...


OffLoop = Callable[[Callable[[bytes], Clip], bytes], Awaitable[Clip]]


class PromptCache:
    """Clips by name. What is not in memory is fetched and encoded in a thread."""

    def __init__(self, sounds: PromptStore, off_loop: OffLoop) -> None:
        self._sounds, self._off_loop = sounds, off_loop
        self._clips = ClipCache()
        self._missing: set[str] = set()
        self._fetching: dict[str, asyncio.Task[None]] = {}

    def at_hand(self, names: Iterable[str]) -> list[Clip] | None:
        """The clips of these sounds, without those known to be missing; None if any has to be fetched."""
        found = [(name, self._clips.get(name)) for name in names if name not in self._missing]
        clips = [clip for _, clip in found if clip is not None]
        return clips if len(clips) == len(found) else None

    def missing(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of the sounds that turned out not to be there."""
        return tuple(name for name in dict.fromkeys(names) if name in self._missing)

    async def fetch(self, names: Iterable[str], messages: frozenset[str] = frozenset()) -> None:
        """Have these sounds at hand, as far as there are such."""
        for name in dict.fromkeys(names):
            if self._clips.get(name) is None:
                await self._fetch_once(name, name in messages)

    async def _fetch_once(self, name: str, is_message: bool) -> None:
        """Fetch a sound, or wait for whoever does so already: many callers may want the same at once."""
        task = self._fetching.get(name)
        if task is None:
            task = self._fetching[name] = asyncio.create_task(self._fetch(name, is_message))
            task.add_done_callback(lambda task: self._is_newest(name, task) and self._fetching.pop(name))
        await asyncio.shield(task)

    async def _fetch(self, name: str, is_message: bool) -> None:
        try:
            wav = await (self._sounds.message(name) if is_message else self._sounds.prompt(name))
            clip = None if wav is None else await self._off_loop(Clip.from_wav, wav)
        except (UnsupportedWav, OSError) as error:
            log.error("a sound cannot be played", name=name, error=str(error))
            clip = None
        if not self._is_newest(name, asyncio.current_task()):
            return  # forgotten meanwhile: this may be the sound as it was
        if clip is not None:
            self._clips.put(name, clip)
        else:
            self._missing.add(name)

    def _is_newest(self, name: str, task: asyncio.Task[None] | None) -> bool:
        return self._fetching.get(name) is task

    def forget(self, names: Iterable[str]) -> None:
        """Fetch these anew when they are asked for: they have changed, or are gone."""
        for name in names:
            self._missing.discard(name)
            self._clips.discard(name)
            self._fetching.pop(name, None)
