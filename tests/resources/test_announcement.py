"""Announcements for a time: what is read, and what bad input is answered."""

from typing import Any

import pytest

from openivr.resources.announcement import ANNOUNCEMENT
from openivr.resources.errors import Invalid
from openivr.resources.problem_codes import ProblemCode

STORM = {
    "name": "Storm",
    "prompt": "storm.wav",
    "before_list": [{"type": "ivr", "value": "1"}, {"type": "inbound_route", "value": 2}],
    "end_time": "2026-12-24 18:00",
}


def test_times_are_kept_as_the_pbx_displays_dates() -> None:
    values = ANNOUNCEMENT.parse({**STORM, "begin_time": "2026-12-24T09:05"})
    assert (values["begin_time"], values["end_time"]) == ("2026/12/24 09:05", "2026/12/24 18:00")
    assert ANNOUNCEMENT.parse({**STORM, "end_time": "2026/12/24 18:00:00"})["end_time"] == "2026/12/24 18:00"
    assert [(link["type"], link["id"]) for link in values["before_list"]] == [
        ("ivr", 1),
        ("inbound_route", 2),
    ]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"prompt": ""}, "prompt", ProblemCode.REQUIRED),
        ({"before_list": []}, "before_list", ProblemCode.REQUIRED),
        ({"before_list": [{"type": "extension", "value": 1}]}, "before_list", ProblemCode.ITEM_TYPE),
        ({"end_time": ""}, "end_time", ProblemCode.LENGTH),
        ({"end_time": "tonight"}, "end_time", ProblemCode.LOCAL_FORMAT),
        ({"end_time": "2026-12-24"}, "end_time", ProblemCode.LOCAL_FORMAT),
        ({"end_time": "2026/12-24 18:00"}, "end_time", ProblemCode.LOCAL_FORMAT),
        ({"end_time": "2026-02-31 18:00"}, "end_time", ProblemCode.NO_SUCH_DATE),
        ({"end_time": "2026-12-24 24:00"}, "end_time", ProblemCode.NO_SUCH_TIME),
        ({"end_time": "2026-12-24 25:00"}, "end_time", ProblemCode.NO_SUCH_TIME),
        ({"begin_time": "2026-12-24 18:00"}, "end_time", ProblemCode.DATE_ORDER),
        ({"begin_time": "2026-12-25 08:00"}, "end_time", ProblemCode.DATE_ORDER),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], field: str, code: ProblemCode) -> None:
    with pytest.raises(Invalid) as caught:
        ANNOUNCEMENT.parse({**STORM, **change})
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [(field, code)]
