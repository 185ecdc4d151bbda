"""Lines of transcripts that scenarios do not compare."""

import pytest

from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.simulation import Simulation
from openivr.simulate.terminal import GREETING, converse
from openivr.simulate.transcript import show
from openivr.simulate.world import Mailbox, World


def tell(snapshot: IvrSnapshot, destination: Destination, keys: str, world: World | None = None) -> str:
    simulation = Simulation(snapshot, world)
    simulation.call(destination)
    act_out(simulation, read_keys(keys))
    return show(simulation.lines)


def test_a_transcript_gives_times_and_reasons(demo_menus: IvrSnapshot) -> None:
    assert tell(demo_menus, Destination(DestinationKind.IVR, 3), "w1 1 w3 h").splitlines()[3:] == [
        "     1.0  presses    1",
        "     1.0  waits      3 s  (for another digit, because a longer number may follow)",
        "     4.0  rings      extension 1000  (because the caller chose 1)",
        "     4.0  waits      30 s  (for an answer)",
        "     4.0  ends       caller hung up",
    ]


@pytest.mark.parametrize(
    ("destination", "line"),
    [
        (
            Destination(DestinationKind.EXTERNAL, number="5551234567"),
            "no route with a working trunk takes this number",
        ),
        (Destination(DestinationKind.EXTENSION, 99), "it is gone or disabled"),
        (Destination(DestinationKind.VOICEMAIL, 99), "there is no such mailbox"),
        (Destination(DestinationKind.RING_GROUP, 99), "it has no members who could be rung"),
        (Destination(DestinationKind.IVR, 99), "it is gone"),
    ],
)
def test_what_cannot_be_rung_is_explained(
    demo_menus: IvrSnapshot, destination: Destination, line: str
) -> None:
    assert f"fails      unavailable  ({line})" in tell(demo_menus, destination, "")


def test_a_pin_is_not_shown(demo_menus: IvrSnapshot) -> None:
    world = World(mailboxes={"1000": Mailbox("4711")})
    told = tell(demo_menus, Destination(DestinationKind.VOICEMAIL), "1000# 4711# w1", world)
    assert "mailbox    opened" in told
    assert told.count("presses    ...") == 10  # of the mailbox and of the PIN
    assert "4711" not in told


def test_a_conversation_in_the_terminal(demo_menus: IvrSnapshot, tmp_path: object) -> None:
    from io import StringIO

    lines = StringIO("1\n\n\nsing\nh\n1\n")
    simulation = Simulation(demo_menus)
    simulation.call(Destination(DestinationKind.IVR, 3), "2000")
    said = list(converse(simulation, lines))
    assert said[0] == GREETING
    assert "rings      extension 1000" in said[3]
    assert "reaches    extension 1000" in said[4]
    assert "neither keys" in said[5]
    assert said[-1].endswith("ends       caller hung up")
    assert lines.read() == "1\n"


def test_the_terminal_may_close_at_any_time(demo_menus: IvrSnapshot) -> None:
    from io import StringIO

    simulation = Simulation(demo_menus)
    simulation.call(Destination(DestinationKind.IVR, 3))
    said = list(converse(simulation, StringIO("")))
    assert len(said) == 2
