"""Delivers the events of one webhook, batch by batch, for as long as this process holds its lease."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from openivr.clock import wall_ms
from openivr.server.webhooks.schedule import ReceiverHealth, fail, make_lanes, wait_after
from openivr.store.availability import Unavailable
from openivr.store.database import Database
from openivr.store.events import webhook_queue
from openivr.store.events.webhook_queue import BatchResults, Delivery, Webhook

log = structlog.get_logger(__name__)
MAX_AT_ONCE = 8  # requests to one receiver
BATCH_SECONDS = 5.0  # after which a batch begins no further request
RETRY_SECONDS = 1.0  # after the database did not answer
SAVE_EVENTS = 5000  # of the outbox that the webhook does not want, until the position is stored


class Sender(Protocol):
    """Sends one event."""

    async def send(self, webhook: Webhook, delivery: Delivery) -> str:
        """Return "" if the receiver has accepted it, else the failure."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@dataclass(slots=True)
class Sent:
    """What became of the deliveries that were sent."""

    delivered: list[int] = field(default_factory=list)  # rows of the queue
    kept: list[Delivery] = field(default_factory=list)
    successes: int = 0
    failure: str = ""


class WebhookRunner:
    """Delivers for one webhook. `wake` says that there may be new events."""

    def __init__(
        self, database: Database, owner: str, webhook: Webhook, position: int, sender: Sender
    ) -> None:
        self.webhook, self.position = webhook, position
        self._database, self._owner, self._sender = database, owner, sender
        self._health = ReceiverHealth()
        self._stored = position
        self._woken = asyncio.Event()
        self._is_ending = False
        self._requests = asyncio.Semaphore(MAX_AT_ONCE)

    def wake(self) -> None:
        """Look for new events."""
        self._woken.set()

    def end(self) -> None:
        """End after the batch that is being delivered."""
        self._is_ending = True
        self._woken.set()

    async def run(self) -> None:
        """Deliver until `end`, or until the lease is another process's."""
        while not self._is_ending:
            self._woken.clear()
            try:
                seconds = await self.work()
            except Unavailable:
                seconds = RETRY_SECONDS
            except Exception:
                log.exception("events for a webhook cannot be delivered", webhook=self.webhook.id)
                seconds = RETRY_SECONDS
            if seconds is None:
                return
            if seconds and not self._is_ending:
                try:
                    await asyncio.wait_for(self._woken.wait(), seconds)
                except TimeoutError:
                    continue

    async def work(self) -> float | None:
        """Deliver a batch. Return the seconds until there may be more, None without the lease."""
        batch = await self._database.read(webhook_queue.read_batch, self.webhook, self.position)
        now = wall_ms()
        lanes = make_lanes(batch, self._health, now)
        was_down = self._health.is_down
        sent = await self._send(lanes.sending)
        results = BatchResults(
            batch.position,
            batch.missed,
            sent.delivered,
            [*sent.kept, *lanes.queued],
            wall_ms() if sent.successes else None,
            wall_ms() if sent.failure else None,
            sent.failure,
            is_back=was_down and not self._health.is_down,
        )
        if batch.missed:
            log.warning("events for a webhook were deleted", webhook=self.webhook.id, count=batch.missed)
        if not await self._save(results):
            return None
        self.position = batch.position
        return wait_after(batch, results, self._health, wall_ms()) / 1000

    async def _save(self, results: BatchResults) -> bool:
        """Store the results, unless they are only a few events further. Return False without the lease."""
        has_changed = results.kept or results.delivered or results.delivered_at or results.missed
        if not has_changed and results.position - self._stored < SAVE_EVENTS:
            return True
        is_ours = await self._database.write(webhook_queue.save, self.webhook.id, self._owner, results)
        self._stored = results.position
        return is_ours

    async def _send(self, lanes: Sequence[Sequence[Delivery]]) -> Sent:
        """Send the deliveries of all lanes, each lane in its order and several lanes at a time."""
        sent = Sent()
        deadline = asyncio.get_running_loop().time() + BATCH_SECONDS
        await asyncio.gather(*(self._send_lane(lane, deadline, sent) for lane in lanes))
        return sent

    async def _send_lane(self, lane: Sequence[Delivery], deadline: float, sent: Sent) -> None:
        """Send the deliveries of a call until one has to wait. Those behind it wait as well."""
        is_held = False
        for delivery in lane:
            async with self._requests:
                is_late = asyncio.get_running_loop().time() > deadline
                if is_held or is_late:
                    is_held = True
                    if not delivery.id:
                        sent.kept.append(delivery)
                    continue
                failure = await self._sender.send(self.webhook, delivery)
            if failure:
                after = fail(delivery, failure, wall_ms(), self.webhook.retry_count)
                sent.kept.append(after)
                sent.failure = failure
                is_held = not after.is_dead
                self._note_failure(after)
            else:
                sent.successes += 1
                if delivery.id:
                    sent.delivered.append(delivery.id)
                self._note_success()

    def _note_success(self) -> None:
        if self._health.is_down:
            log.info("a webhook is accepted again", webhook=self.webhook.id)
        self._health = ReceiverHealth()

    def _note_failure(self, delivery: Delivery) -> None:
        was_down = self._health.is_down
        self._health = self._health.fail(wall_ms())
        if delivery.is_dead:
            log.error("an event for a webhook is given up", webhook=self.webhook.id, failure=delivery.failure)
        elif self._health.is_down and not was_down:
            log.warning("a webhook is not accepted", webhook=self.webhook.id, failure=delivery.failure)
