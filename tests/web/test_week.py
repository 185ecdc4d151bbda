"""The usual week: read from texts, kept as business hours, and shown again."""

import pytest

from openivr.web.hours.week import WeekForm, day_of, read_texts, write_texts
from tests.live_server import Answer, Api
from tests.web.forms import Form
from tests.web.site import Admin, where

HOSTILE = """<script>alert(1)</script>"'>{{7*7}}"""


def week(**texts: str) -> WeekForm:
    return WeekForm({name.replace("_", "-"): text for name, text in texts.items()})


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (
            {"open_mon": "9:00-18:00", "break_mon": "12:00 - 13:00"},
            {"open-mon": "09:00-18:00", "break-mon": "12:00-13:00"},
        ),
        ({"open_mon": "09:00-12:00; 12:00-13:00"}, {"open-mon": "09:00-13:00"}),
        ({"open_sun": "22:00-06:00"}, {"open-sun": "22:00-23:59", "open-mon": "00:00-06:00"}),
        ({"open_fri": "00:00-23:59"}, {"open-fri": "00:00-23:59"}),
        (
            {"open_sat": "09:00-12:00", "break_sat": "12:00-12:30"},
            {"open-sat": "09:00-12:30", "break-sat": "12:00-12:30"},
        ),
    ],
)
def test_texts_are_read_and_written_again(texts: dict[str, str], shown: dict[str, str]) -> None:
    form = week(**texts)
    rows = read_texts(form)
    assert not form.problems
    written = write_texts(rows)
    assert {name: text for name, text in written.items() if text} == shown
    again = WeekForm(written)
    assert [day_of(row) for row in read_texts(again)] == [day_of(row) for row in rows]


@pytest.mark.parametrize(
    ("texts", "name", "words"),
    [
        ({"open_mon": "nine to five"}, "open-mon", "nine to five is not a time span"),
        ({"open_tue": "09:00-24:00"}, "open-tue", "there is no such time"),
        ({"open_wed": "09:00-09:00"}, "open-wed", "ends when it begins"),
        ({"break_thu": "12:00-13:00"}, "break-thu", "needs open hours"),
        (
            {"open_fri": ",".join(f"{hour:02}:00-{hour:02}:30" for hour in range(21))},
            "open-fri",
            "At most 20",
        ),
    ],
)
def test_what_cannot_be_read_is_said(texts: dict[str, str], name: str, words: str) -> None:
    form = week(**texts)
    read_texts(form)
    assert words in form.problems[name]


def stored(api: Api, calendar: int = 0) -> list[dict]:
    """The business hours of a calendar. The demo has some of another one than the default."""
    rows: list[dict] = api.get("businesshour/list")["data"]
    return [row for row in rows if row["timezone_id"] == calendar]


def save(admin: Admin, path: str = "/hours/week", **changes: str) -> Answer:
    form = Form(admin.get(path).content, "week")
    return admin.post("/hours/week", form.changed(**{k.replace("_", "-"): v for k, v in changes.items()}))


def test_a_week_becomes_business_hours(admin: Admin, api: Api) -> None:
    usual = {f"open_{day}": "09:00-18:00" for day in ("mon", "tue", "wed", "thu")}
    assert where(save(admin, **usual, open_fri="22:00-06:00", break_mon="12:00-13:00")) == "/hours/week"
    rows = {row["days_of_week"]: row for row in stored(api)}
    assert {*rows} == {"mon", "tue wed thu", "fri", "sat"}
    assert rows["mon"]["reset_times"] == [{"value": "12:00-13:00"}]
    assert rows["fri"]["office_times"] == [{"value": "22:00-23:59"}]
    assert rows["sat"]["office_times"] == [{"value": "00:00-06:00"}]
    assert api.post("businesshour/update", {"id": rows["mon"]["id"], "remark": "lunch"})["errcode"] == 0
    dated = {"time_condition_switch": 1, "months": "dec", "office_times": [{"value": "10:00-11:00"}]}
    api.post("businesshour/create", dated)
    before = stored(api)
    assert b"1 entry for certain dates counts as well" in admin.get("/hours/week").content
    assert where(save(admin)) == "/hours/week"
    assert stored(api) == before  # nothing was changed, so everything stays as it is
    assert where(save(admin, open_sat="", open_fri="")) == "/hours/week"
    kept = {row["days_of_week"]: row["remark"] for row in stored(api) if not row["time_condition_switch"]}
    assert kept == {"mon": "lunch", "tue wed thu": ""}


def test_bad_times_change_nothing_and_stay_text(admin: Admin, api: Api) -> None:
    before = stored(api)
    answer = save(admin, open_sun=HOSTILE)
    assert answer.status == 422
    assert HOSTILE not in answer.content.decode()
    assert "is not a time span" in answer.content.decode()
    assert stored(api) == before
    assert admin.get("/hours/week?calendar=99").status == 404
    assert admin.post("/hours/week", {"calendar": "99"}).status == 404


def test_a_week_that_another_has_changed_is_not_overwritten(admin: Admin, api: Api) -> None:
    form = Form(admin.get("/hours/week").content, "week")
    api.post("businesshour/create", {"days_of_week": "sun", "office_times": [{"value": "10:00-11:00"}]})
    before = stored(api)
    answer = admin.post("/hours/week", form.changed(**{"open-sat": "10:00-12:00"}))
    assert answer.status == 409
    assert stored(api) == before
    assert b'value="10:00-12:00"' in answer.content
    again = Form(answer.content, "week")
    assert where(admin.post("/hours/week", again.fields)) == "/hours/week"


def test_a_calendar_has_a_week_of_its_own(admin: Admin, api: Api) -> None:
    far = api.post("timezone/create", {"name": "Far away", "timezone": "Asia/Kathmandu"})["id"]
    assert where(save(admin, f"/hours/week?calendar={far}", open_sun="06:00-07:00")) == "/hours/week"
    (new,) = stored(api, far)
    assert (new["timezone_id"], new["days_of_week"]) == (far, "sun")
