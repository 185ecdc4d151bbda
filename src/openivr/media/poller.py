"""Reads many sockets with a bound on the work done before other callbacks get their turn.

On Linux one epoll descriptor is registered in the event loop for all sockets. That is cheaper than one reader
a socket, and fair, because the kernel queues a socket with more data behind the others. On other systems
each socket is registered in the loop.
"""

import asyncio
import select
from collections.abc import Callable

BATCH = 64  # sockets read in one pass, one packet each

Handler = Callable[[], None]


class Poller:
    """Calls the handler of each readable socket until nothing is left to read."""

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
        """Stop reading it. The owner closes it next, which removes it from the epoll set as well."""
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
