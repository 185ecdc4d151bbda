"""Recorded calls are read back and replayed."""

import pytest
from msgspec import ValidationError

from openivr.journal.happening import Happening, read_happenings, write_happenings
from openivr.menu.events import Cause, DialFailed, Digit, MailboxOpened


def test_events_survive_json() -> None:
    happenings = [
        Happening(0, Digit("1")),
        Happening(1200, DialFailed(7, Cause.BUSY)),
        Happening(1300, MailboxOpened(8, ("a", "b"))),
    ]
    rows = write_happenings(happenings)
    assert rows[1] == {"at": 1200, "event": "DialFailed", "token": 7, "cause": "busy"}
    assert read_happenings(rows) == happenings


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"event": "Sneezed"}, "unknown event: Sneezed"),
        ({"at": 3}, "unknown event: None"),
        ({"event": ["Digit"]}, "unknown event"),
    ],
)
def test_unknown_events_are_refused(row: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_happenings([row])


@pytest.mark.parametrize(
    "row", [{"event": "Digit"}, {"event": "TimerFired", "token": "x"}, {"at": "now", "event": "HungUp"}]
)
def test_wrong_fields_are_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read_happenings([row])
