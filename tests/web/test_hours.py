"""The page Hours: what holds now and then, and the switch by hand, which every page shows."""

import re
from html import unescape

import pytest

from tests.live_server import Answer, Api, Running
from tests.web.forms import Form
from tests.web.site import Admin, where

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module", autouse=True)
def _hours(server: Running) -> None:
    """An office that is always open but for a minute at midnight, and a calendar far away."""
    api = server.log_in()
    api.post("businesshour/create", {"days_of_week": "all", "office_times": [{"value": "00:01-23:59"}]})
    api.post("holidays/create", {"name": "Christmas", "type": "month", "date": "12/25-12/26"})
    api.post("timezone/create", {"name": "Far away", "timezone": "Asia/Kathmandu"})
    api.close()


def page(answer: Answer) -> str:
    return unescape(re.sub(r"\s+", " ", answer.content.decode()))


def test_what_holds_then_is_said(admin: Admin) -> None:
    assert "Open, by the business hours." in page(admin.get("/hours?at=2026-12-24T17:59"))
    assert "Holiday, because of Christmas." in page(admin.get("/hours?at=2026-12-25+17:59"))
    assert "Closed, outside business hours." in page(admin.get("/hours?at=2027-03-01T00:00"))
    refused = admin.get("/hours?at=2027-02-31T00:00")
    assert refused.status == 422
    assert "Enter a date and a time" in page(refused)


def test_the_week_and_the_year_are_shown(admin: Admin) -> None:
    text = page(admin.get("/hours"))
    assert text.count('<svg viewBox="0 0 1440 24"') == 7
    assert re.search(r"\w+day \d{4}-12-25 to \d{4}-12-26", text)
    assert "Christmas</a>" in text


def test_calendars_have_pages_of_their_own(admin: Admin) -> None:
    text = page(admin.get("/hours"))
    path = re.search(r'href="(/hours\?calendar=\d+)">Far away', text)
    assert path
    assert "Asia/Kathmandu" in page(admin.get(path[1]))
    for unknown in ("99", "x", "-1", "1" * 30):
        assert admin.get(f"/hours?calendar={unknown}").status == 404


def test_a_switch_is_shown_with_its_author_and_taken_back(admin: Admin, api: Api) -> None:
    fields = {"period": "closed", "until": "none", "note": HOSTILE}
    assert where(admin.post("/hours/switch", fields)) == "/hours"
    status = api.get("businesshour/status")["data"]
    assert (status["period"], status["switch"]["by"], status["switch"]["note"]) == (
        "closed",
        "admin",
        HOSTILE,
    )
    answer = admin.get("/hours")
    assert HOSTILE not in answer.content.decode()
    assert "Now: closed, switched by hand." in page(answer)
    assert "Switched by admin" in page(answer)
    elsewhere = admin.get("/menus")
    assert "Now: closed, switched by hand. No change is planned." in page(elsewhere)
    assert "Switched by admin" in page(elsewhere)
    assert HOSTILE not in elsewhere.content.decode()
    assert where(admin.post("/hours/switch", {"period": "auto"})) == "/hours"
    assert api.get("businesshour/status")["data"]["switch"] is None
    assert "Switched by" not in page(admin.get("/hours"))


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"period": "asleep"}, "Choose open, closed or holiday."),
        ({"until": "later"}, "Choose until when."),
        ({"until": "time", "end": "25:00"}, "Enter a date and a time"),
        ({"until": "time", "end": "2020-01-01T00:00"}, "This time is over."),
        ({"note": "x" * 128}, "at most 127 characters"),
    ],
)
def test_a_bad_switch_changes_nothing(admin: Admin, api: Api, bad: dict[str, str], words: str) -> None:
    before = api.get("businesshour/status")["data"]["switch"]
    fields = {"period": "open", "until": "none", "note": "", **bad}
    answer = admin.post("/hours/switch", fields)
    assert answer.status == 422
    assert words in page(answer)
    assert api.get("businesshour/status")["data"]["switch"] == before
    assert admin.post("/hours/switch", {**fields, "calendar": "99"}).status == 404


def test_every_page_has_the_switch_and_comes_back(admin: Admin, api: Api) -> None:
    shown = Form(admin.get("/calls?number=10%2B1").content)
    assert ("back", "/calls?number=10%2B1") in shown.fields
    assert ("period", "closed") in shown.buttons
    back = "/calls?number=10%2B1"
    answer = admin.post("/hours/switch", {"back": back, "until": "change", "period": "closed"})
    assert answer.headers["location"] == "/calls?number=10%2B1"
    assert api.get("businesshour/status")["data"]["switch"]["until"]  # the next change
    shown = Form(admin.get("/menus").content)
    assert ("period", "auto") in shown.buttons
    assert where(admin.post("/hours/switch", {"period": "auto", "back": "/menus"})) == "/menus"
    assert api.get("businesshour/status")["data"]["switch"] is None


@pytest.mark.parametrize(
    "back", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb: c", "x"]
)
def test_a_switch_leads_to_no_other_server(admin: Admin, back: str) -> None:
    answer = admin.post("/hours/switch", {"period": "auto", "back": back})
    assert answer.headers["location"] == "/hours"


def test_the_probe_says_where_calls_go(admin: Admin, api: Api) -> None:
    route = api.get("inbound_route/list")["data"][0]
    menu = api.get("ivr/list")["data"][0]
    fields = {"enb_time_condition": 1, "outoffice_time_dest": "end_call", "holiday_dest": "end_call"}
    assert api.post("inbound_route/update", {"id": route["id"], **fields})["errcode"] == 0
    assert api.post("ivr/update", {"id": menu["id"], "enb_time_condition": 1})["errcode"] == 0
    try:
        closed = page(admin.get("/hours?at=2027-03-01T00:00"))
        holiday = page(admin.get("/hours?at=2026-12-25+17:59"))
        now = page(admin.get("/hours"))
    finally:
        for path, id_ in (("inbound_route/update", route["id"]), ("ivr/update", menu["id"])):
            assert api.post(path, {"id": id_, "enb_time_condition": 0})["errcode"] == 0
    said = re.search(rf">{re.escape(route['name'])}</a>: (.*?)</div>", closed)
    assert said
    assert "end call" in said[1]
    assert "Then: closed, outside business hours." in said[1]
    assert f'/menus/{menu["id"]}?period=closed">{menu["number"]} ' in closed
    assert "Then: holiday, because of Christmas." in holiday
    assert "Where calls from outside go then" not in now


def test_business_hours_are_named_in_words(admin: Admin, api: Api) -> None:
    body = {"days_of_week": "mon tue wed fri sat sun", "office_times": [{"value": "08:00-12:00"}]}
    id_ = api.post("businesshour/create", body)["id"]
    text = page(admin.get(f"/hours/weekly/{id_}"))
    assert "<h1>Monday to Wednesday, Friday to Sunday 08:00–12:00</h1>" in text
    assert api.get("businesshour/delete", id=id_)["errcode"] == 0


def test_an_announcement_is_planned_seen_and_gone(admin: Admin, api: Api) -> None:
    assert "None is played or planned." in page(admin.get("/hours"))
    menu, route = api.get("ivr/list")["data"][0]["id"], api.get("inbound_route/list")["data"][0]["id"]
    new = Form(admin.get(f"/hours/announcements/new?before_list=ivr:{menu}").content)
    assert ("before_list", f"ivr:{menu}") in new.fields
    fields = {
        "name": HOSTILE,
        "prompt": "default",
        "end_time": "2199-12-24T18:00",
        "before_list": f"ivr:{menu}",
        "timezone_id": "",
        "begin_time": "",
    }
    pairs = [*fields.items(), ("before_list", f"inbound_route:{route}")]
    one = where(admin.post("/hours/announcements/new", pairs))
    assert one.startswith("/hours/announcements/")
    shown = admin.get(one).content.decode()
    assert 'type="datetime-local" value="2199-12-24T18:00"' in shown
    said = f"Callers hear the announcement {HOSTILE} first, until "
    for path in ("/hours", f"/menus/{menu}", f"/routes/inbound/{route}"):
        answer = admin.get(path)
        assert HOSTILE not in answer.content.decode(), path
        assert said in page(answer), path
    later = [*(fields | {"begin_time": "2199-12-24T17:00"}).items()]
    assert where(admin.post(one, later)) == one
    assert f"Callers will hear the announcement {HOSTILE} first, from" in page(admin.get(f"/menus/{menu}"))
    over = admin.post(one, [*(fields | {"begin_time": "2199-12-24T19:00"}).items()])
    assert over.status == 422
    assert where(admin.post(one, [*(fields | {"end_time": "2020-12-24 18:00"}).items()])) == one
    assert "None is played or planned." in page(admin.get("/hours"))
    assert where(admin.post(f"{one}/delete")) == "/hours/announcements"
    assert admin.get("/hours/announcements/new?before_list=nonsense").status == 200
