"""The check in the words of the web admin: every case of every rule has a sentence."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from openivr.ivr.analysis.check import check
from openivr.ivr.analysis.diagram import draw, show_node
from openivr.ivr.analysis.rules import RULES, FindingTarget, finding
from openivr.ivr.analysis.words import TEXTS, remedy_of, text_of, title_of
from openivr.ivr.model import DestinationKind, IvrSnapshot
from openivr.web.menus import finding_labels
from openivr.web.menus.finding_labels import FindingView, show_finding
from openivr.web.messages import has_text
from tests.ivr.conftest import office  # noqa: F401 - a fixture
from tests.ivr.mistakes import END, INBOUND, MISTAKES, NOW, SOUND

Office = Callable[..., IvrSnapshot]


@pytest.mark.parametrize("row", MISTAKES, ids=[f"{row[0]}-{n}" for n, row in enumerate(MISTAKES)])
def test_the_page_and_the_terminal_report_the_same(
    office: Office,  # noqa: F811 - the fixture
    row: tuple[str, dict[str, Any], FindingTarget, str],
) -> None:
    changes = dict(row[1])
    parts = {"inbound_routes": INBOUND} | changes.pop("snapshot", {})
    found = check(replace(office(**{"keys": SOUND, "timeout": END, "invalid": END} | changes), **parts), NOW)
    assert row[0] in {finding.rule.code for finding in found}
    for one in found:
        view = show_finding(one)
        severity = one.rule.severity.value
        assert view == FindingView(
            one.rule.code, severity, title_of(one.rule), text_of(one), remedy_of(one.rule)
        )


def test_every_rule_and_reason_has_words() -> None:
    assert all(has_text(f"finding_title.{code}") and has_text(f"finding_remedy.{code}") for code in RULES)
    assert all(has_text(f"finding.{key.replace('.', '_')}") for key in TEXTS)


def test_many_numbers_are_a_range() -> None:
    numbers = tuple(str(number) for number in range(1001, 1008))
    late = finding("IVR201", FindingTarget("ivr", 1), "numbers", numbers=numbers, seconds=3)
    assert "Numbers 1001 to 1007 (7) start" in show_finding(late).text


def test_nodes_have_the_words_of_the_diagram(office: Office) -> None:  # noqa: F811 - the fixture
    for node in draw(office(keys=SOUND), [(DestinationKind.IVR, 1)]).nodes:
        assert finding_labels.show_node(node) == show_node(node)
