"""Recorded calls are read back and replayed."""

from dataclasses import replace

import pytest
from msgspec import ValidationError

from openivr.cdr.journal.event_codec import TimedEvent, read_events, write_events
from openivr.ivr.commands import HIDDEN
from openivr.ivr.events import Cause, DialFailed, Digit, MailboxOpened
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot, by_id
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.replay import hide_private
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import World


def test_events_survive_json() -> None:
    happenings = [
        TimedEvent(0, Digit("1")),
        TimedEvent(1200, DialFailed(7, Cause.BUSY)),
        TimedEvent(1300, MailboxOpened(8, ("a", "b"))),
    ]
    rows = write_events(happenings)
    assert rows[1] == {"at": 1200, "event": "DialFailed", "token": 7, "cause": "busy"}
    assert read_events(rows) == happenings


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
        read_events([row])


@pytest.mark.parametrize(
    "row", [{"event": "Digit"}, {"event": "TimerFired", "token": "x"}, {"at": "now", "event": "HungUp"}]
)
def test_wrong_fields_are_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read_events([row])


def test_outside_numbers_are_hidden_with_the_keys_that_they_were_typed_with(demo_menus: IvrSnapshot) -> None:
    (trunk,) = demo_menus.trunks.values()
    working = replace(demo_menus, trunks=by_id([replace(trunk, enabled=True)]))
    call = Simulation(working, World({trunk.name: "busy", "1000": "busy"}))
    call.call(Destination(DestinationKind.IVR, 3), "2000")
    act_out(call, read_keys("1# w2 95551234567# w2 999999# w1 2"))
    lines = hide_private(call)
    told = " ".join(f"{line.what} {line.text} {line.why}:{line.about} {line.node}" for line in lines)
    assert "5551234567" not in told
    assert "999999" not in told
    pressed = [line.text for line in lines if line.what == "presses"]
    while_ringing = HIDDEN  # the number was whole without its "#"
    assert "".join(pressed) == "1#" + "•" * 11 + while_ringing + "•" * 6 + "#" + "2"
    assert "rings outside ... over National, Provider chose:..." in told
    assert "rings extension 1000 chose:1" in told
    assert "refused ..." in told
