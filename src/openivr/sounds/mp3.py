"""Writes wav files as mp3."""

from pathlib import Path

import soundfile

BLOCK = 65_536  # frames read at a time, which bounds the memory


def write_mp3(source: Path, target: Path) -> None:
    """Write a wav file as mp3, a part at a time."""
    with soundfile.SoundFile(source) as wav:
        form = {"samplerate": wav.samplerate, "channels": wav.channels, "format": "MP3"}
        with soundfile.SoundFile(target, "w", **form) as mp3:
            for block in wav.blocks(BLOCK):
                mp3.write(block)
