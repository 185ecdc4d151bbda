"""What webhooks have still to get: positions, leases, batches, dead deliveries. On both databases."""

import json
from dataclasses import replace
from typing import Any

import pytest

from openivr.resources.webhook import WEBHOOK
from openivr.store.config import resources
from openivr.store.database import Database
from openivr.store.events import outbox, webhook_queue
from openivr.store.events.outbox import EventReport
from openivr.store.events.webhook_queue import (
    LEASE_MS,
    MAX_DEAD,
    MAX_TRY_MS,
    BatchResults,
    Delivery,
    DeliveryBatch,
    Webhook,
    WebhookStatus,
)

BODY = {"name": "CRM", "url": "https://crm.example.com/", "secret": "k", "event_ids": [30011]}
STATUS, END = 30011, 30012
US, US_AGAIN, THEM = "us/1", "us/2", "them/1"


def add(database: Database, **fields: Any) -> int:
    with database.changing() as change:
        return resources.create(change, WEBHOOK, BODY | fields)


def change(database: Database, id_: int, **fields: Any) -> None:
    with database.changing() as transaction:
        resources.update(transaction, WEBHOOK, id_, fields)


def report(database: Database, *calls: str, type_: int = STATUS) -> None:
    with database.writing() as connection:
        outbox.append(connection, [EventReport(type_, 1000, {"call": call}, call) for call in calls])


def hold(database: Database, owner: str, *ids: int) -> dict[int, int]:
    with database.writing() as connection:
        return webhook_queue.hold(connection, owner, ids)


def read_webhook(database: Database, id_: int) -> Webhook:
    with database.reading() as connection:
        found = webhook_queue.read_webhooks(connection, None)[1]
    assert found is not None
    return next(each for each in found if each.id == id_)


def read(database: Database, id_: int, position: int) -> DeliveryBatch:
    webhook = read_webhook(database, id_)
    with database.reading() as connection:
        return webhook_queue.read_batch(connection, webhook, position)


def save(database: Database, id_: int, results: BatchResults, owner: str = US) -> bool:
    with database.writing() as connection:
        return webhook_queue.save(connection, id_, owner, results)


def status(database: Database, id_: int) -> WebhookStatus:
    with database.reading() as connection:
        return webhook_queue.read_status(connection, id_)


def calls(deliveries: Any) -> list[str]:
    return [json.loads(each.message)["call"] for each in deliveries]


def clock(database: Database) -> int:
    with database.reading() as connection:
        return webhook_queue.read_clock(connection)


def test_a_new_webhook_gets_what_follows_its_creation(database: Database) -> None:
    report(database, "before")
    id_ = add(database)
    report(database, "a", "b")
    position = hold(database, US, id_)[id_]
    assert calls(read(database, id_, position).new) == ["a", "b"]


def test_a_batch_has_the_wanted_events_and_counts_the_others_as_read(database: Database) -> None:
    id_ = add(database)
    position = hold(database, US, id_)[id_]
    report(database, "a")
    report(database, "b", type_=END)
    report(database, "c")
    batch = read(database, id_, position)
    assert (calls(batch.new), batch.position, batch.missed, batch.has_more) == (
        ["a", "c"],
        position + 3,
        0,
        False,
    )
    report(database, *(["d"] * (webhook_queue.MAX_BATCH + 1)))
    following = read(database, id_, batch.position)
    assert (len(following.new), following.has_more) == (webhook_queue.MAX_BATCH, True)
    last = read(database, id_, following.position)
    assert (calls(last.new), last.has_more) == (["d"], False)


def test_one_process_holds_a_webhook_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = add(database)
    assert id_ in hold(database, US, id_)
    assert hold(database, THEM, id_) == {}
    assert id_ in hold(database, US_AGAIN, id_), "a process that was started again on the same node"
    assert not save(database, id_, BatchResults(0)), "the one before it"
    assert id_ in hold(database, US, id_)
    now = clock(database)
    monkeypatch.setattr(webhook_queue, "read_clock", lambda _: now + LEASE_MS + 60_000)
    assert id_ in hold(database, THEM, id_), "its lease has ended"
    assert hold(database, US, id_) == {}
    assert not save(database, id_, BatchResults(99)), "results without the lease are not stored"
    assert hold(database, THEM, id_)[id_] != 99
    monkeypatch.setattr(webhook_queue, "read_clock", lambda _: now - 10 * LEASE_MS)
    assert id_ in hold(database, US, id_), "the clock was set back"
    with database.writing() as connection:
        webhook_queue.release(connection, US)
    assert id_ in hold(database, THEM, id_), "given back"


def test_what_failed_waits_and_holds_the_events_of_its_call(database: Database) -> None:
    id_ = add(database)
    position = hold(database, US, id_)[id_]
    report(database, "a", "b")
    batch = read(database, id_, position)
    now = clock(database)
    later = replace(batch.new[0], attempts=1, due=now + 60_000, failure="answer 500")
    assert save(
        database, id_, BatchResults(batch.position, kept=[later], delivered_at=5, failed_at=now, failure="x")
    )
    report(database, "a", "c")
    batch = read(database, id_, batch.position)
    assert (batch.waiting, batch.next_due) == ([], now + 60_000)
    assert batch.held_calls == {"a"}
    behind = [replace(each, due=now) for each in batch.new if each.call_id == "a"]
    assert save(database, id_, BatchResults(batch.position, kept=behind, is_back=True))
    assert status(database, id_) == WebhookStatus(2, 0, 0, 5, now, "x")
    batch = read(database, id_, batch.position)
    assert [(each.event_id, each.attempts) for each in batch.waiting] == [
        (later.event_id, 1),
        (behind[0].event_id, 0),
    ]
    assert save(database, id_, BatchResults(batch.position, delivered=[each.id for each in batch.waiting]))
    assert read(database, id_, batch.position).held_calls == frozenset()


def test_events_that_were_deleted_meanwhile_are_counted(database: Database) -> None:
    id_ = add(database)
    position = hold(database, US, id_)[id_]
    report(database, *"abcd")
    with database.writing() as connection:
        outbox.delete_old(connection, 0, most=1)
    batch = read(database, id_, position)
    assert (calls(batch.new), batch.missed) == (["d"], 3)
    save(database, id_, BatchResults(batch.position, batch.missed))
    assert status(database, id_).missed == 3


def test_a_webhook_that_is_off_drops_what_waits_and_begins_anew(database: Database) -> None:
    id_ = add(database)
    position = hold(database, US, id_)[id_]
    dead = Delivery(1, STATUS, "a", '{"call":"a"}', 0, is_dead=True)
    save(database, id_, BatchResults(position, kept=[dead, replace(dead, is_dead=False)]))
    change(database, id_, enable=0)
    hold(database, US)
    report(database, "while off")
    change(database, id_, enable=1)
    report(database, "on")
    position = hold(database, US, id_)[id_]
    assert calls(read(database, id_, position).new) == ["on"]
    assert (status(database, id_).waiting, status(database, id_).dead) == (0, 1)


def test_what_waits_for_a_day_is_given_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    id_ = add(database)
    position = hold(database, US, id_)[id_]
    now = clock(database)
    waiting = Delivery(1, STATUS, "a", '{"call":"a"}', now, due=now)
    save(
        database, id_, BatchResults(position, kept=[waiting, replace(waiting, event_id=2, since=now + 1000)])
    )
    monkeypatch.setattr(webhook_queue, "read_clock", lambda _: now + MAX_TRY_MS)
    hold(database, US, id_)
    assert (status(database, id_).waiting, status(database, id_).dead) == (1, 1)


def test_dead_deliveries_are_bounded_sent_again_and_deleted(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_queue, "MAX_DEAD", 3)
    assert MAX_DEAD > 3
    id_ = add(database)
    other = add(database, name="Other")
    position = hold(database, US, id_, other)[id_]
    dead = [
        Delivery(event, STATUS, "a", '{"call":"a"}', 0, attempts=9, is_dead=True, failure="timeout")
        for event in range(1, 6)
    ]
    save(database, id_, BatchResults(position, kept=dead))
    with database.writing() as connection:
        listed = webhook_queue.list_dead(connection, id_, 10)
        assert [each.event_id for each in listed] == [5, 4, 3]
        assert webhook_queue.count_deliveries(connection) == (0, 3)
        assert webhook_queue.send_again(connection, other) == 0
        assert webhook_queue.send_again(connection, id_, [listed[0].id]) == 1
        assert webhook_queue.delete_dead(connection, id_, [listed[1].id]) == 1
        assert webhook_queue.send_again(connection, id_) == 1
        assert webhook_queue.delete_dead(connection, id_) == 0
    batch = read(database, id_, position)
    assert [(each.event_id, each.attempts) for each in batch.waiting] == [(3, 0), (5, 0)]


def test_a_test_waits_like_an_event(database: Database) -> None:
    id_ = add(database)
    position = hold(database, US, id_)[id_]
    with database.writing() as connection:
        webhook_queue.add_test(connection, id_)
        webhook_queue.add_test(connection, 999)
    [test] = read(database, id_, position).waiting
    assert (test.type, test.message) == (0, '{"event":"test"}')


def test_a_deleted_webhook_takes_its_queue_with_it(database: Database) -> None:
    id_ = add(database)
    position = hold(database, US, id_)[id_]
    save(database, id_, BatchResults(position, kept=[Delivery(1, STATUS, "a", "{}", 0)]))
    with database.changing() as transaction:
        resources.delete(transaction, WEBHOOK, id_)
    with database.reading() as connection:
        assert webhook_queue.count_deliveries(connection) == (0, 0)


def test_a_webhook_shows_neither_address_nor_secret_in_a_log(database: Database) -> None:
    webhook = read_webhook(database, add(database, secret="Wr0ng-to-show", url="https://h.example/key"))
    assert "Wr0ng-to-show" not in repr(webhook)
    assert "key" not in repr(webhook)
