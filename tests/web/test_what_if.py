"""What happens if someone calls: the page, and calls from the outside in Try it."""

import html
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.live_server import Answer, Api, Running
from tests.web.site import Admin
from tests.web.test_phone import press, step

MAIN = "441632960000"


SECOND = "Second <line>"


@pytest.fixture(scope="module", autouse=True)
def _lines(server: Running) -> None:
    """Two lines that are enabled, and a route for one caller over the second."""
    api = server.log_in()
    api.post("trunk/update", {"id": 1, "enable": 1})
    second = api.post("trunk/create", {"name": SECOND, "type": "peer", "hostname": "192.0.2.9"})["id"]
    api.post(
        "inbound_route/create",
        {
            "name": "Family",
            "cid_pattern_list": [{"cid_pattern": "+447700900123"}],
            "trunk_list": [{"type": "trunk", "value": str(second)}],
            "def_dest": "extension",
            "def_dest_value": "1",
        },
    )
    api.close()


def read(answer: Answer) -> str:
    """The text of a page, without tags."""
    text = re.sub(r"<svg.*?</svg>", "", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def ask(admin: Admin, **query: str) -> Answer:
    return admin.get(f"/routes/what-if?{urlencode(query)}")


def test_the_page_is_a_form_at_first(admin: Admin) -> None:
    answer = admin.get("/routes/what-if")
    assert answer.status == 200
    assert b"data-result" not in answer.content
    assert f'<option value="{MAIN}">'.encode() in answer.content  # the numbers of inbound routes are proposed
    assert b"/routes/what-if" in admin.get("/routes/inbound").content


def test_it_says_which_route_takes_a_call_and_why_the_others_do_not(admin: Admin) -> None:
    answer = ask(admin, called="+44 1632 960000", caller="", trunk="1")
    text = read(answer)
    assert answer.status == 200
    assert "because the inbound route Main number takes it." in text
    assert "Trunk Provider lets the call in." in text
    assert f"Inbound route Main number takes calls to {MAIN}." in text
    assert f"Inbound route Family only takes calls over {SECOND}." in text
    assert "Plays “Welcome." in text
    assert b'href="/menus/3/try?trunk=Provider&amp;called=%2B441632960000&amp;from="' in answer.content
    assert b'href="/menus/3"' in answer.content


def test_without_a_trunk_each_is_shown(admin: Admin) -> None:
    answer = ask(admin, called=MAIN, caller="447700900123", trunk="")
    text = read(answer)
    assert answer.content.count(b"data-result") == 2
    assert "Over Provider The call goes to 6200" in text
    assert f"Over {SECOND} The call goes to extension 1000 Ada Byron , because" in text
    assert b"Second <line>" not in answer.content


def test_it_says_why_a_call_is_rejected(admin: Admin, api: Api) -> None:
    text = read(ask(admin, called="1", trunk="1"))
    assert "The call is rejected. No inbound route takes it, so" in text
    assert f"only takes calls to {MAIN}" in text
    api.post("trunk/update", {"id": 1, "enable": 0})
    text = read(ask(admin, called=MAIN, trunk="1"))
    api.post("trunk/update", {"id": 1, "enable": 1})
    assert "The call is rejected. The trunk is disabled, so no calls come in over it." in text
    assert "Main number would take it, but Provider rejects it before." in text


def test_a_call_at_a_moment_goes_where_its_period_leads(admin: Admin, api: Api) -> None:
    api.post("inbound_route/update", {"id": 2, "enb_time_condition": 0})
    assert b'type="datetime-local"' not in ask(admin, called=MAIN, trunk="1").content
    api.post("businesshour/create", {"days_of_week": "mon tue", "office_times": [{"value": "09:00-18:00"}]})
    api.post(
        "inbound_route/update",
        {
            "id": 1,
            "enb_time_condition": 1,
            "time_condition": "global",
            "office_time_dest": "ivr",
            "office_time_dest_value": "3",
            "outoffice_time_dest": "extension",
            "outoffice_time_dest_value": "2",
        },
    )
    answer = ask(admin, called=MAIN, trunk="1", at="2026-11-30T17:59")
    assert b'type="datetime-local" value="2026-11-30T17:59"' in answer.content
    assert "The call goes to 6200 VoiceMenu Navigator" in read(answer)
    tried = re.search(r'href="(/menus/3/try[^"]*)"', answer.content.decode())
    assert tried
    phone = admin.get(html.unescape(tried[1])).content.decode()
    assert 'name="at" type="datetime-local" value="2026-11-30T17:59"' in phone
    assert "takes calls to 441632960000, and the period is: open." in read(answer)
    closed = read(ask(admin, called=MAIN, trunk="1", at="2026-11-30T18:00"))
    assert "The call goes to extension 1001 Grace Hopper" in closed
    assert "Rings extension 1001" in closed
    assert ask(admin, called=MAIN, trunk="1", at="noon").status == 422
    api.post("inbound_route/update", {"id": 1, "enb_time_condition": 0})


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ({"called": ""}, "called", "Enter a number"),
        ({"called": "1" * 65}, "called", "Enter a number"),
        ({"called": "1", "caller": "2" * 65}, "caller", "This is not a number"),
        ({"called": "1", "trunk": "77"}, "trunk", "no longer exists"),
        ({"called": "1", "trunk": "x"}, "trunk", "no longer exists"),
        ({"called": "1", "trunk": "9" * 40}, "trunk", "no longer exists"),
        ({"called": "1", "trunk": "\u00b2"}, "trunk", "no longer exists"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    admin: Admin, query: dict[str, str], field: str, problem: str
) -> None:
    answer = ask(admin, **query)
    assert answer.status == 422
    assert b"data-result" not in answer.content
    assert problem in read(answer)
    assert f'aria-describedby="{field}-about" aria-invalid="true"'.encode() in answer.content


def test_what_is_typed_stays_text(admin: Admin) -> None:
    answer = ask(admin, called='"><script>alert(1)</script>', caller="<b>")
    assert b"<script>alert" not in answer.content
    assert b"<b>&lt;b&gt;" not in answer.content


def test_only_the_signed_in_may_ask(server: Running) -> None:
    stranger = Admin(server)
    assert stranger.get("/routes/what-if?called=1").status == 303
    stranger.close()


# Try it, from the outside


def test_a_call_from_the_outside_goes_through_the_routes(admin: Admin) -> None:
    call = step(admin, trunk="Provider", called=f"+{MAIN}", caller="2000").json()
    assert [(line["what"], line["text"], line["why"]) for line in call["lines"]][:3] == [
        ("calls", f"+{MAIN} over Provider", "from 2000"),
        ("route", "Main number", f"it takes calls to {MAIN}"),
        ("enters", "6200", ""),
    ]
    assert call["warning"] == ""
    ringing = step(admin, trunk="Provider", called=MAIN, happenings=press("1#")).json()
    assert ringing["dial"]["number"] == "1000"


def test_it_may_lead_elsewhere_or_nowhere(admin: Admin) -> None:
    other = step(admin, trunk=SECOND, called="1", caller="447700900123").json()
    assert [line["what"] for line in other["lines"]] == ["calls", "route", "rings", "waits"]
    assert other["lines"][2]["text"] == "extension 1000"
    rejected = step(admin, trunk=SECOND, called="1").json()
    assert (rejected["ended"], rejected["state"], rejected["due"]) == (True, "ended", [])
    assert rejected["lines"][-1]["text"] == "no inbound route matches"
    again = step(admin, trunk=SECOND, called="1", happenings=press("1")).json()
    assert again["lines"] == rejected["lines"]


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"trunk": "none", "called": "1"}, "there is no trunk none"),
        ({"trunk": "Provider", "called": ""}, "enter the number that is called"),
        ({"trunk": "Provider", "called": "1" * 65}, "enter the number that is called"),
    ],
)
def test_a_call_over_nothing_is_refused(admin: Admin, sent: dict[str, Any], problem: str) -> None:
    answer = step(admin, **sent)
    assert answer.status == 409
    assert problem in answer.json()["problem"]


def test_a_response_of_a_number_that_nothing_has_is_said(admin: Admin) -> None:
    call = step(admin, world={"1009": "busy"}).json()
    assert call["warning"] == "Nothing has the number 1009, so pretending changes nothing."
    assert step(admin, world={"1000": "busy"}).json()["warning"] == ""


def test_a_call_from_the_outside_without_script(admin: Admin) -> None:
    page = admin.get(f"/menus/3/try?{urlencode({'trunk': SECOND, 'called': '5', 'from': '2000'})}").content
    assert b"<option selected>Second &lt;line&gt;</option>" in page
    assert b'name="called" value="5"' in page
    assert f'name="called" value="{MAIN}"'.encode() in admin.get("/menus/3/try").content
    fields = {"trunk": "Provider", "called": MAIN, "from": "2000", "keys": "1#"}
    text = read(admin.post("/menus/3/try", fields))
    assert "Inbound route Main number it takes calls to 441632960000" in text
    assert "Answered by extension 1000" in text
    rejected = admin.post("/menus/3/try", fields | {"called": "77"})
    assert rejected.status == 200
    assert "no inbound route matches" in read(rejected)
    assert admin.post("/menus/3/try", fields | {"called": ""}).status == 422
    warned = read(admin.post("/menus/3/try", fields | {"other": "1009", "other_outcome": "busy"}))
    assert "Nothing has the number 1009" in warned


def test_a_call_from_the_outside_is_kept_as_a_test(admin: Admin, api: Api) -> None:
    sent = {"trunk": "Provider", "called": MAIN, "caller": "2000", "happenings": press("1#")}
    happenings = [*press("1#"), {"at": 900, "event": "HungUp"}]
    sent["happenings"] = happenings
    kept = admin.post("/menus/3/tests", {"name": "From outside", "call": json.dumps(sent)})
    assert kept.status == 303
    text = read(admin.get("/menus/3/tests"))
    assert "From outside" in text
    assert "From outside passes" in text
    routes = api.get("inbound_route/list")["data"]
    family = next(route["id"] for route in routes if route["name"] == "Family")
    api.post("inbound_route/update", {"id": family, "cid_pattern_list": [], "trunk_list": []})
    api.post("inbound_route/update", {"id": 1, "pos": 9})
    one = re.search(r"/menus/3/tests/(\d+)(?=\">From outside)", admin.get("/menus/3/tests").content.decode())
    assert one is not None
    failed = read(admin.get(one[0]))
    assert "Inbound route: Main number" in failed
    assert "Inbound route: Family" in failed
    assert f"Calls {MAIN} from 2000 over Provider" in failed


def test_a_rejected_call_is_kept_too(admin: Admin) -> None:
    call = {"trunk": "Provider", "called": "77", "caller": "", "happenings": []}
    rejected = admin.post("/menus/4/tests", {"name": "Rejected", "call": json.dumps(call)})
    assert rejected.status == 303
    text = read(admin.get("/menus/4/tests"))
    assert "Rejected passes" in text
