"""Measures events over WebSocket: from a key in a menu to the frame at a subscriber, during calls.

python -m bench.events

300 callers press a key every 6 s, 50 a second; 100 subscribers get each key, state and end of a call.
The time of a key is that of its journal entry (milliseconds).
The time of a frame is taken when a subscriber has read it. The measurement goes on until no more frames come,
so a key without a frame is one that was lost or whose subscriber was cut off. Takes under a minute.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage

from bench.machine import free_port, print_table
from bench.office import FIRST_SOURCE, MENU, SOURCES, Served, cpu_seconds, serve
from bench.phones import Found, open_files_allowed, place_calls
from openivr.store.auth import clients, tokens
from openivr.store.auth.tokens import TokenPair, TokenPolicy
from openivr.store.database import Database
from openivr.store.events.event_types import EventType
from openivr.store.tables import EVENT

CALLS, SUBSCRIBERS = 300, 100
SECONDS, SETTLE = 20, 3
QUIET_SECONDS, MAX_QUIET_SECONDS = 2.0, 30.0  # without frames, after which the measurement is over
KEY_SECONDS = 6  # between two keys of a caller
TOPICS = [int(EventType.CALL_STATUS), int(EventType.CALL_END), int(EventType.DIGIT)]


class Subscriber:
    """Reads all events; with `times`, notes when each came, by its number."""

    def __init__(self, times: dict[int, float] | None = None) -> None:
        self.times, self.bytes, self.is_cut_off = times, 0, False

    async def run(self, port: int, token: str, ready: asyncio.Semaphore) -> None:
        """Subscribe, release `ready`, and read until it is cancelled."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        connection = WSConnection(ConnectionType.CLIENT)
        target = f"/openapi/v1.0/subscribe?access_token={token}"
        writer.write(connection.send(Request(host=f"127.0.0.1:{port}", target=target)))
        is_open = False
        while data := await reader.read(65_536):
            now = time.time() * 1000
            self.bytes += len(data)
            if is_open and self.times is None:
                continue  # one measures, the others are load
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, AcceptConnection):
                    text = json.dumps({"topic_list": TOPICS, "after": None})
                    writer.write(connection.send(TextMessage(text)))
                elif isinstance(event, TextMessage):
                    is_open = self.take(json.loads(event.data), now, ready) or is_open
        self.is_cut_off = True

    def take(self, message: dict[str, Any], now: float, ready: asyncio.Semaphore) -> bool:
        """Take a message. Return True for the answer to the subscription."""
        if "errcode" in message:
            ready.release()
            return True
        if self.times is not None and message["type"] == EventType.DIGIT:
            self.times[message["number"]] = now
        return False


def issue_token(database: Database) -> str:
    with database.changing("auth") as change:
        clients.add(change.connection, "bench", "bench", "a secret of the bench")
        pair = tokens.issue(change.connection, TokenPolicy(), "bench", int(time.time()))
    assert isinstance(pair, TokenPair)
    return pair.access


async def until_quiet(subscribers: Sequence[Subscriber]) -> None:
    """Wait until no subscriber has received anything for QUIET_SECONDS, at most MAX_QUIET_SECONDS."""
    began = last = time.monotonic()
    seen = 0
    while time.monotonic() - last < QUIET_SECONDS and time.monotonic() - began < MAX_QUIET_SECONDS:
        received = sum(each.bytes for each in subscribers)
        if received != seen:
            seen, last = received, time.monotonic()
        await asyncio.sleep(0.1)


async def measure(served: Served, phone: int, token: str) -> tuple[dict[int, float], Found, float, int]:
    """Return the times of key frames by number, the result of the callers, and the CPU time in cores.

    The last value is the number of subscribers that the server has cut off.
    """
    times: dict[int, float] = {}
    ready = asyncio.Semaphore(0)
    every = [Subscriber(times), *(Subscriber() for _ in range(SUBSCRIBERS - 1))]
    running = [asyncio.create_task(each.run(served.http, token, ready)) for each in every]
    async with asyncio.timeout(30):
        for _ in every:
            await ready.acquire()
    where = (f"127.0.0.1:{served.sip}", "--local", FIRST_SOURCE, "--sources", SOURCES, "--sip-port", phone)
    shape = ("--number", MENU, "--calls", CALLS, "--rate", 100, "--keys", KEY_SECONDS)
    before, began = cpu_seconds(served.pid), time.monotonic()
    async with asyncio.timeout(120):
        found = await asyncio.to_thread(place_calls, *where, *shape, "--settle", SETTLE, "--seconds", SECONDS)
    cores = (cpu_seconds(served.pid) - before) / (time.monotonic() - began)
    await until_quiet(every)
    cut_off = sum(each.is_cut_off for each in every)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return times, found, cores, cut_off


def main() -> None:
    open_files_allowed()
    phone = free_port()
    with tempfile.TemporaryDirectory() as name, serve(Path(name), phone) as served:
        database = Database(f"sqlite:///{Path(name) / 'data' / 'openivr.db'}")
        times, found, cores, cut_off = asyncio.run(measure(served, phone, issue_token(database)))
        with database.reading() as connection:
            keys = select(EVENT.c.id, EVENT.c.at).where(EVENT.c.type == int(EventType.DIGIT))
            pressed = {row.id: row.at for row in connection.execute(keys)}
        database.close()
    late = sorted(times[number] - at for number, at in pressed.items() if number in times)
    missed = len(pressed) - len(late)
    cuts = statistics.quantiles(late, n=100)
    row = [f"{len(late):,}", f"{cuts[49]:.1f}", f"{cuts[98]:.1f}", f"{late[-1]:.1f}", missed, cut_off]
    title = f"From a key to the frame at a subscriber: {CALLS} calls, {SUBSCRIBERS} subscribers"
    head = [
        "keys",
        "p50, ms",
        "p99",
        "max",
        "keys without a frame",
        "cut off",
        "server, cores",
        "key to prompt p99, ms",
    ]
    print_table(title, head, [[*row, f"{cores:.2f}", f"{found.get('key_p99', 0):.1f}"]])


if __name__ == "__main__":
    main()
