"""Reads the outbox for all subscribers of an HTTP worker, and writes each event to those that want it.

One read serves all: an event is encoded once, and each subscriber gets the same bytes. The database is asked
only after a commit, which SQLite shows without a query and PostgreSQL by a nudge.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

import structlog

from openivr.clock import lifetime
from openivr.server.events.commits import CommitWatch
from openivr.server.events.subscription import Subscription, confirm, write_event, write_frame
from openivr.store.auth import tokens
from openivr.store.availability import Unavailable
from openivr.store.caches.list_cache import ListCache
from openivr.store.database import Database
from openivr.store.events import outbox
from openivr.store.events.interest import Interest
from openivr.store.events.outbox import MAX_READ, StoredEvent
from openivr.store.system import serial_number

log = structlog.get_logger(__name__)
READ_SECONDS = 2.0
RETRY_SECONDS = 1.0
SPREAD_SECONDS = 0.00005  # for each subscriber, between two deliveries: with many, events go out together
TICK_SECONDS = 1.0
MAX_SUBSCRIBERS = 2000  # of a worker
MAX_UNSENT = 1024 * 1024  # bytes that wait for a subscriber, which is then too slow
UNSENT_PAUSE = 256 * 1024  # bytes at which a subscriber that catches up has to read first
PAUSE_SECONDS = 0.05
POLICY, OVERLOAD = 1008, 1013  # close codes (RFC 6455, section 7.4.1, and its registry)


class Subscriber(Protocol):
    """A connection of a subscriber."""

    subscription: Subscription
    token: str  # fingerprint of its access token
    position: int  # number of the last event that it has, or did not want
    is_live: bool  # False while it has not subscribed, and while it catches up

    @property
    def unsent(self) -> int:
        """Return the number of bytes that wait to be read."""
        ...

    @property
    def is_open(self) -> bool:
        """Return True until it is closed or cut off."""
        ...

    def write(self, data: bytes) -> None:
        """Write frames."""
        ...

    def cut(self, code: int, reason: str) -> None:
        """Close the connection, with a reason for the subscriber."""
        ...

    def check_silence(self, now: float) -> None:
        """Close the connection if it has been silent for too long."""
        ...


class EventHub:
    """The subscribers of one HTTP worker."""

    def __init__(
        self, database: Database, live: ListCache, interest: Interest | None = None, worker: int = 0
    ) -> None:
        self.database, self.live = database, live
        self.subscribers: set[Subscriber] = set()
        self.position = 0  # of the last event that was delivered
        self._interest, self._worker = interest, worker
        self._serial = ""
        self._has_subscribers = asyncio.Event()
        self._commits = CommitWatch(database, live.feed)
        self._catching_up: set[asyncio.Task[None]] = set()
        self._show()

    def _show(self) -> None:
        if self._interest is not None:
            self._interest.show(self._worker, exists=bool(self.subscribers))

    # Subscribers

    def enter(self, subscriber: Subscriber) -> bool:
        """Take in a connection. Return False if there are too many."""
        if len(self.subscribers) >= MAX_SUBSCRIBERS:
            return False
        self.subscribers.add(subscriber)
        self._has_subscribers.set()
        self._show()
        return True

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a connection."""
        self.subscribers.discard(subscriber)
        subscriber.is_live = False
        if not self.subscribers:
            self._has_subscribers.clear()
        self._show()

    async def subscribe(self, subscriber: Subscriber, subscription: Subscription) -> None:
        """Answer a subscription, which takes the place of an earlier one. Raises Unavailable."""
        if not self._serial:
            self._serial = await self.database.read_soon(READ_SECONDS, serial_number)
        kept = await self.database.read_soon(READ_SECONDS, outbox.read_range)
        if not any(each.is_live for each in self.subscribers):
            self.position = max(self.position, kept.last)  # without subscribers, none was delivered
        newest = subscriber.position or self.position  # its own, if it has subscribed before
        start = newest if subscription.after is None else min(subscription.after, kept.last)
        if not subscriber.is_open:
            return
        subscriber.subscription, subscriber.position = subscription, start
        subscriber.write(write_frame(confirm(subscription, kept, start)))
        subscriber.is_live = start >= self.position
        if not subscriber.is_live:
            task = asyncio.create_task(self._catch_up(subscriber, subscription))
            self._catching_up.add(task)
            task.add_done_callback(self._catching_up.discard)

    async def _catch_up(self, subscriber: Subscriber, subscription: Subscription) -> None:
        """Write what a subscriber has missed, until nothing is left that the others have."""
        while subscriber.position < self.position:
            try:
                events = await self.database.read_soon(READ_SECONDS, outbox.read_after, subscriber.position)
            except Unavailable:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not subscriber.is_open or subscriber.subscription is not subscription:
                return
            self._send((subscriber,), events)
            if not events:
                subscriber.position = self.position
            while subscriber.is_open and subscriber.unsent > UNSENT_PAUSE:  # noqa: ASYNC110 - no event says so
                await asyncio.sleep(PAUSE_SECONDS)
        if subscriber.is_open and subscriber.subscription is subscription:
            subscriber.is_live = True

    # Events

    async def run(self) -> None:
        """Deliver events for as long as there are subscribers. Runs until it is cancelled."""
        ticking = asyncio.create_task(self._tick())
        try:
            while True:
                await self._has_subscribers.wait()
                try:
                    if not await self._commits.wait():
                        continue
                    await self._deliver()
                except Unavailable:
                    self._commits.forget()
                    await asyncio.sleep(RETRY_SECONDS)
                except Exception:
                    log.exception("events cannot be delivered")
                    await asyncio.sleep(RETRY_SECONDS)
                await asyncio.sleep(len(self.subscribers) * SPREAD_SECONDS)
        finally:
            ticking.cancel()
            self.close()

    def close(self) -> None:
        """End what runs beside the event loop."""
        self._commits.close()

    async def _deliver(self) -> None:
        while any(each.is_live for each in self.subscribers):
            events = await self.database.read_soon(READ_SECONDS, outbox.read_after, self.position)
            if events:
                self.position = events[-1].id
                self._send([each for each in self.subscribers if each.is_live], events)
            if len(events) < MAX_READ:
                return

    def _send(self, subscribers: Iterable[Subscriber], events: Sequence[StoredEvent]) -> None:
        """Write events to those that want them and do not have them."""
        written: dict[tuple[frozenset[int], bool, int], bytes] = {}
        first = events[0].id if events else 0
        for subscriber in subscribers:
            wanted = subscriber.subscription
            # The position tells subscribers apart only if they have some of the events already.
            key = wanted.topics, wanted.is_numbered, max(subscriber.position, first - 1)
            data = written.get(key)
            if data is None:
                data = written[key] = b"".join(
                    write_frame(write_event(event, self._serial, is_numbered=wanted.is_numbered))
                    for event in events
                    if event.type in wanted.topics and event.id > subscriber.position
                )
            if events:
                subscriber.position = max(subscriber.position, events[-1].id)
            if data:
                subscriber.write(data)
                if subscriber.unsent > MAX_UNSENT:
                    subscriber.cut(POLICY, "events are read too slowly")

    # Time

    async def _tick(self) -> None:
        """Once a second, end the connections that are silent or whose token has ended."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                for subscriber in list(self.subscribers):
                    subscriber.check_silence(loop.time())
                await self._check_tokens()
            except Unavailable:
                pass  # a token that was good stays so, as for requests
            except Exception:
                log.exception("subscribers cannot be checked")

    async def _check_tokens(self) -> None:
        if not self.subscribers:
            return
        snapshot, now = await self.live.current(), lifetime.now()
        for subscriber in list(self.subscribers):
            if snapshot.tokens.get(subscriber.token, 0) > now or not subscriber.is_open:
                continue
            successor = await self.database.read(tokens.find_successor, subscriber.token, int(now))
            if successor is None:
                subscriber.cut(POLICY, "the access token has ended")
            else:
                subscriber.token = successor
