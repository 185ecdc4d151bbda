"""Holidays from files and countries over the API: previewed, imported once, and refused as documented."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.families import TIMEZONE
from tests.live_server import Api

BOUNDARY = "boundary"
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\n"
YEARLY = HEAD + (
    "SUMMARY:Founding day\r\nDTSTART;VALUE=DATE:20000314\r\nRRULE:FREQ=YEARLY\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


@pytest.fixture
def calendar(api: Api) -> Iterator[int]:
    """A calendar of its own, removed with the holidays that were imported."""
    id_ = api.post("timezone/create", TIMEZONE.body())["id"]
    yield id_
    for row in api.get("holidays/list")["data"]:
        if row["timezone_id"] == id_:
            api.get("holidays/delete", id=row["id"])
    assert api.get("timezone/delete", id=id_)["errcode"] == 0


def send_file(api: Api, content: str, **fields: str) -> dict[str, Any]:
    disposition = "Content-Disposition: form-data; name="
    parts = [f'--{BOUNDARY}\r\n{disposition}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    parts.append(f'--{BOUNDARY}\r\n{disposition}"file"; filename="days.ics"\r\n\r\n{content}\r\n')
    body = ("".join(parts) + f"--{BOUNDARY}--\r\n").encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return api.checked(api.send("POST", api.target("holidays/import", {}), body, headers))


def counts(answer: dict[str, Any]) -> tuple[int, ...]:
    assert answer["errcode"] == 0, answer
    return tuple(answer[name] for name in ("new", "same", "changed", "refused"))


def test_a_file_is_previewed_and_imported_once(api: Api, calendar: int) -> None:
    before = api.get("holidays/list")["total_number"]
    zone = {"timezone_id": str(calendar)}
    assert counts(send_file(api, YEARLY, is_check="ask", **zone)) == (2, 0, 0, 0)
    assert api.get("holidays/list")["total_number"] == before
    assert counts(send_file(api, YEARLY, **zone)) == (2, 0, 0, 0)
    assert counts(send_file(api, YEARLY, **zone)) == (0, 2, 0, 0)
    assert api.get("holidays/list")["total_number"] == before + 2


def test_a_csv_file_has_the_fields_of_the_api_and_bad_rows_are_named(api: Api, calendar: int) -> None:
    rows = "name,type,date\r\nXmas,month,12/25-12/26\r\nNever,month,02/31\r\n"
    answer = send_file(api, rows, timezone_id=str(calendar))
    assert counts(answer) == (1, 0, 0, 1)
    assert [row["action"] for row in answer["data"]] == ["new", "refused"]
    assert "date that does not exist" in answer["data"][1]["problem"]


def test_national_holidays_are_previewed_and_imported_once(api: Api, calendar: int) -> None:
    body = {"country": "DE", "region": "BY", "timezone_id": calendar}
    new, *others = counts(api.post("holidays/import_national", {**body, "is_check": "ask"}))
    assert new > 20
    assert others == [0, 0, 0]
    assert counts(api.post("holidays/import_national", body)) == (new, 0, 0, 0)
    assert counts(api.post("holidays/import_national", body)) == (0, new, 0, 0)


def test_countries_are_listed_with_their_regions(api: Api) -> None:
    rows = {row["country"]: row for row in api.get("holidays/countries")["data"]}
    assert "BY" in rows["DE"]["regions"]
    assert "de" in rows["DE"]["languages"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "country"),
        ({"country": "XX"}, "country"),
        ({"country": 5}, "country"),
        ({"country": "DE", "region": "XX"}, "region"),
        ({"country": "DE", "language": "xx"}, "language"),
        ({"country": "DE", "timezone_id": 999_999}, "timezone_id"),
        ({"country": "DE", "timezone_id": -1}, "timezone_id"),
        ({"country": "DE", "is_check": "perhaps"}, "is_check"),
    ],
)
def test_a_bad_country_changes_nothing(api: Api, body: dict[str, Any], field: str) -> None:
    before = api.get("holidays/list")["total_number"]
    answer = api.post("holidays/import_national", body)
    assert answer["errcode"] == 40002, json.dumps(answer)
    assert [problem["field"] for problem in answer["invalid_param_list"]] == [field]
    assert api.get("holidays/list")["total_number"] == before


@pytest.mark.parametrize(
    ("content", "fields", "field"),
    [
        ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", {}, "file"),
        ("not a table", {}, "file"),
        (YEARLY.replace("YEARLY", "DAILY"), {}, "file"),
        (YEARLY, {"is_check": "perhaps"}, "is_check"),
        (YEARLY, {"timezone_id": "x"}, "timezone_id"),
        (YEARLY, {"timezone_id": "999999"}, "timezone_id"),
    ],
)
def test_a_bad_file_changes_nothing(api: Api, content: str, fields: dict[str, str], field: str) -> None:
    before = api.get("holidays/list")["total_number"]
    answer = send_file(api, content, **fields)
    assert [problem["field"] for problem in answer["invalid_param_list"]] == [field]
    assert api.get("holidays/list")["total_number"] == before


def test_a_file_that_is_too_large_is_refused(api: Api) -> None:
    assert send_file(api, "x" * 1_000_001)["errcode"] == 40004
