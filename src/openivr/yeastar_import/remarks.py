"""Remarks for the administrator: what was adapted, and what could not be kept."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum, unique

from openivr.resources import KINDS


@unique
class Level(StrEnum):
    """Kinds of remarks."""

    ADAPTED = "adapted"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing about one object: `about` names it, `text` says what and why. Both without secrets."""

    level: Level
    about: str
    text: str


def adapted(about: str, text: str) -> Remark:
    return Remark(Level.ADAPTED, about, text)


def lost(about: str, text: str) -> Remark:
    return Remark(Level.LOST, about, text)


def title(kind: str, count: int = 1) -> str:
    """Return the name of a type, in the singular or plural."""
    word = "menu" if kind == "ivr" else KINDS[kind].title.lower()
    return word if count == 1 else word + "s"


MAX_NAMED = 5


def group(remarks: Iterable[Remark]) -> Iterator[str]:
    """Group remarks that apply to several objects into one line each."""
    found = list(dict.fromkeys(remarks))
    counts = Counter(one.text for one in found)
    for text in dict.fromkeys(one.text for one in found):
        names = [one.about for one in found if one.text == text][:MAX_NAMED]
        more = f" and {counts[text] - MAX_NAMED} more" if counts[text] > MAX_NAMED else ""
        yield f"{', '.join(names)}{more}: {text}"
