"""Try it: a call that the page keeps and the server decides, and the same without script."""

import html
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from openivr import sounds
from openivr.ivr.builtin_sounds import SOUNDS
from openivr.sounds.convert import convert
from openivr.store.config import prompts
from openivr.store.database import Database
from tests.live_server import Answer, Api, Running
from tests.store.test_import_export import sound
from tests.web.site import Admin

NAVIGATOR = 3  # 6200: keys 1 Ada, 2 Support, 3 another menu
RECEPTIONIST = 4  # 6201: everybody by number, own mailbox
GREETING = "ivr-greeting-dial-ext"
ARRIVAL = {"at": 0, "event": "CallArrived", "caller": "", "destination": {"kind": "ivr"}}


def step(admin: Admin, menu: int = NAVIGATOR, **sent: Any) -> Answer:
    headers = {"Content-Type": "application/json", "X-CSRF-Token": admin.csrf}
    return admin.send("POST", f"/menus/{menu}/call", json.dumps(sent).encode(), headers)


def press(keys: str, at: int = 100) -> list[dict[str, Any]]:
    return [{"at": at, "event": "Digit", "key": key} for key in keys]


def whats(answer: Answer) -> list[str]:
    return [line["what"] for line in answer.json()["lines"]]


def test_a_call_begins_with_the_announcement(admin: Admin) -> None:
    call = step(admin, caller="2000").json()
    assert [(line["what"], line["text"]) for line in call["lines"]] == [
        ("calls", "menu 6200 VoiceMenu Navigator"),
        ("enters", "6200"),
        ("hears", f"“{SOUNDS[GREETING]}”"),
    ]
    assert call["lines"][0]["why"] == "from 2000"
    (greeting,) = call["play"]["sounds"]
    assert greeting == {
        "name": GREETING,
        "seconds": sounds.seconds(GREETING),
        "address": f"/sounds/{GREETING}",
    }
    assert call["play"]["event"]["event"] == "PromptEnded"
    assert [one["event"]["event"] for one in call["due"]] == ["TimerFired"]  # its end is the page's to report
    assert call["keys"]["1"] == {"kind": "extension", "name": "Ada Byron"}
    assert admin.get(greeting["address"]).content == sounds.read(GREETING)


def test_what_is_due_can_be_told_back(admin: Admin) -> None:
    call = step(admin).json()
    ended = {"at": 4000, **call["play"]["event"]}
    waiting = step(admin, happenings=[ended], told=3, revision=call["revision"]).json()
    assert [line["text"] for line in waiting["lines"]] == ["5 s"]
    assert waiting["play"] is None
    (_, wait) = waiting["due"]
    assert wait["at"] == 9000
    again = step(admin, happenings=[ended, {"at": wait["at"], **wait["event"]}]).json()
    assert again["lines"][-1]["what"] == "hears"
    assert again["lines"][-1]["at"] == 9000


def test_an_extension_is_rung_and_answers_or_not(admin: Admin) -> None:
    ringing = step(admin, happenings=press("1#")).json()
    assert ringing["dial"] == {"number": "1000", "name": "1000 Ada Byron"}
    assert ringing["lines"][-2]["node"] == "extension-1"
    answered = ringing["due"][-1]
    assert (answered["at"], answered["event"]["event"]) == (3100, "DialAnswered")
    busy = step(admin, happenings=press("1#"), world={"1000": "busy"}).json()
    assert busy["due"][-1]["event"] == {
        "event": "DialFailed",
        "token": busy["due"][-1]["event"]["token"],
        "cause": "busy",
    }
    end = [*press("1#"), {"at": 3100, **answered["event"]}, {"at": 9000, "event": "HungUp"}]
    over = step(admin, happenings=end)
    assert whats(over)[-2:] == ["reaches", "ends"]
    assert over.json()["ended"]
    assert over.json()["due"] == []


def test_a_pin_is_not_told(admin: Admin) -> None:
    world = {"mailboxes": {"1000": {"pin": "4711", "messages": ["message-1"]}}}
    call = step(admin, RECEPTIONIST, happenings=press("*021000#4711#"), world=world).json()
    assert "4711" not in json.dumps(call["lines"])
    opened = call["due"][-1]
    messages = step(
        admin, RECEPTIONIST, happenings=[*press("*021000#4711#"), {"at": 100, **opened["event"]}], world=world
    ).json()
    assert [(one["name"], one["address"]) for one in messages["play"]["sounds"]][1] == ("message-1", "")


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        ({"happenings": [{"at": 5, "event": "Digit", "key": "1"}, {"at": 4, "event": "HungUp"}]}, "clock"),
        ({"happenings": [{"at": -1, "event": "HungUp"}]}, "clock"),
        ({"happenings": [{"at": 10**9, "event": "HungUp"}]}, "clock"),
        ({"happenings": press("1") * 1001}, "longer than calls are"),
        ({"happenings": [{"at": 0, "event": "Digit", "key": "<script>"}]}, "nobody can do that"),
        (
            {"happenings": [{"at": 0, "event": "CallArrived", "caller": "", "destination": {"kind": "ivr"}}]},
            "nobody",
        ),
        ({"happenings": [{"at": 0, "event": "Sneezed"}]}, "unknown event"),
        ({"happenings": [{"at": 0, "event": "Digit"}]}, "key"),
        ({"happenings": "all"}, "Expected `array`"),
        ({"world": {"1000": "asleep"}}, "asleep"),
        ({"world": {"mailboxes": 3}}, ""),
        ({"world": {"talk": 1e300}}, "talk"),
        ({"caller": "2" * 41}, "too long"),
        ({"caller": "2\n0"}, "no number has"),
        ({"revision": 99}, "have changed since"),
        ({"revision": "1"}, "Expected `int`"),
    ],
)
def test_what_is_no_call_is_refused(admin: Admin, sent: dict[str, Any], problem: str) -> None:
    answer = step(admin, **sent)
    assert answer.status == 409
    assert problem in answer.json()["problem"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"null", b'{"happenings": [' + b"[" * 100_000])
def test_what_is_no_json_is_refused(admin: Admin, body: bytes) -> None:
    headers = {"Content-Type": "application/json", "X-CSRF-Token": admin.csrf}
    assert admin.send("POST", "/menus/3/call", body, headers).status == 409


def test_a_giant_is_refused(admin: Admin) -> None:
    assert step(admin, caller="x" * 2_200_000).status == 413


def test_only_the_signed_in_may_call_and_only_from_a_page(server: Running, admin: Admin) -> None:
    stranger = Admin(server)
    assert step(stranger).status == 303
    assert stranger.get("/sounds/goodbye").status == 303
    assert stranger.get("/menus/3/tests").status == 303
    stranger.close()
    headers = {"Content-Type": "application/json"}
    assert admin.send("POST", "/menus/3/call", b"{}", headers).status == 403
    forged = headers | {"X-CSRF-Token": admin.csrf, "Origin": "http://elsewhere.example"}
    assert admin.send("POST", "/menus/3/call", b"{}", forged).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/menus/77/try",
        "/menus/77/tests",
        "/menus/3/tests/77",
        "/sounds/none",
        "/sounds/../x",
        "/menus/99999999999999999999/tests/1",
        "/sounds/%00",
        "/menus/3/tests/99999999999999999999",
    ],
)
def test_what_is_not_there(admin: Admin, path: str) -> None:
    assert admin.get(path).status == 404


def test_a_call_goes_on_after_a_change_and_a_new_one_sees_it(admin: Admin, api: Api) -> None:
    before = step(admin).json()
    api.post("ivr/update", {"id": NAVIGATOR, "resp_timeout": 9})
    kept = step(admin, revision=before["revision"], happenings=[{"at": 1, **before["play"]["event"]}]).json()
    new = step(admin, happenings=[{"at": 1, **before["play"]["event"]}]).json()
    assert (kept["lines"][-1]["text"], new["lines"][-1]["text"]) == ("5 s", "9 s")
    api.post("ivr/update", {"id": NAVIGATOR, "resp_timeout": 5})


def test_changes_are_tried_before_they_are_saved(admin: Admin, api: Api) -> None:
    names = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
    page = admin.get(f"/menus/{NAVIGATOR}").content.decode()
    form = [(name, html.unescape(value)) for name, value in names.findall(page) if name != "csrf"]
    as_it_is = step(admin, draft=urlencode(form), happenings=press("1#")).json()
    assert as_it_is["lines"][-2]["text"] == "extension 1000"
    changed = [(name, "1001" if name == "press1_dest_target" else value) for name, value in form]
    assert changed != form
    tried = step(admin, draft=urlencode(changed), happenings=press("1#")).json()
    assert tried["lines"][-2]["text"] == "extension 1001"
    assert tried["keys"]["1"]["name"] == "Grace Hopper"
    assert step(admin, happenings=press("1#")).json()["lines"][-2]["text"] == "extension 1000"
    broken = [(name, "x" if name == "resp_timeout" else value) for name, value in form]
    assert "fix the marked problems" in step(admin, draft=urlencode(broken)).json()["problem"]
    assert step(admin, draft="a&" * 60_000).status == 409


def test_a_prompt_sounds_as_on_the_telephone(server: Running, admin: Admin) -> None:
    wav = convert(sound(), "wav")
    database = Database(f"sqlite:///{server.data / 'openivr.db'}")
    with database.changing() as change:
        prompts.save(change, "opening hours & more.wav", sound(), wav)
    database.close()
    answer = admin.get("/sounds/opening%20hours%20%26%20more.wav")
    assert (answer.content, answer.headers["content-type"]) == (wav.wav, "audio/wav")


def test_a_player_may_ask_for_a_part_of_a_sound(admin: Admin) -> None:
    answer = admin.get("/sounds/goodbye", Range="bytes=10-19")
    assert (answer.status, answer.content) == (206, sounds.read("goodbye")[10:20])


def run(admin: Admin, **fields: str) -> str:
    answer = admin.post("/menus/3/try", fields)
    assert answer.status == 200, answer
    return answer.content.decode()


def test_without_script_keys_are_played_through(admin: Admin) -> None:
    page = admin.get("/menus/3/try").content.decode()
    assert 'name="keys"' in page
    assert "outside line Provider" in page
    text = run(admin, keys="w1 1#", **{"from": "2000", "name0": "1000", "party0": "busy"})
    assert '<b>Not reached</b> <span class="what">busy</span>' in text
    assert '<option value="busy" selected>' in text
    assert 'value="w1 1#"' in text
    other = run(admin, keys="1001", other="1001", other_outcome="declined")
    assert '<span class="what">declined</span>' in other


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"keys": "jump"}, "&#39;jump&#39; is neither keys"),
        ({"keys": "<script>"}, "&lt;script&gt;"),
        ({"keys": "1", "from": "2" * 50}, "too long"),
        ({"keys": "1", "other": "1001", "other_outcome": "asleep"}, "asleep"),
    ],
)
def test_wrong_fields_are_explained(admin: Admin, fields: dict[str, str], problem: str) -> None:
    answer = admin.post("/menus/3/try", fields)
    assert answer.status == 422
    assert problem in answer.content.decode()


def test_hostile_names_stay_text(admin: Admin, api: Api) -> None:
    name = "<script>alert(1)</script>'\"{{7*7}}"
    api.post("ivr/update", {"id": 2, "name": name})
    for path in ("/menus/2/try", "/menus/2/tests"):
        text = admin.get(path).content.decode()
        assert "<script>alert" not in text
        assert "{{7*7}}" in text
    assert step(admin, menu=2).json()["menu"] == f"6203 {name}"
