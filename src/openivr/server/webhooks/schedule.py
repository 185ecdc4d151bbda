"""When an event is sent, sent again, and given up. Pure.

An event that a receiver does not accept is sent again a few times after a second, then after waits that
double up to an hour, for a day. The events of the same call wait behind it; those of other calls go out
meanwhile. A receiver that accepts nothing at all is left alone for a while, and then tried with one event.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from openivr.store.events.webhook_queue import MAX_TRY_MS, BatchResults, Delivery, DeliveryBatch

SOON_MS = 1000  # before each of the first retries
FIRST_MS, MAX_MS = 10_000, 3_600_000  # before the retries after those: the wait doubles
MAX_FAILURES = 5  # in a row, before a receiver is left alone
FIRST_PAUSE_MS, MAX_PAUSE_MS = 10_000, 300_000
MAX_DOUBLINGS = 30
MIN_WAIT_MS, MAX_WAIT_MS = 10, 60_000  # between two looks at what is due


def wait_before(attempts: int, retry_count: int) -> int:
    """Return the milliseconds before the next attempt, after so many that failed."""
    if attempts <= retry_count:
        return SOON_MS
    return min(FIRST_MS << min(attempts - retry_count - 1, MAX_DOUBLINGS), MAX_MS)


def fail(delivery: Delivery, failure: str, now: int, retry_count: int) -> Delivery:
    """Return a delivery after an attempt that failed: it waits for the next one, or is dead."""
    attempts = delivery.attempts + 1
    due = now + wait_before(attempts, retry_count)
    is_dead = due >= delivery.since + MAX_TRY_MS
    return replace(delivery, attempts=attempts, due=due, is_dead=is_dead, failure=failure)


@dataclass(frozen=True, slots=True)
class ReceiverHealth:
    """How many attempts have failed in a row over all calls, and until when a receiver is left alone."""

    failures: int = 0
    paused_until: int = 0

    def fail(self, now: int) -> "ReceiverHealth":
        """Return the health after an attempt that failed."""
        failures = self.failures + 1
        if failures < MAX_FAILURES:
            return ReceiverHealth(failures)
        pause = min(FIRST_PAUSE_MS << min(failures - MAX_FAILURES, MAX_DOUBLINGS), MAX_PAUSE_MS)
        return ReceiverHealth(failures, now + pause)

    @property
    def is_down(self) -> bool:
        """Return True if nothing has been accepted for a while."""
        return self.failures >= MAX_FAILURES

    def is_paused(self, now: int) -> bool:
        """Return True if nothing is to be sent now. A wall clock that was set back does not prolong it."""
        return now < self.paused_until <= now + MAX_PAUSE_MS


@dataclass(frozen=True, slots=True)
class Lanes:
    """What to send now, each lane in its order, and new events that only begin to wait."""

    sending: Sequence[Sequence[Delivery]]
    queued: Sequence[Delivery]


def make_lanes(batch: DeliveryBatch, health: ReceiverHealth, now: int) -> Lanes:
    """Sort a batch by calls. A receiver that is down gets one event of the first call, or none in a pause."""
    lanes: dict[str, list[Delivery]] = {}
    for delivery in batch.waiting:
        lanes.setdefault(delivery.call_id, []).append(delivery)
    queued = [delivery for delivery in batch.new if delivery.call_id in batch.held_calls]
    free = [delivery for delivery in batch.new if delivery.call_id not in batch.held_calls]
    if not health.is_down:
        for delivery in free:
            lanes.setdefault(delivery.call_id, []).append(delivery)
        return Lanes(list(lanes.values()), queue(queued, now))
    sending: list[list[Delivery]] = []
    if not health.is_paused(now):
        first = next(iter(lanes.values()), None) or free[:1]
        sending = [list(first[:1])] if first else []
    probed = {delivery.event_id for lane in sending for delivery in lane}
    behind = [delivery for delivery in batch.new if delivery.event_id not in probed]
    return Lanes(sending, queue(behind, now))


def queue(deliveries: Iterable[Delivery], now: int) -> list[Delivery]:
    """Return deliveries that are due as soon as those before them are done."""
    return [replace(delivery, due=now) for delivery in deliveries]


def wait_after(batch: DeliveryBatch, results: BatchResults, health: ReceiverHealth, now: int) -> int:
    """Return the milliseconds until the next batch, if no event comes before."""
    is_paused = health.is_paused(now)
    if batch.new if is_paused else batch.has_more or results.is_back:
        return 0
    due = [delivery.due for delivery in results.kept if not delivery.is_dead]
    due += [batch.next_due] if batch.next_due is not None else []
    until = max(min(due, default=now + MAX_WAIT_MS), health.paused_until if is_paused else 0)
    return min(max(until - now, MIN_WAIT_MS), MAX_WAIT_MS)
