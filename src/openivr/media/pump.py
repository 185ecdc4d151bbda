"""The heart of the house: one tick for all calls, and one place that reads all their sockets."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import structlog

from openivr.media.dtmf.inband import InbandDetector, listen
from openivr.media.poller import Poller
from openivr.media.recording.audio_recording import RecordingResult
from openivr.media.schedule import PERIOD, SLOTS, Schedule
from openivr.media.stream.sender import RtpSender
from openivr.media.ticker import Ticker

log = structlog.get_logger(__name__)


class Pump:
    """Sends the packets of all streams that joined, each every 20 ms in its slot."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.poller = Poller(loop)
        self.tone_listeners: dict[InbandDetector, None] = {}
        self.writer = ThreadPoolExecutor(1, thread_name_prefix="recording")
        self.recordings: set[asyncio.Future[RecordingResult]] = set()  # that are not complete
        self.missed = 0  # turns left out, because this process had no time
        self._slots: list[dict[RtpSender, None]] = [{} for _ in range(SLOTS)]
        start = time.monotonic_ns() + PERIOD
        self._schedule = Schedule(start)
        self._ticker = Ticker(loop, start, self._tick)

    def join(self, stream: RtpSender) -> None:
        """Send this stream from now on, in the slot with the fewest."""
        if not any(stream in slot for slot in self._slots):
            min(self._slots, key=len)[stream] = None

    def leave(self, stream: RtpSender) -> None:
        for slot in self._slots:
            slot.pop(stream, None)

    def _tick(self) -> None:
        for slot, missed in self._schedule.due(time.monotonic_ns()):
            streams = self._slots[slot]
            if missed:
                self.missed += missed
                for stream in streams:
                    stream.skip(missed)
            for stream in tuple(streams):
                try:
                    stream.tick()
                except Exception:  # one call's trouble must not silence those after it
                    log.exception("stream failed")
                    del streams[stream]
            if slot == 0 and self.tone_listeners:
                listen(self.tone_listeners)

    async def close(self) -> None:
        """Stop sending and reading, and wait until all recordings are complete."""
        self._ticker.close()
        self.poller.close()
        if self.recordings:
            await asyncio.wait(self.recordings)
        self.writer.shutdown()
