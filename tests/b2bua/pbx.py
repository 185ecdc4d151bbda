"""The calls process with the demo configuration in the event loop of a test, and phones."""

import asyncio
import functools
import shutil
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
from openivr.server.bootstrap import DEMO_FILE, Demo
from openivr.server.calls_process import CallsProcess
from openivr.server.process_plan import open_sip_sockets
from openivr.sip.address import Target
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter, CallRecord
from openivr.store.config import resources
from openivr.store.database import Database
from tests.b2bua.phone import WAIT_SECONDS, Phone, open_media
from tests.live_server import prepared_data

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
class Pbx:
    """A running calls process, its database and phones."""

    process: CallsProcess
    database: Database
    demo: Demo
    servers: dict[str, Target]  # by the host that it listens on
    media: Media
    journal: Path
    phones: list[Phone] = field(default_factory=list)

    @property
    def server(self) -> Target:
        """The first address that it listens on."""
        return next(iter(self.servers.values()))

    async def phone(self, number: str, answers: int | None = 200, *, host: str = "") -> Phone:
        """Register a phone of an extension of the demo, at the server's address `host`."""
        server = self.servers[host] if host else self.server
        phone = await Phone(server, number, self.demo.extensions[number], answers).start(self.media)
        self.phones.append(phone)
        assert await phone.register() == 200
        return phone

    async def stranger(self) -> Phone:
        """A phone without an account."""
        phone = await Phone(self.server).start(self.media)
        self.phones.append(phone)
        return phone

    def change(self, kind: str, ident: int, **body: Any) -> None:
        """Change an object, as the API does."""
        with self.database.changing() as change:
            resources.update(change, KINDS[kind], ident, body)

    def forward(self, ident: int, **rules: Any) -> None:
        """Change where an extension forwards calls while it is available, away or not to be disturbed."""
        statuses = ("available", "away", "do_not_disturb")
        self.change("extension", ident, presence_list=[{"status": status, **rules} for status in statuses])

    def stop_forwarding(self, ident: int) -> None:
        """Switch every forward of an extension off, so that a call that it does not take ends."""
        rules = (f"enb_{side}_{when}_forward" for side in ("in", "ex") for when in ("busy", "no_answer"))
        self.forward(ident, **dict.fromkeys(rules, 0))

    def create(self, kind: str, **body: Any) -> int:
        """Create an object, as the API does."""
        with self.database.changing() as change:
            return resources.create(change, KINDS[kind], body)

    def ivr(self, number: str) -> int:
        ivr = self.process.config_cache.configuration.snapshot.ivr_by_number(number)
        assert ivr is not None
        return ivr.id

    def records(self) -> list[CallRecord]:
        """The records of all calls, oldest first, as the CDR worker stores them."""
        CdrWorker(self.database, "test", self.journal).catch_up()
        with self.database.reading() as connection:
            _, found = call_records.list_calls(connection, CallFilter())
            whole = call_records.load(connection, [record.id for record in found])
        return [whole[record.id] for record in reversed(found)]

    def notes(self, call: str) -> list[Note]:
        with self.database.reading() as connection:
            return [one.note for one in call_records.notes_of(connection, call)]

    async def until_quiet(self) -> None:
        """Wait until no call is active."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.process.call_manager.calls:  # noqa: ASYNC110 - nothing in it says that it is empty
                await asyncio.sleep(0.01)


@asynccontextmanager
async def open_pbx(
    folder: Path, *, is_new: bool = True, hosts: Sequence[str] = ("127.0.0.1",), **options: Any
) -> AsyncIterator[Pbx]:
    """Run a calls process. If it is not new, the folder has the data of an earlier one."""
    if is_new:
        shutil.copytree(prepared_data(is_demo=True), folder, dirs_exist_ok=True)
    demo = msgspec.json.decode((folder / DEMO_FILE).read_bytes(), type=Demo)
    database = Database(f"sqlite:///{folder / 'openivr.db'}")
    addresses = tuple(ListenAddress(host, 0) for host in hosts)
    calls = CallSettings(sip=addresses, rtp_ports=range(40_000, 42_000), **options)
    settings, sip_sockets = open_sip_sockets(Settings(data=folder, calls=calls))
    journal = Journal(settings.journal)
    process = CallsProcess(settings, database, journal)
    await process.start("test", sip_sockets)
    looking = asyncio.create_task(process.watch_config())
    media = open_media(*hosts)
    servers = {host: Target("UDP", host, port) for host, port in settings.calls.sip}
    pbx = Pbx(process, database, demo, servers, media, settings.journal)
    try:
        yield pbx
    finally:
        at_once = asyncio.Event()
        at_once.set()
        for phone in pbx.phones:
            phone.close()
        await process.stop(at_once)
        looking.cancel()
        await media.close()
        journal.close()
        database.close()
