"""Records one side of a call, or both, into a WAV file of 8 kHz.

Twice a second the new samples go to a thread that writes them, so that a slow disk does not delay calls.
"""

import asyncio
import time
import wave
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from openivr.media.audio.g711 import FRAME, RATE, Law, Samples, decode
from openivr.media.recording.timeline import Timeline
from openivr.media.recording.wavfile import WavFile
from openivr.media.rtp.packet import Packet

STEP = 0.5  # seconds between two writes
MAX_DELAY = RATE // 5  # samples that a packet may be late
QUIET = 256  # mean magnitude of 20 ms below which they are silence: 42 dB below full scale
NOISE = 64  # below which they have nothing to hear: 54 dB below full scale
NANOSECONDS = 1_000_000_000
MAX_WAITING = 60  # writes; a disk that is half a minute behind is treated as failed


@unique
class RecordEnd(StrEnum):
    """Reason for the end of a recording."""

    STOPPED = "stopped"
    SILENCE = "silence"
    LENGTH = "length_limit"
    FAILED = "write_error"


@dataclass(frozen=True, slots=True)
class RecordingResult:
    """A recording that has ended. The file is complete unless `end` is FAILED."""

    path: Path
    seconds: float
    end: RecordEnd
    sound: float  # seconds of the received side that are louder than noise


def ignore() -> None:
    """Do nothing: the callback of an owner that needs none."""


class AudioRecording:
    """Created by `MediaSession.record`, which feeds `on_received` and `on_sent`."""

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
        self._max_samples = round(seconds * RATE)
        self._silence = None if silence_seconds is None else round(silence_seconds * RATE)
        self._quiet = 0  # samples of silence at its end
        self._loud_frames = 0  # with something to hear
        self._loop = asyncio.get_running_loop()
        self._start = time.monotonic_ns()  # moved on by the length of each pause
        self._paused_at: int | None = None
        self._received = Timeline()
        self._sent = Timeline() if both else None
        self._file = WavFile(path, 2 if both else 1)
        self._waiting = 0
        self._end: RecordEnd | None = None
        self.done: asyncio.Future[RecordingResult] = self._loop.create_future()
        self.on_stop: Callable[[], None] = ignore  # takes no more packets
        self._timer = self._loop.call_later(STEP, self._step)

    # Input

    def on_received(self, packet: Packet, law: Law) -> None:
        """Take a packet from the recorded side."""
        if self._paused_at is None:
            self._received.put(packet.ssrc, packet.timestamp, decode(packet.payload, law), self._now())

    def on_sent(self, timestamp: int, law: Law, payload: bytes) -> None:
        """Take a packet that was sent to the recorded side."""
        if self._sent and self._paused_at is None:
            self._sent.put(0, timestamp, decode(payload, law), self._now())

    def _now(self) -> int:
        """Return the samples since the start, without those of pauses."""
        moment = time.monotonic_ns() if self._paused_at is None else self._paused_at
        return (moment - self._start) * RATE // NANOSECONDS

    # Pausing

    @property
    def is_paused(self) -> bool:
        return self._paused_at is not None

    @property
    def has_ended(self) -> bool:
        return self._end is not None

    def pause(self) -> None:
        """Leave out the audio from now on. Does nothing in a pause or after the end."""
        if self._paused_at is None and not self._end:
            self._paused_at = time.monotonic_ns()
            self._write_all()
            for timeline in filter(None, (self._received, self._sent)):
                timeline.discard()

    def unpause(self) -> None:
        """Go on where the pause began. Does nothing without one."""
        if self._paused_at is not None:
            self._start += time.monotonic_ns() - self._paused_at
            self._paused_at = None

    # Writing

    def _step(self) -> None:
        self._timer = self._loop.call_later(STEP, self._step)
        if self._paused_at is not None:
            return
        sound = self._write(self._now() - MAX_DELAY)
        if self._received.taken >= self._max_samples:
            self._finish(RecordEnd.LENGTH)
        elif self._silence is not None and self._is_silent(sound):
            self._finish(RecordEnd.SILENCE)

    def _write_all(self) -> None:
        """Write what was received and sent until now."""
        self._write(max(self._now(), self._received.end, self._sent.end if self._sent else 0))

    def _is_silent(self, sound: Samples) -> bool:
        self._quiet = trailing_silence(sound, self._quiet)
        return self._silence is not None and self._quiet >= self._silence

    def _write(self, until: int) -> Samples:
        """Write the samples up to this position."""
        until = min(until, self._max_samples)
        sound = self._received.take(until)
        self._loud_frames += count_loud(sound)
        channels = [sound] if self._sent is None else [sound, self._sent.take(until)]
        data = np.stack(channels, axis=1).astype("<i2").tobytes()
        self._waiting += 1
        writing = self._loop.run_in_executor(self._executor, self._file.append, data)
        writing.add_done_callback(self._on_written)
        if self._waiting > MAX_WAITING:
            self._finish(RecordEnd.FAILED)
        return sound

    def _on_written(self, writing: "asyncio.Future[None]") -> None:
        self._waiting -= 1
        if writing.exception():
            self._finish(RecordEnd.FAILED)

    # Ending

    def stop(self) -> None:
        """End the recording. `done` gets its result when the file is complete."""
        self._finish(RecordEnd.STOPPED)

    def _finish(self, end: RecordEnd) -> None:
        if self._end:
            if end is RecordEnd.FAILED:
                self._end = end
            return
        self._end = end
        self._timer.cancel()
        self.on_stop()
        self.on_stop = ignore  # breaks the reference cycle with the session
        if end in (RecordEnd.STOPPED, RecordEnd.LENGTH):
            self._write_all()
        closing = self._loop.run_in_executor(self._executor, self._file.close)
        closing.add_done_callback(self._on_closed)

    def _on_closed(self, closing: "asyncio.Future[None]") -> None:
        end = RecordEnd.FAILED if closing.exception() or not self._end else self._end
        taken, loud = self._received.taken / RATE, self._loud_frames * FRAME / RATE
        self.done.set_result(RecordingResult(self._path, taken, end, loud))


def measure_file(path: Path) -> tuple[float, float]:
    """Return the seconds of a recording of one side, and how many of them are louder than noise.

    They are those of a `RecordingResult`. A file that is no wav file, or is cut off in its head, has none.
    """
    try:
        with wave.open(str(path)) as file:
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    except (wave.Error, EOFError, OSError):
        return 0.0, 0.0
    return len(sound) / RATE, count_loud(sound) * FRAME / RATE


def count_loud(sound: Samples) -> int:
    """Return how many whole frames are louder than noise."""
    return int(np.count_nonzero(magnitudes(sound) >= NOISE))


def magnitudes(sound: Samples) -> NDArray[np.float64]:
    """Return the mean magnitude of each whole frame of 20 ms."""
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    return np.asarray(np.abs(frames.astype(np.int32)).mean(axis=1))


def trailing_silence(sound: Samples, before: int) -> int:
    """Return the samples of silence at the end, counting `before` ahead of `sound`."""
    loud = np.flatnonzero(magnitudes(sound) >= QUIET)
    return len(sound) - (int(loud[-1]) + 1) * FRAME if len(loud) else before + len(sound)
