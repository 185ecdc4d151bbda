"""A line of a list with an icon and a tone."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence with its icon. `tone` is "good", "warn", "bad" or ""."""

    icon: str
    text: str
    tone: str = ""
