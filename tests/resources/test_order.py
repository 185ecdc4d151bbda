"""Sort keys: the order of lists is decided here, and every database has to keep it."""

from hypothesis import given
from hypothesis import strategies as st

from openivr.resources.order import name_key, number_key

DIGITS = st.text("0123456789", min_size=1, max_size=7)


def test_numbers_stand_as_they_are_dialled() -> None:
    numbers = ["*1", "7", "007", "1000", "10", "9", "99", "٣"]
    assert sorted(numbers, key=number_key) == ["7", "9", "10", "99", "007", "1000", "٣", "*1"]


@given(st.lists(DIGITS))
def test_numbers_of_one_length_stand_by_value_and_shorter_ones_first(numbers: list[str]) -> None:
    assert sorted(numbers, key=number_key) == sorted(numbers, key=lambda text: (len(text), int(text)))


@given(st.text(max_size=20), st.text(max_size=20))
def test_different_numbers_have_different_keys(one: str, other: str) -> None:
    assert (number_key(one) == number_key(other)) == (one == other)


@given(st.text(max_size=20))
def test_names_stand_together_whatever_their_case(name: str) -> None:
    assert name_key(name.upper().casefold()) == name_key(name.upper())
    assert name_key("Straße") == name_key("STRASSE")
