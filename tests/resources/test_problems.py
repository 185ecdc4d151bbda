"""Problems of fields: a code with parameters, whose words stand in one place."""

from string import Formatter
from typing import Any, get_args

import pytest

from openivr.resources.errors import Invalid, Problem
from openivr.resources.group import RING_GROUP
from openivr.resources.ivr import IVR
from openivr.resources.problem_codes import Params, ProblemCode, Rule
from openivr.resources.problem_words import PREDICATES, predicate
from openivr.resources.resource_type import ResourceType
from openivr.resources.route import OUTBOUND_ROUTE

GROUP = {"number": "6300", "name": "Sales", "ring_strategy": "ring_all", "ring_timeout": 20}
MENU = {
    **{"number": "6200", "name": "Main", "prompt": "default", "prompt_repeat": 1},
    **{"resp_timeout": 3, "digit_timeout": 3, "dial_ext_option": "disable"},
}
ROUTE = {"name": "Out"}


def refuse(kind: ResourceType, body: dict[str, Any]) -> list[tuple[str, ProblemCode, dict[str, Any]]]:
    with pytest.raises(Invalid) as caught:
        kind.parse(body)
    return [(problem.field, problem.code, dict(problem.params)) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("kind", "body", "field", "code", "params"),
    [
        (RING_GROUP, GROUP | {"number": "63x"}, "number", ProblemCode.NOT_DIGITS, {}),
        (RING_GROUP, GROUP | {"name": ""}, "name", ProblemCode.LENGTH, {"low": 1, "high": 127}),
        (RING_GROUP, GROUP | {"name": 7}, "name", ProblemCode.NOT_TEXT, {}),
        (RING_GROUP, GROUP | {"ring_timeout": 1}, "ring_timeout", ProblemCode.RANGE, {"low": 5, "high": 300}),
        (
            RING_GROUP,
            GROUP | {"ring_strategy": "custom"},
            "ring_strategy",
            ProblemCode.UNSERVED,
            {"choice": "custom"},
        ),
        (
            RING_GROUP,
            {name: value for name, value in GROUP.items() if name != "ring_timeout"},
            "ring_timeout",
            ProblemCode.REQUIRED_FOR_STRATEGY,
            {},
        ),
        (
            RING_GROUP,
            GROUP | {"member_list": [{"type": "trunk", "value": "1"}]},
            "member_list",
            ProblemCode.ITEM_TYPE,
            {"choices": ("extension", "ext_group")},
        ),
        (IVR, MENU | {"press1_dest": "ivr"}, "press1_dest_value", ProblemCode.REQUIRED_FOR_DESTINATION, {}),
        (
            IVR,
            MENU | {"press1_dest": "play_greeting", "press1_dest_prefix": "9", "press1_dest_value": "a.wav"},
            "press1_dest_value",
            ProblemCode.PLAYS,
            {"high": 5},
        ),
        (
            OUTBOUND_ROUTE,
            ROUTE | {"dial_pattern_list": [{"pattern": "9."}, {"pattern": "[2-1]"}]},
            "dial_pattern_list",
            ProblemCode.PATTERN_RANGE,
            {"row": 2, "column": "pattern", "part": "2-1"},
        ),
    ],
)
def test_a_field_is_refused_with_a_code_and_its_limits(
    kind: ResourceType, body: dict[str, Any], field: str, code: ProblemCode, params: dict[str, Any]
) -> None:
    assert refuse(kind, body) == [(field, code, params)]


def test_every_code_has_words_and_a_rule_of_the_api() -> None:
    assert set(PREDICATES) == set(ProblemCode)
    assert {code.rule for code in ProblemCode} == set(get_args(Rule))


def test_words_are_predicates_that_name_the_limits() -> None:
    for text in PREDICATES.values():
        names = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
        assert all(name.isidentifier() for name in names)
    assert Problem("number", ProblemCode.LENGTH, {"low": 1, "high": 7}).text == "must have 1 to 7 characters"
    assert predicate(ProblemCode.CHOICE, {"choices": ("", "ivr")}) == 'must be one of "", ivr'
    in_row: Params = {"row": 2, "column": "pattern", "part": "2-1"}
    text = "has an item whose pattern is not a pattern: range turned round: 2-1"
    assert predicate(ProblemCode.PATTERN_RANGE, in_row) == text
    owner = {"kind": "ext_group", "name": "Sales"}
    assert predicate(ProblemCode.TAKEN, owner) == "is that of extension group Sales already"
