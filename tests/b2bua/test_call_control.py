"""Commands of programs to live calls, with phones: what is asked for happens, and nothing else."""

import asyncio
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from openivr.b2bua.call_commands import (
    AnyCommand,
    CommandOutcome,
    CommandResult,
    DialNumber,
    HangUpChannel,
    QueryCalls,
    TransferChannel,
    TransferType,
)
from openivr.b2bua.limits import Limit, OutboundCall
from openivr.ivr.model import Limits
from openivr.store.events import outbox
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import WAIT_SECONDS, Line
from tests.b2bua.server_process import ServerProcess, run_server
from tests.b2bua.test_outbound import DIALLED, add_route, add_trunk


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


keys = cycle("123456789")


async def hear_each_other(one: Line, other: Line) -> None:
    """A key that is pressed on either side comes to the other; what is left of an earlier one may, too."""
    await hear(one, other, next(keys))
    await hear(other, one, next(keys))


async def hear(source: Line, target: Line, key: str) -> None:
    before = len(target.keys)
    source.media.send_dtmf(key)
    await target.until(lambda: key in target.keys[before:])


async def until_connected(pbx: Pbx, *numbers: str) -> None:
    """Wait until the server knows that these extensions talk in one call."""

    def talking(call: Any) -> set[str]:
        members = [member["extension"] for member in call["members"] if "extension" in member]
        return {each["number"] for each in members if each["member_status"] in ("ANSWERED", "ANSWER")}

    async with asyncio.timeout(WAIT_SECONDS):
        calls = (await command(pbx, QueryCalls())).calls
        while not any(talking(call) >= set(numbers) for call in calls):
            await asyncio.sleep(0.01)
            calls = (await command(pbx, QueryCalls())).calls


def reports(pbx: Pbx) -> list[tuple[int, Any]]:
    """The events of all calls so far, each with its message, as the CDR worker stores them."""
    pbx.records()
    with pbx.database.reading() as connection:
        rows = outbox.read_after(connection, 0, 1000)
    return [(row.type, json.loads(row.message)) for row in rows]


def statuses(message: Any) -> list[tuple[str, str]]:
    members = [(kind, fields) for each in message["members"] for kind, fields in each.items()]
    return [(fields.get("number") or kind, fields["member_status"]) for kind, fields in members]


@in_loop
async def test_a_placed_call_rings_the_caller_first_then_the_callee(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000", answers=None), await pbx.phone("1001", answers=None)
        result = await command(pbx, DialNumber(caller="1000", callee="1001"))
        assert result.outcome is CommandOutcome.DONE
        near = await ada.until_called()
        assert '"Grace Hopper" <sip:1001@' in ada.invites[0].get("from"), "the display says who is called"
        assert not {"answer-mode", "call-info"} & ada.invites[0].headers.keys()
        (member,) = await members(pbx, call_id=result.call_id)
        assert member["extension"]["member_status"] == "RING"
        assert grace.invites == []
        near.answer()
        far = await grace.until_called()
        assert '"Ada Byron" <sip:1000@' in grace.invites[0].get("from")
        far.answer()
        await until_connected(pbx, "1000", "1001")
        await hear_each_other(near, far)
        shown = await members(pbx, call_id=result.call_id)
        assert [each["extension"]["member_status"] for each in shown] == ["ANSWERED", "ANSWER"]
        far.hang_up()
        await near.until_over()
        await pbx.until_quiet()
        (record,) = pbx.records()
        assert (record.caller, record.called, record.outcome) == ("1000", "1001", "connected")
        assert [leg["number"] for leg in record.legs] == ["1001"], "the caller's phone is no leg"
        found = reports(pbx)
        changes = [statuses(message) for type_, message in found if type_ == 30011]
        assert changes == [
            [("1000", "RING")],
            [("1000", "ALERT")],
            [("1000", "ALERT"), ("1001", "RING")],
            [("1000", "ALERT"), ("1001", "ANSWER")],
            [("1000", "ANSWERED"), ("1001", "ANSWER")],
            [("1000", "ANSWERED"), ("1001", "BYE")],
            [("1000", "BYE")],
        ]
        (end,) = [message for type_, message in found if type_ == 30012]
        assert (end["call_id"], end["status"], end["type"]) == (result.call_id, "ANSWERED", "Internal")
        assert (end["call_from"], end["call_to"]) == ("1000", "1001")
        ada_does = [each["status"] for type_, each in found if type_ == 30008 and each["extension"] == "1000"]
        assert ada_does == ["Ringing", "Busy", "Idle"]


@pytest.mark.parametrize(("status", "reason"), [(486, "486 Busy here"), (603, "603 Declined")])
@in_loop
async def test_a_caller_who_declines_is_reported_and_the_callee_never_rings(
    tmp_path: Path, status: int, reason: str
) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000", answers=status), await pbx.phone("1001")
        result = await command(pbx, DialNumber(caller="1000", callee="1001"))
        await ada.until_called()
        await until_no_calls(pbx)
        assert grace.invites == []
        found = reports(pbx)
        assert [message["reason"] for type_, message in found if type_ == 30015] == [reason]
        (end,) = [message for type_, message in found if type_ == 30012]
        assert (end["call_id"], end["status"], end["call_to"]) == (result.call_id, "BUSY", "1001")


@in_loop
async def test_a_caller_without_a_phone_fails_as_a_call_to_it_would(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        assert (await command(pbx, DialNumber(caller="1000", callee="1001"))).outcome is CommandOutcome.DONE
        await until_no_calls(pbx)
        (failure,) = [message for type_, message in reports(pbx) if type_ == 30015]
        assert failure["reason"] == "Line Unreachable"


@in_loop
async def test_hanging_up_while_the_caller_rings_ends_the_call(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000", answers=None)
        result = await command(pbx, DialNumber(caller="1000", callee="1001"))
        line = await ada.until_called()
        (member,) = await members(pbx, extension="1000")
        channel = member["extension"]["channel_id"]
        early = TransferChannel(type=TransferType.BLIND, channel=channel, number="1002")
        assert (await command(pbx, early)).outcome is CommandOutcome.NOT_POSSIBLE
        hung_up = await command(pbx, HangUpChannel(channel=channel))
        assert hung_up.call_id == result.call_id
        await line.until_over()
        (record,) = pbx.records()
        assert (record.outcome, record.reason) == ("missed", "caller_hangup")
        assert pbx.process.call_manager.waiting == 0


@in_loop
async def test_a_caller_whose_phone_forwards_outside_takes_its_place_in_the_limits_until_the_end(
    tmp_path: Path,
) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        route = add_route(pbx, [trunk])
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        ada.forwards_to = ada.uri(DIALLED)
        await pbx.process.config_cache.current()

        def exceeded() -> Limit | None:
            limits, now = Limits(simultaneous=1), pbx.process.context.loop.time()
            return pbx.process.context.limiter.exceeded(OutboundCall(route, "", now), limits, trunk, 0)

        await command(pbx, DialNumber(caller="1000", callee="1001"))
        far, _ = await provider.until_called(), await grace.until_called()
        assert exceeded() is Limit.SIMULTANEOUS
        far.hang_up()
        await pbx.until_quiet()
        assert exceeded() is None


@in_loop
async def test_a_phone_is_asked_to_answer_by_itself(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001", answers=None)
        await command(pbx, DialNumber(caller="1000", callee="1001", auto_answer=True))
        await grace.until_called()
        near, far = ada.invites[0], grace.invites[0]
        assert near.get("answer-mode") == "Auto"
        assert near.get("call-info").endswith(";answer-after=0")
        assert "info=alert-autoanswer" in near.get("alert-info")
        assert not {"answer-mode", "call-info", "alert-info"} & far.headers.keys()


@in_loop
async def test_a_placed_call_to_a_menu_hears_it(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        result = await command(pbx, DialNumber(caller="1000", callee="6202"))
        line = await ada.until_called()
        await line.until(lambda: line.packets > 10)
        (member,) = await members(pbx, call_id=result.call_id)
        assert member["extension"]["member_status"] == "ANSWERED"
        assert member["extension"]["call_path"] == "6202"
        line.hang_up()
        await pbx.until_quiet()
        (record,) = pbx.records()
        assert (record.outcome, record.reason) == ("menu", "caller_hangup")


@in_loop
async def test_an_outside_number_needs_the_right_of_the_extension_that_is_named(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        provider, trunk = await add_trunk(pbx, "One")
        add_route(pbx, [trunk])  # which 1000 may use
        grace = await pbx.phone("1001")
        await pbx.process.config_cache.current()
        refused = await command(pbx, DialNumber(caller="1001", callee=DIALLED))
        assert (refused.outcome, refused.call_id) == (CommandOutcome.NOT_ALLOWED, "")
        (failure,) = [message for type_, message in reports(pbx) if type_ == 30015]
        assert failure["reason"] == "NO Dial Permission"
        assert grace.invites == []
        dial = DialNumber(caller="1001", callee=DIALLED, dial_permission="1000")
        result = await command(pbx, dial)
        far = await provider.until_called()
        assert provider.invites[0].uri.startswith("sip:0441632960000@")
        near = await grace.until_called()
        await until_connected(pbx, "1001")
        await hear_each_other(near, far)
        inside, outside = await members(pbx, type="outbound")
        assert inside["extension"]["member_status"] == "ANSWERED"
        assert (outside["outbound"]["to"], outside["outbound"]["trunk_name"]) == (DIALLED, "One")
        far.hang_up()
        await pbx.until_quiet()
        (end,) = [m for type_, m in reports(pbx) if type_ == 30012 and m["call_id"] == result.call_id]
        assert (end["type"], end["call_from"], end["dst_trunk_name"]) == ("Outbound", "1001", "One")


@in_loop
async def test_what_cannot_be_dialled_rings_nothing(tmp_path: Path) -> None:
    wrong = [
        (DialNumber(caller="6200", callee="1001"), "caller"),
        (DialNumber(caller="441632960000", callee="1001"), "caller"),
        (DialNumber(caller="1000", callee="1000"), "callee"),
        (DialNumber(caller="1000", callee="nobody"), "callee"),
        (DialNumber(caller="1000", callee="1001", dial_permission="9999"), "dial_permission"),
    ]
    async with open_pbx(tmp_path) as pbx:
        ada = await pbx.phone("1000")
        for dial, parameter in wrong:
            result = await command(pbx, dial)
            assert (result.outcome, result.parameter) == (CommandOutcome.WRONG_PARAMETER, parameter)
        assert (await command(pbx, QueryCalls())).calls == []
        assert ada.invites == []


@in_loop
async def test_a_full_server_places_no_call(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, max_calls=1) as pbx:
        await pbx.phone("1000", answers=None)
        dial = DialNumber(caller="1000", callee="1001")
        assert (await command(pbx, dial)).outcome is CommandOutcome.DONE
        assert (await command(pbx, dial)).outcome is CommandOutcome.FULL


async def until_no_calls(pbx: Pbx) -> None:
    """Wait until no call is active, nor one whose caller rings."""
    async with asyncio.timeout(WAIT_SECONDS):
        while (await command(pbx, QueryCalls())).calls:  # noqa: ASYNC110 - nothing in it says that
            await asyncio.sleep(0.01)


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


def test_a_program_dials_over_the_api(server: ServerProcess) -> None:
    """What nextureamer's and other public programs send: caller and callee, some with auto_answer."""
    api = server.api
    for wrong in (
        {"caller": "1000"},
        {"callee": "1001"},
        {"caller": "1000", "callee": 1001},
        {"caller": "1000", "callee": "1001", "auto_answer": "maybe"},
        {"caller": "1000", "callee": "1" * 65},
        {"caller": "6200", "callee": "1001"},
    ):
        assert api.post("call/dial", wrong)["errcode"] == 40002, wrong
    denied = api.post("call/dial", {"caller": "1001", "callee": "00441632960000"})
    assert (denied["errcode"], denied["errmsg"]) == (10009, "OPERATION FAILED")
    assert server.new_record().reason == "no_outbound_route"
    grace, ada = server.handset("1001"), server.handset("1000")
    answer = api.post("call/dial", {"caller": "1000", "callee": "1001", "auto_answer": "no"})
    assert (answer["errcode"], answer["errmsg"]) == (0, "SUCCESS")
    ada.pick_up(ada.ring())
    grace.pick_up(grace.ring())
    (call,) = api_calls(server, call_id=answer["call_id"])
    assert [member["extension"]["number"] for member in call["members"]] == ["1000", "1001"]
    alan = server.handset("1002")
    channel = call["members"][0]["extension"]["channel_id"]
    for wrong in (
        {"caller": "1000", "callee": "1002"},
        {"type": "blind", "channel_id": channel},
        {"type": "blind", "channel_id": channel, "attended_operate": "swap"},
        {"type": "attended", "channel_id": channel},
        {"type": "attended", "channel_id": channel, "number": "1002", "attended_operate": "swap"},
        {"type": "attended", "channel_id": channel, "attended_operate": "stop"},
        {"type": "warm", "channel_id": channel, "number": "1002"},
    ):
        assert api.post("call/transfer", wrong)["errcode"] == 40002, wrong
    threeway = {"type": "attended", "channel_id": channel, "attended_operate": "threeway"}
    refused = api.post("call/transfer", threeway)
    assert (refused["errcode"], refused["submsg"]) == (70132, "there are no conferences of three")
    moved = api.post("call/transfer", {"type": "blind", "channel_id": channel, "number": "1002"})
    grace.reply(grace.expect("BYE"), 200)
    alan.pick_up(alan.ring())
    assert len(api_calls(server, call_id=moved["call_id"])) == 1
    ada.hang_up()
    alan.reply(alan.expect("BYE"), 200)
    assert [record.outcome for record in server.new_records(2)] == ["connected", "connected"]


def api_calls(server: ServerProcess, **chosen: str) -> list[dict[str, Any]]:
    return list(server.api.get("call/query", **chosen)["data"])
