"""Refusals: each carries what its caller needs, and what was sent is safe to repeat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.resources import KINDS
from openivr.resources.errors import Duplicate, InUse, Invalid, NotFound, ObjectError, shorten


@given(st.text(), st.integers(1, 50))
def test_what_was_sent_is_repeated_up_to_a_length(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit + 1
    assert short == text or short == text[:limit] + "…"


@pytest.mark.parametrize(
    ("raw", "text"), [(None, "None"), (7, "7"), (["a"], "['a']"), ({"a": 1}, "{'a': 1}")]
)
def test_values_that_are_no_text_are_shown_as_text(raw: object, text: str) -> None:
    assert shorten(raw) == text


def test_every_refusal_is_one_of_the_stores() -> None:
    refusals = (Duplicate("number", "1000", "ivr", "Day"), NotFound("ivr 7"), InUse(["ivr 6200"]), Invalid())
    assert all(isinstance(refusal, ObjectError) for refusal in refusals)
    assert refusals[0].args == ("number 1000 is used by ivr Day",)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_an_empty_body_names_every_required_field_at_once(kind: object) -> None:
    with pytest.raises(Invalid) as refused:
        kind.parse({})  # type: ignore[attr-defined]
    required = [next(iter(field.schema())) for field in kind.fields if field.required]  # type: ignore[attr-defined]
    missing = [problem.field for problem in refused.value.problems if problem.rule == "required"]
    assert missing[: len(required)] == required or not required
