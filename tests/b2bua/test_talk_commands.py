"""Hold, mute and record on command, with phones: what each receives, and what the record says."""

import asyncio
import random
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from openivr.b2bua.call_commands import AnyCommand, ChangeTalk, CommandOutcome, QueryCalls, TalkAction
from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import FRAME, Law, decode
from openivr.media.audio.tone import hold_tone
from openivr.media.rtp.packet import Packet
from openivr.media.stream.sender import SILENCE
from tests.b2bua.pbx import Pbx, in_loop, open_pbx
from tests.b2bua.phone import Line

QUIET = SILENCE[Law.PCMU]
DONE, NOT_POSSIBLE = CommandOutcome.DONE, CommandOutcome.NOT_POSSIBLE
TONE = frozenset(frame for frame in hold_tone().pcmu if frame != QUIET)


class Voice:
    """A line of a phone that says one level over and over, and the last frame that it received."""

    def __init__(self, line: Line, level: int) -> None:
        self.line, self.clip = line, Clip.from_samples(np.full(FRAME, level, np.int16))
        self.said = self.clip.pcmu[0]
        self.heard = b""
        line.media.play([self.clip], loop=True)
        line.media.add_listener(self._take)

    def _take(self, packet: Packet, _law: Law) -> None:
        self.heard = bytes(packet.payload)
        self.line.changed.set()

    async def until_heard(self, *frames: bytes) -> None:
        self.heard = b""
        await self.line.until(lambda: self.heard in frames)


class Scene:
    """1000 and 1001 talk."""

    def __init__(self, pbx: Pbx, ada: Voice, grace: Voice) -> None:
        self.pbx, self.ada, self.grace = pbx, ada, grace

    async def members(self) -> list[dict[str, str]]:
        (call,) = (await self.pbx.process.call_commands.carry_out(QueryCalls())).calls
        return [member["extension"] for member in call["members"]]

    async def statuses(self) -> list[str]:
        return [member["member_status"] for member in await self.members()]

    async def act(self, place: int, action: TalkAction) -> CommandOutcome:
        channel = (await self.members())[place]["channel_id"]
        return (await self.send(ChangeTalk(channel=channel, action=action))).outcome

    async def send(self, command: AnyCommand) -> Any:
        return await self.pbx.process.call_commands.carry_out(command)

    async def until_plain(self) -> None:
        """Wait until both receive each other."""
        await self.ada.until_heard(self.grace.said)
        await self.grace.until_heard(self.ada.said)


async def talk(pbx: Pbx) -> Scene:
    ada, grace = await pbx.phone("1000"), await pbx.phone("1001")
    line = ada.call("1001")
    await line.until_answered()
    scene = Scene(pbx, Voice(line, 3000), Voice(await grace.until_called(), 9000))
    await scene.until_plain()
    return scene


@pytest.mark.parametrize("place", [0, 1])
def test_the_other_one_receives_the_hold_sound_until_the_hold_ends(tmp_path: Path, place: int) -> None:
    @in_loop
    async def run() -> None:
        async with open_pbx(tmp_path) as pbx:
            scene = await talk(pbx)
            holder, held = (scene.ada, scene.grace) if place == 0 else (scene.grace, scene.ada)
            assert await scene.act(place, TalkAction.HOLD) is DONE
            statuses = ["ANSWERED", "ANSWER"]
            statuses[place] = "HOLD"
            assert await scene.statuses() == statuses
            await held.until_heard(*TONE)
            await holder.until_heard(QUIET)
            assert await scene.act(place, TalkAction.HOLD) is NOT_POSSIBLE
            assert await scene.act(1 - place, TalkAction.UNHOLD) is NOT_POSSIBLE
            assert await scene.statuses() == statuses
            assert await scene.act(place, TalkAction.UNHOLD) is DONE
            assert await scene.statuses() == ["ANSWERED", "ANSWER"]
            await scene.until_plain()
            assert await scene.act(place, TalkAction.UNHOLD) is NOT_POSSIBLE

    run()


@in_loop
async def test_a_muted_member_is_silent_for_the_other_and_receives_it(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene = await talk(pbx)
        assert await scene.act(0, TalkAction.MUTE) is DONE
        await scene.grace.until_heard(QUIET)
        await scene.ada.until_heard(scene.grace.said)
        assert await scene.act(0, TalkAction.MUTE) is NOT_POSSIBLE
        assert await scene.statuses() == ["ANSWERED", "ANSWER"]
        assert await scene.act(0, TalkAction.UNMUTE) is DONE
        await scene.until_plain()


@in_loop
async def test_keys_do_not_pass_to_a_member_on_hold(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene = await talk(pbx)
        await scene.act(1, TalkAction.HOLD)
        (call,) = pbx.process.call_manager.calls.values()
        went_on = asyncio.Event()  # the press is over

        def look(_packet: Packet, _law: Law) -> None:
            if call.caller.key_counts:
                went_on.set()

        call.caller.media.add_listener(look)
        scene.ada.line.media.send_dtmf("1")
        await went_on.wait()
        await scene.act(1, TalkAction.UNHOLD)
        await scene.act(1, TalkAction.MUTE)
        scene.ada.line.media.send_dtmf("23")
        await scene.grace.line.until(lambda: "23" in scene.grace.line.keys)
        assert scene.grace.line.keys == "23"


@in_loop
async def test_a_recording_on_command_has_what_was_said_outside_of_its_pauses(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene = await talk(pbx)
        for action in (TalkAction.RECORD_PAUSE, TalkAction.RECORD_UNPAUSE):
            assert await scene.act(0, action) is NOT_POSSIBLE
        assert not (tmp_path / "recordings").exists()
        assert await scene.act(1, TalkAction.RECORD_START) is DONE
        assert await scene.act(0, TalkAction.RECORD_START) is NOT_POSSIBLE
        await scene.until_plain()
        assert await scene.act(0, TalkAction.RECORD_PAUSE) is DONE
        assert await scene.act(0, TalkAction.RECORD_PAUSE) is NOT_POSSIBLE
        secret = Clip.from_samples(np.full(FRAME, 20_000, np.int16))
        for voice in (scene.ada, scene.grace):
            voice.line.media.play([secret], loop=True)
        for voice in (scene.ada, scene.grace):
            await voice.until_heard(secret.pcmu[0])
        for voice in (scene.ada, scene.grace):
            voice.line.media.play([voice.clip], loop=True)
        await scene.until_plain()
        assert await scene.act(0, TalkAction.RECORD_UNPAUSE) is DONE
        assert await scene.act(1, TalkAction.RECORD_UNPAUSE) is NOT_POSSIBLE
        await scene.until_plain()
        scene.ada.line.hang_up()
        await pbx.until_quiet()
        (record,) = pbx.records()
        assert record.recording == f"{record.id}.wav"
        assert record.holding == ""
        with wave.open(str(tmp_path / "recordings" / record.recording)) as file:
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        said = [int(decode(voice.said, Law.PCMU)[0]) for voice in (scene.ada, scene.grace)]
        for channel in (0, 1):
            assert set(np.unique(sound[:, channel])) <= {0, 8, -8, said[channel]}
            assert np.count_nonzero(sound[:, channel] == said[channel]) >= 2 * FRAME


@in_loop
async def test_a_recording_by_policy_is_paused_and_not_started_again(tmp_path: Path) -> None:
    async with open_pbx(tmp_path, records=True) as pbx:
        scene = await talk(pbx)
        assert await scene.act(0, TalkAction.RECORD_START) is NOT_POSSIBLE
        assert await scene.act(0, TalkAction.RECORD_PAUSE) is DONE
        assert await scene.act(0, TalkAction.RECORD_UNPAUSE) is DONE


@in_loop
async def test_without_space_on_the_disk_no_recording_starts(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        scene = await talk(pbx)
        pbx.process.disk.floor = 2**60
        assert await scene.act(0, TalkAction.RECORD_START) is NOT_POSSIBLE
        pbx.process.disk.floor = 0
        assert await scene.act(0, TalkAction.RECORD_START) is DONE


@in_loop
async def test_before_the_talk_nothing_can_be_commanded(tmp_path: Path) -> None:
    async with open_pbx(tmp_path) as pbx:
        await pbx.phone("1001", answers=None)
        line = (await pbx.phone("1000")).call("1001")
        await line.until(lambda: 180 in line.statuses)
        scene = Scene(pbx, Voice(line, 1), Voice(line, 1))
        for place in (0, 1):
            for action in TalkAction:
                assert await scene.act(place, action) is NOT_POSSIBLE
        result = await scene.send(ChangeTalk(channel="PJSIP/1000-00000025", action=TalkAction.HOLD))
        assert result.outcome is CommandOutcome.NO_CHANNEL


@in_loop
async def test_a_call_that_was_held_ends_and_is_transferred_as_any_other(tmp_path: Path) -> None:
    """1001 holds and transfers: in the call of 1000 with 1002 nothing is left of the hold."""
    async with open_pbx(tmp_path) as pbx:
        scene = await talk(pbx)
        alan = await pbx.phone("1002")
        await scene.act(1, TalkAction.HOLD)
        await scene.act(0, TalkAction.MUTE)
        await scene.ada.until_heard(*TONE)
        leg = scene.grace.line.leg
        assert leg is not None
        leg.refer(f"sip:1002@{pbx.server.host}:{pbx.server.port}")
        third = Voice(await alan.until_called(), 15_000)
        await scene.ada.until_heard(third.said)
        await third.until_heard(scene.ada.said)
        assert await scene.statuses() == ["ANSWERED", "ANSWER"]
        scene.ada.line.hang_up()
        await pbx.until_quiet()
        assert [record.holding for record in pbx.records()] == ["", ""]


def model(
    switches: dict[tuple[str, int], bool], recording: str, place: int, action: TalkAction
) -> str | None:
    """What a command makes of the recording, or None if it is not possible; switches change in place."""
    name = action.value
    if name.startswith("record"):
        before = {"record_start": "none", "record_pause": "running", "record_unpause": "paused"}[name]
        after = {"record_start": "running", "record_pause": "paused", "record_unpause": "running"}[name]
        return after if recording == before else None
    switch, target = (name.removeprefix("un"), place), not name.startswith("un")
    if switches[switch] is target:
        return None
    switches[switch] = target
    return recording


def received(scene: Scene, switches: dict[tuple[str, int], bool], place: int) -> Iterator[bytes]:
    """Yield the frames that a member may receive in the end."""
    other = 1 - place
    if switches["hold", other] and not switches["hold", place]:
        yield from TONE
    elif switches["hold", other] or switches["hold", place] or switches["mute", other]:
        yield QUIET
    else:
        yield (scene.ada, scene.grace)[other].said


@in_loop
async def test_any_sequence_of_commands_is_answered_as_a_model_says(tmp_path: Path) -> None:
    generator = random.Random(16)
    async with open_pbx(tmp_path) as pbx:
        scene = await talk(pbx)
        switches = {(name, place): False for name in ("hold", "mute") for place in (0, 1)}
        recording = "none"
        for _ in range(12):
            for _ in range(10):
                place, action = generator.randrange(2), generator.choice(list(TalkAction))
                after = model(switches, recording, place, action)
                assert await scene.act(place, action) is (NOT_POSSIBLE if after is None else DONE)
                recording = after or recording
                statuses = zip(await scene.statuses(), ("ANSWERED", "ANSWER"), strict=True)
                for index, (status, plain) in enumerate(statuses):
                    assert status == ("HOLD" if switches["hold", index] else plain)
            for place, voice in enumerate((scene.ada, scene.grace)):
                await voice.until_heard(*received(scene, switches, place))
        scene.ada.line.hang_up()
        await pbx.until_quiet()
        assert pbx.records()[0].recording
