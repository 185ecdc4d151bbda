"""Merging holidays: nothing is doubled, moved dates change, and what cannot be kept is refused."""

from typing import Any

import pytest

from openivr.data_import.holiday_merging import merge
from openivr.data_import.merge_action import MergeAction
from openivr.resources.hours import HOLIDAY

NEW, SAME, CHANGED, REFUSED = MergeAction.NEW, MergeAction.SAME, MergeAction.CHANGED, MergeAction.REFUSED


def dated(name: str, dates: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "date", "date": dates, **more}


def actions(stored: list[dict[str, Any]], bodies: list[dict[str, Any]]) -> list[MergeAction]:
    return [row.action for row in merge(bodies, dict(enumerate(map(HOLIDAY.parse, stored), 1)))]


XMAS = {"name": "Xmas", "type": "month", "date": "12/25-12/26"}


@pytest.mark.parametrize(
    ("stored", "body", "action"),
    [
        ([], dated("Easter", "2027/03/29"), NEW),
        ([dated("Easter", "2027/03/29")], dated("easter", "2027-03-29"), SAME),
        ([dated("Easter", "2027/03/28")], dated("Easter", "2027/03/29"), CHANGED),
        ([dated("Easter", "2026/04/06")], dated("Easter", "2027/03/29"), NEW),
        ([dated("Easter", "2027/03/29", time_period="14:00-18:00")], dated("Easter", "2027/03/29"), SAME),
        ([XMAS], dated("Noel", "2027/12/25"), SAME),
        (
            [XMAS],
            dated("Noel", "2027/12/24-2027/12/25"),
            NEW,
        ),
        ([dated("Half", "2027/12/24", time_period="12:00-23:59")], dated("Eve", "2027/12/24"), NEW),
        ([dated("Half", "2027/12/24")], dated("Eve", "2027/12/24", time_period="12:00-23:59"), SAME),
        ([], dated("Easter", "2027/02/31"), REFUSED),
        ([], dated("", "2027/03/29"), REFUSED),
        ([], dated("Easter", "2027/03/29", prompt=5), REFUSED),
    ],
)
def test_what_is_done_with_a_holiday(
    stored: list[dict[str, Any]], body: dict[str, Any], action: MergeAction
) -> None:
    assert actions(stored, [body]) == [action]


def test_exact_matches_come_before_changes_and_a_source_that_doubles_is_not() -> None:
    stored = [dated("Eid", "2026/03/20"), dated("Eid", "2026/12/01")]
    bodies = [dated("Eid", "2026/12/02"), dated("Eid", "2026/03/20"), dated("Eid", "2026/03/20")]
    assert actions(stored, bodies) == [CHANGED, SAME]
