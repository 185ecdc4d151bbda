"""Scenarios: those of the demo pass, wrong ones fail readably, odd files are refused."""

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from openivr.ivr.model import IvrSnapshot
from openivr.simulate.scenario import Scenario, ScenarioError, ScenarioStep, read_scenarios, run

DEMO = Path(__file__).parents[2] / "src/openivr/demo/scenarios.yaml"
SCENARIOS = read_scenarios(DEMO)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_the_demo_does_what_its_scenarios_say(demo_menus: IvrSnapshot, scenario: Scenario) -> None:
    assert run(demo_menus, scenario).differences == ()


def test_the_scenarios_cover_the_four_menus(demo_menus: IvrSnapshot) -> None:
    assert {scenario.calls for scenario in SCENARIOS} == {ivr.number for ivr in demo_menus.ivrs.values()}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_leaving_out_what_happens_fails(demo_menus: IvrSnapshot, scenario: Scenario) -> None:
    observed = [step for step in scenario.steps if step.what not in ("presses", "waits", "hangs_up")]
    without = replace(scenario, steps=tuple(step for step in scenario.steps if step is not observed[0]))
    assert not run(demo_menus, without).passed


def read(tmp_path: Path, text: str) -> list[Scenario]:
    path = tmp_path / "scenarios.yaml"
    path.write_text(dedent(text))
    return read_scenarios(path)


BUSY = """
    - scenario: Busy
      calls: 6200
      from: 0123
      world: {1000: busy, talk: 5}
      steps:
        - hears: [ivr-greeting-dial-ext]
        - presses: 1#
        - rings: extension 1000
          at: 0.2
        - fails: busy
"""


def test_scalars_are_taken_as_they_are_written(tmp_path: Path) -> None:
    (scenario,) = read(tmp_path, BUSY)
    assert (scenario.caller, scenario.calls) == ("0123", "6200")
    assert scenario.world.talk == 5
    assert scenario.world.outcomes == {"1000": "busy"}
    assert scenario.steps[2] == ScenarioStep("rings", "extension 1000", 0.2)


def test_a_difference_reads_like_a_diff(demo_menus: IvrSnapshot, tmp_path: Path) -> None:
    (scenario,) = read(tmp_path, BUSY.replace("1000\n", "1001\n").replace("fails: busy", "fails: declined"))
    assert run(demo_menus, scenario).differences == (
        "  hears: ivr-greeting-dial-ext",
        "  presses: 1#",
        "- rings: extension 1001 at 0.2 s",
        "+ rings: extension 1000 at 0.2 s",
        "- fails: declined",
        "+ fails: busy",
        "+ hears: notice-busy",
    )


def test_a_wrong_time_fails(demo_menus: IvrSnapshot, tmp_path: Path) -> None:
    (scenario,) = read(tmp_path, BUSY.replace("at: 0.2", "at: 3"))
    assert "+ rings: extension 1000 at 0.2 s" in run(demo_menus, scenario).differences


def test_what_never_comes_is_missed(demo_menus: IvrSnapshot, tmp_path: Path) -> None:
    (scenario,) = read(
        tmp_path, "- {calls: 6202, steps: [hangs_up, {ends: caller_hangup}, {rings: extension 1}]}"
    )
    assert run(demo_menus, scenario).differences == (
        "+ hears: ivr-greeting-dial-ext",
        "  hangs_up",
        "  ends: caller_hangup",
        "- rings: extension 1",
    )


def test_a_number_that_nobody_has(demo_menus: IvrSnapshot) -> None:
    assert run(demo_menus, Scenario("x", "77")).differences == ("- unknown_number: 77",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{calls: 1}", "expected a list"),
        ("- 1", "expected names with values"),
        ("- {calls: 1}", "list of `steps`"),
        ("- {steps: []}", "needs `calls`"),
        ("- {calls: 1, steps: [], colour: red}", "unknown: colour"),
        ("- {calls: 1, steps: [{sings: x}]}", "step 1: unknown: sings"),
        ("- {calls: 1, steps: [{hears: x, rings: y}]}", "expected one thing, got hears, rings"),
        ("- {calls: 1, steps: [{at: 1}]}", "expected one thing, got none"),
        ("- {calls: 1, steps: [jumps]}", "expected names with values, got 'jumps'"),
        ("- {calls: 1, steps: [{presses: x}]}", "step 1: 'x' is neither keys"),
        ("- {calls: 1, steps: [{waits: long}]}", "neither keys"),
        ("- {calls: 1, steps: [{hears: x, at: noon}]}", "could not convert"),
        ("- {calls: 1, world: {1000: asleep}, steps: []}", "1000: 'asleep' is none of answers, busy"),
        ("- {calls: 1, world: {talk: long}, steps: []}", "world: Expected `float`"),
        ("- {calls: 1, world: {talk: -1}, steps: []}", "talk: must be 0 to 86400"),
        ("- {calls: 1, world: {message: inf}, steps: []}", "message: must be 0 to 86400"),
        ("- {calls: 1, steps: [{waits: 86401}]}", "longer than a day"),
        ("- {calls: 1, world: {mailboxes: 3}, steps: []}", "mailboxes: expected names with values"),
        ("- {calls: 1, world: 3, steps: []}", "expected names with values"),
        (
            "- {calls: 1, world: {mailboxes: {1: {colour: 2, messages: 3}}}, steps: []}",
            "world: Expected `array`",
        ),
        ("[", "scenarios.yaml: line 2: did not find expected node content"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read(tmp_path, text)
    assert complaint in str(caught.value)
