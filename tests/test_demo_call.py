"""docs/demo-call.md is true: the call that it shows, made again, has the same messages."""

import xml.etree.ElementTree as ET

import pytest

from docs import ladder
from docs.ladder import DOCS, Taken

PAGE = (DOCS / "demo-call.md").read_text()
PICTURE = (DOCS / "images" / "demo-call.svg").read_text()


@pytest.fixture(scope="module")
def taken() -> Taken:
    return ladder.make_call()


def test_the_call_has_the_messages_of_the_page(taken: Taken) -> None:
    shown = ladder.read_page(PAGE)
    assert [step.at for step in shown] == sorted(step.at for step in shown)
    assert ladder.lanes(shown) == ladder.lanes(taken.messages)


def test_the_call_goes_on_as_the_terminal_showed(taken: Taken) -> None:
    """What depends on times and ports aside; who is first of two in one moment may differ."""
    shown = [line.split()[1] for line in PAGE.split("```")[1].strip().splitlines()]
    assert sorted(line.what for line in taken.told) == sorted(shown)


def test_the_page_is_read_back_as_it_is_written(taken: Taken) -> None:
    again = ladder.read_page(ladder.write_page(taken))
    assert [(s.at, s.sender, s.to, s.label) for s in again] == [
        (s.at, s.sender, s.to, s.label) for s in taken.messages
    ]


def test_the_picture_shows_what_the_page_tells() -> None:
    svg = "{http://www.w3.org/2000/svg}"
    drawn = [text.text for text in ET.fromstring(PICTURE).iter(f"{svg}text")]
    for step in ladder.read_page(PAGE):
        assert step.label in drawn
        assert f"{step.at / 1000:.3f} s" in drawn
    assert "key 1 (RTP, RFC 4733)" in drawn


def test_no_answer_to_a_challenge_is_shown() -> None:
    assert 'response="..."' in PAGE
