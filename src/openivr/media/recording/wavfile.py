"""A growing WAV file that is complete after each write, so a killed process leaves a playable file."""

import os
from pathlib import Path
from struct import Struct

from openivr.media.audio.g711 import RATE

HEADER = Struct("<4sI4s4sIHHIIHH4sI")  # RIFF, with one fmt and one data chunk
SAMPLE_BYTES = 2


class WavFile:
    """A file of 8 kHz, 16 bit. Every method may block, and may raise OSError."""

    def __init__(self, path: Path, channels: int) -> None:
        self._path, self._channels = path, channels
        self._file: int | None = None
        self._size = 0

    def append(self, data: bytes) -> None:
        """Append interleaved samples. The first call creates the file, readable by this user only."""
        if self._file is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self._path, flags, 0o600)
        write_all(self._file, data, HEADER.size + self._size)
        self._size += len(data)
        write_all(self._file, self._header(), 0)

    def close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    def _header(self) -> bytes:
        frame = SAMPLE_BYTES * self._channels
        form = (16, 1, self._channels, RATE, RATE * frame, frame, 8 * SAMPLE_BYTES)
        return HEADER.pack(b"RIFF", 36 + self._size, b"WAVE", b"fmt ", *form, b"data", self._size)


def write_all(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written
