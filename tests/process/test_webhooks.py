"""The process of webhooks of a real server, killed at random moments: its receiver misses nothing."""

import os
import random
import signal
from pathlib import Path
from typing import Any

from openivr.store.events import outbox
from openivr.store.events.outbox import EventReport
from tests.live_server import Running, start
from tests.process.test_serve import children, wait_until
from tests.webhook_receiver import Received, Receiver

KILLS = 3
SECRET = "kZ8sW2qA7tY4uB1n"
STATUS = 30011


def report(server: Running, *calls: str) -> list[int]:
    """Write events as the CDR worker does. Returns their numbers."""
    with server.database() as database, database.writing() as connection:
        outbox.append(connection, [EventReport(STATUS, 10**13, {"call": call}, call) for call in calls])
        last = outbox.read_range(connection).last
    return list(range(last - len(calls) + 1, last + 1))


def kill_webhooks_process(server: Running, worker: int) -> None:
    """Kill every child but the HTTP worker, and wait until there are others."""
    before = set(children(server.process.pid)) - {worker}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len({*children(server.process.pid)} - {worker} - before) == len(before))


def test_nothing_is_missed_while_the_process_is_killed(tmp_path: Path) -> None:
    chance, receiver = random.Random(7), Receiver()
    server = start(tmp_path, "--webhook-network", "127.0.0.0/8", "--log-level", "debug")
    worker, *_ = children(server.process.pid)
    api = server.log_in()
    entry: dict[str, Any] = {
        "url": receiver.url("/hook?key=Pr1vate"),
        "secret": SECRET,
        "event_ids": [STATUS],
    }
    assert api.post("webhook/update", {"webhook_event_push_list": [entry]})["errcode"] == 0
    sent, received = list[int](), list[Received]()
    for _ in range(KILLS):
        sent += report(server, *"aabbc")
        received += receiver.take(chance.randrange(1, 5))
        sent += report(server, *"abcab")
        kill_webhooks_process(server, worker)
    sent += report(server, "last")
    while {each.event for each in received} != {*sent}:
        received.append(receiver.next())
    for call in "abc":
        numbers = dict.fromkeys(each.event for each in received if each.message["call"] == call)
        assert list(numbers) == sorted(numbers)
    api.close()
    assert server.stop() == 0
    receiver.close()
    assert not [secret for secret in (SECRET, "Pr1vate") if secret in server.log]
