"""Runs one call of a softphone from dialling to its end, and reports its events."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from openivr.b2bua.party import Party, PartyListener
from openivr.media.audio.clip import Clip
from openivr.media.audio.g711 import Law
from openivr.media.dtmf.rfc4733 import DtmfMethod
from openivr.media.recording.audio_recording import RecordEnd, RecordingResult
from openivr.media.rtp.packet import Packet
from openivr.media.statistics import MediaStats
from openivr.simulate.transcript import TranscriptLine
from openivr.simulate.words import Why
from openivr.sip.address import uri_host
from openivr.sip.termination import FailureReason, Termination, from_failure
from openivr.softphone.audio_levels import LevelDetector
from openivr.softphone.result import CallResult, classify, describe_status, explain, say_reason
from openivr.softphone.softphone import Softphone, SoftphoneCall

KEY_SECONDS = 0.25  # between two digits of a script, as a fast typist presses them
DEAF_SECONDS = 3.0  # after which a call without RTP is reported
REACH_SECONDS = 5.0  # for the first response to an INVITE, retransmissions included
GOODBYE_SECONDS = 2.0  # for the response to a BYE or CANCEL

Script = Sequence[str | float | None]  # digits, pauses in seconds, hang-ups; see `simulate.keys`
AudioListener = Callable[[Packet, Law], None]


@dataclass(frozen=True, slots=True)
class CallPlan:
    """Settings and script of a call."""

    number: str
    dtmf: DtmfMethod = DtmfMethod.EVENT
    script: Script = ()  # starts when the call is answered
    clip: Clip | None = None  # played after the answer
    record: Path | None = None  # new file for the received audio
    hear: AudioListener | None = None  # gets the received audio
    reports_audio: bool = True  # report when sound and silence begin
    ring_seconds: float = 60
    talk_seconds: float | None = None  # maximum


@dataclass(frozen=True, slots=True)
class Result:
    """Result of a call. The field names are part of the output of `openivr call --json`."""

    verdict: CallResult
    status: int  # of the final response
    reason: str  # in words: of the hang-up here, or of the far side
    by_peer: bool
    seconds: float  # since the answer
    sound: MediaStats
    failure: FailureReason | None = None


class Conversation(PartyListener):
    """Makes one call. `report` is called with every event; its times are ms since the start."""

    def __init__(self, phone: Softphone, plan: CallPlan, report: Callable[[TranscriptLine], None]) -> None:
        self.phone, self.plan = phone, plan
        self._report_line = report
        self._loop = asyncio.get_running_loop()
        self._call = SoftphoneCall(phone, has_events=plan.dtmf is not DtmfMethod.TONE)
        self._levels = LevelDetector()
        self._ended = asyncio.Event()
        self._ending: Termination | None = None
        self._started_at = self._loop.time()
        self._answered_at: float | None = None
        self._is_listening = False
        self._hangup_reason = ""  # of a hang-up on this side
        self._is_cancelled = False  # by the user
        self._steps: deque[str | float | None] = deque()  # of scripts, not done yet
        self._script: asyncio.Task[None] | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._recorded: asyncio.Future[RecordingResult] | None = None

    async def run(self) -> Result:
        """Make the call. Returns when it has ended and its recording is complete."""
        call, plan = self._call, self.plan
        call.listener = self
        self._report("dials", plan.number, f"as {self.phone.user}, at {place_of(self.phone)}")
        self._later(REACH_SECONDS, self._check_server)
        self._later(plan.ring_seconds, self._on_ring_timeout)
        self.phone.call(plan.number, call)
        try:
            await self._ended.wait()
        finally:
            for timer in self._timers:
                timer.cancel()
            if self._script is not None:
                self._script.cancel()
        return await self._finish()

    # Actions of the user

    def press(self, digits: str) -> None:
        """Send digits now. They are ignored before the answer."""
        if self._answered_at is not None and not self._ended.is_set():
            self._call.press(digits, self.plan.dtmf)
            self._report("sends", digits)

    def hang_up(self, why: str = "hung up here") -> None:
        """End the call, in whatever state it is."""
        if not self._ended.is_set() and self._call.leg is not None:
            self._hangup_reason = self._hangup_reason or why
            self._call.leg.hangup()

    def cancel(self) -> None:
        """Cancel or end the call at the user's request."""
        self._is_cancelled = True
        self.hang_up()

    def act(self, script: Script) -> None:
        """Run a script after the steps that earlier ones have left."""
        self._steps.extend(script)
        if self._answered_at is not None and (self._script is None or self._script.done()):
            self._script = self._loop.create_task(self._run_script())

    async def _run_script(self) -> None:
        while self._steps:
            step = self._steps.popleft()
            if step is None:
                self.hang_up("hung up by the script")
            elif isinstance(step, float):
                await asyncio.sleep(step)
            else:
                for digit in step:
                    self.press(digit)
                    await asyncio.sleep(KEY_SECONDS)

    # Events of the call

    def on_progress(self, _party: Party, status: int, is_early: bool) -> None:
        what = "rings" if status == 180 else "proceeds"
        self._report(what, describe_status(status), "with sound" if is_early else "")
        if is_early:
            self._listen()

    def on_answer(self, party: Party) -> None:
        self._answered_at = self._loop.time()
        terms, method = party.terms, self.plan.dtmf
        if terms and method is not DtmfMethod.INFO:
            method = dtmf_method(terms.events_out)
        self._report("answered", f"{terms.law if terms else 'no sound'}, keys by {method}")
        self._listen()
        if self.plan.clip is not None:
            self._call.media.play([self.plan.clip], lambda: self._report("played", "to its end"))
        if self.plan.talk_seconds is not None:
            self._later(
                self.plan.talk_seconds, self.hang_up, f"hung up here after {self.plan.talk_seconds:g} s"
            )
        self._later(DEAF_SECONDS, self._check_audio)
        self.act(self.plan.script)

    def on_gone(self, _party: Party, ending: Termination) -> None:
        self._ending = ending
        self._ended.set()

    def on_media_timeout(self, _party: Party) -> None:
        self.hang_up("hung up here: no audio was received any longer")

    def on_key(self, _party: Party, digit: str) -> None:
        self._report("is_sent", digit)

    def _on_ring_timeout(self) -> None:
        if self._answered_at is None:
            self.hang_up(f"no answer in {self.plan.ring_seconds:g} s")

    def _check_server(self) -> None:
        if not self.phone.has_heard:
            self._ending = from_failure(FailureReason.TIMEOUT)
            self._ended.set()

    def _check_audio(self) -> None:
        if not self._call.media.statistics().heard:
            self._report(
                "deaf", "no audio received", "a firewall blocks RTP, or the address cannot be reached"
            )

    # Audio

    def _listen(self) -> None:
        """Start listening and recording, once."""
        if self._is_listening:
            return
        self._is_listening = True
        media = self._call.media
        media.add_listener(self._on_audio)
        if self.plan.hear is not None:
            media.add_listener(self.plan.hear)
        if self.plan.record is not None:
            self._recorded = self._loop.create_future()
            media.record(self.plan.record, self._recorded.set_result)

    def _on_audio(self, packet: Packet, law: Law) -> None:
        change = self._levels.take(packet, law)
        if change is not None and self.plan.reports_audio:
            self._report(change, "")

    # The end

    async def _finish(self) -> Result:
        ending, seconds = self._ending, 0.0
        assert ending is not None  # noqa: S101 - set before the event
        if self._answered_at is not None:
            seconds = self._loop.time() - self._answered_at
        verdict = self._classify(ending)
        sound = self._call.media.statistics()
        self._report_end(verdict, ending)
        if self._answered_at is not None:
            self._report("lasted", f"{seconds:.1f} s", describe_stats(sound))
        if not ending.by_peer:
            await self._wait_for_response()
        self._call.media.close()
        if self._recorded is not None:
            self._report_recording(await self._recorded)
        return Result(
            verdict,
            ending.status,
            self._hangup_reason or ending.reason,
            ending.by_peer,
            seconds,
            sound,
            ending.failure,
        )

    def _classify(self, ending: Termination) -> CallResult:
        if self._answered_at is not None:
            return CallResult.ANSWERED
        if self._is_cancelled:
            return CallResult.CANCELLED
        return CallResult.NO_ANSWER if self._hangup_reason else classify(ending)

    def _report_end(self, verdict: CallResult, ending: Termination) -> None:
        if verdict is CallResult.ANSWERED:
            self._report("ended", self._hangup_reason or say_reason(ending) or "the other side hung up")
        elif ending.response is None:
            hint = self._explain_silence() if verdict is CallResult.UNREACHABLE else ""
            self._report(verdict, self._hangup_reason or say_reason(ending), hint)
        else:
            self._report(verdict, describe_status(ending.status), explain(ending))

    def _explain_silence(self) -> str:
        """Guess why a server does not respond."""
        if self.phone.was_asked:
            return "it ignores this login: after wrong passwords, users and addresses are banned for a while"
        is_secure = self.phone.server.protocol == "TLS"
        return "is a server running there" + (", with a certificate that is trusted?" if is_secure else "?")

    def _report_recording(self, recorded: RecordingResult) -> None:
        if recorded.end is RecordEnd.FAILED:
            self._report("lost", f"{recorded.path} could not be written")
        else:
            self._report("recorded", f"{recorded.path}, {recorded.seconds:.1f} s")

    async def _wait_for_response(self) -> None:
        """Wait for the response to the BYE, or for the final response to a cancelled INVITE."""
        if not self.phone.has_heard:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await self.phone.until_answered("INVITE" if self._answered_at is None else "BYE")

    # Internals

    def _later(self, seconds: float, action: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._loop.call_later(seconds, action, *arguments))

    def _report(self, what: str, text: str, why: str = "") -> None:
        self._report_line(
            TranscriptLine(
                round(1000 * (self._loop.time() - self._started_at)),
                what,
                text,
                Why.NOTE if why else None,
                why,
            )
        )


def place_of(phone: Softphone) -> str:
    """Return address and protocol of a softphone's server."""
    server = phone.server
    return f"{uri_host(server.host)}:{server.port}, {server.protocol}"


def dtmf_method(events_out: int | None) -> DtmfMethod:
    """Return the method of digits that are not sent by INFO."""
    return DtmfMethod.TONE if events_out is None else DtmfMethod.EVENT


def describe_stats(sound: MediaStats) -> str:
    """Describe the media statistics in words."""
    return (
        f"sent {sound.sent} packets, heard {sound.heard}, lost {sound.lost}, jitter {sound.jitter_ms:.1f} ms"
    )
