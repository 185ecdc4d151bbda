"""Killed at random moments among calls in every state: what somebody was told is in the records, once.

`OPENIVR_CRASH_ROUNDS` makes it longer, `OPENIVR_CRASH_SEED` another one.
"""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from openivr.cdr.journal.event_codec import read_events
from openivr.cdr.journal.reader import read
from openivr.ivr.commands import Note, Topic, mask
from openivr.simulate.replay import replay_commands
from openivr.sip.address import Target
from openivr.store.cdr import call_records, journal_positions, voicemail
from openivr.store.cdr.call_records import CallFilter, CallRecord
from openivr.store.cdr.routing_stages import number_call
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.events import outbox
from openivr.store.events.event_types import EventType
from openivr.store.runtime import registrations
from tests.event_socket import Closed, EventSocket, Rejected
from tests.live_server import Running, start
from tests.process.callers import ANSWERED, MAILBOX, MENU, MOVING, RINGING, Attempt, Callers
from tests.process.test_calls_process import find_calls_process, until
from tests.process.test_serve import children

ROUNDS = int(os.environ.get("OPENIVR_CRASH_ROUNDS", "4"))
SEED = int(os.environ.get("OPENIVR_CRASH_SEED", "1"))
CALLERS = 8
OPTIONS = ("--drain-calls", "0")
VICTIMS = ("calls", "server", "clerk", "both")
DESTINATIONS = (
    (MENU, "ivr", "3"),
    (MAILBOX, "ivr", "2"),
    (ANSWERED, "extension", "1"),
    (RINGING, "extension", "2"),
    (MOVING, "extension", "3"),
)


def furnish(server: Running, port: int) -> None:
    """A provider at a port of this machine, and where its calls lead."""
    api = server.log_in()

    def create(path: str, **body: Any) -> int:
        answer = api.post(f"{path}/create", body)
        assert answer["errcode"] == 0, answer
        return int(answer["id"])

    trunk = create("trunk", name="Line", type="peer", hostname="127.0.0.1", port=port)
    for number, kind, ident in DESTINATIONS:
        create(
            "inbound_route",
            name=number,
            did_pattern_list=[{"did_pattern": number}],
            trunk_list=[{"type": "trunk", "value": str(trunk)}],
            def_dest=kind,
            def_dest_value=ident,
        )
    api.close()
    server.settle()


def find_clerk(server: Running) -> int:
    """The child that gives way to others."""
    own = children(server.process.pid)
    return next(pid for pid in own if os.sched_getscheduler(pid) == os.SCHED_BATCH)


def all_records(server: Running) -> dict[str, CallRecord]:
    with server.database() as database, database.reading() as connection:
        found = call_records.list_calls(connection, CallFilter(), 0, 10_000)[1]
        return call_records.load(connection, [record.id for record in found])


def is_written(server: Running) -> bool:
    """Whether all that the journal has is in the database, and no call is under way."""
    node = (server.data / "node").read_text()
    with server.database() as database, database.reading() as connection:
        known = journal_positions.positions(connection, node)
        live = call_records.list_calls(connection, CallFilter(is_live=True))[0]
    return not live and not any(read(server.data / "journal", known, 1))


def newest_run(server: Running) -> str:
    return max((server.data / "journal").glob("*.jsonl")).name.rpartition("-")[0]


def kill(server: Running, victim: str) -> None:
    """SIGKILL for one process, two of them, or all."""
    own = children(server.process.pid)
    pids = {
        "calls": [find_calls_process(server)],
        "clerk": [find_clerk(server)],
        "both": [find_calls_process(server), find_clerk(server)],
        "server": [server.process.pid, *own],
    }[victim]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    if victim == "server":
        server.until_released()


class Consumer:
    """A program that subscribes to every event, goes on where it was after each kill, and counts gaps."""

    def __init__(self, server: Running) -> None:
        self.server = server  # the one that runs now
        self.numbers: list[int] = []
        self.ended: Counter[str] = Counter()  # calls, by the id of the API
        self.after: int | None = None
        self.gaps = self.connections = 0
        self.task: asyncio.Task[None] | None = None

    async def start(self) -> "Consumer":
        """Subscribe, and go on until `stop`."""
        api = self.server.log_in()
        self.token = api.token
        api.close()
        self.task = asyncio.create_task(self.run())
        await until(lambda: self.after is not None)
        return self

    async def run(self) -> None:
        while True:
            try:
                await self.follow()
            except (Closed, Rejected, OSError):  # TimeoutError, too
                await asyncio.sleep(0.05)

    async def follow(self) -> None:
        events = await EventSocket.open(self.server.address[1], self.token)
        try:
            answer = await events.subscribe(*range(30005, 30040), *range(90001, 90005), after=self.after)
            self.connections += 1
            self.gaps += "gap" in answer
            self.after = answer["after"]
            while True:
                event = await events.event()
                self.after = event["number"]
                self.numbers.append(event["number"])
                if event["type"] == EventType.CALL_END:
                    self.ended[event["msg"]["call_id"]] += 1
        finally:
            events.close()

    async def stop(self, records: dict[str, CallRecord]) -> None:
        """Wait for the last event, and see that each came once, and the end of each call among them."""
        with self.server.database() as database, database.reading() as connection:
            last = outbox.read_range(connection).last
        await until(lambda: (self.after or 0) >= last)
        if self.task is not None:
            self.task.cancel()
        assert self.gaps == 0
        assert self.numbers == list(range(self.numbers[0], last + 1))
        calls = {number_call(record.id, record.started // 1000) for record in records.values()}
        assert self.ended == Counter(calls)


def check_attempt(attempt: Attempt, found: list[CallRecord], alive_run: str, *, was_killed: bool) -> None:
    """What a caller was told against the records of its call."""
    told = f"{attempt} {found}"
    if not attempt.is_acknowledged:
        assert len(found) <= 2, told  # taken, but nobody was told, and when it came again taken again
        return
    runs = [record.run for record in found]
    assert len(found) == 1 or (attempt.invites > 1 and len(set(runs)) == len(runs) == 2), told
    record = found[0]
    assert not record.is_live, told
    if 200 in attempt.statuses:
        assert any(one.answered for one in found), told
    if attempt.rang and len(found) == 1:
        assert {leg["number"] for leg in record.legs} >= attempt.rang, told
        if attempt.called == MENU:
            assert record.keys.endswith("1#"), told
    is_refused = any(status >= 300 for status in attempt.statuses)
    if attempt.bye_confirmed and len(found) == 1:
        assert record.outcome != "interrupted", told
    elif was_killed and record.run != alive_run and not attempt.ended_by_us and not is_refused:
        assert (record.outcome, record.reason) == ("interrupted", "server_interrupted"), told


def is_cut_off(record: CallRecord) -> bool:
    """Return True if the process died after the caller had gone, while it waited for a message to be kept.

    The journal has no result then. Telling the events again takes the message as kept.
    """
    return bool(record.events) and record.events[-1]["event"] == "HungUp"


def check_story(server: Running, records: dict[str, CallRecord], before: dict[str, CallRecord]) -> None:
    """The events of every record lead to its notes again; nothing that was in the database has gone."""
    for ident, record in before.items():
        after = records[ident]
        assert after.sequence >= record.sequence
        assert after.events[: len(record.events)] == record.events
        assert after.keys.startswith(record.keys)
    with server.database() as database, database.reading() as connection:
        snapshot = load_snapshot(connection)
        for record in records.values():
            if record.id in before and before[record.id] == record:
                continue
            kept = [one.note for one in call_records.notes_of(connection, record.id)]
            again = chain.from_iterable(replay_commands(snapshot, read_events(record.events)))
            told = [replace(mask(made), private=False) for made in again if isinstance(made, Note)]
            if is_cut_off(record) and len(kept) < len(told):
                assert told[len(kept)].topic is Topic.RECORDED, record
                told = told[: len(kept)]
            assert kept == told, record
        messages = voicemail.list_messages(connection)[1]
    owners = [message.call_id for message in messages]
    assert len(set(owners)) == len(owners), "a call has left one message, if any"


async def check_registrations(server: Running, callers: Callers) -> None:
    """The phones are registered as they were told last, in the database and at the process that answers."""
    expected = {"1000", "1001"} | ({"1002"} if callers.is_there else set())

    def known() -> set[str]:
        with server.database() as database, database.reading() as connection:
            rows = registrations.list_registrations(connection)
        return {row.data["user"] for row in rows}

    for number, called in (("1000", ANSWERED), ("1002", MOVING)):
        attempt = await callers.call_through(called)
        assert attempt.rang == ({number} & expected)
    await until(lambda: known() == expected)


async def kill_among_calls(
    server: Running, callers: Callers, consumer: Consumer, victim: str, seconds: float
) -> Running:
    """Let them call for a while, kill, and look at what is left; the server that runs then."""
    callers.begin(CALLERS)
    await asyncio.sleep(seconds)
    before = await asyncio.to_thread(all_records, server)
    kill(server, victim)
    if victim == "server":
        options = (*OPTIONS, "--sip", f"127.0.0.1:{server.sip_port}")
        server = await asyncio.to_thread(start, server.folder, *options, command="serve")
        consumer.server = server
    attempts = await callers.halt()
    await check_registrations(server, callers)
    callers.hang_up()
    await until(lambda: is_written(server))
    await until(lambda: not list((server.data / "journal").glob("vm-*.wav")))
    records = all_records(server)
    by_caller: dict[str, list[CallRecord]] = {}
    for record in records.values():
        by_caller.setdefault(record.caller, []).append(record)
    for attempt in attempts:
        found = by_caller.get(attempt.caller, [])
        check_attempt(attempt, found, newest_run(server), was_killed=victim != "clerk")
    check_story(server, records, before)
    return server


async def kill_again_and_again(folder: Path) -> None:
    server = await asyncio.to_thread(start, folder, *OPTIONS, command="serve")
    passwords = json.loads((server.data / "demo-secrets.json").read_text())["extensions"]
    callers = await Callers(Target("UDP", "127.0.0.1", server.sip_port), passwords, SEED).open()
    await asyncio.to_thread(furnish, server, callers.provider.address.port)
    consumer = await Consumer(server).start()
    chance = random.Random(SEED)
    for number in range(ROUNDS):
        victim = VICTIMS[number % len(VICTIMS)]
        server = await kill_among_calls(server, callers, consumer, victim, chance.uniform(0.8, 2.2))
    await consumer.stop(all_records(server))
    await callers.close()
    assert await asyncio.to_thread(server.stop) == 0


def test_what_anybody_was_told_is_in_the_records_whenever_it_was_killed(tmp_path: Path) -> None:
    async def limited() -> None:
        async with asyncio.timeout(120 + 20 * ROUNDS):
            await kill_again_and_again(tmp_path)

    asyncio.run(limited())
