"""One call of a telephone from its beginning to its end: what is done in it, and what is told of it."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from openivr.b2bua.party import Party
from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.recording.audio_recording import RecordEnd, RecordingResult
from openivr.media.rtp.packet import Packet
from openivr.media.statistics import MediaStats
from openivr.simulate.transcript import TranscriptLine as Told
from openivr.sip.address import bracket
from openivr.sip.termination import FailureReason, Termination, of_loss
from openivr.softphone.audio_levels import LevelDetector
from openivr.softphone.result import CallResult, judge, phrase, words
from openivr.softphone.softphone import Softphone, SoftphoneAccount

KEY_SECONDS = 0.25  # between two keys of a script, as a quick hand has it
DEAF_SECONDS = 3.0  # after which a call without a packet of sound is remarked upon
REACH_SECONDS = 5.0  # in which a server that is there says something to an INVITE, lost packets included
GOODBYE_SECONDS = 2.0  # for the answer to a BYE or CANCEL

Script = Sequence[str | float | None]  # keys, waits in seconds, hang-ups: see `simulate.keys`
Hear = Callable[[Packet, Law], None]


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What is to be done in a call."""

    number: str
    way: DtmfMethod = DtmfMethod.EVENT
    script: Script = ()  # from the answer on
    clip: Clip | None = None  # what we say
    record: Path | None = None  # where what is heard goes; a file that is not there yet
    hear: Hear | None = None  # is given what is heard
    tells_sound: bool = True  # whether the story says when sound is heard
    ring_seconds: float = 60
    talk_seconds: float | None = None  # at most


@dataclass(frozen=True, slots=True)
class Result:
    """What became of it."""

    verdict: CallResult
    status: int  # of the final response
    reason: str
    by_peer: bool
    seconds: float  # since the answer
    sound: MediaStats


class Conversation:
    """Makes one call. `tell` is called with every line of its story, whose times are ms since `run`."""

    def __init__(self, phone: Softphone, plan: CallPlan, tell: Callable[[Told], None]) -> None:
        self.phone, self.plan = phone, plan
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._line = SoftphoneAccount(phone, has_events=plan.way is not DtmfMethod.TONE)
        self._hearing = LevelDetector()
        self._over = asyncio.Event()
        self._ending: Termination | None = None
        self._began = self._loop.time()
        self._answered: float | None = None
        self._is_hearing = False
        self._why = ""  # we hung up
        self._is_cancelled = False  # by whoever sits here
        self._steps: deque[str | float | None] = deque()  # of scripts, still to be done
        self._script: asyncio.Task[None] | None = None
        self._waits: list[asyncio.TimerHandle] = []
        self._recorded: asyncio.Future[RecordingResult] | None = None

    async def run(self) -> Result:
        """Call, and come back when the call is over and everything of it is written."""
        line, plan = self._line, self.plan
        line.on_progress, line.on_answer = self._progress, self._answer
        line.on_gone, line.on_lost, line.on_key = self._gone, self._lost, self._key
        self._say("dials", plan.number, f"as {self.phone.user}, at {place_of(self.phone)}")
        self._later(REACH_SECONDS, self._look_for_server)
        self._later(plan.ring_seconds, self._give_up)
        self.phone.call(plan.number, line)
        try:
            await self._over.wait()
        finally:
            for wait in self._waits:
                wait.cancel()
            if self._script is not None:
                self._script.cancel()
        return await self._finish()

    # What whoever sits here does

    def press(self, keys: str) -> None:
        """Press keys now; before the answer there is nobody to hear them."""
        if self._answered is not None and not self._over.is_set():
            self._line.press(keys, self.plan.way)
            self._say("sends", keys)

    def hang_up(self, why: str = "hung up here") -> None:
        """End the call, in whatever state it is."""
        if not self._over.is_set() and self._line.leg is not None:
            self._why = self._why or why
            self._line.leg.hangup()

    def cancel(self) -> None:
        """Somebody has had enough."""
        self._is_cancelled = True
        self.hang_up()

    def act(self, script: Script) -> None:
        """Do what a script says, after what earlier ones have left to do."""
        self._steps.extend(script)
        if self._answered is not None and (self._script is None or self._script.done()):
            self._script = self._loop.create_task(self._act())

    async def _act(self) -> None:
        while self._steps:
            step = self._steps.popleft()
            if step is None:
                self.hang_up("hung up here, as the script says")
            elif isinstance(step, float):
                await asyncio.sleep(step)
            else:
                for key in step:
                    self.press(key)
                    await asyncio.sleep(KEY_SECONDS)

    # What happens to the call

    def _progress(self, _party: Party, status: int, is_early: bool) -> None:
        self._say("rings" if status == 180 else "proceeds", phrase(status), "with sound" if is_early else "")
        if is_early:
            self._hear()

    def _answer(self, party: Party) -> None:
        self._answered = self._loop.time()
        terms = party.terms
        keys = self.plan.way if self.plan.way is DtmfMethod.INFO or not terms else key_way(terms.events_out)
        self._say("answered", f"{terms.law if terms else 'no sound'}, keys by {keys}")
        self._hear()
        if self.plan.clip is not None:
            self._line.media.play([self.plan.clip], lambda: self._say("played", "all there was to say"))
        if self.plan.talk_seconds is not None:
            self._later(
                self.plan.talk_seconds, self.hang_up, f"hung up here after {self.plan.talk_seconds:g} s"
            )
        self._later(DEAF_SECONDS, self._look_for_sound)
        self.act(self.plan.script)

    def _gone(self, _party: Party, ending: Termination) -> None:
        self._ending = ending
        self._over.set()

    def _lost(self, _party: Party) -> None:
        self.hang_up("hung up here: no sound came any more")

    def _key(self, key: str) -> None:
        self._say("is sent", key)

    def _give_up(self) -> None:
        if self._answered is None:
            self.hang_up(f"nobody answered in {self.plan.ring_seconds:g} s")

    def _look_for_server(self) -> None:
        if not self.phone.has_heard:
            self._ending = of_loss(FailureReason.TIMEOUT)
            self._over.set()

    def _look_for_sound(self) -> None:
        if not self._line.media.statistics().heard:
            self._say("deaf", "no sound has come", "a firewall on the way, or an address that leads nowhere")

    # Sound

    def _hear(self) -> None:
        """Listen from now on, once."""
        if self._is_hearing:
            return
        self._is_hearing = True
        media = self._line.media
        media.add_listener(self._listen)
        if self.plan.hear is not None:
            media.add_listener(self.plan.hear)
        if self.plan.record is not None:
            self._recorded = self._loop.create_future()
            media.record(self.plan.record, self._recorded.set_result)

    def _listen(self, packet: Packet, law: Law) -> None:
        change = self._hearing.take(packet, law)
        if change is not None and self.plan.tells_sound:
            self._say(change, "")

    # The end

    async def _finish(self) -> Result:
        ending, seconds = self._ending, 0.0
        assert ending is not None  # noqa: S101 - it is what `_over` says
        if self._answered is not None:
            seconds = self._loop.time() - self._answered
        verdict = self._judge(ending)
        sound = self._line.media.statistics()
        self._tell_end(verdict, ending)
        if self._answered is not None:
            self._say("lasted", f"{seconds:.1f} s", in_words(sound))
        if not ending.by_peer:
            await self._hear_goodbye()
        self._line.media.close()
        if self._recorded is not None:
            self._tell_recorded(await self._recorded)
        return Result(verdict, ending.status, self._why or ending.reason, ending.by_peer, seconds, sound)

    def _judge(self, ending: Termination) -> CallResult:
        if self._answered is not None:
            return CallResult.ANSWERED
        if self._is_cancelled:
            return CallResult.CANCELLED
        return CallResult.NO_ANSWER if self._why else judge(ending)

    def _tell_end(self, verdict: CallResult, ending: Termination) -> None:
        if verdict is CallResult.ANSWERED:
            self._say("ended", self._why or ending.reason or "the other side hung up")
        elif ending.response is None:
            hint = self._guess() if verdict is CallResult.UNREACHABLE else ""
            self._say(verdict, self._why or ending.reason, hint)
        else:
            self._say(verdict, phrase(ending.status), words(ending))

    def _guess(self) -> str:
        """Why a server says nothing."""
        if self.phone.was_asked:
            return "it does not hear this login: after wrong passwords, some are banned for a while"
        is_secure = self.phone.server.protocol == "TLS"
        return "is a server running there" + (", with a certificate that is trusted?" if is_secure else "?")

    def _tell_recorded(self, recorded: RecordingResult) -> None:
        if recorded.end is RecordEnd.FAILED:
            self._say("lost", f"{recorded.path} could not be written")
        else:
            self._say("recorded", f"{recorded.path}, {recorded.seconds:.1f} s")

    async def _hear_goodbye(self) -> None:
        """Wait until the other side has answered our BYE, or has ended what we gave up."""
        if not self.phone.has_heard:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.phone.until_answered("INVITE" if self._answered is None else "BYE")

    # Inside

    def _later(self, seconds: float, action: Callable[..., None], *arguments: object) -> None:
        self._waits.append(self._loop.call_later(seconds, action, *arguments))

    def _say(self, what: str, text: str, why: str = "") -> None:
        self._tell(Told(round(1000 * (self._loop.time() - self._began)), what, text, why))


def place_of(phone: Softphone) -> str:
    """Where a telephone's server is."""
    server = phone.server
    return f"{bracket(server.host)}:{server.port}, {server.protocol}"


def key_way(events_out: int | None) -> DtmfMethod:
    """How keys go that are not sent by INFO."""
    return DtmfMethod.TONE if events_out is None else DtmfMethod.EVENT


def in_words(sound: MediaStats) -> str:
    """How the sound fared."""
    return (
        f"sent {sound.sent} packets, heard {sound.heard}, lost {sound.lost}, jitter {sound.jitter_ms:.1f} ms"
    )
