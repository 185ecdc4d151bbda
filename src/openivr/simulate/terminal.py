"""Interactive simulation: reads lines in the language of `keys`. An empty line advances the clock."""

from collections.abc import Iterator
from typing import TextIO

from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import show

GREETING = "Type keys (0-9 * # A-D), w3 to wait 3 s, h to hang up; an empty line waits for what comes next."


def converse(simulation: Simulation, lines: TextIO) -> Iterator[str]:
    """Run a call that has begun from lines of text. Yield what to print, until the call or the text ends."""
    shown = 0
    yield GREETING
    while True:
        yield show(simulation.lines[shown:])
        shown = len(simulation.lines)
        if simulation.ended or not (line := lines.readline()):
            return
        problem = _perform(simulation, line)
        if problem:
            yield problem


def _perform(simulation: Simulation, line: str) -> str:
    try:
        script = read_keys(line)
    except ValueError as error:
        return str(error)
    if script:
        act_out(simulation, script)
    else:
        simulation.advance()
    return ""
