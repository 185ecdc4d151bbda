"""The language of `--keys`."""

import pytest

from openivr.ivr.model import Destination, DestinationKind, Ivr, IvrSnapshot, by_id
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.simulation import Simulation


def test_keys_waits_and_hanging_up() -> None:
    assert read_keys("1 w3 1001# W0.5 a* h") == ["1", 3.0, "1001#", 0.5, "A*", None]
    assert read_keys("1,5s, 2,0.5s h") == ["1", 5.0, "2", 0.5, None]
    assert read_keys("") == []


@pytest.mark.parametrize("text", ["x", "1x", "w", "wx", "w-1", "hh", "s", "1s2"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither keys"):
        read_keys(text)


def test_keys_are_a_fifth_of_a_second_apart_and_waits_are_exact() -> None:
    silent = Ivr(
        1, "6200", "Silent", resp_timeout=10, keys={key: Destination(DestinationKind.IVR, 1) for key in "123"}
    )
    simulation = Simulation(IvrSnapshot(ivrs=by_id([silent])))
    simulation.call(Destination(DestinationKind.IVR, 1))
    act_out(simulation, read_keys("12 3 w1 1 h"))
    pressed = [line.at for line in simulation.lines if line.what in ("presses", "ends")]
    assert pressed == [0, 200, 400, 1400, 1400]
