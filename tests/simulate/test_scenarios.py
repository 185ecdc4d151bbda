"""Scenarios: those of the demo pass, wrong ones fail readably, odd files are refused."""

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest

from openivr.cdr.journal.event_codec import describe, read_events
from openivr.ivr.model import IvrSnapshot, PinList, by_id
from openivr.ivr.session import IvrSession
from openivr.simulate.capture import as_scenario
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.replay import replay_call
from openivr.simulate.scenario import (
    Scenario,
    ScenarioError,
    ScenarioStep,
    read_scenario,
    read_scenarios,
    run,
    write_scenario,
)
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import World

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


GUARDED = """
    - scenario: Warehouse
      calls: 6200
      world: {pins: {Warehouse: 918273}}
      steps:
        - hears: ivr-greeting-dial-ext
        - presses: 1
        - hears: vm-pin
        - types_pin: wrong
        - pin: refused
        - hears: [vm-wrong, vm-pin]
        - types_pin: right
        - pin: accepted
        - rings: extension 1000
"""


def guard(menus: IvrSnapshot) -> IvrSnapshot:
    """The demo, whose key 1 asks for a PIN."""
    ivr = menus.ivr_by_number("6200")
    assert ivr
    pins = by_id([PinList(1, "Warehouse", 2, 4, 6)])
    return replace(menus, ivrs={**menus.ivrs, ivr.id: replace(ivr, key_pins={"1": 1})}, pin_lists=pins)


@pytest.mark.parametrize(
    "world", ["world: {pins: {Warehouse: 918273}}", "world: {pins: {Warehouse: 4711}}", ""]
)
def test_a_scenario_types_a_pin_without_having_it(
    demo_menus: IvrSnapshot, tmp_path: Path, world: str
) -> None:
    text = GUARDED.replace("world: {pins: {Warehouse: 918273}}", world)
    [scenario] = read(tmp_path, text)
    result = run(guard(demo_menus), scenario)
    assert result.differences == ()
    assert read_scenario(write_scenario(scenario), "here") == scenario
    assert not run(demo_menus, scenario).passed, "without the PIN list the key rings at once"


def test_a_scenario_that_names_no_pin_list_fails(demo_menus: IvrSnapshot, tmp_path: Path) -> None:
    [scenario] = read(tmp_path, GUARDED)
    assert run(demo_menus, scenario).actual == ()
    assert ScenarioStep("unknown_party", "Warehouse") in run(demo_menus, scenario).expected


def test_a_real_call_with_a_hidden_pin_becomes_a_scenario(demo_menus: IvrSnapshot) -> None:
    menus = guard(demo_menus)
    call = Simulation(menus, World(pins={"Warehouse": "918273"}))
    call.call(menus.numbers["6200"], "2000")
    act_out(call, read_keys("w9 1 w4 918273 w4 h"))
    session, rows = IvrSession(menus), []
    for happening in call.events:
        rows.append(describe(happening, is_private=session.private))
        session.handle(happening.event)
    assert "918273" not in "".join(row.get("key", "") for row in rows)
    recorded = replay_call(menus, World(), read_events(rows))
    scenario = as_scenario("Hidden", "6200", recorded)
    assert run(menus, scenario).passed
    assert "pin: accepted" in map(str, scenario.steps)
    assert "918273" not in str(write_scenario(scenario))
