"""Dial patterns in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from openivr.ivr.digits import match_shape, parse_pattern
from openivr.web.resources.pattern_labels import example, explain, is_wide


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("112",), "Only 112."),
        (("XXX",), "Any number of 3 digits. For example 123."),
        (("9NXX", "1", ""), "4 digits beginning with 9. Dial 9234, and the trunk gets 234."),
        (("9NXX", "1", "00"), "4 digits beginning with 9. Dial 9234, and the trunk gets 00234."),
        (("112", "3", ""), "Only 112. Dial 112, and the trunk gets –."),
        (("[", "0", ""), "Not a valid pattern; no number matches."),
        (("NXX", "x", ""), "Any number of 3 digits. For example 223."),
    ],
)
def test_words(row: tuple[str, ...], words: str) -> None:
    assert explain(*row) == words


@pytest.mark.parametrize("pattern", ["9.", "00!", ".", "X.", "!"])
def test_what_is_wide_says_so(pattern: str) -> None:
    assert is_wide(pattern)
    assert "expensive and international numbers" in explain(pattern)


@given(some.from_regex(r"([0-9XZN]|\[[2-5]\]){1,15}[.!]?", fullmatch=True))
def test_every_example_fits_its_pattern(pattern: str) -> None:
    shape = parse_pattern(pattern)
    number = example(shape)
    if len(number) <= 15:
        assert match_shape(number, shape)[0], (pattern, number)
    assert re.search(r"\d", explain(pattern))
