"""Sounds in frames of 20 ms, encoded once in both laws and shared by all calls that play them."""

import io
import wave
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np

from openivr.media.audio.g711 import FRAME, RATE, Law, Samples, encode

Frames = tuple[bytes, ...]
FRAME_BYTES = 2 * (FRAME + 40)  # a frame in both laws, with the overhead of Python objects


class UnsupportedWav(Exception):
    """The data is not a WAV file of 8 kHz, one channel, 16 bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A sound in frames of 20 ms. The last frame is padded with silence."""

    pcmu: Frames = field(repr=False)
    pcma: Frames = field(repr=False)

    @classmethod
    def from_samples(cls, samples: Samples) -> "Clip":
        """Encode samples. Takes some 10 ms for a minute of sound, so long ones need another thread."""
        padded = np.pad(samples, (0, -len(samples) % FRAME))
        return cls(*(split(encode(padded, law)) for law in (Law.PCMU, Law.PCMA)))

    @classmethod
    def from_wav(cls, data: bytes) -> "Clip":
        """Read a WAV file as `openivr.sounds.convert` writes it. Raises UnsupportedWav for any other."""
        try:
            with wave.open(io.BytesIO(data)) as file:
                form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
                if form != (RATE, 1, 2):
                    raise UnsupportedWav(f"{form[0]} Hz, {form[1]} channels, {8 * form[2]} bit")
                data = file.readframes(file.getnframes())
        except (wave.Error, EOFError, RuntimeError) as error:
            raise UnsupportedWav("not a wav file") from error
        return cls.from_samples(np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16))

    @property
    def seconds(self) -> float:
        return len(self.pcmu) * FRAME / RATE

    @property
    def size(self) -> int:
        """Approximate bytes of memory."""
        return len(self.pcmu) * FRAME_BYTES

    def frames(self, law: Law) -> Frames:
        return self.pcmu if law is Law.PCMU else self.pcma


def split(data: bytes) -> Frames:
    return tuple(data[start : start + FRAME] for start in range(0, len(data), FRAME))


class ClipCache:
    """Clips by a key. The least recently used are evicted first."""

    def __init__(self, limit: int = 128 * 1024 * 1024) -> None:
        self.limit = limit  # bytes; the longest prompt takes 17 MiB
        self.size = 0
        self._clips: OrderedDict[Hashable, Clip] = OrderedDict()

    def get(self, key: Hashable) -> Clip | None:
        if clip := self._clips.get(key):
            self._clips.move_to_end(key)
        return clip

    def put(self, key: Hashable, clip: Clip) -> None:
        """Keep a clip. A call that plays an evicted clip keeps it as long as it plays."""
        self.discard(key)
        self._clips[key] = clip
        self.size += clip.size
        while self.size > self.limit and len(self._clips) > 1:
            _, evicted = self._clips.popitem(last=False)
            self.size -= evicted.size

    def discard(self, key: Hashable) -> None:
        """Evict a clip, if it is cached."""
        if clip := self._clips.pop(key, None):
            self.size -= clip.size

    def __len__(self) -> int:
        return len(self._clips)
