"""Monitors of calls, with phones: what each of the three receives, and how a monitor ends."""

from pathlib import Path

import numpy as np
import pytest

from openivr.b2bua.call_commands import (
    ChangeTalk,
    CommandOutcome,
    CommandResult,
    HangUpChannel,
    MonitorCall,
    MonitorMode,
    QueryCalls,
    TalkAction,
    TransferChannel,
    TransferOperation,
    TransferType,
)
from openivr.media.audio.g711 import FRAME, Law, decode, encode
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.test_talk_commands import TONE, Scene, Voice, talk


def mixed(*voices: Voice) -> bytes:
    """The frame of several voices at once."""
    total = sum(int(decode(voice.said, Law.PCMU)[0]) for voice in voices)
    return encode(np.full(FRAME, total, np.int16), Law.PCMU)


async def channel_of(scene: Scene, place: int) -> str:
    calls = scene.pbx.process.call_commands.live_calls
    (call,) = scene.pbx.process.call_manager.calls
    return next(
        member.channel for number, member in calls._calls[call].members.items() if number == place - 1
    )


async def monitor(scene: Scene, mode: MonitorMode, number: str = "1002", place: int = 1) -> CommandResult:
    channel = await channel_of(scene, place)
    result: CommandResult = await scene.send(MonitorCall(monitor=number, channel=channel, mode=mode))
    return result


async def begin(pbx: Pbx, mode: MonitorMode) -> tuple[Scene, Voice]:
    """1000 and 1001 talk, and 1002 monitors 1001."""
    scene, alan = await talk(pbx), await pbx.phone("1002")
    assert (await monitor(scene, mode)).outcome is CommandOutcome.DONE
    third = Voice(await alan.until_called(), 15_000)
    await third.until_heard(mixed(scene.ada, scene.grace))
    return scene, third


@pytest.mark.parametrize("mode", MonitorMode)
def test_each_mode_reaches_those_that_it_shall(tmp_path: Path, mode: MonitorMode) -> None:
    @in_loop
    async def run() -> None:
        async with open_pbx(tmp_path) as pbx:
            scene, third = await begin(pbx, mode)
            to_grace = (scene.ada,) if mode is MonitorMode.LISTEN else (scene.ada, third)
            to_ada = (scene.grace, third) if mode is MonitorMode.BARGE else (scene.grace,)
            await scene.grace.until_heard(mixed(*to_grace))
            await scene.ada.until_heard(mixed(*to_ada))
            third.line.hang_up()
            await scene.until_plain()
            scene.ada.line.hang_up()
            await pbx.until_quiet()
            first, second = pbx.records()
            assert (first.caller, first.called, first.outcome, len(first.legs)) == (
                "1000",
                "1001",
                "connected",
                1,
            )
            assert (second.caller, second.called, second.outcome) == ("1002", "1001", "connected")
            assert (second.reason, second.legs) == ("caller_hangup", [])

    run()


@in_loop
async def test_a_muted_member_is_silent_for_the_monitor_too(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene, third = await begin(pbx, MonitorMode.LISTEN)
        await scene.send(ChangeTalk(channel=await channel_of(scene, 0), action=TalkAction.MUTE))
        await third.until_heard(scene.grace.said)


@in_loop
async def test_while_the_call_is_held_the_monitor_talks_to_the_member_that_holds(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene, third = await begin(pbx, MonitorMode.WHISPER)
        await scene.send(ChangeTalk(channel=await channel_of(scene, 1), action=TalkAction.HOLD))
        await scene.ada.until_heard(*TONE)
        await scene.grace.until_heard(third.said)
        await third.until_heard(scene.grace.said)


@in_loop
async def test_the_end_of_the_talk_hangs_up_the_monitor(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene, third = await begin(pbx, MonitorMode.BARGE)
        scene.grace.line.hang_up()
        await third.line.until_over()
        await pbx.until_quiet()
        assert pbx.process.call_manager.waiting == 0
        assert [record.reason for record in pbx.records()] == ["callee_hangup"] * 2


@in_loop
async def test_a_monitor_that_rings_is_hung_up_by_the_end_and_by_a_command(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene, alan = await talk(pbx), await pbx.phone("1002", answers=None)
        result = await monitor(scene, MonitorMode.LISTEN)
        line = await alan.until_called()
        monitors = pbx.process.call_commands.monitors
        (id_,) = monitors.calls
        live = pbx.process.call_commands.live_calls._calls[id_]
        (member,) = live.members.values()
        assert (live.number, member.number, member.status) == (result.call_id, "1002", "RING")
        assert (await scene.send(HangUpChannel(channel=member.channel))).outcome is CommandOutcome.DONE
        await line.until_over()
        assert (await monitor(scene, MonitorMode.LISTEN)).outcome is CommandOutcome.DONE
        line = await alan.until_called(2)
        scene.ada.line.hang_up()
        await line.until_over()
        await pbx.until_quiet()
        assert (monitors.calls, pbx.process.call_manager.waiting) == ({}, 0)


@in_loop
async def test_what_cannot_be_monitored_is_refused_and_nothing_rings(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene = await talk(pbx)
        declining = await pbx.phone("1002", answers=486)
        for number in ("", "9999", "6200", "1000", "1001"):
            result = await monitor(scene, MonitorMode.LISTEN, number)
            assert (result.outcome, result.parameter) == (CommandOutcome.WRONG_PARAMETER, "monitor")
        unknown = MonitorCall(monitor="1002", channel="PJSIP/1000-00000025", mode=MonitorMode.LISTEN)
        assert (await scene.send(unknown)).outcome is CommandOutcome.NO_CHANNEL
        assert declining.invites == []
        assert (await monitor(scene, MonitorMode.LISTEN)).outcome is CommandOutcome.DONE
        assert (await monitor(scene, MonitorMode.LISTEN, "1003")).outcome is CommandOutcome.NOT_POSSIBLE
        await declining.until_called()
        monitors = pbx.process.call_commands.monitors
        await scene.ada.line.until(lambda: not monitors.calls)
        await scene.until_plain()
        assert pbx.records()[-1].reason == "destination_unreached"
        menu = (await pbx.phone("1003")).call("6200")
        scene.ada.line.hang_up()
        await menu.until_answered()
        await scene.ada.line.until(lambda: len(pbx.process.call_manager.calls) == 1)
        assert (await monitor(scene, MonitorMode.LISTEN, "1002", 0)).outcome is CommandOutcome.NOT_POSSIBLE


@in_loop
async def test_in_an_attended_transfer_nothing_is_held_and_after_it_the_new_pair_is(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene, alan = await talk(pbx), await pbx.phone("1002")
        first, second = [await channel_of(scene, place) for place in (0, 1)]
        start = TransferChannel(channel=second, type=TransferType.ATTENDED, number="1002")
        assert (await scene.send(start)).outcome is CommandOutcome.DONE
        third = Voice(await alan.until_called(), 15_000)
        await third.until_heard(scene.grace.said)
        for channel in (first, second):
            for action in (TalkAction.HOLD, TalkAction.MUTE):
                refused = await scene.send(ChangeTalk(channel=channel, action=action))
                assert refused.outcome is CommandOutcome.NOT_POSSIBLE
            listen = MonitorCall(monitor="1003", channel=channel, mode=MonitorMode.LISTEN)
            assert (await scene.send(listen)).outcome is CommandOutcome.NOT_POSSIBLE
        complete = TransferChannel(
            channel=second, type=TransferType.ATTENDED, operation=TransferOperation.COMPLETE
        )
        assert (await scene.send(complete)).outcome is CommandOutcome.DONE
        await third.until_heard(scene.ada.said)
        (call,) = (await scene.send(QueryCalls())).calls
        members = [member["extension"] for member in call["members"]]
        assert [member["number"] for member in members] == ["1000", "1002"]
        holding = ChangeTalk(channel=members[1]["channel_id"], action=TalkAction.HOLD)
        assert (await scene.send(holding)).outcome is CommandOutcome.DONE
        assert await scene.statuses() == ["ANSWERED", "HOLD"]
        await scene.ada.until_heard(*TONE)
