"""What each webhook has still to get: a position in the outbox, and events that were not delivered at once.

One process holds the lease of a webhook and delivers for it. What it has delivered, and what has to wait, is
committed together with the new position, and only while it still holds the lease. So an event is delivered at
least once whatever is killed, and once as long as nothing is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, or_, select, text, update

from openivr.clock import wall_ms
from openivr.resources.webhook import WEBHOOK
from openivr.store.events import outbox
from openivr.store.events.event_types import EventType
from openivr.store.tables import EVENT, OBJECTS, REVISION, WEBHOOK_DELIVERY, WEBHOOK_STATE

LEASE_MS = 30_000
MAX_TRY_MS = 86_400_000  # from when an event is first to be delivered
MAX_READ = 500  # events of the outbox that are looked at in one read
MAX_BATCH = 100  # events that are delivered before the result is stored
MAX_WAITING = 20_000  # events that wait for one webhook; further ones stay in the outbox
MAX_DEAD = 1000  # events that are kept for one webhook once no further attempt is made
MAX_DUE_MS = 3_600_000  # that an event waits for its next attempt; longer: the wall clock was set back
TEST_TYPE = 0  # of a delivery that an administrator tries
TEST_MESSAGE = '{"event":"test"}'
WEBHOOKS, STATE, QUEUE = OBJECTS[WEBHOOK.name], WEBHOOK_STATE, WEBHOOK_DELIVERY


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that is switched on."""

    id: int
    name: str
    url: str
    secret: str
    request_method: str
    event_ids: frozenset[int]
    timeout: int  # seconds
    retry_count: int

    def __repr__(self) -> str:
        """Return a text without the address and the secret, for logs."""
        return f"Webhook({self.id})"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event for a webhook. `id` is that of its row in the queue, 0 while it has none.

    Times are Unix milliseconds. Deliveries of one `call_id` go out in their order.
    """

    event_id: int
    type: int
    call_id: str
    message: str
    since: int
    id: int = 0
    attempts: int = 0
    due: int = 0
    is_dead: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryBatch:
    """What can be delivered now: waiting events that are due, then new ones up to number `position`.

    `held_calls` are calls with waiting events. Their new events have to wait behind those. `missed` counts
    events that were deleted from the outbox before they were read. `next_due` is the time of the next attempt
    in Unix milliseconds, None if nothing waits.
    """

    waiting: Sequence[Delivery]
    new: Sequence[Delivery]
    held_calls: frozenset[str]
    position: int
    missed: int
    next_due: int | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class BatchResults:
    """What became of a batch: rows that were delivered, and deliveries that wait or are dead."""

    position: int
    missed: int = 0
    delivered: Sequence[int] = ()
    kept: Sequence[Delivery] = ()
    delivered_at: int | None = None
    failed_at: int | None = None
    failure: str = ""
    is_back: bool = False  # the receiver answers again: everything that waits is due


def read_clock(connection: Connection) -> int:
    """Return the Unix milliseconds that all processes compare: those of PostgreSQL, or of this machine."""
    if connection.dialect.name != "postgresql":
        return wall_ms()
    return int(connection.execute(text("SELECT extract(epoch FROM clock_timestamp()) * 1000")).scalar_one())


def read_webhooks(connection: Connection, known: int | None) -> tuple[int, list[Webhook] | None]:
    """Return the revision of the configuration and the webhooks that are on, None if it is `known`."""
    revision: int = connection.execute(select(REVISION.c.config)).scalar_one()
    if revision == known:
        return revision, None
    rows = connection.execute(select(WEBHOOKS).where(WEBHOOKS.c.enable == 1).order_by(WEBHOOKS.c.id))
    return revision, [
        Webhook(
            row.id,
            row.name,
            row.url,
            row.secret,
            row.request_method,
            frozenset(row.event_ids),
            row.timeout,
            row.retry_count,
        )
        for row in rows
    ]


# Leases


def hold(connection: Connection, owner: str, ids: Sequence[int]) -> dict[int, int]:
    """Take or renew the leases that are free or ours. Return the position of each webhook that we hold.

    `owner` is NODE/RUN: a process takes over at once from the one before it on its node.

    A webhook that is off drops what waits for it, and begins with its next events when it is on again.
    """
    now = read_clock(connection)
    off = select(WEBHOOKS.c.id).where(WEBHOOKS.c.enable == 0)
    connection.execute(delete(QUEUE).where(QUEUE.c.webhook_id.in_(off), QUEUE.c.is_dead == 0))
    connection.execute(delete(STATE).where(STATE.c.webhook_id.in_(off)))
    known = set(connection.execute(select(STATE.c.webhook_id)).scalars())
    exist = set(connection.execute(select(WEBHOOKS.c.id).where(WEBHOOKS.c.enable == 1)).scalars()) & set(ids)
    for id_ in sorted(exist - known):
        blank = {"owner": "", "lease_until": 0, "missed": 0, "failure": ""}
        connection.execute(
            insert(STATE).values(webhook_id=id_, position=find_start(connection, id_), **blank)
        )
    lease = STATE.c.lease_until
    is_ours = STATE.c.owner.startswith(f"{owner.partition('/')[0]}/", autoescape=True)
    is_free = or_(is_ours, lease <= now, lease > now + 2 * LEASE_MS)  # the clock was set back
    taken = update(STATE).where(is_free, STATE.c.webhook_id.in_(ids))
    taken = taken.values(owner=owner, lease_until=now + LEASE_MS)
    rows = connection.execute(taken.returning(STATE.c.webhook_id, STATE.c.position))
    held = {row.webhook_id: row.position for row in rows}
    is_over = (QUEUE.c.is_dead == 0) & (QUEUE.c.since <= now - MAX_TRY_MS) & QUEUE.c.webhook_id.in_(held)
    if connection.execute(update(QUEUE).where(is_over).values(is_dead=1)).rowcount:
        for id_ in held:
            delete_surplus(connection, id_)
    return held


def release(connection: Connection, owner: str) -> None:
    """Give all leases back, so that another process need not wait for their end."""
    connection.execute(update(STATE).where(STATE.c.owner == owner).values(owner="", lease_until=0))


def find_start(connection: Connection, id_: int) -> int:
    """Return the number of the event that reported the last change of a webhook, else of the last event."""
    head = f'{{"kind":"{WEBHOOK.name}","id":{id_},%'
    is_report = (EVENT.c.type == EventType.CONFIGURATION_CHANGED) & EVENT.c.message.like(head)
    changed: int | None = connection.execute(select(func.max(EVENT.c.id)).where(is_report)).scalar()
    return outbox.read_range(connection).last if changed is None else changed


# Batches


def read_batch(connection: Connection, webhook: Webhook, position: int) -> DeliveryBatch:
    """Read what can be delivered now, at most MAX_BATCH of either sort."""
    now = read_clock(connection)
    own = QUEUE.c.webhook_id == webhook.id, QUEUE.c.is_dead == 0
    first = select(QUEUE.c.call_id, func.min(QUEUE.c.event_id).label("event_id")).where(*own)
    first_of_call = first.group_by(QUEUE.c.call_id).subquery()
    is_first = (QUEUE.c.call_id == first_of_call.c.call_id) & (QUEUE.c.event_id == first_of_call.c.event_id)
    due_of_call = select(QUEUE.c.call_id, func.min(QUEUE.c.due).label("due")).join(first_of_call, is_first)
    heads = connection.execute(due_of_call.where(*own).group_by(QUEUE.c.call_id)).all()
    due = [row.call_id for row in heads if row.due <= now or row.due > now + MAX_DUE_MS]
    waiting: list[Delivery] = []
    if due:
        of_calls = select(QUEUE).where(*own, QUEUE.c.call_id.in_(due[:MAX_BATCH]))
        ordered = of_calls.order_by(QUEUE.c.event_id, QUEUE.c.id)
        waiting = read_deliveries(connection, ordered.limit(MAX_BATCH))
    later = [row.due for row in heads if row.call_id not in set(due)]
    count = connection.execute(select(func.count()).select_from(QUEUE).where(*own)).scalar_one()
    new, last, missed, has_more = (
        read_new(connection, webhook, position, now) if count < MAX_WAITING else ([], position, 0, False)
    )
    return DeliveryBatch(
        waiting,
        new,
        frozenset(row.call_id for row in heads),
        last,
        missed,
        min(later, default=None),
        has_more or len(waiting) == MAX_BATCH or len(due) > MAX_BATCH,
    )


def read_new(
    connection: Connection, webhook: Webhook, position: int, now: int
) -> tuple[list[Delivery], int, int, bool]:
    """Read the next events of the outbox: those for the webhook, the new position, how many were missed."""
    gap = outbox.read_range(connection).find_gap(position)
    if gap is not None:
        position = gap[1]
    missed = max(0, gap[1] - gap[0] + 1) if gap is not None else 0
    columns = (EVENT.c.id, EVENT.c.type, EVENT.c.call_id)
    following = select(*columns).where(EVENT.c.id > position).order_by(EVENT.c.id).limit(MAX_READ)
    rows = connection.execute(following).all()
    wanted = [row for row in rows if row.type in webhook.event_ids]
    last = rows[-1].id if rows else position
    if len(wanted) > MAX_BATCH:
        wanted = wanted[:MAX_BATCH]
        last = wanted[-1].id
    messages = read_messages(connection, [row.id for row in wanted])
    new = [Delivery(row.id, row.type, row.call_id, messages[row.id], now) for row in wanted]
    return new, last, missed, len(rows) == MAX_READ or last != (rows[-1].id if rows else position)


def read_messages(connection: Connection, ids: Sequence[int]) -> dict[int, str]:
    if not ids:
        return {}
    rows = connection.execute(select(EVENT.c.id, EVENT.c.message).where(EVENT.c.id.in_(ids)))
    return {row.id: row.message for row in rows}


def read_deliveries(connection: Connection, query: Select[Any]) -> list[Delivery]:
    return [
        Delivery(
            row.event_id,
            row.type,
            row.call_id,
            row.message,
            row.since,
            row.id,
            row.attempts,
            row.due,
            bool(row.is_dead),
            row.failure,
        )
        for row in connection.execute(query)
    ]


def save(connection: Connection, webhook_id: int, owner: str, results: BatchResults) -> bool:
    """Store the results of a batch. Return False, and store nothing, without the lease."""
    changes: dict[str, Any] = {"position": results.position, "missed": STATE.c.missed + results.missed}
    if results.delivered_at is not None:
        changes["delivered_at"] = results.delivered_at
    if results.failed_at is not None:
        changes |= {"failed_at": results.failed_at, "failure": results.failure}
    ours = update(STATE).where(STATE.c.webhook_id == webhook_id, STATE.c.owner == owner)
    if not connection.execute(ours.values(changes)).rowcount:
        return False
    if results.delivered:
        connection.execute(delete(QUEUE).where(QUEUE.c.id.in_(results.delivered)))
    for delivery in results.kept:
        if delivery.id:
            values = {
                "due": delivery.due,
                "attempts": delivery.attempts,
                "is_dead": int(delivery.is_dead),
                "failure": delivery.failure,
            }
            connection.execute(update(QUEUE).where(QUEUE.c.id == delivery.id).values(values))
        else:
            insert_delivery(connection, webhook_id, delivery)
    if results.is_back:
        own = (QUEUE.c.webhook_id == webhook_id) & (QUEUE.c.is_dead == 0)
        connection.execute(update(QUEUE).where(own).values(due=0))
    if any(delivery.is_dead for delivery in results.kept):
        delete_surplus(connection, webhook_id)
    return True


def insert_delivery(connection: Connection, webhook_id: int, delivery: Delivery) -> None:
    connection.execute(
        insert(QUEUE).values(
            webhook_id=webhook_id,
            event_id=delivery.event_id,
            type=delivery.type,
            call_id=delivery.call_id,
            message=delivery.message,
            since=delivery.since,
            due=delivery.due,
            attempts=delivery.attempts,
            is_dead=int(delivery.is_dead),
            failure=delivery.failure,
        )
    )


def delete_surplus(connection: Connection, webhook_id: int) -> None:
    """Delete the oldest dead deliveries beyond MAX_DEAD."""
    dead = (QUEUE.c.webhook_id == webhook_id) & (QUEUE.c.is_dead == 1)
    newest = select(QUEUE.c.id).where(dead).order_by(QUEUE.c.event_id.desc(), QUEUE.c.id.desc())
    surplus = connection.execute(newest.offset(MAX_DEAD)).scalars().all()
    if surplus:
        connection.execute(delete(QUEUE).where(QUEUE.c.id.in_(surplus)))


# For administrators


@dataclass(frozen=True, slots=True)
class WebhookStatus:
    """How a webhook does. Times are Unix milliseconds, None before the first."""

    waiting: int = 0
    dead: int = 0
    missed: int = 0
    delivered_at: int | None = None
    failed_at: int | None = None
    failure: str = ""

    @property
    def is_failing(self) -> bool:
        """Return True if the last attempt failed."""
        return self.failed_at is not None and self.failed_at >= (self.delivered_at or 0)


def read_status(connection: Connection, webhook_id: int) -> WebhookStatus:
    counted = select(QUEUE.c.is_dead, func.count()).where(QUEUE.c.webhook_id == webhook_id)
    counts = {row[0]: row[1] for row in connection.execute(counted.group_by(QUEUE.c.is_dead))}
    status = WebhookStatus(counts.get(0, 0), counts.get(1, 0))
    state = connection.execute(select(STATE).where(STATE.c.webhook_id == webhook_id)).first()
    if state is None:
        return status
    return replace(
        status,
        missed=state.missed,
        delivered_at=state.delivered_at,
        failed_at=state.failed_at,
        failure=state.failure,
    )


def list_states(connection: Connection) -> dict[int, str]:
    """Return "up" or "down" for each webhook, by its last attempt. Those without an attempt are left out."""
    rows = connection.execute(select(STATE.c.webhook_id, STATE.c.delivered_at, STATE.c.failed_at))
    return {
        row.webhook_id: "down" if (row.failed_at or 0) > (row.delivered_at or 0) else "up"
        for row in rows
        if row.failed_at or row.delivered_at
    }


def count_deliveries(connection: Connection) -> tuple[int, int]:
    """Return how many events wait, and how many are dead, over all webhooks."""
    rows = connection.execute(select(QUEUE.c.is_dead, func.count()).group_by(QUEUE.c.is_dead))
    counts = {row[0]: row[1] for row in rows}
    return counts.get(0, 0), counts.get(1, 0)


def list_dead(connection: Connection, webhook_id: int, limit: int) -> list[Delivery]:
    """Return dead deliveries, the newest first."""
    dead = select(QUEUE).where(QUEUE.c.webhook_id == webhook_id, QUEUE.c.is_dead == 1)
    newest = dead.order_by(QUEUE.c.event_id.desc(), QUEUE.c.id.desc()).limit(limit)
    return read_deliveries(connection, newest)


def send_again(connection: Connection, webhook_id: int, ids: Iterable[int] | None = None) -> int:
    """Let dead deliveries wait for new attempts, for another day. None is all. Return how many there were."""
    now = read_clock(connection)
    dead = (QUEUE.c.webhook_id == webhook_id) & (QUEUE.c.is_dead == 1)
    if ids is not None:
        dead &= QUEUE.c.id.in_(list(ids))
    again = update(QUEUE).where(dead).values(is_dead=0, attempts=0, since=now, due=now)
    return connection.execute(again).rowcount


def delete_dead(connection: Connection, webhook_id: int, ids: Iterable[int] | None = None) -> int:
    """Delete dead deliveries. None is all. Return how many there were."""
    dead = (QUEUE.c.webhook_id == webhook_id) & (QUEUE.c.is_dead == 1)
    if ids is not None:
        dead &= QUEUE.c.id.in_(list(ids))
    return connection.execute(delete(QUEUE).where(dead)).rowcount


def add_test(connection: Connection, webhook_id: int) -> None:
    """Let a test wait for delivery. Returns without one if the webhook is gone."""
    if connection.execute(select(WEBHOOKS.c.id).where(WEBHOOKS.c.id == webhook_id)).first():
        now = read_clock(connection)
        test = Delivery(0, TEST_TYPE, "test", TEST_MESSAGE, now, due=now)
        insert_delivery(connection, webhook_id, test)
