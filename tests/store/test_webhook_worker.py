"""The process of webhooks with real receivers: order, retries, several at a time, restarts."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from openivr.resources.webhook import WEBHOOK
from openivr.server.webhooks import schedule
from openivr.server.webhooks.sender import WebhookSender
from openivr.server.webhooks.worker import WebhookWorker
from openivr.store.config import resources
from openivr.store.database import Database
from openivr.store.events import outbox, webhook_queue
from openivr.store.events.outbox import EventReport
from openivr.store.events.webhook_queue import WebhookStatus
from tests.store.conftest import Opener
from tests.webhook_receiver import GUARD, Received, Receiver

STATUS, END = 30011, 30012


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.closed.set()
    found.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come soon."""
    monkeypatch.setattr(schedule, "SOON_MS", 10)
    monkeypatch.setattr(schedule, "FIRST_MS", 20)
    monkeypatch.setattr(schedule, "FIRST_PAUSE_MS", 20)
    monkeypatch.setattr(schedule, "MAX_PAUSE_MS", 40)


def add(database: Database, receiver: Receiver, **fields: Any) -> int:
    body = {"name": "CRM", "url": receiver.url(), "secret": "k", "event_ids": [STATUS], "timeout": 10}
    with database.changing() as change:
        return resources.create(change, WEBHOOK, body | fields)


def report(database: Database, *calls: str, type_: int = STATUS) -> None:
    with database.writing() as connection:
        reports = [EventReport(type_, 10**13, {"call": call, "n": n}, call) for n, call in enumerate(calls)]
        outbox.append(connection, reports)


def status(database: Database, id_: int) -> WebhookStatus:
    with database.reading() as connection:
        return webhook_queue.read_status(connection, id_)


@asynccontextmanager
async def working(database: Database, node: str = "node") -> AsyncIterator[WebhookWorker]:
    """A worker that runs until the block ends."""
    worker = WebhookWorker(
        database, node, lambda serial: WebhookSender(serial, ["127.0.0.0/8"]), lambda _exists: None
    )
    stop = asyncio.Event()
    task = asyncio.create_task(worker.run(stop))
    try:
        yield worker
    finally:
        stop.set()
        async with asyncio.timeout(GUARD):
            await task


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


async def take(receiver: Receiver, count: int) -> list[Received]:
    return await asyncio.to_thread(receiver.take, count)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(GUARD):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - the database says nothing
            await asyncio.sleep(0.01)


def numbers_by_call(received: list[Received]) -> dict[str, list[int]]:
    found = defaultdict(list)
    for each in received:
        found[each.message["call"]].append(each.event)
    return dict(found)


def test_events_arrive_once_and_in_order_while_two_processes_stand_by(
    database: Database, open_database: Opener, receiver: Receiver
) -> None:
    async def scenario() -> None:
        id_ = add(database, receiver)
        async with working(database, "one"), working(database, "two"):
            for _ in range(5):
                await asyncio.to_thread(report, database, *("abcab" * 6))
            received = await take(receiver, 150)
            await until(lambda: status(database, id_).delivered_at is not None)
        calls = numbers_by_call(received)
        assert {call: len(numbers) for call, numbers in calls.items()} == {"a": 60, "b": 60, "c": 30}
        assert all(numbers == sorted(set(numbers)) for numbers in calls.values())

    run(scenario())
    assert receiver.requests.empty()


def test_a_call_whose_event_is_refused_waits_and_others_go_on(database: Database, receiver: Receiver) -> None:
    refused = threading.Semaphore(3)

    def answer(received: Received) -> int:
        return 500 if received.message["call"] == "a" and refused.acquire(blocking=False) else 200

    receiver.answer = answer

    async def scenario() -> None:
        id_ = add(database, receiver)
        async with working(database):
            await asyncio.to_thread(report, database, *"aba")
            await take(receiver, 2)
            await asyncio.to_thread(report, database, *"ab")
            received = await take(receiver, 3 + 3)
            await until(lambda: not status(database, id_).waiting)
            calls = numbers_by_call(received)
            assert sorted(calls["a"]) == calls["a"], "an event comes again before the next of its call"
            assert len(set(calls["a"])) == 3

    run(scenario())
    assert not refused.acquire(blocking=False)
    assert receiver.requests.empty()


def test_a_receiver_that_is_down_gets_everything_when_it_is_back(
    database: Database, receiver: Receiver
) -> None:
    is_down = threading.Event()
    is_down.set()
    receiver.answer = lambda _: 503 if is_down.is_set() else 200

    async def scenario() -> None:
        id_ = add(database, receiver)
        async with working(database):
            await asyncio.to_thread(report, database, *(f"{n}" for n in range(40)))
            await until(lambda: status(database, id_).is_failing)
            await take(receiver, schedule.MAX_FAILURES)
            await asyncio.to_thread(report, database, "late", "later")
            await until(lambda: status(database, id_).waiting == 42)
            assert status(database, id_).failure == "answer 503"
            is_down.clear()
            await until(lambda: not status(database, id_).waiting)
        accepted = status(database, id_)
        assert not accepted.is_failing

    run(scenario())
    received = [receiver.requests.get_nowait() for _ in range(receiver.requests.qsize())]
    assert {each.message["call"] for each in received} >= {*(f"{n}" for n in range(40)), "late", "later"}


def test_what_is_given_up_is_dead_and_can_be_sent_again(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "MAX_TRY_MS", 1)
    receiver.answer = lambda _: 400

    async def scenario() -> None:
        id_ = add(database, receiver)
        async with working(database):
            await asyncio.to_thread(report, database, "a", "a")
            await until(lambda: status(database, id_).dead == 2)
            await take(receiver, 2)
            receiver.answer = lambda _: 200
            await database.write(webhook_queue.send_again, id_)
            again = await take(receiver, 2)
            assert [each.message["n"] for each in again] == [0, 1]
            await until(lambda: status(database, id_).dead == status(database, id_).waiting == 0)

    run(scenario())


def test_only_chosen_events_are_sent_to_webhooks_that_are_on(database: Database, receiver: Receiver) -> None:
    async def scenario() -> None:
        off = add(database, receiver, name="Off", url=receiver.url("/off"), enable=0)
        async with working(database):
            add(database, receiver, name="Ends", url=receiver.url("/ends"), event_ids=[END])
            add(database, receiver, name="Both", url=receiver.url("/both"), event_ids=[END, STATUS])
            await asyncio.to_thread(report, database, "a")
            await asyncio.to_thread(report, database, "a", type_=END)
            received = await take(receiver, 3)
            assert sorted(each.path for each in received) == ["/both", "/both", "/ends"]
            with database.changing() as change:
                resources.update(change, WEBHOOK, off, {"enable": 1})
            await asyncio.to_thread(report, database, "b")
            assert sorted(each.path for each in await take(receiver, 2)) == ["/both", "/off"]

    run(scenario())
    assert receiver.requests.empty()


def test_a_process_that_stops_leaves_the_rest_to_the_next_one(database: Database, receiver: Receiver) -> None:
    async def scenario() -> None:
        add(database, receiver)
        async with working(database, "one"):
            await asyncio.to_thread(report, database, "a")
            await take(receiver, 1)
        report(database, "b")
        async with working(database, "two"):
            [received] = await take(receiver, 1)
            assert received.message["call"] == "b"

    run(scenario())
    assert receiver.requests.empty()
