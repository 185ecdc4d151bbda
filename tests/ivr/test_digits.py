"""Matching of typed digits, compared with a slow and obvious oracle over small alphabets."""

from collections.abc import Iterable
from itertools import chain, combinations, product

import pytest

from openivr.ivr.digits import (
    MATCHES,
    MAX_DIGITS,
    Match,
    PatternError,
    PatternFault,
    match_numbers,
    match_shape,
    parse_pattern,
)


def words(alphabet: str, longest: int) -> list[str]:
    lengths = range(1, longest + 1)
    return ["".join(word) for size in lengths for word in product(alphabet, repeat=size)]


def obvious(typed: str, allowed: Iterable[str]) -> Match:
    numbers = list(allowed)
    exact = typed in numbers
    longer = any(number != typed and number.startswith(typed) for number in numbers)
    return {
        (False, False): Match.NONE,
        (False, True): Match.PREFIX,
        (True, False): Match.EXACT,
        (True, True): Match.EXACT_OR_LONGER,
    }[exact, longer]


def test_every_set_of_short_numbers() -> None:
    numbers = words("12", 3)
    every_set = chain.from_iterable(combinations(numbers, size) for size in range(5))
    for allowed in every_set:
        for typed in numbers:
            assert MATCHES[match_numbers(typed, sorted(allowed))] is obvious(typed, allowed), (typed, allowed)


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        ("12", {"12"}),
        ("Z0", {"10", "20"}),
        ("N", {"2"}),
        ("x1", {"01", "11", "21"}),
        ("[02]1", {"01", "21"}),
        ("[0-1]2", {"02", "12"}),
        ("1[0-12]", {"10", "11", "12"}),
        ("12.", {w for w in words("012", 5) if w.startswith("12") and len(w) > 2}),
        ("1!", {w for w in words("012", 5) if w.startswith("1")}),
        ("2X.", {w for w in words("012", 5) if w.startswith("2") and len(w) > 2}),
    ],
)
def test_patterns_fit_what_they_say(pattern: str, fitting: set[str]) -> None:
    shape = parse_pattern(pattern)
    for typed in words("012", 4):
        assert MATCHES[match_shape(typed, shape)] is obvious(typed, fitting), typed


def test_nothing_is_longer_than_the_longest_number() -> None:
    shape = parse_pattern("0.")
    longest = "0" * MAX_DIGITS
    assert match_shape(longest[:-1], shape) == (True, True)
    assert match_shape(longest, shape) == (True, False)
    assert match_shape(longest + "0", shape) == (False, False)
    plus = parse_pattern("+.")
    assert match_shape("+" + longest[:-1], plus) == (True, True)
    assert match_shape("+" + longest, plus) == (True, False)
    assert match_shape("+" + longest + "0", plus) == (False, False)


def test_a_pattern_that_no_number_can_fill_makes_nobody_wait() -> None:
    assert match_shape("1", parse_pattern("X" * MAX_DIGITS)) == (False, True)
    assert match_shape("1", parse_pattern("X" * (MAX_DIGITS + 1))) == (False, False)


@pytest.mark.parametrize(
    ("pattern", "fault", "part"),
    [
        ("", PatternFault.EMPTY, ""),
        ("  ", PatternFault.EMPTY, ""),
        ("[12", PatternFault.BRACKET, "[12"),
        ("[]", PatternFault.BRACKET, "[]"),
        ("[2-1]", PatternFault.RANGE, "2-1"),
        ("[1-]", PatternFault.SET, "[1-]"),
        ("[a]", PatternFault.SET, "[A]"),
        ("Q", PatternFault.LETTER, "Q"),
        ("1.2", PatternFault.LETTER, "."),
        ("1!2", PatternFault.LETTER, "!"),
        ("12-3", PatternFault.LETTER, "-"),
        ("[1]]", PatternFault.LETTER, "]"),
    ],
)
def test_patterns_without_a_meaning_are_refused(pattern: str, fault: PatternFault, part: str) -> None:
    with pytest.raises(PatternError) as caught:
        parse_pattern(pattern)
    assert (caught.value.fault, caught.value.part) == (fault, part)


def test_a_pattern_may_have_several_sets() -> None:
    assert match_shape("13", parse_pattern("[12][34]")) == (True, False)
    assert match_shape("33", parse_pattern("[12][34]")) == (False, False)
