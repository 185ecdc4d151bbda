"""Names to addresses, off the event loop, remembered for a moment."""

import asyncio
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

CACHE_SECONDS = 30.0  # seconds; the system's resolver does not tell how long a name is good for
NEGATIVE_CACHE_SECONDS = 5.0  # seconds for a name that was not found
MAX_CACHED = 1000
MAX_LOOKUPS = 8  # names; the system may take half a minute for one that nobody knows


class Resolver:
    """Addresses of names, as the system knows them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._waiting: dict[str, list[Callable[[tuple[str, ...]], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Threads of its own, for asyncio waits for its own ones at the end, and the system cannot be hurried.
        self._threads = ThreadPoolExecutor(MAX_LOOKUPS, thread_name_prefix="names")

    def resolve(self, name: str, found: Callable[[tuple[str, ...]], None]) -> None:
        """Tell `found` the addresses, none if there are none: at once if they are known, else later."""
        known = self._known.get(name)
        if known and known[0] > time.monotonic():
            found(known[1])
            return
        waiting = self._waiting.setdefault(name, [])
        waiting.append(found)
        if len(waiting) == 1:
            task = asyncio.get_running_loop().create_task(self._look_up(name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _look_up(self, name: str) -> None:
        try:
            ask = partial(socket.getaddrinfo, name, None, type=socket.SOCK_DGRAM)
            infos = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
            addresses = tuple(dict.fromkeys(str(info[4][0]) for info in infos))
        except (OSError, UnicodeError):
            addresses = ()
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[name] = (
            time.monotonic() + (CACHE_SECONDS if addresses else NEGATIVE_CACHE_SECONDS),
            addresses,
        )
        for found in self._waiting.pop(name):
            found(addresses)

    def close(self) -> None:
        """Wait for nothing more."""
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
