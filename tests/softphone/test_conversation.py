"""Calls of the terminal's telephone to another telephone, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import Law, decode
from openivr.media.audio.tone import beep, sines
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.rtp.packet import Packet
from openivr.simulate.transcript import TranscriptLine
from openivr.sip.address import Target
from openivr.sip.auth.client import Login
from openivr.sip.handler import LocalResponse
from openivr.softphone import conversation
from openivr.softphone.conversation import CallPlan, Conversation
from openivr.softphone.result import CallResult
from openivr.softphone.softphone import Softphone, open_media
from tests.b2bua.pbx import in_loop
from tests.b2bua.phone import Line, Phone

PLAN = CallPlan("42", reports_audio=False)
NOWHERE = Target("UDP", "127.0.0.1", 9)


class Pair:
    """A telephone that calls, and one that is called."""

    def __init__(self, caller: Softphone, called: Phone) -> None:
        self.caller, self.called = caller, called
        self.told: list[TranscriptLine] = []

    def converse(self, plan: CallPlan) -> Conversation:
        return Conversation(self.caller, plan, self.told.append)

    def of(self, what: str) -> list[str]:
        return [line.text for line in self.told if line.what == what]


@asynccontextmanager
async def open_pair(answers: int | None = 200) -> AsyncIterator[Pair]:
    media = open_media()
    called = await Phone(NOWHERE, answers=answers).start(media)
    caller = await Softphone(called.address, Login("me", "")).start(media)
    try:
        yield Pair(caller, called)
    finally:
        caller.close()
        called.close()
        await media.close()


async def answered(pair: Pair) -> Line:
    line = await pair.called.until_called()
    await line.until(lambda: line.is_answered and line.packets > 3)
    return line


@in_loop
async def test_the_called_side_answers_and_hangs_up() -> None:
    async with open_pair() as pair:
        running = asyncio.create_task(pair.converse(PLAN).run())
        (await answered(pair)).hang_up()
        result = await running
        assert (result.verdict, result.by_peer) == (CallResult.ANSWERED, True)
        assert result.sound.sent > 3
        assert [line.what for line in pair.told] == ["dials", "rings", "answered", "ended", "lasted"]
        assert pair.of("ended") == ["the other side hung up"]


@pytest.mark.parametrize("way", DtmfMethod)
def test_keys_are_heard_the_way_that_they_are_sent(way: DtmfMethod) -> None:
    @in_loop
    async def call() -> None:
        async with open_pair() as pair:
            plan = replace(PLAN, dtmf=way, script=["1#", 0.3, None])
            result = await pair.converse(plan).run()
            [line] = pair.called.lines
            assert (line.keys, line.key_counts) == ("1#", {way: 2})
            assert pair.of("sends") == ["1", "#"]
            assert pair.of("answered") == [f"PCMU, keys by {way}"]
            assert pair.of("ended") == ["hung up by the script"]
            assert (result.verdict, result.by_peer) == (CallResult.ANSWERED, False)
            assert (await line.until_over()).by_peer

    call()


@pytest.mark.parametrize(
    ("status", "verdict", "text", "why"),
    [
        (486, CallResult.BUSY, "486 Busy Here", "busy"),
        (603, CallResult.REFUSED, "603 Decline", "declined"),
        (480, CallResult.NO_ANSWER, "480 Temporarily Unavailable", "not available"),
        (503, CallResult.UNREACHABLE, "503 Service Unavailable", "the server is full or stopping"),
    ],
)
def test_a_call_is_not_taken(status: int, verdict: CallResult, text: str, why: str) -> None:
    @in_loop
    async def call() -> None:
        async with open_pair(status) as pair:
            result = await pair.converse(PLAN).run()
            assert (result.verdict, result.status) == (verdict, status)
            assert (pair.told[-1].what, pair.told[-1].text, pair.told[-1].about) == (verdict, text, why)

    call()


@in_loop
async def test_nobody_answers_in_time() -> None:
    async with open_pair(None) as pair:
        result = await pair.converse(replace(PLAN, ring_seconds=0.2)).run()
        assert result.verdict is CallResult.NO_ANSWER
        assert "INVITE" in pair.caller.answered  # the end of what was cancelled has been acknowledged
        assert pair.of("no_answer") == ["no answer in 0.2 s"]
        assert (await pair.called.lines[0].until_over()).status == 487


@in_loop
async def test_the_caller_has_enough_of_ringing() -> None:
    async with open_pair(None) as pair:
        conversation = pair.converse(PLAN)
        running = asyncio.create_task(conversation.run())
        line = await pair.called.until_called()
        conversation.press("1")  # nobody is there to hear it
        conversation.cancel()
        assert (await running).verdict is CallResult.CANCELLED
        assert pair.of("sends") == []
        await line.until_over()


@in_loop
async def test_a_call_is_ended_after_its_time() -> None:
    async with open_pair() as pair:
        result = await pair.converse(replace(PLAN, talk_seconds=0.2)).run()
        assert result.verdict is CallResult.ANSWERED
        assert pair.of("ended") == ["hung up here after 0.2 s"]
        assert result.seconds >= 0.2


@in_loop
async def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "REACH_SECONDS", 0.1)
    async with open_pair() as pair:
        pair.caller.server = NOWHERE
        result = await pair.converse(PLAN).run()
        assert result.verdict is CallResult.UNREACHABLE
        assert pair.of("unreachable") == ["no response"]


@in_loop
async def test_a_server_that_asks_and_then_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As to those who are banned as a user: without credentials they are nobody yet."""
    monkeypatch.setattr(conversation, "REACH_SECONDS", 0.3)
    challenge = ("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')
    async with open_pair() as pair:
        silent = LocalResponse(0)
        asked = LocalResponse(401, headers=(challenge,))
        monkeypatch.setattr(pair.called, "admit", lambda r: silent if "authorization" in r.headers else asked)
        result = await pair.converse(PLAN).run()
        assert result.verdict is CallResult.UNREACHABLE
        assert "banned" in pair.told[-1].about


@in_loop
async def test_sound_is_said_heard_and_recorded(tmp_path: Path) -> None:
    heard: list[np.ndarray] = []

    def hear(packet: Packet, law: Law) -> None:
        heard.append(decode(packet.payload, law))

    async with open_pair() as pair:
        file = tmp_path / "heard.wav"
        plan = replace(PLAN, clip=Clip.from_samples(sines((440,), 0.4, 10)), record=file, hear=hear)
        running = asyncio.create_task(pair.converse(replace(plan, reports_audio=True)).run())
        line = await answered(pair)
        theirs: list[np.ndarray] = []
        line.media.add_listener(lambda packet, law: theirs.append(decode(packet.payload, law)))
        line.media.play(
            [beep()], lambda: line.media.play([Clip.from_samples(np.zeros(12_000, np.int16))], line.hang_up)
        )
        await running
        assert pair.of("played") == ["to its end"]
        assert pair.of("sound") == pair.of("silence") == [""]
        assert np.abs(np.concatenate(theirs)).max() > 5000
        samples, rate = soundfile.read(file, dtype="int16")
        assert rate == 8000
        assert np.abs(samples).max() > 5000
        assert np.abs(np.concatenate(heard)).max() == np.abs(samples).max()
        assert pair.of("recorded")[0].startswith(str(file))


@in_loop
async def test_a_call_without_any_sound_is_remarked_upon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "DEAF_SECONDS", 0.1)
    async with open_pair() as pair:
        running = asyncio.create_task(pair.converse(PLAN).run())
        line = await pair.called.until_called()
        line.media.close()  # as behind a firewall
        await line.until(lambda: bool(pair.of("deaf")))
        line.hang_up()
        assert (await running).verdict is CallResult.ANSWERED


@in_loop
async def test_a_script_goes_on_where_lines_are_added() -> None:
    async with open_pair() as pair:
        conversation = pair.converse(PLAN)
        conversation.act(["1"])  # before the answer: kept until then
        running = asyncio.create_task(conversation.run())
        await answered(pair)
        conversation.act(["2"])
        [line] = pair.called.lines
        await line.until(lambda: line.keys == "12")
        conversation.act(["3", None])
        await running
        assert line.keys == "123"
