"""The page to import holidays: looked at first, merged, and never doubled."""

import re
from html import unescape

import pytest

from tests.live_server import Answer, Api
from tests.web.forms import Form
from tests.web.site import Admin, where

HOSTILE = "<script>alert(1)</script>"
FILE = f"""BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:tests\r
BEGIN:VEVENT\r
UID:1\r
DTSTART;VALUE=DATE:20201224\r
RRULE:FREQ=YEARLY\r
SUMMARY:{HOSTILE}\r
END:VEVENT\r
END:VCALENDAR\r
"""


def words(answer: Answer) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def names(api: Api) -> list[str]:
    return [row["name"] for row in api.get("holidays/list", page_size=500)["data"]]


def upload(admin: Admin, data: str, name: str = "days.ics") -> Answer:
    parts = [("csrf", "", admin.csrf), ("calendar", "", ""), ("file", f'; filename="{name}"', data)]
    body = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{field}"{more}\r\n\r\n{text}\r\n'
        for field, more, text in parts
    )
    content = {"Content-Type": "multipart/form-data; boundary=x"}
    return admin.send("POST", "/hours/import", f"{body}--x--\r\n".encode(), content)


def test_national_holidays_are_looked_at_and_saved_once(admin: Admin, api: Api) -> None:
    before = names(api)
    preview = admin.post("/hours/import", {"country": "de", "region": "BY"})
    assert preview.status == 200
    assert "Erster Weihnachtstag" in words(preview)
    assert names(api) == before
    shown = Form(preview.content)
    bodies = dict(shown.fields)["bodies"]
    answer = admin.post("/hours/import", {"bodies": bodies})
    assert where(answer) == "/hours"
    assert "Erster Weihnachtstag" in names(api)
    count = len(names(api))
    assert "All of them are there already." in words(
        admin.post("/hours/import", {"country": "de", "region": "BY"})
    )
    admin.post("/hours/import", {"bodies": bodies})  # sent once more, as by a second click
    assert len(names(api)) == count
    year = admin.get("/hours").content.decode()
    assert year.count("Erster Weihnachtstag</a>") == 2  # this year and the next


def test_a_file_is_looked_at_and_saved(admin: Admin, api: Api) -> None:
    preview = upload(admin, FILE)
    assert HOSTILE not in preview.content.decode()
    assert f"New {HOSTILE} " in unescape(
        re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", preview.content.decode()))
    )
    assert HOSTILE not in names(api)
    assert (
        where(admin.post("/hours/import", {"bodies": dict(Form(preview.content).fields)["bodies"]}))
        == "/hours"
    )
    assert names(api).count(HOSTILE) == 2
    assert HOSTILE not in admin.get("/hours").content.decode()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Enter a country, or choose a file."),
        ({"country": HOSTILE}, "no holidays of"),
        ({"country": "DE", "region": "XX"}, "Region: no holidays of “XX” are known."),
        ({"bodies": "{"}, "can't be read any more"),
        ({"bodies": "[[1]]"}, "can't be read any more"),
    ],
)
def test_what_cannot_be_imported_is_said(admin: Admin, api: Api, fields: dict[str, str], said: str) -> None:
    before = names(api)
    answer = admin.post("/hours/import", fields)
    assert answer.status == 422
    assert said in words(answer)
    assert HOSTILE not in answer.content.decode()
    assert names(api) == before


def test_a_file_that_is_none_is_refused(admin: Admin) -> None:
    assert "Or a file: this is neither an iCalendar file" in words(upload(admin, "hello"))
    assert upload(admin, "x" * 5_000_000).status == 413
    assert admin.post("/hours/import", {"calendar": "99", "country": "DE"}).status == 404
