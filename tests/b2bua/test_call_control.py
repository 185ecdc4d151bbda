"""Commands of programs to live calls, with phones: what is asked for happens, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openivr.b2bua.call_commands import (
    AnyCommand,
    CommandOutcome,
    CommandResult,
    HangUpChannel,
    QueryCalls,
)
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.server_process import ServerProcess, run_server


async def command(pbx: Pbx, command: AnyCommand) -> CommandResult:
    return await pbx.process.call_commands.carry_out(command)


async def members(pbx: Pbx, **chosen: str) -> list[dict[str, Any]]:
    """The members of the one call that a query finds, each under its kind."""
    (call,) = (await command(pbx, QueryCalls(**chosen))).calls
    return list(call["members"])


async def talk(pbx: Pbx) -> tuple[Any, Any]:
    """1000 and 1001 talk."""
    ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
    line = ada.call("1001")
    await line.until_answered()
    return line, await grace.until_called()


@in_loop
async def test_a_query_shows_the_members_as_they_are_now(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await pbx.phone("1001", answers=None)
        line = (await pbx.phone("1000")).call("1001")
        await line.until(lambda: 180 in line.statuses)
        caller, callee = await members(pbx, extension="1000")
        assert (caller["extension"]["number"], caller["extension"]["member_status"]) == ("1000", "ALERT")
        assert (callee["extension"]["number"], callee["extension"]["member_status"]) == ("1001", "RING")
        assert callee["extension"]["call_path"] == ""
        assert len(await members(pbx, type="internal")) == 2
        for other in ({"type": "inbound"}, {"extension": "1002"}, {"call_id": "1.2"}):
            assert (await command(pbx, QueryCalls(**other))).calls == []
        (call,) = (await command(pbx, QueryCalls(extension="1001"))).calls
        assert len(await members(pbx, call_id=call["call_id"])) == 2
        pbx.phones[0].lines[-1].answer()
        await line.until_answered()
        statuses = [member["extension"]["member_status"] for member in await members(pbx, extension="1000")]
        assert statuses == ["ANSWERED", "ANSWER"]


@pytest.mark.parametrize("place", [0, 1])
@in_loop
async def test_hanging_up_a_member_ends_the_call_for_both(tmp_path: Path, place: int) -> None:
    async with open_pbx(tmp_path) as pbx:
        line, called = await talk(pbx)
        (call,) = (await command(pbx, QueryCalls(extension="1001"))).calls
        channel = call["members"][place]["extension"]["channel_id"]
        result = await command(pbx, HangUpChannel(channel=channel))
        assert (result.outcome, result.call_id) == (CommandOutcome.DONE, call["call_id"])
        await line.until_over()
        await called.until_over()
        await pbx.until_quiet()
        again = await command(pbx, HangUpChannel(channel=channel))
        assert again == CommandResult(outcome=CommandOutcome.NO_CHANNEL)
        (record,) = pbx.records()
        assert record.reason == ("caller_hangup", "callee_hangup")[place]
        assert record.outcome == "connected"


@in_loop
async def test_hanging_up_one_phone_that_rings_leaves_the_others(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        first = await pbx.phone("1002", answers=None)
        second = await pbx.phone("1003", answers=None)
        line = (await pbx.phone("1000")).call("6300")
        dropped, kept = await first.until_called(), await second.until_called()
        await line.until(lambda: 180 in line.statuses)
        ringing = {member["extension"]["number"]: member["extension"] for member in await members(pbx)}
        channel = ringing["1002"]["channel_id"]
        assert (await command(pbx, HangUpChannel(channel=channel))).outcome is CommandOutcome.DONE
        await dropped.until_over()
        kept.answer()
        await line.until_answered()


@in_loop
async def test_a_caller_who_is_not_answered_yet_is_rejected(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await pbx.phone("1001", answers=None)
        line = (await pbx.phone("1000")).call("1001")
        await line.until(lambda: 180 in line.statuses)
        channel = (await members(pbx))[0]["extension"]["channel_id"]
        await command(pbx, HangUpChannel(channel=channel))
        assert (await line.until_over()).status == 603


@in_loop
async def test_a_wrong_channel_changes_nothing(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await talk(pbx)
        channel = (await members(pbx))[1]["extension"]["channel_id"]
        key = channel.rpartition("-")[2]
        for wrong in ("", "x", key, f"PJSIP/1000-{key}", channel[:-1], channel + "0", "PJSIP/1001-00000025"):
            result = await command(pbx, HangUpChannel(channel=wrong))
            assert result == CommandResult(outcome=CommandOutcome.NO_CHANNEL)
        assert len(await members(pbx)) == 2


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with run_server(tmp_path_factory.mktemp("control")) as server:
        yield server


def test_the_api_answers_as_documented(server: ServerProcess) -> None:
    """Without a call: queries are empty, channels unknown, and what public programs send wrongly is 40002."""
    api = server.api
    assert api.get("call/query", type="inbound") == {"errcode": 0, "errmsg": "SUCCESS", "data": []}
    for name in ("call_id", "extension", "number", "from"):
        assert api.get("call/query", **{name: "1000"})["data"] == []
    assert api.get("call/query")["errcode"] == 40002
    assert api.get("call/query", type="all")["errcode"] == 40002
    assert api.get("call/query", type="inbound", extension="1000")["errcode"] == 40002
    unknown = {"errcode": 70130, "errmsg": "CAHNNEL ID NOT FOUND"}
    assert api.post("call/hangup", {"channel_id": "PJSIP/1000-00000025"}) == unknown
    for wrong in ({"caller": "1000"}, {}, {"channel_id": 7}, {"channel_id": ""}, {"paging_number": "6500"}):
        assert api.post("call/hangup", wrong)["errcode"] == 40002


def test_a_program_hangs_up_over_the_api(server: ServerProcess) -> None:
    """What nextureamer's dashboard does: it finds the call of an extension and ends it."""
    grace, ada = server.handset("1001"), server.handset("1000")
    ada.invite("1001")
    grace.pick_up(grace.ring())
    ada.until_answered()
    (call,) = api_calls(server, extension="1000")
    callee = call["members"][1]["extension"]
    assert (callee["number"], callee["member_status"]) == ("1001", "ANSWER")
    body = {"channel_id": callee["channel_id"]}
    assert server.api.post("call/hangup", body) == {
        "errcode": 0,
        "errmsg": "SUCCESS",
        "call_id": call["call_id"],
    }
    for phone in (grace, ada):
        phone.reply(phone.expect("BYE"), 200)
    assert server.new_record().reason == "callee_hangup"
    assert server.api.post("call/hangup", body)["errcode"] == 70130


def api_calls(server: ServerProcess, **chosen: str) -> list[dict[str, Any]]:
    return list(server.api.get("call/query", **chosen)["data"])
