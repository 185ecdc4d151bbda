"""Sound files in which voicemail messages wait for the CDR worker: their names, and what makes a message."""

import re
from dataclasses import dataclass

NAME = re.compile(r"vm-(?P<call>.+)-(?P<extension>\d+)\.wav", re.ASCII)
PATTERN = "vm-*.wav"  # of a folder's `glob`
MIN_SECONDS = 0.5  # of a message that is kept; a caller who hangs up at the beep leaves none
MIN_SOUND = 0.1  # seconds in it that are not silent


def is_message(seconds: float, sound: float) -> bool:
    """Return True if something is said in a recording. `sound`: the seconds that are louder than noise."""
    return seconds >= MIN_SECONDS and sound >= MIN_SOUND


@dataclass(frozen=True, slots=True)
class MessageFile:
    """The file of a message that a call leaves for an extension. A call leaves one an extension at most."""

    call: str
    extension: int

    @property
    def id(self) -> str:
        """Id of the message."""
        return f"vm-{self.call}-{self.extension}"

    def name(self) -> str:
        """Name of the file."""
        return f"{self.id}.wav"

    @classmethod
    def parse(cls, name: str) -> "MessageFile | None":
        """Read the name of a file. Return None if it is none of a message."""
        match = NAME.fullmatch(name)
        return cls(match["call"], int(match["extension"])) if match else None
