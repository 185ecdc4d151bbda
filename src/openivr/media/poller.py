"""Waits for many sockets at once, with a bound on what is read before anything else gets its turn.

On Linux an epoll of our own hangs in the event loop as one descriptor: cheaper than one reader a socket, and
fair, for the kernel puts a socket that still has more behind the others. Elsewhere the loop's own readers do.
"""

import asyncio
import select
from collections.abc import Callable

BATCH = 64  # sockets read at one go, one packet each

Handler = Callable[[], None]


class Poller:
    """Calls the handler of each socket with something to read, again and again until it has been read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._handlers: dict[int, Handler] = {}
        self._epoll = select.epoll() if hasattr(select, "epoll") else None
        if self._epoll:
            loop.add_reader(self._epoll.fileno(), self._read, self._epoll.poll)

    def add(self, descriptor: int, handler: Handler) -> None:
        self._handlers[descriptor] = handler
        if self._epoll:
            self._epoll.register(descriptor, select.EPOLLIN)
        else:
            self._loop.add_reader(descriptor, handler)

    def remove(self, descriptor: int) -> None:
        """Read it no more. The owner closes it now, whereby the kernel takes it out of the epoll as well."""
        del self._handlers[descriptor]
        if not self._epoll:
            self._loop.remove_reader(descriptor)

    def _read(self, poll: Callable[[float, int], list[tuple[int, int]]]) -> None:
        handlers = self._handlers
        for descriptor, _ in poll(0, BATCH):
            handlers[descriptor]()

    def close(self) -> None:
        if self._epoll:
            self._loop.remove_reader(self._epoll.fileno())
            self._epoll.close()
