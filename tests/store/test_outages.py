"""The database stopped, paused, locked or removed: no wait is long, and nothing that was refused is done."""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from openivr.resources import KINDS
from openivr.store import availability
from openivr.store.availability import Availability, Unavailable
from openivr.store.caches import saved_state
from openivr.store.caches.call_config_cache import CallConfigCache
from openivr.store.caches.change_feed import read_revision
from openivr.store.caches.list_cache import ListCache
from openivr.store.caches.saved_state import SavedBinding, SavedConfig, SavedLists
from openivr.store.config import resources
from openivr.store.database import Database
from openivr.store.schema import UnknownSchema, migrate
from tests import postgres
from tests.machine_clock import machine_clock
from tests.postgres import Server
from tests.store.bodies import create, extension, ivr

AT_ONCE = 1.2  # seconds; less than a cache waits for the database
BOUNDED = 5.0


@pytest.fixture(autouse=True)
def patience() -> None:
    """Wait as long as a server does."""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres.serving() as running:
        database = Database(running.url)
        migrate(database)
        create(database, "ivr", ivr("6200"))
        database.close()
        yield running


class Caches:
    """What an HTTP worker and the calls process keep of one database."""

    def __init__(self, url: str) -> None:
        self.database = Database(url, is_server=True)
        self.lists = ListCache(self.database)
        self.calls = CallConfigCache(self.database, lambda config: config, lambda *_: None)

    async def numbers(self) -> set[str]:
        """The numbers of the menus that calls can reach now."""
        config = await self.calls.current()
        return {menu.number for menu in config.snapshot.ivrs.values()}

    async def until_back(self) -> None:
        """Wait until the database answers again."""
        async with asyncio.timeout(60):
            while self.calls.age or self.lists.age or self.database.availability.is_down:
                await asyncio.sleep(0.05)
                with suppress(Unavailable):  # nothing has been read yet
                    await self.calls.current()
                    await self.lists.current()

    async def load_lists(self) -> None:
        """Read the lists for the first time."""
        async with asyncio.timeout(60):
            while True:
                with suppress(Unavailable):
                    await self.lists.current()
                    return
                await asyncio.sleep(0.05)

    async def newest_numbers(self) -> set[str]:
        """The numbers of the menus in the database, which a busy machine may be slow to read."""
        async with asyncio.timeout(60):
            while True:
                with suppress(Unavailable):
                    numbers = await self.numbers()
                    if not self.calls.age:
                        return numbers
                await asyncio.sleep(0.05)


@asynccontextmanager
async def caches(url: str) -> AsyncIterator[Caches]:
    opened = Caches(url)
    try:
        await opened.newest_numbers()
        await opened.load_lists()
        yield opened
    finally:
        opened.lists.close()
        opened.calls.close()
        opened.database.close()


async def timed(work: Awaitable[Any]) -> tuple[Any, float]:
    """The result of some work, or its exception, and the seconds that it took while the machine ran."""
    with machine_clock() as clock:
        try:
            result = await work
        except Unavailable as error:
            result = error
        return result, clock.read()


async def check_outage(known: Caches) -> None:
    """What holds while the database is away, however it is away."""
    numbers = await known.numbers()
    result, seconds = await timed(known.calls.current())
    assert not isinstance(result, Exception)
    assert seconds < BOUNDED
    assert await known.numbers() == numbers
    assert known.calls.age > 0
    snapshot, seconds = await timed(known.lists.current())
    assert snapshot.lists["ivr"].total == len(numbers)
    assert seconds < BOUNDED
    for _ in range(20):  # however many ask, one at most waits
        results = await asyncio.gather(
            *(timed(known.database.read(read_revision)) for _ in range(5)),
            timed(known.database.change_config(resources.create, KINDS["ivr"], ivr("6999"))),
            timed(known.lists.current()),
            timed(known.calls.current()),
        )
        assert all(isinstance(result, Unavailable) for result, _ in results[:6])
        assert sorted(seconds for _, seconds in results)[-2] < AT_ONCE
        await asyncio.sleep(0.1)


def run(url: str, scenario: Callable[[Caches], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(120), caches(url) as known:
            await scenario(known)

    asyncio.run(whole())


def numbers_in(url: str) -> set[str]:
    """The numbers of the menus that the database has."""
    database = Database(url)
    with database.reading() as connection:
        found = {values["number"] for _, values in resources.fetch_all(connection, KINDS["ivr"])}
    database.close()
    return found


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_f1_a_stopped_server_leaves_the_configuration_last_known(server: Server, mode: str) -> None:
    async def scenario(known: Caches) -> None:
        before = await known.numbers()
        await asyncio.to_thread(server.stop, mode)
        try:
            await check_outage(known)
        finally:
            await asyncio.to_thread(server.start)
        await known.until_back()
        assert await known.newest_numbers() == before
        number = f"63{len(before):02d}"
        await known.database.change_config(resources.create, KINDS["ivr"], ivr(number))
        assert number in await known.newest_numbers()

    run(server.url, scenario)
    assert "6999" not in numbers_in(server.url)


def test_f1_a_server_that_takes_no_connection_is_no_different(server: Server) -> None:
    async def scenario(known: Caches) -> None:
        with psycopg.connect(
            host=server.socket, user="postgres", dbname="template1", autocommit=True
        ) as admin:
            admin.execute("ALTER DATABASE postgres WITH ALLOW_CONNECTIONS false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'postgres'")
            try:
                await check_outage(known)
            finally:
                admin.execute("ALTER DATABASE postgres WITH ALLOW_CONNECTIONS true")
        await known.until_back()

    run(server.url, scenario)


def test_f2_a_paused_server_holds_up_one_caller_for_a_moment(server: Server) -> None:
    async def scenario(known: Caches) -> None:
        with server.paused():
            await check_outage(known)
        await known.until_back()
        assert "6200" in await known.newest_numbers()

    run(server.url, scenario)
    assert "6999" not in numbers_in(server.url)


def test_f2_a_change_that_was_given_up_is_not_made_later(server: Server, monkeypatch: Any) -> None:
    from openivr.store import database as module

    monkeypatch.setattr(module, "WRITE_SECONDS", 0.5)

    async def scenario(known: Caches) -> None:
        with server.paused():
            change = known.database.change_config(resources.create, KINDS["ivr"], ivr("6998"))
            result, seconds = await timed(change)
            assert isinstance(result, Unavailable)
            assert seconds < BOUNDED
        await known.until_back()
        await known.database.change_config(resources.create, KINDS["ivr"], ivr("6997"))
        assert await known.newest_numbers() >= {"6997"}
        assert "6998" not in await known.newest_numbers()

    run(server.url, scenario)


def test_f2_a_locked_table_of_revisions_holds_up_one_caller_for_a_moment(server: Server) -> None:
    async def scenario(known: Caches) -> None:
        with psycopg.connect(host=server.socket, user="postgres", dbname="postgres") as other:
            other.execute("LOCK TABLE revision")
            before = await known.numbers()
            for _ in range(3):
                snapshot, seconds = await timed(known.lists.current())
                assert seconds < BOUNDED
                assert snapshot.lists["ivr"].total == len(before)
            assert known.calls.age > 0
        await known.until_back()

    run(server.url, scenario)


def test_f4_a_connection_that_was_ended_is_replaced(server: Server) -> None:
    async def scenario(known: Caches) -> None:
        for number in ("6801", "6802"):
            with psycopg.connect(host=server.socket, user="postgres", dbname="postgres") as other:
                kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                other.execute(f"{kill} AND datname = 'postgres'")
            await known.database.change_config(resources.create, KINDS["ivr"], ivr(number))
            assert number in await known.newest_numbers()
            await known.database.read(read_revision)

    run(server.url, scenario)


def test_the_watchdog_ends_a_transaction_that_takes_too_long(server: Server, monkeypatch: Any) -> None:
    from openivr.store import database as module

    monkeypatch.setattr(module, "TRANSACTION_SECONDS", 1.0)
    database = Database(server.url, is_server=True)
    try:
        with server.paused(), pytest.raises(OperationalError), database.reading() as connection:
            read_revision(connection)
    finally:
        database.close()


# SQLite


@pytest.fixture
def path(tmp_path: Path) -> Path:
    database = Database(f"sqlite:///{tmp_path / 'openivr.db'}")
    migrate(database)
    create(database, "ivr", ivr("6200"))
    create(database, "extension", extension())
    database.close()
    return tmp_path / "openivr.db"


def move(source: Path, target: Path) -> None:
    """Move a database with the files that SQLite keeps beside it."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.rename(f"{source}{suffix}", f"{target}{suffix}")


def test_f16_nothing_is_acknowledged_into_a_file_that_is_gone(path: Path) -> None:
    async def scenario(known: Caches) -> None:
        aside = path.with_name("aside")
        move(path, aside)
        result, _ = await timed(known.database.change_config(resources.create, KINDS["ivr"], ivr("6999")))
        assert isinstance(result, Unavailable)
        assert path.name not in os.listdir(path.parent)
        for cache in (known.lists, known.calls):
            cache.feed.check_file()
        await known.lists.current()
        assert known.lists.age > 0
        assert await known.numbers() == {"6200"}
        move(aside, path)
        for cache in (known.lists, known.calls):
            cache.feed.check_file()
        await known.until_back()
        await known.database.change_config(resources.create, KINDS["ivr"], ivr("6201"))
        assert await known.newest_numbers() == {"6200", "6201"}

    run(f"sqlite:///{path}", scenario)


def test_f16_a_file_in_the_place_of_another_is_read_whole(path: Path) -> None:
    other = path.with_name("other.db")

    async def scenario(known: Caches) -> None:
        database = Database(f"sqlite:///{other}")
        migrate(database)
        create(database, "ivr", ivr("7777"))
        database.close()
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink()
        other.replace(path)
        for cache in (known.lists, known.calls):
            cache.feed.check_file()
        assert await known.newest_numbers() == {"7777"}
        assert (await known.lists.current()).lists["ivr"].total == 1

    run(f"sqlite:///{path}", scenario)


def test_f16_a_locked_file_holds_up_nobody_for_long(path: Path) -> None:
    async def scenario(known: Caches) -> None:
        await known.database.read(read_revision)
        with sqlite3.connect(path, isolation_level=None, check_same_thread=False) as other:
            other.execute("BEGIN IMMEDIATE")
            numbers, seconds = await timed(known.numbers())  # readers are not held up by a writer
            assert numbers == {"6200"}
            assert seconds < AT_ONCE
            other.execute("ROLLBACK")
        other.close()

    run(f"sqlite:///{path}", scenario)


@pytest.mark.parametrize("content", [b"", b"no database at all" * 1000])
def test_f16_a_damaged_file_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    database = Database(f"sqlite:///{tmp_path / 'openivr.db'}")
    (tmp_path / "openivr.db").write_bytes(content)
    try:
        if content:
            with pytest.raises(Exception, match="file is not a database") as refused:
                migrate(database)
            assert availability.is_unavailable(refused.value)
        else:
            migrate(database)  # an empty file is a database without tables
    finally:
        database.close()


def test_f16_a_schema_that_no_release_has_made_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    database = Database(f"sqlite:///{path}")
    with pytest.raises(UnknownSchema):
        migrate(database)
    database.close()


# What is kept on disk


def test_f3_a_start_without_a_database_finds_what_was_known(path: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{path}"

    async def keep(known: Caches) -> None:
        config, lists = known.calls.to_save([SavedBinding(1, "sip:1000@h", {"q": 1})]), known.lists.to_save()
        assert config is not None
        assert lists is not None
        saved_state.save(tmp_path / "config", config)
        saved_state.save(tmp_path / "lists", lists)

    async def start() -> None:
        known = Caches(url)
        move(path, tmp_path / "aside")
        with pytest.raises(Unavailable):
            await known.calls.current()
        config = saved_state.load(tmp_path / "config", SavedConfig)
        lists = saved_state.load(tmp_path / "lists", SavedLists)
        assert config is not None
        assert lists is not None
        assert list(config.bindings) == [SavedBinding(1, "sip:1000@h", {"q": 1})]
        known.calls.start_from(config)
        known.lists.start_from(lists)
        assert await known.numbers() == {"6200"}
        assert (await known.lists.current()).lists["extension"].total == 1
        assert known.calls.configuration.accounts["1000"].secret.startswith("md5=")
        assert known.lists.to_save() is None  # what is old is not kept as if it were new
        move(tmp_path / "aside", path)
        for cache in (known.lists, known.calls):
            cache.feed.check_file()
        create(known.database, "ivr", ivr("6201"))
        await known.until_back()
        assert await known.newest_numbers() == {"6200", "6201"}
        known.lists.close()
        known.calls.close()
        known.database.close()

    run(url, keep)
    for name in ("config", "lists"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    asyncio.run(start())


@pytest.mark.parametrize("sort", ["id", "number", "name"])
def test_f3_lists_from_disk_have_the_order_of_the_database(path: Path, sort: str) -> None:
    from openivr.resources.order import ListQuery
    from openivr.store.caches.list_cache import rebuild, rows_of

    async def scenario(known: Caches) -> None:
        for number in ("7", "0007", "61", "6100"):
            create(known.database, "ivr", ivr(number, name=f"menu {number[::-1]}"))
        rows = (await known.lists.current()).lists["ivr"]
        import msgspec

        again = rebuild(KINDS["ivr"], map(msgspec.Raw, rows_of(rows)))
        query = ListQuery(0, 100, sort)
        assert b",\n".join(again.page(query)) == b",\n".join(rows.page(query))

    run(f"sqlite:///{path}", scenario)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"saved": 1, "schema": "9999"}', b"\xff\xfe"])
def test_f3_a_damaged_copy_is_no_copy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config").write_bytes(content)
    assert saved_state.load(tmp_path / "config", SavedConfig) is None
    assert saved_state.load(tmp_path / "missing", SavedConfig) is None


def test_a_copy_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = SavedConfig(saved=1.0, schema="0001", revision=1, rows={})
    saved_state.save(tmp_path / "config", state)
    before = (tmp_path / "config").read_bytes()

    def fail(_file: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        saved_state.save(tmp_path / "config", SavedConfig(saved=2.0, schema="0001", revision=2, rows={}))
    assert (tmp_path / "config").read_bytes() == before
    assert os.listdir(tmp_path) == ["config"]


# The rule of one attempt at a time


def test_while_it_is_down_one_attempt_at_a_time_is_let_through() -> None:
    now = [100.0]
    database = Availability(lambda: now[0])
    database.admit()
    database.admit()
    database.fail("gone")
    with pytest.raises(Unavailable, match="gone"):
        database.admit()
    now[0] += availability.RETRY_SECONDS
    database.admit()
    with pytest.raises(Unavailable):
        database.admit()
    database.release()
    database.admit()
    database.succeed()
    database.admit()
    database.admit()
