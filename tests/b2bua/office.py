"""The calls process with the demo's configuration, in the test's own event loop, and phones around it."""

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ParamSpec

import msgspec

from openivr.cdr.journal.writer import Journal
from openivr.cdr.worker import CdrWorker
from openivr.config.settings import CallSettings, ListenAddress, Settings
from openivr.ivr.commands import Note
from openivr.media.media import Media
from openivr.resources import KINDS
from openivr.server.bootstrap import Demo, fill
from openivr.server.calls_process import CallsProcess
from openivr.server.process_plan import plan_calls
from openivr.server.supervisor import WorkerContext
from openivr.sip.address import Target
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter, CallRecord
from openivr.store.config import resources
from openivr.store.database import Database
from openivr.store.schema import migrate
from tests.b2bua.phone import WAIT_SECONDS, Phone, open_media

P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in an event loop of its own, two minutes at most."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        async def limited() -> None:
            async with asyncio.timeout(120):
                await test(*args, **kwargs)

        asyncio.run(limited())

    return run


@dataclass
class Office:
    """A running exchange, its database and phones."""

    exchange: CallsProcess
    database: Database
    demo: Demo
    servers: dict[str, Target]  # by the host that it listens on
    media: Media
    journal: Path
    phones: list[Phone] = field(default_factory=list)

    @property
    def server(self) -> Target:
        """Where it listens first."""
        return next(iter(self.servers.values()))

    async def phone(self, number: str, answers: int | None = 200, *, host: str = "") -> Phone:
        """A phone of an extension of the demo, registered; by the address of the server that is named."""
        server = self.servers[host] if host else self.server
        phone = await Phone(server, number, self.demo.extensions[number], answers).start(self.media)
        self.phones.append(phone)
        assert await phone.register() == 200
        return phone

    async def stranger(self) -> Phone:
        """A phone that nobody knows."""
        phone = await Phone(self.server).start(self.media)
        self.phones.append(phone)
        return phone

    def change(self, kind: str, ident: int, **body: Any) -> None:
        """Change an object, as the API does."""
        with self.database.changing() as change:
            resources.update(change, KINDS[kind], ident, body)

    def create(self, kind: str, **body: Any) -> int:
        """Create an object, as the API does."""
        with self.database.changing() as change:
            return resources.create(change, KINDS[kind], body)

    def ivr(self, number: str) -> int:
        ivr = self.exchange.live.configuration.snapshot.ivr_by_number(number)
        assert ivr is not None
        return ivr.id

    def records(self) -> list[CallRecord]:
        """The records of all calls, oldest first, as the clerk has them."""
        CdrWorker(self.database, "test", self.journal).catch_up()
        with self.database.reading() as connection:
            _, found = call_records.list_calls(connection, CallFilter())
            whole = call_records.load(connection, [record.id for record in found])
        return [whole[record.id] for record in reversed(found)]

    def notes(self, call: str) -> list[Note]:
        with self.database.reading() as connection:
            return [one.note for one in call_records.notes_of(connection, call)]

    async def until_quiet(self) -> None:
        """Wait until no call is under way."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.exchange.switchboard.calls:  # noqa: ASYNC110 - nothing in it says that it is empty
                await asyncio.sleep(0.01)


def fill_in(database: Database, folder: Path, is_new: bool) -> Demo:
    """The demo's secrets, made anew or as they were kept."""
    kept = folder / "demo"
    if is_new:
        with database.changing() as change:
            kept.write_bytes(msgspec.json.encode(fill(change)))
    return msgspec.json.decode(kept.read_bytes(), type=Demo)


@asynccontextmanager
async def open_office(
    folder: Path, *, is_new: bool = True, hosts: Sequence[str] = ("127.0.0.1",), **told: Any
) -> AsyncIterator[Office]:
    """Open it, and close it in the end; one that is not new has its data in the folder already."""
    database = Database(f"sqlite:///{folder / 'openivr.db'}")
    migrate(database)
    demo = fill_in(database, folder, is_new)
    places = tuple(ListenAddress(host, 0) for host in hosts)
    asked = CallSettings(sip=places, rtp_ports=range(40_000, 42_000), **told)
    settings, job = plan_calls(Settings(data=folder, calls=asked), "test")
    readable, writable = os.pipe()
    journal = Journal(settings.journal)
    exchange = CallsProcess(settings, database, journal)
    await exchange.start("test", WorkerContext(0, job.sockets, writable, readable))
    looking = asyncio.create_task(exchange.look())
    media = open_media(*hosts)
    servers = {host: Target("UDP", host, port) for host, port in settings.calls.sip}
    office = Office(exchange, database, demo, servers, media, settings.journal)
    try:
        yield office
    finally:
        at_once = asyncio.Event()
        at_once.set()
        for phone in office.phones:
            phone.close()
        await exchange.stop(at_once)
        looking.cancel()
        await media.close()
        journal.close()
        database.close()
        os.close(readable)
        os.close(writable)
