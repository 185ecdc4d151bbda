"""Alert rules and the Grafana board: they are valid, and every metric that they name is in /metrics."""

import json
import re
from typing import Any

import pytest

from tests.deploy.tools import DEPLOY, require, run
from tests.live_server import Running
from tests.process.test_serve import fetch

METRIC = re.compile(r"\bopenivr_\w+")
SUFFIXES = re.compile(r"_(bucket|sum|count)$")


@pytest.fixture(scope="module")
def metrics(demo: Running) -> set[str]:
    """The names of all metrics of a server."""
    text = fetch(f"{demo.base}/metrics")
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))


def board() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((DEPLOY / "grafana" / "openivr.json").read_text())
    return document


def expressions() -> list[str]:
    """Every query of the board."""
    panels = [target["expr"] for panel in board()["panels"] for target in panel["targets"]]
    variables = [item["definition"] for item in board()["templating"]["list"] if item["type"] == "query"]
    return [*panels, *variables, *(item["expr"] for item in board()["annotations"]["list"])]


def named(text: str) -> set[str]:
    return {SUFFIXES.sub("", name) for name in METRIC.findall(text)}


def test_every_metric_of_the_alert_rules_exists(metrics: set[str]) -> None:
    names = named((DEPLOY / "prometheus" / "alerts.yml").read_text())
    assert len(names) > 4
    assert names <= metrics


def test_every_metric_of_the_board_exists_and_none_is_left_out(metrics: set[str]) -> None:
    assert named("\n".join(expressions())) == metrics


def test_every_metric_is_documented(metrics: set[str]) -> None:
    assert named((DEPLOY.parent / "docs" / "operation.md").read_text()) >= metrics


def test_panels_do_not_overlap() -> None:
    places = [panel["gridPos"] for panel in board()["panels"]]
    cells = [
        (x, y)
        for at in places
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert len({panel["id"] for panel in board()["panels"]}) == len(places)


def test_promtool_accepts_the_configuration_and_the_alerts_fire() -> None:
    promtool, folder = require("promtool", "prometheus"), DEPLOY / "prometheus"
    run(promtool, "check", "config", folder / "prometheus.yml")
    assert "SUCCESS" in run(promtool, "test", "rules", folder / "alerts_test.yml")


def test_every_alert_has_a_test() -> None:
    rules = (DEPLOY / "prometheus" / "alerts.yml").read_text()
    tests = (DEPLOY / "prometheus" / "alerts_test.yml").read_text()
    alerts = set(re.findall(r"alert: (\w+)", rules))
    assert len(alerts) > 5
    assert alerts == set(re.findall(r"alertname: (\w+)", tests))
