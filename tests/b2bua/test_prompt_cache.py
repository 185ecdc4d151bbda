"""The prompt cache: sounds are loaded once for all callers, and again when they have changed."""

import asyncio
import io
import wave
from collections.abc import Callable

from openivr.b2bua.prompt_cache import PromptCache
from openivr.media.audio.clip import Clip
from tests.b2bua.pbx import in_loop


def wav(samples: int) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(2 * samples))
    return target.getvalue()


class Store:
    """Sounds that come when they are let go."""

    def __init__(self, **sounds: bytes) -> None:
        self.sounds = sounds
        self.asked: list[str] = []
        self.open = asyncio.Event()

    async def prompt(self, name: str) -> bytes | None:
        self.asked.append(name)
        found = self.sounds.get(name)
        await self.open.wait()
        return found

    async def message(self, name: str) -> bytes | None:
        return None


async def work(function: Callable[[bytes], Clip], data: bytes) -> Clip:
    return function(data)


def frames(cache: PromptCache, name: str) -> list[int] | None:
    clips = cache.cached([name])
    return None if clips is None else [len(clip.pcmu) for clip in clips]


@in_loop
async def test_a_sound_that_many_want_is_fetched_once() -> None:
    store = Store(welcome=wav(1600))
    cache = PromptCache(store, work)
    waiting = [asyncio.create_task(cache.load(["welcome"])) for _ in range(20)]
    await asyncio.sleep(0)
    waiting.pop().cancel()  # a caller who hangs up takes it from nobody
    store.open.set()
    await asyncio.gather(*waiting)
    assert store.asked == ["welcome"]
    assert frames(cache, "welcome") == [10]


@in_loop
async def test_a_sound_that_changes_while_it_is_fetched_is_fetched_anew() -> None:
    store = Store()
    cache = PromptCache(store, work)
    fetching = asyncio.create_task(cache.load(["welcome"]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert store.asked == ["welcome"]
    store.sounds["welcome"] = wav(3200)
    cache.discard(["welcome"])
    store.open.set()
    await fetching
    assert cache.missing(["welcome"]) == ()
    assert frames(cache, "welcome") is None
    await cache.load(["welcome"])
    assert frames(cache, "welcome") == [20]


@in_loop
async def test_a_sound_that_is_not_there_is_known_to_be_missing() -> None:
    store = Store()
    store.open.set()
    cache = PromptCache(store, work)
    await cache.load(["welcome"])
    assert cache.missing(["welcome", "other"]) == ("welcome",)
    assert frames(cache, "welcome") == []
