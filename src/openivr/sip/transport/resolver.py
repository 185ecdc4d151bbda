"""Caching resolver that does not block the event loop."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

CACHE_SECONDS = 30.0  # the system's resolver does not return the TTL
NEGATIVE_CACHE_SECONDS = 5.0  # for a name without addresses
MAX_CACHED = 1000
MAX_LOOKUPS = 8  # concurrent look-ups; a name that does not exist may take half a minute
MAX_WAITING = 256  # names; any more have no addresses
LOOKUP_SECONDS = 35.0  # more than the system's resolver takes with two name servers that do not answer

FindAddresses = Callable[[str], Awaitable[Sequence[str]]]


class Resolver:
    """Addresses of names, by `find` within `seconds`, or by the system's resolver."""

    def __init__(self, find: FindAddresses | None = None, seconds: float = LOOKUP_SECONDS) -> None:
        self._find = find or self._ask_system
        self._seconds = seconds
        self._known: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._waiting: dict[str, list[Callable[[tuple[str, ...]], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        # Not asyncio's default threads: asyncio waits for those at exit, and a look-up cannot be cancelled.
        self._threads = ThreadPoolExecutor(MAX_LOOKUPS, thread_name_prefix="names")

    def resolve(self, name: str, on_addresses: Callable[[tuple[str, ...]], None]) -> None:
        """Call `on_addresses` with the addresses of a name: immediately if they are cached, else later."""
        known = self._known.get(name)
        if known and known[0] > time.monotonic():
            on_addresses(known[1])
            return
        if name not in self._waiting and len(self._waiting) >= MAX_WAITING:
            on_addresses(())
            return
        waiting = self._waiting.setdefault(name, [])
        waiting.append(on_addresses)
        if len(waiting) == 1:
            task = asyncio.get_running_loop().create_task(self._look_up(name))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _look_up(self, name: str) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                addresses = tuple(dict.fromkeys(await self._find(name)))
        except (OSError, UnicodeError, TimeoutError):
            addresses = ()
        if len(self._known) >= MAX_CACHED:
            self._known.clear()
        self._known[name] = (
            time.monotonic() + (CACHE_SECONDS if addresses else NEGATIVE_CACHE_SECONDS),
            addresses,
        )
        for on_addresses in self._waiting.pop(name):
            on_addresses(addresses)

    async def _ask_system(self, name: str) -> Sequence[str]:
        ask = partial(socket.getaddrinfo, name, None, type=socket.SOCK_DGRAM)
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return [str(info[4][0]) for info in infos]

    def close(self) -> None:
        """Cancel pending look-ups."""
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
