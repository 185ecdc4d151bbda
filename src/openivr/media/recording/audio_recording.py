"""A recording of one side of a call, or of both, into a wav of 8 kHz.

Twice a second what has come is handed to a thread that writes it, so that no disk makes the calls wait.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

import numpy as np

from openivr.media.audio.g711 import FRAME, RATE, Law, Samples, decode
from openivr.media.recording.timeline import Timeline
from openivr.media.recording.wavfile import WavFile
from openivr.media.rtp.packet import Packet

STEP = 0.5  # seconds between two writes
LATE = RATE // 5  # samples that a packet may be late
QUIET = 256  # mean size of the samples of 20 ms below which they are silence: 42 dB below full scale
NANOSECONDS = 1_000_000_000
MOST_WAITING = 60  # writes; a disk that is half a minute behind is taken for broken


@unique
class RecordEnd(StrEnum):
    """Why a recording ended."""

    STOPPED = "stopped"
    SILENCE = "silence"
    LENGTH = "longest length"
    FAILED = "could not be written"


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """A recording that has ended; the file is complete, but if it failed."""

    path: Path
    seconds: float
    end: RecordEnd


def ignore() -> None:
    """What is told to nobody."""


class AudioRecording:
    """Made by `Leg.record`. `hear` and `say` are what it takes its sound from."""

    def __init__(
        self,
        path: Path,
        executor: Executor,
        *,
        seconds: float,
        silence_seconds: float | None,
        both: bool,
    ) -> None:
        self._path, self._executor = path, executor
        self._longest = round(seconds * RATE)
        self._silence = None if silence_seconds is None else round(silence_seconds * RATE)
        self._quiet = 0  # samples of silence that it ends with
        self._loop = asyncio.get_running_loop()
        self._start = time.monotonic_ns()
        self._heard = Timeline()
        self._said = Timeline() if both else None
        self._file = WavFile(path, 2 if both else 1)
        self._waiting = 0
        self._end: RecordEnd | None = None
        self.done: asyncio.Future[RecordingResult] = self._loop.create_future()
        self.on_stop: Callable[[], None] = ignore  # no more sound is wanted
        self._timer = self._loop.call_later(STEP, self._step)

    # Taking

    def hear(self, packet: Packet, law: Law) -> None:
        """A packet of the side that is recorded."""
        self._heard.put(packet.ssrc, packet.timestamp, decode(packet.payload, law), self._now())

    def say(self, timestamp: int, law: Law, payload: bytes) -> None:
        """A packet that was sent to it."""
        if self._said:
            self._said.put(0, timestamp, decode(payload, law), self._now())

    def _now(self) -> int:
        """Samples since the start."""
        return (time.monotonic_ns() - self._start) * RATE // NANOSECONDS

    # Writing

    def _step(self) -> None:
        self._timer = self._loop.call_later(STEP, self._step)
        sound = self._write(self._now() - LATE)
        if self._heard.taken >= self._longest:
            self._finish(RecordEnd.LENGTH)
        elif self._silence is not None and self._is_silent(sound):
            self._finish(RecordEnd.SILENCE)

    def _is_silent(self, sound: Samples) -> bool:
        self._quiet = trailing_silence(sound, self._quiet)
        return self._silence is not None and self._quiet >= self._silence

    def _write(self, until: int) -> Samples:
        """Hand on what came up to this place, in samples."""
        until = min(until, self._longest)
        sound = self._heard.take(until)
        channels = [sound] if self._said is None else [sound, self._said.take(until)]
        data = np.stack(channels, axis=1).astype("<i2").tobytes()
        self._waiting += 1
        writing = self._loop.run_in_executor(self._executor, self._file.append, data)
        writing.add_done_callback(self._written)
        if self._waiting > MOST_WAITING:
            self._finish(RecordEnd.FAILED)
        return sound

    def _written(self, writing: "asyncio.Future[None]") -> None:
        self._waiting -= 1
        if writing.exception():
            self._finish(RecordEnd.FAILED)

    # Ending

    def stop(self) -> None:
        """End it. When the file is complete `done` has a result, as after every other end."""
        self._finish(RecordEnd.STOPPED)

    def _finish(self, end: RecordEnd) -> None:
        if self._end:
            if end is RecordEnd.FAILED:
                self._end = end
            return
        self._end = end
        self._timer.cancel()
        self.on_stop()
        self.on_stop = ignore  # it leads back to the leg
        if end in (RecordEnd.STOPPED, RecordEnd.LENGTH):
            self._write(max(self._now(), self._heard.end, self._said.end if self._said else 0))
        closing = self._loop.run_in_executor(self._executor, self._file.close)
        closing.add_done_callback(self._closed)

    def _closed(self, closing: "asyncio.Future[None]") -> None:
        end = RecordEnd.FAILED if closing.exception() or not self._end else self._end
        self.done.set_result(RecordingResult(self._path, self._heard.taken / RATE, end))


def trailing_silence(sound: Samples, before: int) -> int:
    """Samples of silence at the end, if `before` it there were so many."""
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    loud = np.flatnonzero(np.abs(frames.astype(np.int32)).mean(axis=1) >= QUIET)
    return len(sound) - (int(loud[-1]) + 1) * FRAME if len(loud) else before + len(sound)
