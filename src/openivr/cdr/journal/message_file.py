"""Names of the sound files in which voicemail messages wait for the CDR worker."""

import re
from dataclasses import dataclass

NAME = re.compile(r"vm-(?P<call>.+)-(?P<extension>\d+)\.wav", re.ASCII)
PATTERN = "vm-*.wav"  # of a folder's `glob`


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
