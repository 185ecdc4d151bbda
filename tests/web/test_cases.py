"""The tests of a menu: kept from a call, run against the menu as it is, told in words."""

import json
from html import unescape
from typing import Any

import pytest

from openivr.ivr.model import IvrSnapshot
from openivr.store.config import scenarios
from openivr.store.database import Database
from openivr.web.simulator import scenario_tests
from tests.live_server import Answer, Api, Running
from tests.web.site import Admin, where
from tests.web.test_phone import press, run, step

RECEPTIONIST = 4


def keep(admin: Admin, name: str, happenings: list[dict[str, Any]], menu: int = 3, **sent: Any) -> Answer:
    call = json.dumps({"happenings": happenings, **sent})
    return admin.post(f"/menus/{menu}/tests", {"name": name, "call": call})


def find(server: Running, name: str) -> scenarios.StoredScenario:
    database = Database(f"sqlite:///{server.data / 'openivr.db'}")
    with database.reading() as connection:
        (found,) = [one for one in scenarios.find_all(connection) if one.name == name]
    database.close()
    return found


def states(admin: Admin, menu: int) -> dict[str, str]:
    """Each test of the list and what is said of it."""
    rows = admin.get(f"/menus/{menu}/tests").content.decode().split("<li data-state=")[1:]
    return {row.split("</a>")[0].split(">")[-1]: row.split('"')[1] for row in rows}


def test_the_tests_of_the_demo_pass(admin: Admin) -> None:
    found = states(admin, RECEPTIONIST)
    assert len(found) == 3
    assert set(found.values()) == {"passed"}


def test_a_call_is_kept_turns_red_with_a_change_and_green_again(
    server: Running, admin: Admin, api: Api
) -> None:
    busy = step(admin, happenings=press("1#"), world={"1000": "busy"}).json()["due"][-1]
    call = [*press("1#"), {"at": 1100, **busy["event"]}, {"at": 2000, "event": "HungUp"}]
    kept = keep(admin, " Ada is busy ", call, caller="2000", world={"1000": "busy"})
    assert where(kept) == "/menus/3/tests"
    stored = find(server, "Ada is busy")
    assert stored.document == {
        "scenario": "Ada is busy",
        "calls": "6200",
        "from": "2000",
        "world": {"1000": "busy"},
        "steps": [
            {"hears": "ivr-greeting-dial-ext"},
            {"presses": "1#"},
            {"rings": "extension 1000"},
            {"fails": "busy"},
            {"hears": "notice-busy"},
            "hangs_up",
            {"ends": "caller_hangup"},
        ],
    }
    assert states(admin, 3)["Ada is busy"] == "passed"
    api.post("ivr/update", {"id": 3, "press1_dest": "extension", "press1_dest_value": "2"})
    assert states(admin, 3)["Ada is busy"] == "failed"
    text = " ".join(admin.get(f"/menus/3/tests/{stored.id}").content.decode().split())
    assert "<span>Rings: extension 1000</span> <em>expected, but did not happen</em>" in text
    assert "<span>Rings: extension 1001</span> <em>happened instead</em>" in text
    assert "1000 is busy" in text
    api.post("ivr/update", {"id": 3, "press1_dest": "extension", "press1_dest_value": "1"})
    assert states(admin, 3)["Ada is busy"] == "passed"


def test_a_call_at_a_moment_is_kept_with_it(server: Running, admin: Admin, api: Api) -> None:
    hours = api.post(
        "businesshour/create", {"days_of_week": "all", "office_times": [{"value": "09:00-18:00"}]}
    )
    fields = {"id": 3, "enb_time_condition": 1, "press1_outoffice_time_dest": "end_call"}
    assert api.post("ivr/update", fields)["errcode"] == 0
    try:
        evening = step(admin, at="2026-12-24T17:59:59", happenings=press("1#", at=1500)).json()
        assert [line["what"] for line in evening["lines"]][-2:] == ["finds", "ends"]
        assert evening["keys"]["1"] == {"kind": "end_call", "name": "End the call"}
        day = step(admin, at="2026-12-24T17:59", happenings=press("1#")).json()
        assert "rings" in [line["what"] for line in day["lines"]]
        assert day["keys"]["1"]["kind"] == "extension"
        refused = step(admin, at="31 February")
        assert refused.status == 409
        assert refused.json() == {"problem": "enter a date and a time, like 2026-12-24 17:59"}
        kept = keep(admin, "At night", press("1#"), at="2026-12-24T20:00")
        assert where(kept) == "/menus/3/tests"
        stored = find(server, "At night")
        assert stored.document["at"] == "2026-12-24 20:00"
        assert states(admin, 3)["At night"] == "passed"
        page = admin.get(f"/menus/3/tests/{stored.id}").content.decode()
        assert "Takes place at 2026-12-24 20:00" in page
        form = admin.get("/menus/3/try?at=2026-12-24+20:00").content.decode()
        assert 'name="at" type="datetime-local" value="2026-12-24T20:00"' in form
        played = run(admin, keys="1#", at="2026-12-24T20:00")
        assert '<span class="what">Closed</span>' in played
        api.post("ivr/update", {"id": 3, "press1_outoffice_time_dest": "dial_by_name"})
        assert states(admin, 3)["At night"] == "failed"
    finally:
        api.post("ivr/update", {"id": 3, "enb_time_condition": 0, "press1_outoffice_time_dest": ""})
        assert api.get("businesshour/delete", id=hours["id"])["errcode"] == 0


def test_the_page_without_script_offers_its_call(server: Running, admin: Admin) -> None:
    text = run(admin, keys="3 0 h")
    sent = json.loads(text.split('name="call" value="')[1].split('"')[0].replace("&#34;", '"'))
    assert [one["event"] for one in sent["happenings"]] == ["Digit", "Digit", "HungUp"]
    assert where(keep(admin, "By hand", sent["happenings"])) == "/menus/3/tests"
    assert find(server, "By hand").document["steps"][1] == {"presses": "3"}


@pytest.mark.parametrize(
    ("name", "happenings", "sent", "problem"),
    [
        ("", [], {}, "Enter a name of at most 100"),
        ("x" * 101, [], {}, "Enter a name of at most 100"),
        ("\x07", [], {}, "must be one line of text"),
        ("A pound ends the pause", [], {}, "A test called “A pound ends the pause” exists"),
        ("New", [{"at": 0, "event": "Sneezed"}], {}, "can't be saved as a test: unknown event"),
        ("New", [], {"revision": 99}, "have changed since"),
        ("New", [], {"world": {"talk": "busy"}}, "can't be saved"),
        ("New", [{"at": 1, "event": "PromptEnded", "token": 2, "failed": ["x"]}], {}, "lead elsewhere"),
    ],
)
def test_what_cannot_be_kept_is_explained(
    admin: Admin, name: str, happenings: list[dict[str, Any]], sent: dict[str, Any], problem: str
) -> None:
    answer = keep(admin, name, happenings, **sent)
    assert answer.status == 422
    assert problem in unescape(answer.content.decode())


def test_a_test_is_renamed_and_deleted(server: Running, admin: Admin) -> None:
    keep(admin, "One", [{"at": 1, "event": "HungUp"}])
    path = f"/menus/3/tests/{find(server, 'One').id}"
    assert admin.post(path, {"name": "By hand" * 20}).status == 422
    assert where(admin.post(path, {"name": "Two"})) == path
    assert "Two" in states(admin, 3)
    other = path.replace("/menus/3/", "/menus/4/")  # the same test by another menu
    assert admin.get(other).status == 404
    assert admin.post(other, {"name": "Three"}).status == 404
    assert admin.post(other + "/delete").status == 404
    assert where(admin.post(path + "/delete")) == "/menus/3/tests"
    assert "Two" not in states(admin, 3)
    assert admin.post(path + "/delete").status == 404


def test_what_there_was_no_time_for_is_not_green(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 99.0])
    monkeypatch.setattr(scenario_tests, "monotonic", lambda: next(moments))
    stored = scenarios.StoredScenario(1, 3, "One", {"scenario": "One", "calls": "6200", "steps": []})
    assert [one.state for one in scenario_tests.run_all(IvrSnapshot(), [stored, stored])] == [
        "failed",
        "waiting",
    ]


def test_hostile_names_stay_text(admin: Admin) -> None:
    name = "<img src=x onerror=alert(1)>"
    keep(admin, name, [{"at": 1, "event": "HungUp"}])
    text = admin.get("/menus/3/tests").content.decode()
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_a_document_that_cannot_be_read_is_red_and_says_why(server: Running, admin: Admin) -> None:
    database = Database(f"sqlite:///{server.data / 'openivr.db'}")
    with database.writing() as connection:
        broken = {"scenario": "Broken", "steps": [{"sings": "x"}]}
        ident = scenarios.add(connection, RECEPTIONIST, broken)
    database.close()
    assert states(admin, RECEPTIONIST)["Broken"] == "failed"
    assert "unknown: sings" in admin.get(f"/menus/{RECEPTIONIST}/tests/{ident}").content.decode()
