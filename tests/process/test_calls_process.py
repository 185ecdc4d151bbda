"""The server with calls as processes: killed, started again, stopped; nothing that matters is lost."""

import asyncio
import json
import os
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from click.testing import CliRunner

from openivr.cli import main
from openivr.media.audio.clip import Clip
from openivr.media.audio.tone import sines
from openivr.sip.access.rate_limit import DEFAULT_POLICY
from openivr.sip.address import Target
from openivr.store.cdr import call_records, voicemail
from openivr.store.cdr.call_records import CallFilter, CallRecord
from tests.b2bua.pbx import in_loop
from tests.b2bua.phone import Phone, open_media
from tests.live_server import Running, start
from tests.process.test_serve import children, fetch, is_alive


def records(server: Running) -> list[CallRecord]:
    with server.database() as database, database.reading() as connection:
        return call_records.list_calls(connection, CallFilter())[1]


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - other processes say nothing
            await asyncio.sleep(0.05)


def find_calls_process(server: Running) -> int:
    """The child that has the newest file of the journal open."""
    newest = max((server.data / "journal").glob("*.jsonl"))
    for pid in children(server.process.pid):
        for name in os.listdir(f"/proc/{pid}/fd"):
            if os.path.realpath(f"/proc/{pid}/fd/{name}") == str(newest):
                return pid
    return 0


async def ready_phone(server: Running, number: str) -> Phone:
    secrets = json.loads((server.data / "demo-secrets.json").read_text())["extensions"]
    target = Target("UDP", "127.0.0.1", server.sip_port)
    phone = await Phone(target, number, secrets[number]).start(open_media())
    assert await phone.register() == 200
    return phone


@in_loop
async def test_a_killed_calls_process_is_started_again_and_knows_its_phones(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start, tmp_path, command="serve")
    ada, grace = await ready_phone(server, "1000"), await ready_phone(server, "1001")
    line = ada.call("6200")
    await line.until_answered()
    await until(lambda: any(record.is_live for record in records(server)))
    victim = find_calls_process(server)
    os.kill(victim, signal.SIGKILL)
    again = ada.call("1001")  # waits in the socket that the parent keeps
    await again.until_answered()
    assert find_calls_process(server) not in (0, victim)
    assert '"process":"calls","status":-9,"seconds":0.0' in server.log
    await grace.until_called()
    again.hang_up()
    await until(lambda: [record.is_live for record in records(server)] == [False, False])
    outcomes = {record.called: record.outcome for record in records(server)}
    assert outcomes == {"6200": "interrupted", "1001": "connected"}
    for phone in (ada, grace):
        phone.close()
        await phone.media.close()
    assert await asyncio.to_thread(server.stop) == 0


def messages(server: Running) -> list[voicemail.VoicemailMessage]:
    with server.database() as database, database.reading() as connection:
        return voicemail.list_messages(connection)[1]


@in_loop
async def test_a_kill_in_the_midst_of_a_message_loses_neither_it_nor_a_step(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start, tmp_path, command="serve")
    ada = await ready_phone(server, "1000")
    line = ada.call("6203")
    await line.until_answered()
    line.media.send_dtmf("21#")
    line.media.play((Clip.from_samples(sines((440,), 1.0, 10)),), loop=True)
    waiting = server.data / "journal"
    await until(lambda: any(path.stat().st_size > 20_000 for path in waiting.glob("vm-*.wav")))
    os.kill(find_calls_process(server), signal.SIGKILL)
    again = ada.call("6200")
    await again.until_answered()
    await until(lambda: bool(messages(server)))
    [message] = messages(server)
    [record] = [record for record in records(server) if record.called == "6203"]
    assert (record.outcome, record.keys, message.call_id) == ("interrupted", "21#", record.id)
    assert message.milliseconds > 1000
    assert not list(waiting.glob("vm-*.wav"))
    again.hang_up()
    ada.close()
    await ada.media.close()
    assert await asyncio.to_thread(server.stop) == 0


def ask_bans(server: Running, *options: str) -> list[tuple[str, str, str]]:
    """Run `openivr calls bans`."""
    told = CliRunner().invoke(main, ["calls", "bans", "--json", "--data", str(server.data), *options])
    assert told.exit_code == 0, told.output
    return [(one["source"], one["user"], one["reason"]) for one in json.loads(told.stdout)]


@in_loop
async def test_bans_are_told_and_one_is_lifted_while_the_server_runs(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start, tmp_path / ("a" * 80), command="serve")
    assert await asyncio.to_thread(ask_bans, server) == []
    media, target = open_media(), Target("UDP", "127.0.0.1", server.sip_port)
    thief = await Phone(target, "1001", "a guess").start(media)
    for _ in range(DEFAULT_POLICY.user_failures):
        assert await thief.register() == 401
    ban = ("127.0.0.1", "1001", "wrong_passwords")
    assert await asyncio.to_thread(ask_bans, server) == [ban]
    run = partial(CliRunner().invoke, main, ["calls", "bans", "--data", str(server.data)])
    assert "1001" in (await asyncio.to_thread(run)).output
    run = partial(
        CliRunner().invoke, main, ["calls", "bans", "--data", str(server.data), "--lift", "192.0.2.1"]
    )
    assert "192.0.2.1 is not banned" in (await asyncio.to_thread(run)).output
    assert await asyncio.to_thread(ask_bans, server, "--lift", "127.0.0.1") == [ban]
    assert "sip ban lifted" in server.expect_log("sip ban lifted")
    assert await asyncio.to_thread(ask_bans, server) == []
    assert await thief.register() == 401, "there is an answer again"
    thief.close()
    await media.close()
    assert await asyncio.to_thread(server.stop) == 0
    refused = await asyncio.to_thread(run)
    assert (refused.exit_code, "no server is running calls" in refused.output) == (1, True)


@in_loop
async def test_all_bans_are_lifted_and_no_call_is_touched(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start, tmp_path, command="serve")
    ada = await ready_phone(server, "1000")
    line = ada.call("6200")
    await line.until_answered()
    target = Target("UDP", "127.0.0.1", server.sip_port)
    thief = await Phone(target, "1001", "a guess").start(ada.media)
    for _ in range(DEFAULT_POLICY.user_failures):
        assert await thief.register() == 401
    await until(lambda: "sip source banned" in server.log)
    workers = children(server.process.pid)
    lifted = await asyncio.to_thread(ask_bans, server, "--lift-all")
    assert lifted == [("127.0.0.1", "1001", "wrong_passwords")]
    assert await asyncio.to_thread(ask_bans, server) == []
    await until(lambda: "sip bans lifted" in server.log)
    assert '"count":1' in server.log
    grace = await ready_phone(server, "1001")
    assert (line.ending, children(server.process.pid)) == (None, workers)
    line.hang_up()
    thief.close()
    for phone in (ada, grace):
        phone.close()
        await phone.media.close()
    assert await asyncio.to_thread(server.stop) == 0


@in_loop
async def test_a_stop_lets_calls_finish_and_takes_no_new_ones(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start, tmp_path, command="serve")
    ada, grace = await ready_phone(server, "1000"), await ready_phone(server, "1001")
    line = ada.call("6200")
    await line.until_answered()
    workers = children(server.process.pid)
    server.process.terminate()
    await until(lambda: "draining calls" in server.log)
    assert (await grace.call("6200").until_over()).status == 503
    assert line.ending is None
    line.hang_up()
    assert await asyncio.to_thread(server.stop) == 0
    assert not any(map(is_alive, workers))
    [record] = records(server)
    assert (record.outcome, record.reason) == ("menu", "caller_hangup")
    for phone in (ada, grace):
        phone.close()
        await phone.media.close()


@in_loop
async def test_a_second_signal_ends_calls_at_once_and_says_good_bye(tmp_path: Path) -> None:
    server = await asyncio.to_thread(start, tmp_path, command="serve")
    ada = await ready_phone(server, "1000")
    line = ada.call("6200")
    await line.until_answered()
    server.process.terminate()
    await until(lambda: "draining calls" in server.log)
    server.process.terminate()
    assert (await line.until_over()).status == 0
    assert await asyncio.to_thread(server.stop) == 0
    [record] = records(server)
    assert (record.outcome, record.reason) == ("menu", "server_stopped")
    ada.close()
    await ada.media.close()


@in_loop
async def test_calls_and_api_run_apart_on_the_same_data(tmp_path: Path) -> None:
    calls_alone = await asyncio.to_thread(start, tmp_path, command="calls")
    api_alone = await asyncio.to_thread(start, tmp_path)
    ada = await ready_phone(calls_alone, "1000")
    line = ada.call("6200")
    await line.until_answered()
    line.hang_up()
    await until(lambda: [record.outcome for record in records(calls_alone)] == ["menu"])
    api = api_alone.log_in()
    assert api.get("extension/list")["data"][0]["online_status"]["sip_phone"]["status"] == 1
    api.close()
    metrics = await asyncio.to_thread(fetch, f"{api_alone.base}/metrics")
    assert 'openivr_calls_total{outcome="menu"} 1.0' in metrics
    assert "openivr_calls_now 0.0" in metrics
    assert "openivr_registrations 1.0" in metrics
    ada.close()
    await ada.media.close()
    assert await asyncio.to_thread(api_alone.stop) == 0
    assert await asyncio.to_thread(calls_alone.stop) == 0
