"""Transfers that programs carry out: blind and attended, every operation, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from openivr.b2bua.call_commands import (
    CommandOutcome,
    CommandResult,
    HangUpChannel,
    QueryCalls,
    TransferChannel,
    TransferOperation,
    TransferType,
)
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import WAIT_SECONDS, Line, Phone
from tests.b2bua.test_call_control import command, hear_each_other, members, reports, until_connected
from tests.b2bua.test_transfer import talk

BLIND, ATTENDED = TransferType.BLIND, TransferType.ATTENDED


async def channel(pbx: Pbx, number: str) -> str:
    """The newest channel of an extension."""
    calls = (await command(pbx, QueryCalls(extension=number))).calls
    found = [member["extension"] for call in calls for member in call["members"] if "extension" in member]
    return str([each for each in found if each["number"] == number][-1]["channel_id"])


@asynccontextmanager
async def conversation(folder: Path) -> AsyncIterator[tuple[Pbx, Line, Line, Phone]]:
    """Ada (1000) talks to Grace (1001); Alan (1002) has a phone that rings."""
    async with open_pbx(folder) as pbx:
        ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
        alan = await pbx.phone("1002", answers=None)
        line, far = await talk(ada, "1001", grace)
        yield pbx, line, far, alan


@asynccontextmanager
async def consultation(folder: Path) -> AsyncIterator[tuple[Pbx, Line, Line, Line]]:
    """Grace consults Alan, who has answered, while Ada waits."""
    async with conversation(folder) as (pbx, line, far, alan):
        start = TransferChannel(type=ATTENDED, channel=await channel(pbx, "1001"), number="1002")
        assert (await command(pbx, start)).outcome is CommandOutcome.DONE
        target = await alan.until_called()
        assert "<sip:1001@" in alan.invites[0].get("from")
        target.answer()
        await until_connected(pbx, "1001", "1002")
        await hear_each_other(far, target)
        yield pbx, line, far, target


async def until_calls(pbx: Pbx, number: int) -> None:
    """Wait until so many calls are live."""
    async with asyncio.timeout(WAIT_SECONDS):
        while len((await command(pbx, QueryCalls())).calls) != number:  # noqa: ASYNC110 - nothing says it
            await asyncio.sleep(0.01)


async def operate(pbx: Pbx, operation: TransferOperation, number: str = "1001") -> CommandResult:
    id_ = await channel(pbx, number)
    return await command(pbx, TransferChannel(type=ATTENDED, channel=id_, operation=operation))


@in_loop
async def test_a_program_sends_a_caller_on(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, line, far, alan):
        transfer = TransferChannel(type=BLIND, channel=await channel(pbx, "1000"), number="1002")
        result = await command(pbx, transfer)
        await far.until_over()
        target = await alan.until_called()
        assert "<sip:1000@" in alan.invites[0].get("from")
        assert len(await members(pbx, call_id=result.call_id)) == 2
        target.answer()
        await until_connected(pbx, "1000", "1002")
        await hear_each_other(line, target)
        line.hang_up()
        await target.until_over()
        await pbx.until_quiet()
        first, second = pbx.records()
        assert (first.reason, second.called, second.outcome) == ("transferred", "1002", "connected")
        assert 30013 in [type_ for type_, _ in reports(pbx)]


@in_loop
async def test_a_callee_is_sent_to_a_menu(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, line, far, _alan):
        transfer = TransferChannel(type=BLIND, channel=await channel(pbx, "1001"), number="6202")
        assert (await command(pbx, transfer)).outcome is CommandOutcome.DONE
        await line.until_over()
        heard = far.packets
        await far.until(lambda: far.packets > heard + 10)
        (member,) = await members(pbx)
        assert member["extension"]["call_path"] == "6202"


@in_loop
async def test_the_transferor_is_called_back_if_the_target_declines(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, line, far, alan):
        alan.answers = 603
        transfer = TransferChannel(type=BLIND, channel=await channel(pbx, "1000"), number="1002")
        await command(pbx, transfer)
        await far.until_over()
        grace = pbx.phones[1]
        again = await grace.until_called(2)
        await until_connected(pbx, "1000", "1001")
        await hear_each_other(line, again)


@in_loop
async def test_an_attended_transfer_is_completed(tmp_path: Path) -> None:
    async with consultation(tmp_path) as (pbx, line, far, target):
        assert (await operate(pbx, TransferOperation.COMPLETE)).outcome is CommandOutcome.DONE
        await far.until_over()
        await hear_each_other(line, target)
        caller, callee = await members(pbx, extension="1002")
        assert [each["extension"]["number"] for each in (caller, callee)] == ["1000", "1002"]
        assert [each["extension"]["member_status"] for each in (caller, callee)] == ["ANSWERED", "ANSWER"]
        assert (await command(pbx, QueryCalls(extension="1001"))).calls == []
        await command(pbx, HangUpChannel(channel=callee["extension"]["channel_id"]))
        await target.until_over()
        await line.until_over()
        await pbx.until_quiet()
        first, second = pbx.records()
        assert (first.outcome, second.reason) == ("connected", "transferred")
        assert [leg["result"] for leg in first.legs] == ["transferred", "answered"]
        assert all(leg["ended"] for leg in first.legs)


@in_loop
async def test_an_attended_transfer_is_aborted(tmp_path: Path) -> None:
    async with consultation(tmp_path) as (pbx, line, far, target):
        assert (await operate(pbx, TransferOperation.ABORT)).outcome is CommandOutcome.DONE
        await target.until_over()
        await hear_each_other(line, far)
        assert (await operate(pbx, TransferOperation.ABORT)).outcome is CommandOutcome.NOT_POSSIBLE
        line.hang_up()
        await far.until_over()
        await pbx.until_quiet()


@in_loop
async def test_an_attended_transfer_is_swapped_and_completed(tmp_path: Path) -> None:
    async with consultation(tmp_path) as (pbx, line, far, target):
        await operate(pbx, TransferOperation.SWAP)
        await hear_each_other(line, far)
        await operate(pbx, TransferOperation.SWAP)
        await hear_each_other(far, target)
        await operate(pbx, TransferOperation.SWAP)
        await operate(pbx, TransferOperation.COMPLETE)
        await far.until_over()
        await hear_each_other(line, target)


@in_loop
async def test_a_transferor_who_hangs_up_completes_the_transfer(tmp_path: Path) -> None:
    async with consultation(tmp_path) as (pbx, line, far, target):
        far.hang_up()
        await until_calls(pbx, 1)
        await hear_each_other(line, target)
        target.hang_up()
        await line.until_over()
        await pbx.until_quiet()


@in_loop
async def test_the_transferor_returns_if_the_target_hangs_up_or_never_answers(tmp_path: Path) -> None:
    async with consultation(tmp_path) as (pbx, line, far, target):
        target.hang_up()
        await until_calls(pbx, 1)
        await hear_each_other(line, far)
        pbx.phones[2].answers = 486
        start = TransferChannel(type=ATTENDED, channel=await channel(pbx, "1001"), number="1002")
        assert (await command(pbx, start)).outcome is CommandOutcome.DONE
        await pbx.phones[2].until_called(2)
        await until_calls(pbx, 1)
        await hear_each_other(line, far)


@in_loop
async def test_the_target_stays_with_the_transferor_if_the_peer_hangs_up(tmp_path: Path) -> None:
    async with consultation(tmp_path) as (pbx, line, far, target):
        line.hang_up()
        await until_calls(pbx, 1)
        await hear_each_other(far, target)
        far.hang_up()
        await target.until_over()
        await pbx.until_quiet()
        assert [record.outcome for record in pbx.records()] == ["connected", "connected"]


@in_loop
async def test_the_calling_side_transfers_too_and_a_command_may_hang_it_up(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, line, far, alan):
        start = TransferChannel(type=ATTENDED, channel=await channel(pbx, "1000"), number="1002")
        assert (await command(pbx, start)).outcome is CommandOutcome.DONE
        target = await alan.until_called()
        swapped = await operate(pbx, TransferOperation.SWAP, "1000")
        assert swapped.outcome is CommandOutcome.NOT_POSSIBLE, "the target has not answered"
        target.answer()
        await until_connected(pbx, "1000", "1002")
        await hear_each_other(line, target)
        await command(pbx, HangUpChannel(channel=await channel(pbx, "1000")))
        await line.until_over()
        await hear_each_other(far, target)
        shown = await members(pbx, extension="1002")
        numbers = {each["extension"]["number"]: each["extension"]["member_status"] for each in shown}
        assert numbers == {"1001": "ANSWER", "1002": "ANSWERED"}, "1000 has left the call"
        assert (await command(pbx, QueryCalls(extension="1000"))).calls == []
        does = [
            each["status"] for type_, each in reports(pbx) if type_ == 30008 and each["extension"] == "1000"
        ]
        assert does == ["Busy", "Idle"]
        far.hang_up()
        await target.until_over()
        await pbx.until_quiet()


@in_loop
async def test_what_cannot_be_transferred_changes_nothing(tmp_path: Path) -> None:
    async with conversation(tmp_path) as (pbx, line, far, alan):
        id_ = await channel(pbx, "1001")
        outside = TransferChannel(type=BLIND, channel=id_, number="00441632960000")
        assert (await command(pbx, outside)).outcome is CommandOutcome.NOT_ALLOWED
        for number, permission, parameter in (("no", "", "number"), ("1002", "9999", "dial_permission")):
            wrong = TransferChannel(type=BLIND, channel=id_, number=number, dial_permission=permission)
            result = await command(pbx, wrong)
            assert (result.outcome, result.parameter) == (CommandOutcome.WRONG_PARAMETER, parameter)
        for operation in TransferOperation:
            assert (await operate(pbx, operation)).outcome is CommandOutcome.NOT_POSSIBLE
        unknown = TransferChannel(type=BLIND, channel=id_ + "0", number="1002")
        assert (await command(pbx, unknown)).outcome is CommandOutcome.NO_CHANNEL
        ringing = (await pbx.phone("1003")).call("1002")
        await ringing.until(lambda: 180 in ringing.statuses)
        for number in ("1003", "1002"):
            early = TransferChannel(type=BLIND, channel=await channel(pbx, number), number="6202")
            assert (await command(pbx, early)).outcome is CommandOutcome.NOT_POSSIBLE
        await hear_each_other(line, far)
        assert len(alan.invites) == 1
