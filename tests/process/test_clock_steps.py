"""A server whose wall clock steps: phones stay registered, calls go on, and nothing is deleted."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.b2bua.pbx import in_loop
from tests.live_server import Running, start
from tests.process.test_calls_process import find_calls_process, ready_phone, records, until
from tests.wall_clock import WallClock

HOUR, DAY = 3600, 86_400


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WallClock:
    clock = WallClock(tmp_path)
    for name, value in clock.environment.items():
        monkeypatch.setenv(name, value)
    return clock


async def start_server(folder: Path) -> Running:
    return await asyncio.to_thread(lambda: start(folder / "server", command="serve", is_new=True))


@in_loop
async def test_f5_phones_register_and_call_after_a_step_back(tmp_path: Path, clock: WallClock) -> None:
    server = await start_server(tmp_path)
    ada = await ready_phone(server, "1000")
    for seconds in (HOUR, 2 * HOUR, 0, -HOUR, -400 * DAY, 0):
        clock.move(seconds)
        assert await ada.register() == 200
        line = ada.call("6200")
        await line.until_answered()
        line.hang_up()
    ada.close()
    await ada.media.close()
    assert await asyncio.to_thread(server.stop) == 0


@in_loop
async def test_f6_registrations_and_durations_do_not_go_by_the_wall_clock(
    tmp_path: Path, clock: WallClock
) -> None:
    server = await start_server(tmp_path)
    ada, grace = await ready_phone(server, "1000"), await ready_phone(server, "1001")
    line = ada.call("1001")
    await line.until_answered()
    clock.move(2 * HOUR)
    await asyncio.sleep(2.5)  # the registrar looks for expired bindings once a second
    again = ada.call("1001")
    await again.until_answered()
    os.kill(find_calls_process(server), signal.SIGKILL)
    second = ada.call("1001")  # the process that is started next has read the registration
    await second.until_answered()
    clock.move(-HOUR)
    second.hang_up()
    await until(lambda: len(records(server)) == 3 and not any(record.is_live for record in records(server)))
    for record in records(server):
        assert record.ended is not None
        assert record.answered is not None
        assert 0 <= record.answered - record.started <= record.ended - record.started < 60_000, record
    third = ada.call("1001")
    await third.until_answered()
    for phone in (ada, grace):
        phone.close()
        await phone.media.close()
    assert await asyncio.to_thread(server.stop) == 0


@in_loop
async def test_f7_a_start_with_a_clock_that_is_a_year_ahead_deletes_nothing(
    tmp_path: Path, clock: WallClock
) -> None:
    server = await start_server(tmp_path)
    ada = await ready_phone(server, "1000")
    line = ada.call("6200")
    await line.until_answered()
    line.hang_up()
    await until(lambda: len(records(server)) == 1 and not records(server)[0].is_live)
    await until((server.data / "journal" / "retention-clock.json").exists)
    ada.close()
    await ada.media.close()
    assert await asyncio.to_thread(server.stop) == 0
    clock.move(400 * DAY)
    began = time.monotonic()
    server = await start_server(tmp_path)
    await asyncio.to_thread(server.expect_log, "clock has stepped")
    assert time.monotonic() - began < 60
    assert len(records(server)) == 1
    assert await asyncio.to_thread(server.stop) == 0
