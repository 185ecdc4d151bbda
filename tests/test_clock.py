"""Clocks that do not jump."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from openivr.clock import SLEW, EventClock, SlewedClock

STEPS = st.lists(
    st.tuples(st.floats(0, 3600), st.one_of(st.just(0.0), st.floats(-1e8, 1e8))), min_size=1, max_size=40
)


class Times:
    """A wall clock and a steady clock that a test moves."""

    def __init__(self) -> None:
        self.wall, self.steady = 1e9, 50.0

    def move(self, seconds: float, step: float = 0.0) -> None:
        self.wall += seconds + step
        self.steady += seconds

    def slewed(self) -> SlewedClock:
        return SlewedClock(lambda: self.wall, lambda: self.steady)


@given(STEPS)
def test_f6_a_slewed_clock_never_jumps_and_never_goes_back(steps: list[tuple[float, float]]) -> None:
    times = Times()
    clock = times.slewed()
    before = clock.now()
    for seconds, step in steps:
        times.move(seconds, step)
        now = clock.now()
        assert seconds * (1 - SLEW) - 1e-3 <= now - before <= seconds * (1 + SLEW) + 1e-3
        before = now


@given(STEPS, st.floats(0, 0.2))
def test_a_slewed_clock_reaches_a_wall_clock_that_stays(
    steps: list[tuple[float, float]], look: float
) -> None:
    times = Times()
    clock = times.slewed()
    for seconds, step in steps:
        times.move(seconds, step)
        clock.now()
    times.move(2 * abs(times.wall - clock.now()) / SLEW + look)
    assert abs(clock.now() - times.wall) < 1e-3


def test_a_slewed_clock_is_the_wall_clock_while_nothing_steps() -> None:
    times = Times()
    clock = times.slewed()
    for _ in range(100):
        times.move(0.37)
        assert clock.now() == times.wall


def test_f6_a_command_has_the_time_of_the_server(tmp_path: Path) -> None:
    times, path = Times(), tmp_path / "clock"
    server = times.slewed()
    times.move(10, -3600)
    server.keep(path, "boot")
    command, other = times.slewed(), times.slewed()
    command.follow(path, "boot")
    other.follow(path, "another boot")
    times.move(1)
    assert command.now() == server.now() > times.wall + 3000
    assert other.now() == times.wall
    times.move(4 * 3600)
    server.keep(path, "boot")
    assert not path.exists()  # the two clocks are one again
    command.follow(path, "boot")
    for text in ("", "[]", '["a", 1, "boot"]', "[1, 2]"):
        path.write_text(text)
        other.follow(path, "boot")
    assert command.now() == other.now() == times.wall


@given(STEPS)
def test_f6_durations_are_steady_whatever_the_wall_clock_does(steps: list[tuple[float, float]]) -> None:
    times = Times()
    clock, passed = EventClock(lambda: int(times.wall * 1000), lambda: times.steady), 0.0
    start = clock.now()
    for seconds, step in steps:
        times.move(seconds, step)
        passed += seconds
        assert abs(clock.now() - start - passed * 1000) <= 1
