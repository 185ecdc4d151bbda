"""`openivr simulate`, `check` and `graph` as they are typed."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from openivr.cli import main
from openivr.config.settings import Settings
from openivr.ivr.analysis.rules import RULES
from openivr.server.bootstrap import prepare

Type = Callable[..., Result]


OFFICE = Path(__file__).parents[2] / "docs/office"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Type:
    """Type a command, with the office of docs/office.md in the environment."""
    data = tmp_path_factory.mktemp("office")
    prepare(Settings(data=data), is_demo=False)

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, env={"OPENIVR_DATA": str(data)})

    assert invoke("import", str(OFFICE / "configuration.yaml")).exit_code == 0
    return invoke


@pytest.fixture
def openivr(demo_data: Path) -> Type:
    """Type a command, with the demo's data in the environment."""

    def invoke(*arguments: str, text: str = "") -> Result:
        return CliRunner().invoke(main, arguments, input=text, env={"OPENIVR_DATA": str(demo_data)})

    return invoke


def test_a_number_is_simulated_from_a_script(openivr: Type) -> None:
    result = openivr("simulate", "6200", "--keys", "1 w3 1001#", "--outcome", "1000=busy", "--from", "2000")
    assert result.exit_code == 0
    assert "calls      menu 6200 VoiceMenu Navigator  (from 2000)" in result.output
    assert "fails      busy" in result.output


def test_the_data_folder_may_be_an_option_anywhere(openivr: Type, tmp_path: Path) -> None:
    for arguments in (["6200", "--data", str(tmp_path / "none")], ["--data", str(tmp_path / "none"), "6200"]):
        result = openivr("simulate", *arguments)
        assert result.exit_code == 1
        assert "there is no data" in result.output


def test_without_a_script_one_types(openivr: Type) -> None:
    result = openivr("simulate", "6202", text="5\n")
    assert result.output.startswith("Type keys")
    assert "ended by the menu" in result.output


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["6299"], "number 6299 does not exist"),
        (["6200", "--keys", "x"], "neither keys"),
        (["6200", "--outcome", "1000=asleep"], "is none of"),
        (["6200", "--outcome", "busy"], "busy: '' is none of"),
        (["6200", "--outcome", "1009=busy"], "1009 is no number, trunk or route"),
        (["441632960000"], "with --trunk it is called from the outside"),
        (["441632960000", "--trunk", "x"], "there is no trunk x; trunks: Provider"),
        (["1", "--trunk", "Provider", "--from", "1" * 65], "is not a number"),
    ],
)
def test_wrong_arguments_are_explained(openivr: Type, arguments: list[str], complaint: str) -> None:
    result = openivr("simulate", *arguments)
    assert result.exit_code == 2
    assert complaint in result.output


def test_a_call_from_the_outside_is_simulated(openivr: Type, office: Type) -> None:
    result = office("simulate", "441632960000", "--trunk", "city line", "--from", "2000", "--keys", "7")
    assert result.exit_code == 0
    assert "calls      441632960000 over City line  (from 2000)" in result.output
    assert "route      Main number  (it takes calls to 441632960000)" in result.output
    assert "reaches    ring group 200" in result.output
    rejected = openivr("simulate", "441632960000", "--trunk", "Provider", text="1\n")
    assert rejected.exit_code == 0
    assert "ends       no inbound route takes this number  (the trunk is disabled)" in rejected.output


def test_a_feature_code_is_simulated(openivr: Type) -> None:
    result = openivr("simulate", "*02", "--from", "1000", "--keys", "1000#")
    assert "calls      voicemail *02  (from 1000)" in result.output
    assert "hears      vm-pin" in result.output


def test_route_says_which_route_took_the_call_and_why_others_did_not(office: Type) -> None:
    result = office("route", "+44 1632 960500", "--from", "447700900555", "--trunk", "Second line")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "+441632960500 over Second line, from 447700900555",
        "  goes to ring group 200 Sales by Sales",
        "    trunk Second line: lets the call in, because it is enabled",
        "    inbound route Ada's best customer: does not take the call, because it takes calls from "
        "+447700900123 only",
        "    inbound route Withheld numbers: does not take the call, because it takes calls from withheld "
        "numbers only",
        "    inbound route Ada's direct number: does not take the call, because it takes calls over City "
        "line only",
        "  > inbound route Sales: takes the call, because it takes calls to 44163296050X",
        "    inbound route Main number: does not take the call, because it takes calls to 441632960000 only",
        "    inbound route Everything else on the second line: does not take the call, because Sales comes "
        "first",
    ]


def test_route_without_a_trunk_shows_each(office: Type, openivr: Type) -> None:
    both = office("route", "441632960777", "--from", "1")
    assert both.exit_code == 0  # one of the two lines has a route for it
    assert "over City line, from 1\n  is rejected: no inbound route takes it" in both.output
    assert "over Second line, from 1\n  goes to extension 100" in both.output
    rejected = openivr("route", "441632960000")  # all trunks are disabled
    assert rejected.exit_code == 1
    assert "x trunk Provider: rejects the call, because it is disabled" in rejected.output
    assert "because Provider rejects it before" in rejected.output


def test_route_gives_codes_to_programs(office: Type) -> None:
    result = office("route", "441632960000", "--trunk", "City line", "--json")
    (row,) = json.loads(result.output)
    assert row["trunks"] == [{"id": 1, "name": "City line"}]
    assert (row["called"], row["caller"]) == ("441632960000", "")
    assert abs(row["moment"] - time.time()) < 600
    (past,) = json.loads(office("route", "1", "--trunk", "City line", "--at", "1971-01-01", "--json").output)
    assert abs(past["moment"] - 31_536_000) <= 86_400
    assert row["route"]["name"] == "Withheld numbers"
    assert row["destination"]["type"] == "ext_vm"
    assert row["destination"]["number"] == "100"
    assert [(step["effect"], step["reason"]) for step in row["steps"]] == [
        ("passes", "enabled"),
        ("passes", "withheld"),
        ("takes", "match"),
        ("passes", "other_number"),
        ("passes", "other_trunk"),
        ("passes", "earlier"),
        ("passes", "other_trunk"),
    ]
    rejected = office("route", "1", "--from", "1", "--trunk", "City line", "--json")
    assert rejected.exit_code == 1
    assert json.loads(rejected.output)[0]["destination"] is None


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        ([], 2, "Missing argument"),
        ([" "], 2, "' ' is not a number"),
        (["1", "--from", "2" * 65], 2, "is not a number"),
        (["1", "--trunk", "x"], 2, "there is no trunk x; trunks: City line, Second line"),
        (["1", "--at", "noon"], 2, "'noon' is no time such as"),
    ],
)
def test_route_explains_wrong_arguments(
    office: Type, arguments: list[str], status: int, complaint: str
) -> None:
    result = office("route", *arguments)
    assert result.exit_code == status
    assert complaint in result.output


def test_route_says_that_without_a_trunk_no_calls_come_in(tmp_path: Path) -> None:
    prepare(Settings(data=tmp_path), is_demo=False)
    result = CliRunner().invoke(main, ["route", "1", "--data", str(tmp_path)])
    assert result.exit_code == 1
    assert "there is no trunk, so no calls come in" in result.output


def test_json_can_be_replayed(openivr: Type, tmp_path: Path) -> None:
    recorded = openivr("simulate", "6200", "--keys", "1#", "--json").output
    call = json.loads(recorded)
    assert [line["what"] for line in call["lines"]][:3] == ["calls", "enters", "hears"]
    assert call["notes"][0]["topic"] == "arrived"
    file = tmp_path / "call.json"
    file.write_text(recorded)
    assert (
        openivr("simulate", "replay", str(file)).output
        == f"{len(call['events'])} events, the same commands\n"
    )
    file.write_text(recorded.replace('"seconds": 30', '"seconds": 31'))
    changed = openivr("simulate", "replay", str(file))
    assert changed.exit_code == 1
    assert "the commands differ" in changed.output


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"events": [{"event": "x"}], "commands": []}'])
def test_what_is_no_recording_is_refused(openivr: Type, tmp_path: Path, text: str) -> None:
    (tmp_path / "call.json").write_text(text)
    result = openivr("simulate", "replay", str(tmp_path / "call.json"))
    assert result.exit_code == 1
    assert "call.json" in result.output


def test_the_scenarios_of_the_demo_run_without_a_file(openivr: Type) -> None:
    result = openivr("simulate", "test")
    assert result.exit_code == 0
    assert result.output.endswith(" passed, 0 failed\n")


def test_the_saved_scenarios_run(openivr: Type, tmp_path: Path) -> None:
    demo, saved = openivr("simulate", "test").output, openivr("simulate", "test", "--stored").output
    assert sorted(saved.splitlines()) == sorted(demo.splitlines())
    (tmp_path / "a.yaml").write_text("- {scenario: Another, calls: 6200, steps: []}")
    both = openivr("simulate", "test", "--stored", str(tmp_path / "a.yaml")).output
    assert set(saved.splitlines()) < {*both.splitlines(), saved.splitlines()[-1]}
    assert "Another" in both


def test_a_failing_scenario_shows_what_differs(openivr: Type, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a.yaml").write_text("- {scenario: Wrong, calls: 6200, steps: [{hears: nothing}]}")
    result = openivr("simulate", "test", str(folder))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "FAIL  Wrong",
        "      - hears: nothing",
        "      + hears: ivr-greeting-dial-ext",
        "0 passed, 1 failed",
    ]
    verdicts = json.loads(openivr("simulate", "test", "--json", str(folder)).output)
    assert verdicts[0]["passed"] is False


def test_a_file_that_cannot_be_read_is_another_failure(openivr: Type, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- 1")
    assert openivr("simulate", "test", str(tmp_path / "a.yaml")).exit_code == 2


def test_check_tells_people(openivr: Type) -> None:
    result = openivr("check")
    assert result.exit_code == 0
    assert "warning IVR601  menu 6200 VoiceMenu Navigator" in result.output
    assert result.output.splitlines()[-1].startswith("0 errors, ")


@pytest.mark.parametrize(("level", "status"), [("error", 0), ("warning", 1), ("note", 1), ("never", 0)])
def test_check_fails_as_it_is_told(openivr: Type, level: str, status: int) -> None:
    assert openivr("check", "--fail-on", level).exit_code == status


def test_check_tells_programs(openivr: Type) -> None:
    rows = json.loads(openivr("check", "--format", "json").output)
    values = {"code", "rule", "severity", "target", "reason", "params"}
    assert set(rows[0]) == values | {"place", "title", "text", "remedy"}
    row = next(row for row in rows if row["code"] == "IVR201")
    assert {name: row[name] for name in ("rule", "severity", "reason")} == {
        "rule": "slow_key",
        "severity": "note",
        "reason": "numbers",
    }
    assert set(row["target"]) == {"type", "id", "part", "key"}
    assert (row["target"]["type"], row["target"]["part"]) == ("ivr", "key")


def test_check_tells_code_hosts(openivr: Type) -> None:
    log = json.loads(openivr("check", "--format", "sarif").output)
    (only,) = log["runs"]
    rules = only["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(RULES)
    for result in only["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        name = result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
        assert re.fullmatch(
            r"(ivr|ring_group|trunk|extension|(in|out)bound_route)/\d+(/[a-z_]+(/[\d*#]+)?)?", name
        )
    assert log["version"] == "2.1.0"


def test_graph_draws_one_menu_or_all(openivr: Type) -> None:
    one, every = openivr("graph", "6202").output, openivr("graph").output
    assert one.startswith("flowchart LR\n")
    assert "6201" not in one
    assert "6201 Virtual Receptionist" in every
    assert openivr("graph", "1000").exit_code == 2


def test_graph_gives_nodes_and_edges(openivr: Type) -> None:
    picture = json.loads(openivr("graph", "6202", "--format", "json").output)
    ids = {node["id"] for node in picture["nodes"]}
    assert "ivr-1" in ids
    assert all({arrow["source"], arrow["target"]} <= ids for arrow in picture["arrows"])
