"""Business hours, holidays and calendars over the API: what is read, and what bad input is answered."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.families import BUSINESSHOUR, HOLIDAYS, INBOUND_ROUTE, IVR, TIMEZONE
from tests.live_server import Api


def create(api: Api, path: str, body: dict[str, Any]) -> int:
    answer = api.post(f"{path}/create", body)
    assert answer["errcode"] == 0, answer
    return answer["id"]


def test_a_business_hour_of_the_page(api: Api) -> None:
    id_ = create(api, "businesshour", {"days_of_week": "tue mon", "office_times": [{"value": "9:00-18:00"}]})
    assert api.get("businesshour/get", id=id_)["data"] == {
        "id": id_,
        "timezone_id": 0,
        "time_condition_switch": 0,
        "days_of_week": "mon tue",
        "months": "",
        "days": "",
        "office_times": [{"value": "09:00-18:00"}],
        "reset_times": [],
        "remark": "",
    }
    assert api.get("businesshour/search", search_value="none")["total_number"] == 0


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"office_times": [{"value": "09:00-24:00"}]}, "office_times", "format"),
        ({"office_times": [{"value": "09:00-25:00"}]}, "office_times", "format"),
        ({"office_times": [{"value": "18:00-09:00"}]}, "office_times", "format"),
        ({"office_times": [{"value": "09:00-09:00"}]}, "office_times", "format"),
        ({"reset_times": [{"value": "noon"}]}, "reset_times", "format"),
        ({"office_times": []}, "office_times", "required"),
        ({"office_times": "09:00-18:00"}, "office_times", "type"),
        ({"days_of_week": "mon moonday"}, "days_of_week", "enum"),
        ({"days_of_week": ""}, "days_of_week", "required"),
        ({"time_condition_switch": 1, "days": "32"}, "days", "enum"),
        ({"time_condition_switch": 1, "months": "may june"}, "months", "enum"),
        ({"timezone_id": 999}, "timezone_id", "reference"),
        ({"timezone_id": -1}, "timezone_id", "reference"),
    ],
)
def test_bad_business_hours_change_nothing(api: Api, change: dict[str, Any], field: str, rule: str) -> None:
    before = api.get("businesshour/list")["total_number"]
    answer = api.post("businesshour/create", BUSINESSHOUR.body(**change))
    assert answer["errcode"] == 40002, answer
    (problem,) = answer["invalid_param_list"]
    assert problem["field"] == field
    assert (problem.get("validation_type") == "required") == (rule == "required")
    assert api.get("businesshour/list")["total_number"] == before


@pytest.mark.parametrize(
    ("change", "date"),
    [
        ({"date": "2026/12/25-2026/12/25"}, "2026/12/25-2026/12/25"),
        ({"date": "2026-12-25"}, "2026/12/25-2026/12/25"),
        ({"type": "month", "date": "12-24"}, "12/24-12/24"),
        ({"type": "month", "date": "12/28-01/02"}, "12/28-01/02"),
    ],
)
def test_dates_are_shown_as_the_pbx_displays_them(api: Api, change: dict[str, Any], date: str) -> None:
    id_ = create(api, "holidays", HOLIDAYS.body(**change))
    assert api.get("holidays/get", id=id_)["data"]["date"] == date


@pytest.mark.parametrize(
    ("change", "field", "rule"),
    [
        ({"date": "2026/02/31-2026/02/31"}, "date", "format"),
        ({"date": "2026-02-31"}, "date", "format"),
        ({"date": "2026/12/26-2026/12/25"}, "date", "format"),
        ({"date": "12/25"}, "date", "format"),
        ({"date": ""}, "date", "required"),
        ({"type": "month", "date": "02/31"}, "date", "format"),
        ({"type": "yearly"}, "type", "enum"),
        ({"type": "week", "month": "may", "how_week": 6, "weekday": "mon"}, "how_week", "range"),
        ({"type": "weekday", "month": "may", "how_week": 5}, "weekday", "required"),
        ({"time_period": "10:00-09:00"}, "time_period", "format"),
        ({"prompt": "nothing.wav"}, "prompt", "reference"),
    ],
)
def test_bad_holidays_change_nothing(api: Api, change: dict[str, Any], field: str, rule: str) -> None:
    before = api.get("holidays/list")["total_number"]
    answer = api.post("holidays/create", HOLIDAYS.body(**change))
    assert answer["errcode"] == 40002, answer
    (problem,) = answer["invalid_param_list"]
    assert problem["field"] == field
    assert (problem.get("validation_type") == "required") == (rule == "required")
    assert api.get("holidays/list")["total_number"] == before


def test_an_unknown_zone_is_refused_and_one_calendar_is_the_default(api: Api) -> None:
    answer = api.post("timezone/create", TIMEZONE.body(timezone="Europe/Nowhere"))
    assert [problem["field"] for problem in answer["invalid_param_list"]] == ["timezone"]
    first = create(api, "timezone", TIMEZONE.body(is_default=1))
    assert api.post("timezone/create", TIMEZONE.body(is_default=1))["errcode"] == 40003
    assert api.get("timezone/delete", id=first)["errcode"] == 0


def test_a_calendar_in_use_cannot_be_deleted(api: Api) -> None:
    calendar = create(api, "timezone", TIMEZONE.body())
    users = [
        ("businesshour", create(api, "businesshour", BUSINESSHOUR.body(timezone_id=calendar))),
        ("holidays", create(api, "holidays", HOLIDAYS.body(timezone_id=calendar))),
        ("inbound_route", create(api, "inbound_route", INBOUND_ROUTE.body(timezone_id=calendar))),
        ("ivr", create(api, "ivr", IVR.body(press1_dest="end_call", press1_timezone_id=calendar))),
    ]
    for path, id_ in users:
        assert api.get("timezone/delete", id=calendar)["errcode"] == 70091
        assert api.get(f"{path}/delete", id=id_)["errcode"] == 0
    assert api.get("timezone/delete", id=calendar)["errcode"] == 0


def test_a_route_has_destinations_of_each_period(api: Api) -> None:
    fields = {
        "enb_time_condition": 1,
        "office_time_dest": "ivr",
        "office_time_dest_value": "1",
        "outoffice_time_dest": "ext_vm",
        "outoffice_time_dest_value": "2",
        "holiday_dest": "end_call",
    }
    shown = api.get("inbound_route/get", id=create(api, "inbound_route", INBOUND_ROUTE.body(**fields)))[
        "data"
    ]
    assert fields.items() <= shown.items()
    for change, field in (
        ({"time_condition": "route_scope"}, "time_condition"),
        ({"outoffice_time_dest_value": "999"}, "outoffice_time_dest_value"),
    ):
        answer = api.post("inbound_route/update", {"id": shown["id"], **change})
        assert [problem["field"] for problem in answer["invalid_param_list"]] == [field]


def test_a_key_has_destinations_of_each_period(api: Api) -> None:
    fields = {
        "enb_time_condition": 1,
        "press1_dest": "end_call",
        "press1_outoffice_time_dest": "ext_vm",
        "press1_outoffice_time_dest_value": "2",
        "invalid_holiday_dest": "end_call",
    }
    id_ = create(api, "ivr", IVR.body(**fields))
    assert fields.items() <= api.get("ivr/get", id=id_)["data"].items()
    answer = api.post("ivr/update", {"id": id_, "press1_outoffice_time_dest_value": "999"})
    assert [problem["field"] for problem in answer["invalid_param_list"]] == [
        "press1_outoffice_time_dest_value"
    ]


@pytest.fixture
def calendar(api: Api) -> Iterator[int]:
    """A calendar that is open on every day of the year, so that it changes twice a day."""
    id_ = create(api, "timezone", TIMEZONE.body(timezone="UTC"))
    hours = {"timezone_id": id_, "days_of_week": "all", "office_times": [{"value": "09:00-18:00"}]}
    rule = create(api, "businesshour", hours)
    yield id_
    assert api.post("businesshour/switch", {"timezone_id": id_, "period": "auto"})["errcode"] == 0
    assert api.get("businesshour/delete", id=rule)["errcode"] == 0
    assert api.get("timezone/delete", id=id_)["errcode"] == 0


def switch(api: Api, **body: Any) -> dict[str, Any]:
    answer = api.post("businesshour/switch", body)
    assert answer["errcode"] == 0, answer
    return answer["data"]


def test_the_status_names_the_period_and_the_next_seven_changes(api: Api, calendar: int) -> None:
    status = api.get("businesshour/status", timezone_id=calendar)["data"]
    assert (status["timezone_id"], status["timezone"], status["switch"]) == (calendar, "UTC", None)
    assert status["until"] == status["next_changes"][0]["at"]
    assert len(status["next_changes"]) == 7
    assert {change["at"] % 86_400 for change in status["next_changes"]} == {9 * 3600, 18 * 3600}
    assert api.get("businesshour/status", timezone_id=999_999)["errcode"] == 60001


def test_a_switch_by_hand_counts_until_it_is_taken_back(api: Api, calendar: int) -> None:
    before = api.get("businesshour/status", timezone_id=calendar)["data"]
    other = "closed" if before["period"] == "open" else "open"
    status = switch(api, timezone_id=calendar, period=other, note="Storm")
    assert (status["period"], status["reason"], status["until"]) == (other, "switch", None)
    assert status["switch"]["note"] == "Storm"
    assert status["switch"]["by"]
    assert api.get("businesshour/status", timezone_id=calendar)["data"] == status
    assert switch(api, timezone_id=calendar, period="auto")["period"] == before["period"]


def test_a_switch_until_the_next_change_or_a_time(api: Api, calendar: int) -> None:
    until = api.get("businesshour/status", timezone_id=calendar)["data"]["until"]
    status = switch(api, timezone_id=calendar, period="holiday", until="next_change")
    assert (status["until"], status["switch"]["until"]) == (until, until)
    status = switch(api, timezone_id=calendar, period="open", until="2199/01/01 00:00")
    assert status["switch"]["until"] == 7_226_582_400


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "period"),
        ({"period": "lunch"}, "period"),
        ({"period": "break"}, "period"),
        ({"period": ["open"]}, "period"),
        ({"period": "open", "until": "tomorrow"}, "until"),
        ({"period": "open", "until": "2026-02-31 10:00"}, "until"),
        ({"period": "open", "until": "2020-01-01 10:00"}, "until"),
        ({"period": "open", "until": True}, "until"),
        ({"period": "open", "timezone_id": 999_999}, "timezone_id"),
        ({"period": "open", "timezone_id": "x"}, "timezone_id"),
        ({"period": "open", "note": "a\nb"}, "note"),
    ],
)
def test_a_bad_switch_changes_nothing(api: Api, body: dict[str, Any], field: str) -> None:
    before = api.get("businesshour/status")["data"]["switch"]
    answer = api.post("businesshour/switch", body)
    assert [problem["field"] for problem in answer["invalid_param_list"]] == [field]
    assert api.get("businesshour/status")["data"]["switch"] == before
