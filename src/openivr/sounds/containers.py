"""Containers of sound: which one a file is, and how it is opened. Nothing is decoded here."""

import io
import struct
from enum import StrEnum, unique

import soundfile

RATE = 8000
MIN_RATE, MAX_RATE = 4000, 192_000  # samples a second
MAX_CHANNELS = 8
MAX_MINUTES = 15
READ = ("wav", "mp3", "gsm", "flac", "ogg", "opus")  # endings of names that are taken
CONTAINERS = {
    "wav": ("WAV", "WAVEX", "RF64"),
    "mp3": ("MP3", "MPEG"),
    "gsm": ("RAW", "WAV"),
    "flac": ("FLAC",),
    "ogg": ("OGG",),
    "opus": ("OGG",),
}
# A container's first bytes, where they are, and its name. Only some are read; the others are named.
SIGNS = (
    (0, b"RIFF", "wav"),
    (0, b"RF64", "wav"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b"ID3", "mp3"),
    (4, b"ftyp", "m4a"),
    (0, b"\x1aE\xdf\xa3", "webm"),
    (0, b"FORM", "aiff"),
    (0, b"caff", "caf"),
    (0, b"#!AMR", "amr"),
    (0, b"0&\xb2u", "wma"),
)
GSM_FRAME = 33  # bytes; the first half byte of each is 1101
UNKNOWN_LENGTH = (0, 0xFFFFFFFF)  # of writers that stream


@unique
class AudioFault(StrEnum):
    """Why a file cannot be a prompt."""

    TYPE = "audio_type"  # it is no sound file
    OTHER_TYPE = "audio_other_type"  # it is one, but its name ends in something else
    UNREADABLE = "audio_unreadable"  # of a type that is not read here
    EMPTY = "audio_empty"
    TOO_LONG = "audio_too_long"
    RATE = "audio_rate"
    CHANNELS = "audio_channels"


class NotAudio(Exception):
    """The data cannot become a prompt. `params` are those of the fault's sentence."""

    def __init__(self, fault: AudioFault, **params: str | int) -> None:
        super().__init__(fault.value)
        self.fault, self.params = fault, params


def find_container(data: bytes) -> str:
    """Return the type of the data as an ending of a name, "" if it is unknown."""
    for at, sign, name in SIGNS:
        if data[at : at + len(sign)] == sign:
            return name
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 in {0xE2, 0xE4, 0xE6} and data[1] != 0xFF:
        return "mp3"
    is_gsm = len(data) % GSM_FRAME == 0 and data[:1] and data[0] >> 4 == 0xD
    return "gsm" if is_gsm else ""


def check_container(data: bytes, extension: str) -> None:
    """Raise NotAudio if the data is of another type than its name says."""
    found = find_container(data)
    is_same = found == extension or (found == "ogg" and extension == "opus")
    if is_same or (found == "wav" and extension == "gsm"):
        return
    if not found:
        raise NotAudio(AudioFault.TYPE)
    if found not in READ:
        raise NotAudio(AudioFault.UNREADABLE, found=found)
    if found == "gsm":  # a guess by a few bits
        raise NotAudio(AudioFault.TYPE)
    raise NotAudio(AudioFault.OTHER_TYPE, found=found, type=extension)


def open_sound(data: bytes, extension: str) -> soundfile.SoundFile:
    """Open the data. Raises NotAudio if its format is not that of the extension or is out of bounds."""
    raw = {}
    if extension == "gsm" and not data.startswith(b"RIFF"):
        raw = {"samplerate": RATE, "channels": 1, "format": "RAW", "subtype": "GSM610"}
    source = soundfile.SoundFile(io.BytesIO(repair_length(data)), **raw)
    if source.format not in CONTAINERS[extension]:
        raise NotAudio(AudioFault.TYPE)
    if not MIN_RATE <= source.samplerate <= MAX_RATE:
        raise NotAudio(AudioFault.RATE, rate=source.samplerate, low=MIN_RATE, high=MAX_RATE)
    if source.channels > MAX_CHANNELS:
        raise NotAudio(AudioFault.CHANNELS, channels=source.channels, high=MAX_CHANNELS)
    return source


def repair_length(data: bytes) -> bytes:
    """Return a wav file whose writer did not know the length of its data with that length in it.

    Such a file says 0 or the largest number. Where the length of the whole file is right, 0 means no data.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        return data
    at, whole = 12, struct.unpack_from("<I", data, 4)[0]
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"data":
            is_unknown = size in UNKNOWN_LENGTH and whole != len(data) - 8
            if not is_unknown:
                return data
            rest = len(data) - at - 8
            lengths = struct.pack("<I", len(data) - 8), struct.pack("<I", rest)
            return data[:4] + lengths[0] + data[8 : at + 4] + lengths[1] + data[at + 8 :]
        at += 8 + size + size % 2
    return data
