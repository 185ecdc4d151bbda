"""Call detail records over the API, as programs for a P-Series ask for them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter
from openivr.store.config import resources
from tests.api.past_calls import START, inbound_call, internal_call, outbound_call, store
from tests.live_server import AGENT, Api, Running, start

SECOND = START // 1000
CALL_ID = f"{SECOND}.43981"
V2 = "../v2.0/cdr/"


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A client of a server that shows times in the default format, and has had three calls."""
    server = start(tmp_path_factory.mktemp("cdr"))
    store(server, inbound_call(), outbound_call(), internal_call())
    api = server.log_in()
    yield api
    api.close()
    server.stop()


@pytest.fixture(scope="module")
def formatted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The same with the display format of the system that a dashboard was tried with."""
    options = ("--date-format", "DD/MM/YYYY", "--time-format", "hh:mm:ss AM")
    server = start(tmp_path_factory.mktemp("dashboard"), *options)
    store(server, inbound_call(), outbound_call(), internal_call())
    yield server
    server.stop()


@pytest.fixture(scope="module")
def dashboard(formatted: Running) -> Iterator[Api]:
    """A client of that server, which has a group of callers."""
    api = formatted.log_in()
    members = [{"value": "2", "type": "extension"}]
    assert api.post("extension_group/create", {"name": "Callers", "member_list": members})["id"] == 2
    yield api
    api.close()


def get(api: Api, path: str, **query: Any) -> dict[str, Any]:
    """Ask either version: `path` has it in front where it is v2.0."""
    target = api.target("", query).replace("/v1.0/", f"/{path}") if path.startswith("v2.0/") else ""
    return api.checked(api.send("GET", target, headers=AGENT)) if target else api.get(path, **query)


def test_rows_have_the_shape_that_a_live_system_sends(dashboard: Api) -> None:
    answer = dashboard.get("cdr/list")
    assert answer["total_number"] == 6
    uid = answer["data"][0]["uid"]
    assert uid == "20260630213717" + "0FA" + "0000ABCD"
    assert answer["data"][0] == {
        "id": 1,
        "time": "30/06/2026 09:37:17 PM",
        "call_from": "0599123456",
        "call_to": "IVR VoiceMenu Navigator<6200>",
        "timestamp": SECOND,
        "uid": uid,
        "src_trunk": "Provider",
        "duration": 13,
        "talk_duration": 13,
        "disposition": "ANSWERED",
        "call_type": "Inbound",
        "did_number": "+441632960000",
        "call_from_number": "0599123456",
        "call_to_number": "6200",
        "call_to_name": "VoiceMenu Navigator",
        "call_id": CALL_ID,
        "did": "+441632960000",
        "new_id": f"{SECOND:08X}-00000001",
        "pin_code": "",
    }
    shown = [
        (row["call_to"], row["timestamp"] - SECOND, row.get("ring_duration"), row.get("talk_duration"))
        for row in answer["data"]
    ]
    assert shown == [
        ("IVR VoiceMenu Navigator<6200>", 0, None, 13),
        ("IVR Virtual Receptionist<6201>", 13, None, 7),
        ("Ring Group Support<6300>", 20, 6, 60),
        ("Grace Hopper<1001>", 22, 4, 60),
        ("902079460000", 3600, 4, None),
        ("Grace Hopper<1001>", 7200, 9, None),
    ]
    assert {row["uid"] for row in answer["data"][:4]} == {uid}
    assert {row["call_id"] for row in answer["data"][:4]} == {CALL_ID}
    assert [row.get("record_file") for row in answer["data"]] == [
        *(None, None, None),
        f"20260630213717-{CALL_ID}-0599123456-1001-Inbound.wav",
        *(None, None),
    ]
    busy, missed = answer["data"][4:]
    assert (busy["disposition"], busy["call_type"]) == ("BUSY", "Outbound")
    assert (busy["call_from"], busy["dst_trunk"]) == ("Ada Byron<1000>", "Provider")
    assert "did_number" not in busy
    assert (missed["disposition"], missed["call_type"]) == ("NO ANSWER", "Internal")


def test_the_display_format_is_the_one_that_the_system_reports(dashboard: Api, calls: Api) -> None:
    data = dashboard.get("system/information")["data"]
    assert (data["system_date_format"], data["system_time_format"]) == ("DD/MM/YYYY", "hh:mm:ss AM")
    assert data["system_time"][-2:] in ("AM", "PM")
    assert calls.get("cdr/list")["data"][0]["time"] == "2026/06/30 21:37:17"


HOUR_LATER = SECOND + 3600
FILTERS: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "1 2 3 4 5 6"),
    ({"start_time": HOUR_LATER}, "5 6"),
    ({"start_time": SECOND + 1, "end_time": HOUR_LATER}, "2 3 4 5"),
    ({"start_time": "30/06/2026 10:37:17 PM"}, "5 6"),
    ({"start_time": "30/06/2026 22:37:17"}, "5 6"),
    ({"start_time": "2026/06/30 10:37:17 PM"}, "5 6"),
    ({"start_time": "2026-06-30 22:37:17", "end_time": "2026-06-30 22:37:17"}, "5"),
    ({"call_from": "1000"}, "5 6"),
    ({"call_from": "Ada Byron<1000>"}, "5 6"),
    ({"call_from": "100"}, ""),
    ({"call_from": "100", "enable_fuzzy_search": 1}, "5 6"),
    ({"call_from": "9912", "enable_fuzzy_search": 1}, "1 2 3 4"),
    ({"call_from": "100", "enable_fuzzy_search": 0}, ""),
    ({"call_to": "1001"}, "4 6"),
    ({"call_to": "1001", "status": "ANSWERED"}, "4"),
    ({"status": "BUSY"}, "5"),
    ({"status": "VOICEMAIL"}, ""),
    ({"did": "+441632960000:Provider"}, "1 2 3 4"),
    ({"did": "+441632960000:Other"}, ""),
    ({"did": "+441632960000"}, "1 2 3 4"),
    ({"extension_group": 2}, "4 6"),
    ({"from": "new"}, "1 2 3 4 5 6"),
    ({"from": "legacy"}, ""),
    ({"pin_code": "1"}, ""),
    ({"disposition_code_list": "1,2"}, ""),
    ({"call_note_remark": "x"}, ""),
    ({"start_time": "", "call_from": "", "page": "", "page_size": ""}, "1 2 3 4 5 6"),
)


@pytest.mark.parametrize(("query", "expected"), FILTERS, ids=str)
def test_filters(dashboard: Api, query: dict[str, Any], expected: str) -> None:
    for path in ("cdr/search", "cdr/list"):
        answer = dashboard.get(path, **query)
        assert " ".join(str(row["id"]) for row in answer["data"]) == expected
        assert answer["total_number"] == len(answer["data"])


def test_the_web_lists_the_calls_of_these_rows(dashboard: Api, formatted: Running) -> None:
    with formatted.database() as database, database.reading() as connection:
        members = resources.list_members(connection, 2)
        for query, wanted in (
            ({"did": "+441632960000:Provider"}, CallFilter(did="+441632960000", trunk="Provider")),
            ({"did": "+441632960000"}, CallFilter(did="+441632960000")),
            ({"did": "+441632960001"}, CallFilter(did="+441632960001")),
            ({"extension_group": 2}, CallFilter(extensions=members)),
        ):
            calls = {row["uid"] for row in dashboard.get("cdr/search", **query)["data"]}
            assert call_records.list_calls(connection, wanted)[0] == len(calls)


SORTS = {
    **{"id": "1 2 3 4 5 6", "uid": "1 2 3 4 5 6", "time": "1 2 3 4 5 6"},
    **{"duration": "5 2 6 1 4 3", "ring_duration": "1 2 4 5 3 6", "talk_duration": "5 6 2 1 3 4"},
    **{"disposition": "1 2 3 4 5 6", "call_type": "1 2 3 4 6 5", "src_trunk": "5 6 1 2 3 4"},
    **{"dst_trunk": "1 2 3 4 6 5", "did_number": "5 6 1 2 3 4", "src_addr": "1 2 3 4 5 6"},
}


@pytest.mark.parametrize(("sort", "expected"), SORTS.items())
def test_orders_and_pages(calls: Api, sort: str, expected: str) -> None:
    rows = calls.get("cdr/list", sort_by=sort, order_by="asc")["data"]
    assert " ".join(str(row["id"]) for row in rows) == expected
    assert calls.get("cdr/list", sort_by=sort, order_by="desc")["data"] == rows[::-1]
    for page in range(1, 5):
        answer = calls.get("cdr/list", sort_by=sort, page=page, page_size=2)
        assert (answer["total_number"], answer["data"]) == (6, rows[2 * page - 2 : 2 * page])


BAD: tuple[tuple[str, str], ...] = (
    *(("page=0", "page"), ("page=x", "page"), ("page_size=10001", "page_size"), ("sort_by=name", "sort_by")),
    *(("order_by=up", "order_by"), ("status=answered", "status"), ("start_time=yesterday", "start_time")),
    *(("end_time=30/06/2026", "end_time"), ("start_time=31/06/2026%2010:00:00", "start_time")),
    *(("start_time=99999999999999", "start_time"), ("extension_group=x", "extension_group")),
    *(("extension_group=99", "extension_group"), ("enable_fuzzy_search=2", "enable_fuzzy_search")),
    *(
        ("call_from=" + "1" * 200, "call_from"),
        ("call_from=1&call_from=2", "call_from"),
        ("from=old", "from"),
    ),
    *(("call_to=%00", "call_to"), ("did=" + "1" * 200, "did")),
)


@pytest.mark.parametrize(("query", "field"), BAD)
def test_bad_input_is_refused_with_its_field(calls: Api, query: str, field: str) -> None:
    answer = calls.query("cdr/search", query)
    assert (answer["errcode"], answer["errmsg"]) == (40002, "PARAMETER ERROR")
    assert answer["invalid_param_list"][0]["field"] == field


def test_calls_as_a_whole(calls: Api) -> None:
    answer = get(calls, "v2.0/cdr/list")
    assert answer["total_number"] == 3
    assert answer["data"][0] == {
        "id": 1,
        "uid": "202606302137170FA0000ABCD",
        "time": "2026/06/30 21:37:17",
        "call_type": "Inbound",
        "call_from": "0599123456",
        "call_from_name": "",
        "call_from_number": "0599123456",
        "call_to": "Grace Hopper<1001>",
        "call_to_name": "Grace Hopper",
        "call_to_number": "1001",
        "last_status": "ANSWERED",
        "call_duration": 86,
        "routing_duration": 26,
        "handling_duration": 60,
        "queues": [],
    }
    assert [row["last_status"] for row in answer["data"]] == ["ANSWERED", "BUSY", "ABANDONED"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"time_begin": "2026/06/30 22:00:00"}, "2 3"),
        ({"time_begin": SECOND + 3601, "time_end": SECOND + 7200}, "3"),
        ({"call_from": "1000", "call_to": "1001"}, "3"),
        ({"last_status": "BUSY"}, "2"),
        ({"routing_duration": 9}, "1 3"),
        ({"queue_list": "6400"}, ""),
        ({"sort_by": "handling_duration", "order_by": "desc", "page": 1, "page_size": 1}, "1"),
    ],
    ids=str,
)
def test_search_of_whole_calls(calls: Api, query: dict[str, Any], expected: str) -> None:
    answer = get(calls, "v2.0/cdr/search", **query)
    assert " ".join(str(row["id"]) for row in answer["data"]) == expected


def test_conditions_that_no_record_answers_are_refused(calls: Api) -> None:
    for name in ("segments", "disconnected_by"):
        answer = get(calls, "v2.0/cdr/search", **{name: "x"})
        assert answer["errcode"] == 40002
        assert answer["invalid_param_list"][0]["field"] == name


def test_one_call_with_its_stages(calls: Api) -> None:
    uid = calls.get("cdr/list")["data"][0]["uid"]
    data = get(calls, "v2.0/cdr/detail", uid=uid)["data"]
    assert data["basic"]["uid"] == uid
    assert [(stage["leg"], stage["call_to"], stage["call_duration"]) for stage in data["timeline"]] == [
        (1, "IVR VoiceMenu Navigator<6200>", 13),
        (2, "IVR Virtual Receptionist<6201>", 7),
        (3, "Ring Group Support<6300>", 66),
        (4, "Grace Hopper<1001>", 64),
    ]
    missing = get(calls, "v2.0/cdr/detail")
    assert missing["invalid_param_list"] == [{"field": "uid", "validation_type": "required"}]
    assert get(calls, "v2.0/cdr/detail", uid="2026")["errcode"] == 60001


@pytest.mark.parametrize("path", ["system/information", "queue/list", "ivr/list", "cdr", "cdr/download"])
def test_there_is_nothing_else_in_v2(calls: Api, path: str) -> None:
    assert get(calls, f"v2.0/{path}") == {"errcode": 10001, "errmsg": "INTERFACE NOT EXISTED"}


def test_a_call_is_listed_as_soon_as_its_record_is_stored(tmp_path: Path) -> None:
    server = start(tmp_path)
    api = server.log_in()
    assert api.get("cdr/list")["total_number"] == 0
    for number in range(1, 4):
        store(server, internal_call(number))
        assert api.get("cdr/list", sort_by="duration")["total_number"] == number
        assert get(api, "v2.0/cdr/list")["total_number"] == number
    api.close()
    server.stop()


def test_what_the_seven_programs_ask(dashboard: Api, calls: Api) -> None:
    """Requests as public programs send them, with the answers that they read."""
    pages = dashboard.get("cdr/list", page=1, page_size=100, sort_by="time", order_by="desc")
    assert [row["timestamp"] for row in pages["data"]] == sorted(
        (row["timestamp"] for row in pages["data"]), reverse=True
    )
    # A CRM reads pages from the last one backwards, as the oldest come first.
    last = -(-calls.get("cdr/list", page=1, page_size=1)["total_number"] // 4)
    assert [row["id"] for row in calls.get("cdr/list", page=last, page_size=4)["data"]] == [5, 6]
    # An archive asks for a day in the display format of its PBX.
    day = {"start_time": "30/06/2026 12:00:00 AM", "end_time": "30/06/2026 11:59:59 PM"}
    archived = dashboard.get("cdr/search", **day, page=1, page_size=1000)
    assert archived["total_number"] == 6
    assert all({"uid", "call_id", "time", "disposition"} <= set(row) for row in archived["data"])
    # A dashboard asks in Unix seconds, a server for models in ISO form; a workflow sends empty fields.
    assert calls.get("cdr/search", start_time=SECOND, end_time=SECOND + 86_400)["total_number"] == 6
    iso = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(SECOND))
    assert calls.get("cdr/search", start_time=iso, page=1, page_size=20)["total_number"] == 6
    assert calls.query("cdr/search", "start_time=&end_time=&call_from=&page=&status=")["total_number"] == 6
