"""The built-in sounds as audio: WAV, 8 kHz, mono, 16 bit, by the names in `openivr.ivr.builtin_sounds`.

`make sounds` renders them from text. Origin and licence are in THIRD_PARTY.md.
"""

import wave
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = frozenset(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.wav"))


def read(name: str) -> bytes:
    """Return the WAV file of a sound. Raises KeyError for a name that is not one of NAMES."""
    return locate(name).read_bytes()


@cache
def seconds(name: str) -> float:
    """Return the length of a sound. Raises KeyError for a name that is not one of NAMES."""
    with wave.open(str(locate(name))) as sound:
        return float(sound.getnframes() / sound.getframerate())


def locate(name: str) -> Path:
    """Return the path of a sound's file. Raises KeyError for a name that is not one of NAMES."""
    if name not in NAMES:
        raise KeyError(name)
    return FOLDER / f"{name}.wav"
