"""When an event is sent again, as a pure machine: waits that grow, an end after a day, an order per call."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from openivr.server.webhooks.schedule import (
    MAX_FAILURES,
    MAX_MS,
    MAX_PAUSE_MS,
    ReceiverHealth,
    fail,
    make_lanes,
    wait_after,
    wait_before,
)
from openivr.store.events.webhook_queue import MAX_TRY_MS, BatchResults, Delivery, DeliveryBatch

NOW = 1_800_000_000_000
RETRIES = st.integers(1, 5)
CALLS = st.sampled_from(["", "a", "b", "c"])


def make_batch(waiting: Sequence[Delivery], new: Sequence[Delivery], held: frozenset[str]) -> DeliveryBatch:
    return DeliveryBatch(waiting, new, held, 100, 0, None, False)


@given(RETRIES)
def test_waits_grow_up_to_an_hour(retry_count: int) -> None:
    waits = [wait_before(attempts, retry_count) for attempts in range(1, 100)]
    assert waits[:retry_count] == [1000] * retry_count
    assert all(before <= after for before, after in pairwise(waits))
    assert all(after <= 2 * before for before, after in pairwise(waits[retry_count:]))
    assert waits[-1] == MAX_MS


@given(RETRIES, st.integers(0, 10_000))
def test_an_event_is_tried_for_a_day_and_then_given_up(retry_count: int, answer_ms: int) -> None:
    delivery, now, attempts = Delivery(1, 30011, "a", "{}", NOW), NOW, 0
    while not delivery.is_dead:
        now += answer_ms
        delivery = fail(delivery, "answer 500", now, retry_count)
        attempts += 1
        assert delivery.due > now
        assert attempts < 100
        if not delivery.is_dead:
            assert delivery.due < NOW + MAX_TRY_MS
            now = delivery.due
    assert delivery.attempts == attempts
    assert NOW + MAX_TRY_MS - MAX_MS - 10_000 <= now < NOW + MAX_TRY_MS + 10_000, "until the day is over"


@given(st.lists(st.booleans(), max_size=40))
def test_a_receiver_is_left_alone_after_failures_in_a_row(answers: list[bool]) -> None:
    health, in_a_row = ReceiverHealth(), 0
    for is_accepted in answers:
        health = ReceiverHealth() if is_accepted else health.fail(NOW)
        in_a_row = 0 if is_accepted else in_a_row + 1
        assert health.is_down == health.is_paused(NOW) == (in_a_row >= MAX_FAILURES)
        assert health.paused_until <= NOW + MAX_PAUSE_MS
    assert not health.is_paused(NOW + MAX_PAUSE_MS)
    assert not health.is_paused(NOW - MAX_PAUSE_MS - 1) or not health.is_down, "the clock was set back"


@st.composite
def batches(draw: st.DrawFn) -> DeliveryBatch:
    """A batch as the queue gives it: waiting events of some held calls, then new events of all calls."""
    calls = draw(st.lists(CALLS, max_size=12))
    count = draw(st.integers(0, len(calls)))
    waiting = [Delivery(id_, 30011, call, "{}", NOW, id=id_) for id_, call in enumerate(calls[:count], 1)]
    new = [Delivery(id_, 30011, call, "{}", NOW) for id_, call in enumerate(calls[count:], count + 1)]
    held = {each.call_id for each in waiting} | draw(st.sets(CALLS, max_size=2))
    return make_batch(waiting, new, frozenset(held))


@given(batches(), st.integers(0, 8), st.integers(0, 2 * MAX_PAUSE_MS))
def test_every_event_is_sent_or_waits_and_each_call_keeps_its_order(
    batch: DeliveryBatch, failures: int, later: int
) -> None:
    health = ReceiverHealth()
    for _ in range(failures):
        health = health.fail(NOW)
    lanes = make_lanes(batch, health, NOW + later)
    sending = [[each.event_id for each in lane] for lane in lanes.sending]
    queued = [each.event_id for each in lanes.queued]
    sent = [id_ for lane in sending for id_ in lane]
    assert all(sorted(lane) == lane for lane in sending)
    assert queued == sorted(queued)
    assert {each.event_id for each in batch.new} == {*queued} | {*sent} - {
        each.event_id for each in batch.waiting
    }
    assert not {*queued} & {*sent}
    for lane in lanes.sending:
        assert len({each.call_id for each in lane}) == 1
        for each in lane:
            assert each.id or each.call_id not in batch.held_calls, "a new event overtakes no waiting one"
    if health.is_down:
        assert len(sent) <= 1
    if health.is_paused(NOW + later):
        assert not sent
    if not health.is_down:
        assert {each.event_id for each in batch.waiting} <= {*sent}


@given(batches(), st.booleans(), st.integers(0, 8))
def test_a_receiver_that_is_left_alone_costs_nothing_until_its_pause_is_over(
    batch: DeliveryBatch, has_more: bool, failures: int
) -> None:
    health = ReceiverHealth()
    for _ in range(failures):
        health = health.fail(NOW)
    batch = replace(batch, has_more=has_more)
    wait = wait_after(batch, BatchResults(100), health, NOW)
    if health.is_paused(NOW) and not batch.new:
        assert wait >= min(health.paused_until - NOW, 60_000)
    elif not health.is_paused(NOW) and has_more:
        assert wait == 0
    assert 0 <= wait <= 60_000
    late = Delivery(1, 30011, "a", "{}", NOW, due=NOW + 500)
    if not has_more and not health.is_down:
        assert wait_after(batch, BatchResults(100, kept=[late]), health, NOW) == 500
