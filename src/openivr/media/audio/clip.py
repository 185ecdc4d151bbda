"""Prompts as packets: encoded once, in both laws, and shared by every call that plays them."""

import io
import wave
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from openivr.media.audio.g711 import FRAME, RATE, Law, Samples, encode

Frames = tuple[bytes, ...]
FRAME_BYTES = 2 * (FRAME + 40)  # a frame in both laws, with what Python needs to hold it


class NotTelephoneSound(Exception):
    """Not a wav of 8 kHz, one channel, 16 bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A sound in frames of 20 ms; the last one is filled up with silence."""

    pcmu: Frames = field(repr=False)
    pcma: Frames = field(repr=False)

    @classmethod
    def from_samples(cls, samples: Samples) -> "Clip":
        """Some 10 ms of work for a minute of sound: for long ones, not in the loop's thread."""
        padded = np.pad(samples, (0, -len(samples) % FRAME))
        return cls(*(split(encode(padded, law)) for law in (Law.PCMU, Law.PCMA)))

    @classmethod
    def from_wav(cls, data: bytes) -> "Clip":
        """Read what `openivr.sounds.convert` and the store keep; NotTelephoneSound for anything else."""
        try:
            with wave.open(io.BytesIO(data)) as file:
                shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
                if shape != (RATE, 1, 2):
                    raise NotTelephoneSound(f"{shape[0]} Hz, {shape[1]} channels, {8 * shape[2]} bit")
                data = file.readframes(file.getnframes())
        except (wave.Error, EOFError, RuntimeError) as error:
            raise NotTelephoneSound("not a wav file") from error
        return cls.from_samples(np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16))

    @property
    def seconds(self) -> float:
        return len(self.pcmu) * FRAME / RATE

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return len(self.pcmu) * FRAME_BYTES

    def frames(self, law: Law) -> Frames:
        return self.pcmu if law is Law.PCMU else self.pcma


def split(data: bytes) -> Frames:
    return tuple(data[start : start + FRAME] for start in range(0, len(data), FRAME))


class ClipCache:
    """Clips by a key, the least recently used given up first."""

    def __init__(self, limit: int = 256 * 1024 * 1024) -> None:
        self.limit = limit  # bytes
        self.size = 0
        self._clips: OrderedDict[Hashable, Clip] = OrderedDict()

    def get(self, key: Hashable) -> Clip | None:
        if clip := self._clips.get(key):
            self._clips.move_to_end(key)
        return clip

    def put(self, key: Hashable, clip: Clip) -> None:
        """Keep a clip. A call that plays one that is given up keeps it as long as it plays."""
        self.discard(key)
        self._clips[key] = clip
        self.size += clip.size
        while self.size > self.limit and len(self._clips) > 1:
            _, given_up = self._clips.popitem(last=False)
            self.size -= given_up.size

    def discard(self, key: Hashable) -> None:
        """Give up a clip, if it is there."""
        if clip := self._clips.pop(key, None):
            self.size -= clip.size

    def __len__(self) -> int:
        return len(self._clips)
