"""Test cases in YAML: the caller's actions and what must happen. `docs/scenarios.md` explains the format.

A scenario is exact: between two actions of the caller, all that can be observed must be listed in order.
Before an action the clock advances to the last step that is expected before it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from openivr.ivr.commands import Dial
from openivr.ivr.events import RecordResult
from openivr.ivr.former_words import CAUSES, step_code
from openivr.ivr.hours_code import find_caller_request
from openivr.ivr.model import IvrSnapshot
from openivr.ivr.policy import find_internal
from openivr.simulate.arrival import (
    WITHHELD,
    UnusableMoment,
    UnusableNumber,
    describe_call,
    find_trunk,
    read_caller,
    read_moment,
    read_number,
)
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import TranscriptLine
from openivr.simulate.world import TIMES, World, find_unknown, is_outside
from openivr.simulate.yaml_reader import YamlError, compose, plain

OBSERVED = frozenset(
    (
        "route",
        "enters",
        "hears",
        "rings",
        "fails",
        "reaches",
        "refused",
        "misses",
        "leaves",
        "mailbox",
        "pin",
        "deletes",
        "ends",
    )
)
HANGS_UP = "hangs_up"
TYPES_PIN = "types_pin"  # which one is not said: `RIGHT` or `WRONG`
RIGHT, WRONG = "right", "wrong"
# steps of the result of a scenario that tests nothing, because the configuration does not have what it names
UNKNOWN_NUMBER, UNKNOWN_TRUNK, UNKNOWN_PARTY = "unknown_number", "unknown_trunk", "unknown_party"
UNKNOWN = frozenset((UNKNOWN_NUMBER, UNKNOWN_TRUNK, UNKNOWN_PARTY))
ACTS = frozenset(("presses", "waits", TYPES_PIN, HANGS_UP))
FIELDS = frozenset(("scenario", "trunk", "calls", "from", "at", "menu", "world", "steps"))
WORLD_FIELDS = frozenset(("mailboxes", "pins", "recording", *TIMES))


class ScenarioError(ValueError):
    """Raised with place and reason for an unreadable scenario."""


@dataclass(frozen=True, slots=True)
class ScenarioStep:
    """One action of the caller, or one observation. `at` is the exact time in seconds, if it matters."""

    what: str
    text: str
    at: float | None = None

    def __str__(self) -> str:
        return (
            self.what
            + (self.text and f": {self.text}")
            + (f" at {self.at:g} s" if self.at is not None else "")
        )


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test case."""

    name: str
    calls: str  # the number called
    caller: str = ""
    world: World = field(default_factory=World)
    steps: tuple[ScenarioStep, ...] = ()
    trunk: str = ""  # name of the trunk that delivers the call, "": a phone dials an internal number
    menu: str = ""  # number of the menu that a call over a trunk is stored with
    at: str = (
        ""  # moment of the call in the time of the default calendar, "": routes lead where open hours do
    )


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """The result of a scenario: expected and actual steps."""

    scenario: Scenario
    expected: tuple[ScenarioStep, ...]
    actual: tuple[ScenarioStep, ...]

    @property
    def passed(self) -> bool:
        """Return True if the actual steps are the expected ones."""
        return self.expected == self.actual

    @property
    def steps(self) -> tuple[tuple[str, ScenarioStep], ...]:
        """Return every step with its mark: " " as expected, "-" expected but missing, "+" unexpected."""
        marked: list[tuple[str, ScenarioStep]] = []
        matcher = SequenceMatcher(None, self.expected, self.actual, autojunk=False)
        for tag, start, end, first, last in matcher.get_opcodes():
            if tag == "equal":
                marked += [(" ", step) for step in self.expected[start:end]]
                continue
            for missed, extra in zip_longest(self.expected[start:end], self.actual[first:last]):
                marked += [(mark, step) for mark, step in (("-", missed), ("+", extra)) if step is not None]
        return tuple(marked)

    @property
    def differences(self) -> tuple[str, ...]:
        """Return every step, marked as in a diff, or nothing if the scenario passed."""
        return () if self.passed else tuple(f"{mark} {step}" for mark, step in self.steps)


def read_scenarios(path: Path) -> list[Scenario]:
    """Read a file: a list of scenarios. Raises ScenarioError, OSError."""
    try:
        node = compose(path.read_text(encoding="utf-8"))
    except (YamlError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {error}") from error
    rows = None if node is None else plain(node)  # every scalar stays text, as 007 must
    if not isinstance(rows, list):
        raise ScenarioError(f"{path}: expected a list of scenarios")
    return [read_scenario(row, f"{path}, scenario {place}") for place, row in enumerate(rows, start=1)]


def read_scenario(row: Any, where: str) -> Scenario:
    """Read one scenario from a mapping whose values are text. Raises ScenarioError."""
    _check_names(row, FIELDS, where)
    steps = row.get("steps")
    if "calls" not in row or not isinstance(steps, list):
        raise ScenarioError(f"{where}: needs `calls` and a list of `steps`")
    name, trunk, menu = (
        str(row.get(key, start)) for key, start in (("scenario", where), ("trunk", ""), ("menu", ""))
    )
    calls, caller = str(row["calls"]), str(row.get("from", ""))
    if trunk:
        try:
            calls, caller = read_number(calls), read_caller(caller)
        except UnusableNumber as error:
            raise ScenarioError(f"{where}: {error}") from error
    elif caller.lower() == WITHHELD:
        caller = ""
    if menu and not trunk:
        raise ScenarioError(f"{where}: `menu` needs a `trunk`; else the menu is the one that is called")
    read = tuple(_read_step(step, f"{where}, step {place}") for place, step in enumerate(steps, start=1))
    at = _read_at(str(row.get("at", "")), where)
    return Scenario(name, calls, caller, read_world(row.get("world"), where), read, trunk, menu, at)


def _read_at(text: str, where: str) -> str:
    try:
        if text:
            read_moment(IvrSnapshot(), text)
    except UnusableMoment as error:
        raise ScenarioError(f"{where}, at: {error}") from error
    return text


def write_scenario(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario as the mapping that `read_scenario` takes."""
    row: dict[str, Any] = {"scenario": scenario.name}
    if scenario.trunk:
        row["trunk"] = scenario.trunk
    row["calls"] = scenario.calls
    if scenario.caller or scenario.trunk:
        row["from"] = scenario.caller or WITHHELD
    if scenario.at:
        row["at"] = scenario.at
    if scenario.menu:
        row["menu"] = scenario.menu
    if world := write_world(scenario.world):
        row["world"] = world
    return row | {"steps": [_write_step(step) for step in scenario.steps]}


def write_world(world: World) -> dict[str, Any]:
    """Return a world as a mapping, without default values."""
    row: dict[str, Any] = {**world.outcomes}
    for name in TIMES:
        seconds = getattr(world, name)
        if seconds != getattr(World(), name):
            row[name] = f"{seconds:g}"
    if world.recording is not RecordResult.KEPT:
        row["recording"] = world.recording.value
    if world.mailboxes:
        row["mailboxes"] = {
            number: {"pin": box.pin, "messages": list(box.messages)}
            for number, box in world.mailboxes.items()
        }
    if world.pins:
        row["pins"] = dict(world.pins)
    return row


def _write_step(step: ScenarioStep) -> str | dict[str, str]:
    if step.what == HANGS_UP:
        return step.what
    timed = {} if step.at is None else {"at": f"{step.at:g}"}
    return {step.what: step.text} | timed


def read_world(row: Any, where: str) -> World:
    """Read a world from a mapping. Raises ScenarioError."""
    if row is None:
        return World()
    _check_names(row, None, where)
    fields = {name: row[name] for name in WORLD_FIELDS if name in row}
    outcomes = {str(name): read_outcome(row[name]) for name in row if name not in WORLD_FIELDS}
    boxes = row.get("mailboxes") or {}
    _check_names(boxes, None, f"{where}, mailboxes")
    pins = row.get("pins") or {}
    _check_names(pins, None, f"{where}, pins")
    fields["pins"] = {str(name): str(pin) for name, pin in pins.items()}
    fields["mailboxes"] = {str(number): box for number, box in boxes.items()}
    try:
        return msgspec.convert(fields | {"outcomes": outcomes}, World, strict=False)
    except msgspec.ValidationError as error:
        raise ScenarioError(f"{where}, world: {error}") from error


def read_outcome(outcome: Any) -> Any:
    """Return the code of an outcome, for which former releases had a text."""
    return CAUSES.get(outcome, outcome) if isinstance(outcome, str) else outcome


def _read_step(row: Any, where: str) -> ScenarioStep:
    if isinstance(row, str) and step_code(row, "")[0] == HANGS_UP:
        return ScenarioStep(HANGS_UP, "")
    _check_names(row, OBSERVED | ACTS | {"at"}, where)
    names = [name for name in row if name != "at"]
    if len(names) != 1:
        raise ScenarioError(f"{where}: expected one thing, got {', '.join(names) or 'none'}")
    what, text = names[0], row[names[0]]
    try:
        at = float(row["at"]) if "at" in row else None
        text = ", ".join(text) if isinstance(text, list) else str(text)
        step = ScenarioStep(*step_code(what, text), at)
        if step.what == TYPES_PIN and step.text not in (RIGHT, WRONG):
            raise ValueError(f"{TYPES_PIN}: {step.text!r} is neither {RIGHT} nor {WRONG}")
        script(step)
    except ValueError as error:
        raise ScenarioError(f"{where}: {error}") from error
    return step


def script(step: ScenarioStep) -> list[str | float | None]:
    """Return the caller's actions in this step, none if it is an observation."""
    return read_keys({"presses": step.text, "waits": f"w{step.text}", HANGS_UP: "h"}.get(step.what, ""))


def _check_names(row: Any, known: frozenset[str] | None, where: str) -> None:
    if not isinstance(row, Mapping):
        raise ScenarioError(f"{where}: expected names with values, got {row!r}")
    unknown = [str(name) for name in row if known is not None and name not in known]
    if unknown:
        raise ScenarioError(f"{where}: unknown: {', '.join(unknown)}")


def run(snapshot: IvrSnapshot, scenario: Scenario) -> ScenarioResult:
    """Run a scenario against a configuration and compare."""
    unknown = tuple(find_unusable(snapshot, scenario))
    if unknown:
        return ScenarioResult(scenario, unknown, ())
    moment = read_moment(snapshot, scenario.at) if scenario.at else 0
    simulation = Simulation(snapshot, scenario.world, int(moment))
    happened = tuple(enact(simulation, scenario))
    uncalled = (ScenarioStep(UNKNOWN_PARTY, name) for name in find_uncalled(simulation))
    return ScenarioResult(scenario, (*scenario.steps, *uncalled), happened)


def find_unusable(snapshot: IvrSnapshot, scenario: Scenario) -> Iterator[ScenarioStep]:
    """Yield what a scenario names and the configuration does not have. A step of the result for each."""
    if scenario.trunk:
        if find_trunk(snapshot, scenario.trunk) is None:
            yield ScenarioStep(UNKNOWN_TRUNK, scenario.trunk)
    elif find_caller_request(snapshot, scenario.caller, scenario.calls):
        pass
    elif find_internal(snapshot, scenario.calls) is None:
        yield ScenarioStep(UNKNOWN_NUMBER, scenario.calls)
    yield from (ScenarioStep(UNKNOWN_PARTY, name) for name in find_unknown(snapshot, scenario.world))


def find_uncalled(simulation: Simulation) -> Iterator[str]:
    """Yield the outside numbers in the world that the call did not dial. Their outcomes tested nothing."""
    snapshot, outcomes = simulation.snapshot, simulation.world.outcomes
    dialled = {
        command.number
        for commands in simulation.commands
        for command in commands
        if isinstance(command, Dial)
    }
    return (name for name in outcomes if is_outside(snapshot, name) and name not in dialled)


def begin(simulation: Simulation, scenario: Scenario) -> None:
    """Make the call of a scenario that `find_unusable` has nothing to say about."""
    if scenario.trunk:
        call = describe_call(simulation.snapshot, scenario.trunk, scenario.calls, scenario.caller)
        if call:
            simulation.receive(call)
    elif request := find_caller_request(simulation.snapshot, scenario.caller, scenario.calls):
        simulation.dial_code(request, scenario.caller)
    elif called := find_internal(simulation.snapshot, scenario.calls):
        simulation.call(called, scenario.caller)


class Watch:
    """Iterates over the observable lines of a call, in order."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        # entering the menu that was called is implied
        self._place = 2 if [line.what for line in simulation.lines[:2]] == ["calls", "enters"] else 1

    def take(self) -> TranscriptLine | None:
        """Return the next observable line, None if there is none yet."""
        while self._place < len(self._simulation.lines):
            line = self._simulation.lines[self._place]
            self._place += 1
            if line.what in OBSERVED:
                return line
        return None

    def await_next(self) -> TranscriptLine | None:
        """Advance the clock to the next observable line and return it. None at the end of the call."""
        line = self.take()
        while line is None and self._simulation.advance():
            line = self.take()
        return line


def enact(simulation: Simulation, scenario: Scenario) -> Iterator[ScenarioStep]:
    """Make the call of a scenario and yield every step as it happened."""
    begin(simulation, scenario)
    watch = Watch(simulation)
    for step in scenario.steps:
        if step.what in ACTS:
            yield from map(_as_step, iter(watch.take, None))
            act(simulation, step)
            yield step
        elif line := watch.await_next():
            yield _as_step(line, timed=step.at is not None)
    # a scenario that expects the end of the call is followed to that end
    ends = any(step.what == "ends" for step in scenario.steps)
    yield from map(_as_step, iter(watch.await_next if ends else watch.take, None))


def act(simulation: Simulation, step: ScenarioStep) -> None:
    """Perform an action of the caller."""
    if step.what == TYPES_PIN:
        simulation.type_pin(is_right=step.text == RIGHT)
    else:
        act_out(simulation, script(step))


def _as_step(line: TranscriptLine, timed: bool = False) -> ScenarioStep:
    return ScenarioStep(line.what, line.text, line.at / 1000 if timed else None)
