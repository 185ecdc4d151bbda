"""Matching of typed digits: with nothing, the start of a number, a number, or the start of a longer one too.

The rule that callers feel: act at once unless a longer allowed number may follow.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum, unique
from functools import lru_cache

MAX_DIGITS = 15  # digits of an outside number, as in ITU-T E.164
ANY = frozenset("0123456789*#+")
LETTERS = {
    "X": frozenset("0123456789"),
    "Z": frozenset("123456789"),
    "N": frozenset("23456789"),
}


@unique
class PatternFault(StrEnum):
    """Why a text is not a dial pattern."""

    EMPTY = "pattern_empty"
    BRACKET = "pattern_bracket"  # not closed, or nothing in it
    LETTER = "pattern_letter"  # without a meaning
    SET = "pattern_set"  # in brackets something else than digits
    RANGE = "pattern_range"  # turned round


class PatternError(ValueError):
    """A text is not a dial pattern; `part` is what is wrong in it."""

    def __init__(self, fault: PatternFault, part: str = "") -> None:
        super().__init__(f"{fault} {part}".rstrip())
        self.fault, self.part = fault, part


class Match(Enum):
    """Relation of typed digits to a set of numbers: (is one of them, begins a longer one)."""

    NONE = (False, False)
    PREFIX = (False, True)
    EXACT = (True, False)
    EXACT_OR_LONGER = (True, True)


MATCHES = {match.value: match for match in Match}


def match_numbers(typed: str, numbers: Sequence[str]) -> tuple[bool, bool]:
    """Match against numbers in ascending order of text."""
    first = bisect_left(numbers, typed)
    exact = first < len(numbers) and numbers[first] == typed
    after = bisect_right(numbers, typed, lo=first)
    return exact, after < len(numbers) and numbers[after].startswith(typed)


@dataclass(frozen=True, slots=True)
class Shape:
    """A dial pattern made ready: one set of characters per position, and how many more may follow."""

    places: tuple[frozenset[str], ...]
    open_ended: bool = False


def parse_pattern(pattern: str) -> Shape:
    """Read a pattern such as `9XXX`, `00Z.` or `[5-8]N!`.

    Raises PatternError for an empty pattern, a bracket that is open, empty or turned round, a letter without
    a meaning, or anything after `.` or `!`.
    """
    places: list[frozenset[str]] = []
    rest = pattern.strip().upper()
    if not rest:
        raise PatternError(PatternFault.EMPTY)
    while rest:
        if rest == "!":
            return Shape(tuple(places), open_ended=True)
        if rest == ".":
            return Shape((*places, ANY), open_ended=True)
        place, rest = _read_place(rest)
        places.append(place)
    return Shape(tuple(places))


@lru_cache(maxsize=4096)
def read_shape(pattern: str) -> Shape | None:
    """Return a pattern as `parse_pattern` does; None if it cannot be read. Those read last are remembered."""
    try:
        return parse_pattern(pattern)
    except PatternError:
        return None


def _read_place(rest: str) -> tuple[frozenset[str], str]:
    letter = rest[0]
    if letter == "[":
        inside, bracket, after = rest[1:].partition("]")
        if not (inside and bracket):
            raise PatternError(PatternFault.BRACKET, rest)
        return _read_set(inside), after
    if letter in LETTERS:
        return LETTERS[letter], rest[1:]
    if letter in ANY:
        return frozenset(letter), rest[1:]
    raise PatternError(PatternFault.LETTER, letter)


def _read_set(inside: str) -> frozenset[str]:
    if not re.fullmatch(r"(?:[0-9](?:-[0-9])?)+", inside):
        raise PatternError(PatternFault.SET, f"[{inside}]")
    found: set[str] = set()
    for low, high in re.findall(r"([0-9])(?:-([0-9]))?", inside):
        if low > (high or low):
            raise PatternError(PatternFault.RANGE, f"{low}-{high}")
        found.update(str(digit) for digit in range(int(low), int(high or low) + 1))
    return frozenset(found)


def match_shape(typed: str, shape: Shape) -> tuple[bool, bool]:
    """Match against a pattern; a number of `MAX_DIGITS` digits has no longer one."""
    size, places = len(typed), shape.places
    longest = MAX_DIGITS + typed.startswith("+")
    if size > longest or (size > len(places) and not shape.open_ended):
        return False, False
    for character, place in zip(typed, places, strict=False):
        if character not in place:
            return False, False
    if size < len(places):
        return False, len(places) <= longest
    return True, shape.open_ended and size < longest
