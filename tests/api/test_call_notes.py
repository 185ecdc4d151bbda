"""Notes of calls over the API and in the web admin."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from openivr.store.cdr import call_remarks, call_writer
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.routing_stages import make_uid, number_call
from tests.api.past_calls import inbound_call, outbound_call, store
from tests.live_server import Api, Running, start

LIVE = CallRecord("19c5a000000-00abcdef", node="test", started=1_770_000_000_500)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("notes"))
    store(running, inbound_call(), outbound_call())
    with running.database() as database, database.writing() as connection:
        call_writer.write_calls(connection, [LIVE], ())
    yield running
    running.stop()


@pytest.fixture(scope="module")
def uid(server: Running) -> str:
    """The id of the inbound call, which has three stages."""
    api = server.log_in()
    found: str = api.get("cdr/search", call_from="0599123456")["data"][0]["uid"]
    api.close()
    return found


def note(api: Api, id_: str, **fields: Any) -> dict[str, Any]:
    return api.post("callnotes/update", {"id": id_, "update_entry": "cdr"} | fields)


def test_a_call_has_one_note_with_its_history(api: Api, uid: str) -> None:
    success = {"errcode": 0, "errmsg": "SUCCESS"}
    assert api.get("callnotes/get", id=uid) == success | {"history": [], "current": {}}
    row = api.get("cdr/search", call_from="0599123456")["data"][0]
    assert note(api, uid, remark="  Wants a quote ") == success
    assert note(api, uid, remark="Has a quote", group_id=row["call_id"], update_entry="in-call") == success
    answer = api.get("callnotes/get", id=uid, group_id=row["call_id"])
    assert [(one["remark"], one["update_entry"]) for one in (answer["current"], *answer["history"])] == [
        ("Has a quote", "in_call"),
        ("Wants a quote", "cdr"),
    ]
    assert list(answer["current"]) == [
        *("id", "group_id", "disposition_code_list", "remark", "agent_name"),
        *("registration_time", "update_entry"),
    ]
    assert abs(answer["current"]["registration_time"] - time.time()) < 600
    assert note(api, uid, remark="Has a quote") == success
    assert len(api.get("callnotes/get", id=uid)["history"]) == 1
    detail = api.checked(api.send("GET", api.target("cdr/detail", {"uid": uid}).replace("/v1.0/", "/v2.0/")))
    assert detail["data"]["call_notes"] == {"remark": "Has a quote", "disposition_code_list": []}


def test_calls_are_found_by_their_note(api: Api, uid: str) -> None:
    note(api, uid, remark="Rückruf am Montag")
    rows = api.get("cdr/search", call_note_remark="ruf am")["data"]
    assert len(rows) > 1
    assert {row["uid"] for row in rows} == {uid}
    assert api.get("cdr/search", call_note_remark="quote")["total_number"] == 0  # an earlier note
    assert api.get("cdr/search", call_note_remark="%")["total_number"] == 0
    note(api, uid, remark="")
    assert api.get("cdr/search", call_note_remark="Montag")["total_number"] == 0


def test_a_call_under_way_has_a_note(api: Api) -> None:
    uid = make_uid(LIVE.id, LIVE.started, time.localtime)
    assert note(api, uid, remark="Angry", update_entry="in_call")["errcode"] == 0
    current = api.get("callnotes/get", id=uid)["current"]
    assert current["remark"] == "Angry"
    assert current["group_id"] == number_call(LIVE.id, LIVE.started // 1000)


def test_a_note_ends_with_its_call(server: Running) -> None:
    record, _ = outbound_call()
    with server.database() as database, database.writing() as connection:
        remark = call_remarks.CallRemark("Busy", "cdr", "", 1)
        call_remarks.add_remark(connection, record.id, remark)
        assert call_remarks.list_remarks(connection, record.id) == [remark]
        call_writer.delete_calls(connection, [record.id])
        assert call_remarks.list_remarks(connection, record.id) == []


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"id": None}, 40002, "id"),
        ({"id": 7}, 40002, "id"),
        ({"id": "20260101000000000ABCDEF01"}, 60001, ""),
        ({"group_id": "1.1"}, 60001, ""),
        ({"update_entry": None}, 40002, "update_entry"),
        ({"update_entry": "queue_agent"}, 40002, "update_entry"),
        ({"update_entry": "later"}, 40002, "update_entry"),
        ({"disposition_code_ids": "22,25"}, 40002, "disposition_code_ids"),
        ({"remark": 7}, 40002, "remark"),
        ({"remark": "x" * 1001}, 40002, "remark"),
        ({"remark": "a\u202eb"}, 40002, "remark"),
    ],
    ids=str,
)
def test_bad_notes_change_nothing(api: Api, uid: str, fields: dict[str, Any], code: int, field: str) -> None:
    before = api.get("callnotes/get", id=uid)
    answer = api.post("callnotes/update", {"id": uid, "update_entry": "cdr", "remark": "x"} | fields)
    assert answer["errcode"] == code
    assert [one["field"] for one in answer.get("invalid_param_list", ())] == ([field] if field else [])
    assert api.get("callnotes/get", id=uid) == before


def test_bad_queries_of_notes(api: Api, uid: str) -> None:
    assert api.get("callnotes/get")["invalid_param_list"] == [{"field": "id", "validation_type": "required"}]
    for query in ({"id": "x"}, {"id": uid, "group_id": "1.1"}):
        assert api.get("callnotes/get", **query)["errcode"] == 60001
