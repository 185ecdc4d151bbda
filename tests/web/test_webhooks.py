"""`webhook/query` and `webhook/update`, and the same webhooks in the web admin and in a file."""

import re
from typing import Any

import pytest

from openivr.resources.webhook import WEBHOOK
from openivr.store.config import resources
from openivr.store.events import webhook_queue
from openivr.store.events.event_types import EventType
from openivr.store.events.webhook_queue import BatchResults, Delivery
from openivr.web.messages import has_text
from tests.live_server import Api, Running
from tests.web.site import Admin, where

LIST, TIMEOUT, RETRIES = (f"webhook_event_push_{name}" for name in ("list", "timeout", "retry_count"))
SUCCESS = {"errcode": 0, "errmsg": "SUCCESS"}
SECRET = "kZ8sW2qA7tY4uB1nkZ8sW2qA7tY4uB1n"
ENTRY = {
    "url": "https://crm.example.com/yeastar?key=7",
    "secret": SECRET,
    "request_method": "POST",
    "event_ids": [30012, 30011],
}
SHOWN = ENTRY | {"secret": "****", "event_ids": [30011, 30012], "name": "crm.example.com", "enable": 1}


@pytest.fixture(autouse=True)
def none_before(api: Api) -> None:
    assert api.post("webhook/update", {LIST: [], TIMEOUT: 5, RETRIES: 3}) == SUCCESS


def query(api: Api) -> dict[str, Any]:
    answer = api.get("webhook/query")
    assert answer.items() >= SUCCESS.items()
    found: dict[str, Any] = answer["data"]
    return found


def secrets(server: Running) -> dict[str, str]:
    with server.database() as database, database.reading() as connection:
        return {values["url"]: values["secret"] for _, values in resources.fetch_all(connection, WEBHOOK)}


def ids(server: Running) -> dict[str, int]:
    with server.database() as database, database.reading() as connection:
        return {values["url"]: id_ for id_, values in resources.fetch_all(connection, WEBHOOK)}


def test_what_the_page_documents_is_stored_and_read_back(api: Api, server: Running) -> None:
    assert query(api) == {LIST: [], TIMEOUT: 5, RETRIES: 3}
    assert api.post("webhook/update", {LIST: [ENTRY], TIMEOUT: 10, RETRIES: 1}) == SUCCESS
    assert query(api) == {LIST: [SHOWN], TIMEOUT: 10, RETRIES: 1}
    assert secrets(server) == {ENTRY["url"]: SECRET}


def test_a_program_that_sends_back_what_it_has_read_changes_nothing(api: Api, server: Running) -> None:
    other = ENTRY | {"url": "https://crm.example.com/other", "secret": "other", "request_method": "GET"}
    api.post("webhook/update", {LIST: [ENTRY, other]})
    read, before = query(api), ids(server)
    assert [each["name"] for each in read[LIST]] == ["crm.example.com", "crm.example.com 2"]
    revision = api.get("system/information")
    assert api.post("webhook/update", read) == SUCCESS
    assert (query(api), ids(server)) == (read, before)
    assert secrets(server) == {ENTRY["url"]: SECRET, other["url"]: "other"}
    assert api.get("system/information").keys() == revision.keys()


def test_an_address_keeps_its_webhook_and_a_new_address_with_the_mask_keeps_the_secret(
    api: Api, server: Running
) -> None:
    api.post("webhook/update", {LIST: [ENTRY]})
    [id_] = ids(server).values()
    api.post("webhook/update", {LIST: [ENTRY | {"event_ids": ["30017"], "secret": "new one"}]})
    assert ids(server) == {ENTRY["url"]: id_}
    assert secrets(server) == {ENTRY["url"]: "new one"}
    moved = SHOWN | {"url": "https://crm.example.com/moved"}
    assert api.post("webhook/update", {LIST: [moved]}) == SUCCESS
    assert secrets(server) == {moved["url"]: "new one"}
    added = {name: value for name, value in moved.items() if name != "name"} | {"url": "https://a.example/"}
    answer = api.post("webhook/update", {LIST: [moved, added]})
    assert answer["errcode"] == 40002, "a mask without a secret behind it"
    assert api.post("webhook/update", {RETRIES: 5}) == SUCCESS
    assert (len(query(api)[LIST]), query(api)[RETRIES]) == (1, 5)
    assert api.post("webhook/update", {LIST: []}) == SUCCESS
    assert ids(server) == {}


BAD_FIELDS: list[dict[str, Any]] = [
    {"url": ""},
    {"url": "ftp://crm.example.com/"},
    {"url": "https://"},
    {"url": "https://user:word@crm.example.com/"},
    {"url": "https://crm.example.com/#part"},
    {"url": "https://crm.example.com:0/"},
    {"url": "https://crm.example.com:65536/"},
    {"url": "https://crm.example.com/a b"},
    {"url": "https://crm.example.com/\r\nX: y"},
    {"url": "https://[::1/"},
    {"url": "https://" + "a" * 2000},
    {"url": 7},
    {"secret": ""},
    {"secret": "x" * 128},
    {"secret": None},
    {"request_method": "PUT"},
    {"event_ids": []},
    {"event_ids": 30011},
    {"event_ids": [30011, 1]},
    {"event_ids": [True]},
    {"event_ids": ["x"]},
    {"name": ""},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({TIMEOUT: 2}, TIMEOUT),
    ({TIMEOUT: 11}, TIMEOUT),
    ({RETRIES: 0}, RETRIES),
    ({RETRIES: 6}, RETRIES),
    ({RETRIES: "many"}, RETRIES),
    ({LIST: {}}, LIST),
    ({LIST: ["x"]}, LIST),
    ({LIST: [ENTRY] * 51}, LIST),
    *(({LIST: [ENTRY, {**ENTRY, "name": "other"} | fields]}, LIST) for fields in BAD_FIELDS),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_a_bad_body_is_refused_whole(api: Api, server: Running, body: dict[str, Any], field: str) -> None:
    before = query(api)
    answer = api.post("webhook/update", body)
    assert answer["errcode"] == 40002
    assert {each["field"] for each in answer["invalid_param_list"]} == {field}
    assert SECRET not in str(answer)
    assert query(api) == before
    assert ids(server) == {}


def test_a_name_is_that_of_one_webhook(api: Api, server: Running) -> None:
    twice = [ENTRY | {"name": "CRM"}, ENTRY | {"url": "https://b.example/", "name": "CRM"}]
    assert api.post("webhook/update", {LIST: twice})["errcode"] == 40003
    assert ids(server) == {}


def test_other_endpoints_of_objects_do_not_exist(api: Api) -> None:
    assert api.get("webhook/list")["errcode"] == 10001
    assert api.post("webhook/create", ENTRY)["errcode"] == 10001


# The web admin


def test_the_form_makes_a_webhook_and_never_shows_its_secret(admin: Admin, api: Api) -> None:
    form = {
        "name": "CRM",
        "enable": "1",
        "url": ENTRY["url"],
        "secret": SECRET,
        "request_method": "GET",
        "timeout": "7",
        "retry_count": "",
    }
    events = [("event_ids", "30011"), ("event_ids", "90001")]
    answer = admin.post("/settings/webhooks/new", [*form.items(), *events])
    assert answer.status == 303, answer.content.decode()
    [shown] = query(api)[LIST]
    assert (shown["name"], shown["request_method"], shown["event_ids"]) == ("CRM", "GET", [30011, 90001])
    assert (query(api)[TIMEOUT], query(api)[RETRIES]) == (7, 3)
    page = admin.get(where(answer)).content.decode()
    assert SECRET not in page
    assert "Nothing has been sent yet." in page
    assert re.findall(r'name="event_ids" value="(\d+)" checked', page) == ["30011", "90001"]
    assert "CRM" in admin.get("/settings/webhooks").content.decode()
    bad = [("url", "crm.example.com"), *((name, value) for name, value in form.items() if name != "url")]
    refused = admin.post("/settings/webhooks/new", bad)
    assert refused.status == 422
    assert "Address must look like https://crm.example.com/calls." in refused.content.decode()
    assert "Sent when is required." in refused.content.decode()


def test_what_was_given_up_is_listed_sent_again_and_deleted(admin: Admin, api: Api, server: Running) -> None:
    api.post("webhook/update", {LIST: [ENTRY | {"enable": 0}]})  # the server's own process stays out of it
    [id_] = ids(server).values()
    dead = [
        Delivery(number, 30012, "a", "{}", 0, attempts=34, is_dead=True, failure="answer 500")
        for number in (7, 8, 9)
    ]
    with server.database() as database, database.writing() as connection:
        for each in dead:
            webhook_queue.insert_delivery(connection, id_, each)
        rows = [each.id for each in webhook_queue.list_dead(connection, id_, 9)]
    path = f"/settings/webhooks/{id_}/undelivered"
    page = admin.get(path).content.decode()
    assert page.count("a call ends, with its details") == 3
    assert "34 attempts · the program answered 500" in page
    assert admin.post(path, [("delivery", str(rows[0])), ("do", "again")]).status == 303
    assert admin.post(path, [("delivery", str(rows[1])), ("do", "delete")]).status == 303
    assert admin.post(path, [("delivery", "x"), ("do", "delete")]).status == 303
    assert admin.get(path).content.decode().count("a call ends, with its details") == 1
    assert admin.post(path, [("do", "delete")]).status == 303
    assert "Nothing was given up." in admin.get(path).content.decode()
    assert admin.get("/settings/webhooks/999/undelivered").status == 404


def test_every_event_has_a_name_in_the_form() -> None:
    assert all(has_text(f"event.{int(event)}") for event in EventType)


def test_results_of_a_deleted_webhook_are_dropped(server: Running) -> None:
    with server.database() as database, database.writing() as connection:
        assert not webhook_queue.save(connection, 999, "us/1", BatchResults(1))
