"""Patterns as sets of numbers: what covers what, against every short number."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.ivr.analysis.coverage import covers
from openivr.ivr.digits import match_shape, parse_pattern

NUMBERS = ["".join(digits) for size in range(1, 5) for digits in product("0123", repeat=size)]


@pytest.mark.parametrize(
    ("wide", "narrow", "is_covered"),
    [
        (["X."], "9XXX", True),
        (["9."], "9", False),
        (["9!"], "9", True),
        (["[0-4]X", "[5-9]X"], "XX", True),
        (["[0-4]X", "[6-9]X"], "XX", False),
        (["XXX"], "X.", False),
        (["44X.", "33X."], "[34]4X.", False),
        (["XX.", "X"], "X!", False),
        (["XX!", "X"], "X!", True),
        ([], "1", False),
    ],
)
def test_what_covers_a_pattern(wide: list[str], narrow: str, is_covered: bool) -> None:
    assert covers([parse_pattern(pattern) for pattern in wide], parse_pattern(narrow)) is is_covered


places = st.lists(st.sampled_from(["0", "1", "[01]", "[1-3]", "X", "Z"]), min_size=1, max_size=3)
patterns = st.builds(lambda parts, end: "".join(parts) + end, places, st.sampled_from(["", "", ".", "!"]))


@given(st.lists(patterns, max_size=4), patterns)
def test_what_is_covered_takes_no_number_that_the_others_refuse(wide: list[str], narrow: str) -> None:
    shapes, shape = [parse_pattern(pattern) for pattern in wide], parse_pattern(narrow)
    refused = [
        number
        for number in NUMBERS
        if match_shape(number, shape)[0] and not any(match_shape(number, other)[0] for other in shapes)
    ]
    if covers(shapes, shape):
        assert refused == []
