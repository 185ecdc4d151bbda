"""The office of docs/office.md does what its scenarios say."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from openivr.cli import main
from openivr.cli.snapshot import load
from openivr.config.settings import Settings
from openivr.ivr.model import IvrSnapshot
from openivr.server.bootstrap import prepare
from openivr.simulate.scenario import ACTS, Scenario, read_scenarios, run

OFFICE = Path(__file__).parents[1] / "docs/office"
SCENARIOS = read_scenarios(OFFICE / "scenarios.yaml")
NAMES = [scenario.name for scenario in SCENARIOS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the office in it."""
    data = tmp_path_factory.mktemp("office")
    prepare(Settings(data=data), is_demo=False)
    result = CliRunner().invoke(main, ["import", str(OFFICE / "configuration.yaml"), "--data", str(data)])
    assert result.exit_code == 0, result.output
    return data


@pytest.fixture(scope="module")
def office(folder: Path) -> IvrSnapshot:
    return load(folder, "")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_the_office_does_what_its_scenarios_say(office: IvrSnapshot, scenario: Scenario) -> None:
    assert run(office, scenario).differences == ()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_leaving_out_what_happens_fails(office: IvrSnapshot, scenario: Scenario) -> None:
    first = next(step for step in scenario.steps if step.what not in ACTS)
    without = replace(scenario, steps=tuple(step for step in scenario.steps if step is not first))
    assert not run(office, without).passed


def test_each_inbound_route_of_the_office_has_a_scenario(office: IvrSnapshot) -> None:
    tried = {step.text for scenario in SCENARIOS for step in scenario.steps if step.what == "route"}
    assert tried == {route.name for route in office.inbound_routes.values()}
    assert sum(bool(scenario.trunk) for scenario in SCENARIOS) >= 10


def test_the_check_finds_nothing_wrong_with_the_office(folder: Path) -> None:
    result = CliRunner().invoke(main, ["check", "--fail-on", "warning", "--data", str(folder)])
    assert result.exit_code == 0, result.output
