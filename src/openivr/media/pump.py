"""RTP scheduler: one timer of 20 ms and one poller for all calls."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from openivr.media.dtmf.inband import InbandDetector, detect
from openivr.media.poller import Poller
from openivr.media.recording.audio_recording import RecordingResult
from openivr.media.schedule import PERIOD, SLOTS, Schedule
from openivr.media.stream.sender import RtpSender
from openivr.media.ticker import Ticker

log = structlog.get_logger(__name__)

WATCH_ROUNDS = 50  # a session is watched once in so many periods, which is once a second

Watch = Callable[[int], None]


class Pump:
    """Ticks every sender that joined once in 20 ms, each in its slot."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.poller = Poller(loop)
        self.inband_detectors: dict[InbandDetector, None] = {}
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self.recordings: set[asyncio.Future[RecordingResult]] = set()  # not complete yet
        self.missed_ticks = 0  # skipped because the process was late
        self._slots: list[dict[RtpSender, None]] = [{} for _ in range(SLOTS)]
        self._watches: list[dict[Watch, None]] = [{} for _ in range(WATCH_ROUNDS)]
        self._rounds: dict[Watch, dict[Watch, None]] = {}  # those of `_watches` that they are in
        self._round = 0
        start = time.monotonic_ns() + PERIOD
        self._schedule = Schedule(start)
        self._ticker = Ticker(loop, start, self._tick)

    def join(self, sender: RtpSender) -> None:
        """Tick this sender from now on, in the slot with the fewest."""
        if not any(sender in slot for slot in self._slots):
            min(self._slots, key=len)[sender] = None

    def leave(self, sender: RtpSender) -> None:
        for slot in self._slots:
            slot.pop(sender, None)

    def watch(self, watch: Watch) -> None:
        """Call this once a second with the monotonic time, in ns."""
        if watch not in self._rounds:
            watches = self._rounds[watch] = min(self._watches, key=len)
            watches[watch] = None

    def unwatch(self, watch: Watch) -> None:
        if watches := self._rounds.pop(watch, None):
            del watches[watch]

    def _tick(self) -> None:
        for slot, missed in self._schedule.due(time.monotonic_ns()):
            senders = self._slots[slot]
            if missed:
                self.missed_ticks += missed
                for sender in senders:
                    sender.skip(missed)
            for sender in tuple(senders):
                try:
                    sender.tick()
                except Exception:  # a failure in one call must not silence the calls after it
                    log.exception("sending RTP failed")
                    del senders[sender]
            if slot == 0:
                self._on_round()

    def _on_round(self) -> None:
        if self.inband_detectors:
            detect(self.inband_detectors)
        self._round = (self._round + 1) % WATCH_ROUNDS
        if watches := self._watches[self._round]:
            now = time.monotonic_ns()
            for watch in tuple(watches):
                watch(now)

    async def close(self) -> None:
        """Stop sending and reading, and wait until all recordings are complete."""
        self._ticker.close()
        self.poller.close()
        if self.recordings:
            await asyncio.wait(self.recordings)
        self.writer.shutdown()
