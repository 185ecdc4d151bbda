"""Parts of a sound, as players ask for them (RFC 9110 §14)."""

import pytest

from openivr.web.core.range_response import read_range


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("bytes=0-", (0, 9)),
        ("bytes=0-0", (0, 0)),
        ("bytes=2-5", (2, 5)),
        ("bytes=2-99", (2, 9)),
        ("bytes=-3", (7, 9)),
        ("bytes=-99", (0, 9)),
        ("bytes=9-", (9, 9)),
    ],
)
def test_ranges(text: str, span: tuple[int, int]) -> None:
    assert read_range(text, 10) == span


@pytest.mark.parametrize(
    "text", ["", "bytes=", "bytes=-", "bytes=10-", "bytes=5-2", "bytes=-0", "bytes=0-1,3-4", "x"]
)
def test_what_is_no_range(text: str) -> None:
    assert read_range(text, 10) is None
