"""Reports over the API: their shapes, and that their numbers are those of the records."""

import csv
import io
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import takewhile
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr import call_writer, reports
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.cdr.reports import Span
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.store.tables import CALL, CDR_CALL, CDR_ROW, CDR_STATE
from openivr.web.reports import menus
from openivr.web.reports.period import make_period, server_clock
from openivr.web.reports.table import ReportFacts
from tests.api.past_calls import START, inbound_call, internal_call, outbound_call, store
from tests.call_history import keep_past, make_call, make_past
from tests.effort import scale
from tests.live_server import Answer, Api, Running, start

SECOND = START // 1000
PERIOD = {"start_time": "2026/06/30 12:00:00 AM", "end_time": "2026/07/01 11:59:59 PM"}
HISTORY = {"start_time": "2025/01/01 12:00:00 AM", "end_time": "2025/12/31 11:59:59 PM"}
FIRST = datetime(2025, 3, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with three calls of one evening, and two weeks of calls a year before."""
    running = start(tmp_path_factory.mktemp("reports"))
    missed = internal_call(
        9, 3, caller="0700900123", called="+441632960000", source_kind="trunk", source="Provider"
    )
    again = internal_call(
        10, 4, caller="0700900999", called="+441632960000", source_kind="trunk", source="Provider"
    )
    back = internal_call(11, 5, called="90700900999", outcome="connected")
    store(running, inbound_call(), outbound_call(), internal_call(), missed, again, to_outside(back))
    with running.database() as database:
        with database.reading() as connection:
            snapshot = load_snapshot(connection)
        keep_past(database, make_past(snapshot, "6200", FIRST, 14, 60))
    yield running
    running.stop()


def to_outside(call: Any) -> Any:
    """The same call to an outside number."""
    record, _ = call
    _, notes = outbound_call()
    return record, notes[:1]


def test_keys_pressed_in_menus(api: Api) -> None:
    answer = api.get("call_report/list", type="ivr", ivr_id_list="3,4,99", **PERIOD)
    assert answer["total_number"] == 2
    first, second = answer["ivr_list"]
    names = [*(f"press_{digit}" for digit in range(10)), "press_star", "press_hash"]
    assert list(first) == ["ivr_name", "ivr_num", "press_count"]
    assert list(first["press_count"]) == [*names, "press_invalid", "press_timeout"]
    assert (first["ivr_name"], first["ivr_num"]) == ("VoiceMenu Navigator", "6200")
    assert {name: count for name, count in first["press_count"].items() if count} == {"press_1": 1}
    assert {name: count for name, count in second["press_count"].items() if count} == {"press_3": 1}


def test_the_numbers_are_those_of_the_web(api: Api, server: Running) -> None:
    since, until = (int(datetime(year, 1, 1).timestamp() * 1000) for year in (2025, 2026))
    with server.database() as database, database.reading() as connection:
        acts = reports.count_acts(connection, Span(since, until))
    expected: Counter[tuple[int, str]] = Counter()
    for act in acts:
        if act.topic == "chose" and len(act.input) == 1:
            expected[act.menu, {"*": "star", "#": "hash"}.get(act.input, act.input)] += act.count
        elif act.topic in ("invalid", "timed_out"):
            expected[act.menu, {"invalid": "invalid", "timed_out": "timeout"}[act.topic]] += act.count
    answer = api.get("call_report/list", type="ivr", ivr_id_list="1,2,3,4", **HISTORY)
    found = {
        (id_, name.removeprefix("press_")): count
        for id_, row in zip((1, 2, 3, 4), answer["ivr_list"], strict=True)
        for name, count in row["press_count"].items()
        if count
    }
    assert found == dict(expected)
    assert sum(found.values()) > 300


@settings(max_examples=scale(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 3 * 86_400 - 1), st.integers(0, 1000)), max_size=12), st.data())
def test_numbers_of_random_calls_are_those_of_the_webs_tables(
    api: Api, server: Running, calls: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Store calls of three days, and compare some of the days."""
    first = data.draw(st.integers(0, 2))
    last = data.draw(st.integers(first, 2))
    days = [date(2024, 3, 5 + day) for day in (first, last)]
    midnight = int(datetime(2024, 3, 5).timestamp())
    with server.database() as database:
        with database.reading() as connection:
            snapshot = load_snapshot(connection)
        menu = snapshot.ivr_by_number("6200")
        assert menu is not None
        past = [
            from_few(make_call(random.Random(seed), snapshot, menu, (midnight + at) * 1000 + place), seed)
            for place, (at, seed) in enumerate(calls)
        ]
        replace_calls(database, midnight, past)
        period = make_period(days[0], days[1], "", server_clock)
        with database.reading() as connection:
            report = reports.read_report(connection, period.span, period.zone)
            facts = ReportFacts(report, period, reports.read_names(connection, report), lambda _: "")
    expected: Counter[tuple[str, str]] = Counter()
    for row in menus.keys(facts).rows:
        name, key, _, times = (cell.raw for cell in row.cells)
        expected[str(name).split()[0], {"*": "star", "#": "hash"}.get(str(key), str(key))] += int(times)
    for row in menus.trouble(facts).rows:
        name, _, silent, wrong = (cell.raw for cell in row.cells)
        expected[str(name).split()[0], "timeout"] += int(silent)
        expected[str(name).split()[0], "invalid"] += int(wrong)
    span = {"start_time": f"{days[0]:%Y/%m/%d} 12:00:00 AM", "end_time": f"{days[1]:%Y/%m/%d} 11:59:59 PM"}
    answer = api.get("call_report/list", type="ivr", ivr_id_list="1,2,3,4", **span)
    found = Counter(
        {
            (row["ivr_num"], name.removeprefix("press_")): count
            for row in answer["ivr_list"]
            for name, count in row["press_count"].items()
        }
    )
    assert +found == +expected
    # What the numbers of trunks say is what the rows say.
    rows = api.get("cdr/search", **span)["data"]
    of_trunk = [row for row in rows if row.get("src_trunk") == "Provider"]
    (trunk,) = api.get("call_report/list", type="trunkactivity", trunk_id_list="1", **span)[
        "trunk_activity_list"
    ]
    assert trunk["inbound_calls"] == len({row["uid"] for row in of_trunk})
    (group,) = api.get("call_report/list", type="ringgroupstatistics", ring_group_id_list="1", **span)[
        "ring_group_statistics_list"
    ]
    of_group = [row for row in rows if row["call_to"].startswith("Ring Group ")]
    assert group["total_call_count"] == len(of_group)
    assert group["total_talking_time"] == sum(row.get("talk_duration", 0) for row in of_group)
    seconds = tuple(int(datetime.combine(day, datetime.min.time()).timestamp()) for day in days)
    within = seconds[0], seconds[1] + 86_399
    with server.database() as database, database.reading() as connection:
        stages = [row for row in connection.execute(select(CDR_ROW)) if within[0] <= row.started <= within[1]]
        whole = list(connection.execute(select(CDR_CALL).order_by(CDR_CALL.c.started, CDR_CALL.c.id)))
    people = api.get("call_report/list", type="extcallstatistics", ext_id_list="1,2,3", **span)
    for person in people["ext_call_statistics_list"]:
        assert (person["total_call_count"], person["total_talking_time"]) == count_person(
            person["ext_num"], stages, [call for call in whole if within[0] <= call.started <= within[1]]
        )
    missed = api.get("call_report/list", type="unreturnmisscall", **span)["unreturn_miss_call_list"]
    assert {row["call_from"]: row["miss_call_count"] for row in missed} == count_missed(whole, within)


def from_few(call: tuple[CallRecord, list[CallNote]], seed: int) -> tuple[CallRecord, list[CallNote]]:
    """Let one of a few callers have made a call, so that callers call again, or an extension."""
    record, notes = call
    if seed % 3 == 0:
        return replace(record, caller="1001", source_kind="extension", source_id=2, source="1001"), notes
    return replace(record, caller=f"070090012{seed % 3}"), notes


def count_person(number: str, stages: Sequence[Any], calls: Sequence[Any]) -> tuple[int, int]:
    """Count the calls that came to an extension and those that it made, and the seconds of talk."""
    came = [row for row in stages if row.to_kind in ("extension", "ext_vm") and row.call_to == number]
    made = [it for it in calls if it.call_type in ("Internal", "Outbound") and it.call_from == number]
    talked = sum(row.talk_duration for row in came) + sum(call.handling_duration for call in made)
    return len(came) + len(made), talked


def count_missed(calls: Sequence[Any], within: tuple[int, int]) -> dict[str, int]:
    """Count the missed calls of each caller after the last other one, where none was returned."""
    inbound = [it for it in calls if it.call_type == "Inbound" and within[0] <= it.started <= within[1]]
    found = {}
    for number in {call.call_from for call in inbound} - {""}:
        of_caller = [call for call in inbound if call.call_from == number]
        missed = list(
            takewhile(lambda it: it.last_status in ("NO ANSWER", "ABANDONED", "BUSY"), reversed(of_caller))
        )
        returned = [
            call
            for call in calls
            if call.call_type == "Outbound" and call.call_to[-9:] == number[-9:] and missed
            if call.started >= missed[0].started
        ]
        if missed and not returned:
            found[number] = len(missed)
    return found


def replace_calls(database: Database, since: int, past: Sequence[tuple[CallRecord, list[CallNote]]]) -> None:
    """Store calls in the place of those of three days."""
    known = select(CALL.c.id).where(CALL.c.started.between(since * 1000, (since + 4 * 86_400) * 1000))
    with database.writing() as connection:
        call_writer.delete_calls(connection, connection.execute(known).scalars().all())
        # As after a restore: a running server expects that only the oldest calls are ever deleted.
        connection.execute(CDR_STATE.update().values(epoch=CDR_STATE.c.epoch + 1))
    keep_past(database, past)


def test_numbers_of_a_report_are_those_of_its_details(api: Api) -> None:
    report = api.get("call_report/list", type="ivr", ivr_id_list="3", **HISTORY)["ivr_list"][0]
    answer = api.get("call_report/detail", type="ivr", ivr_num="6200", **HISTORY)
    pressed = Counter(row["press"] for row in answer["ivr_report_detail"])
    for digit in "0123456789":
        assert pressed[digit] >= report["press_count"][f"press_{digit}"]
    assert answer["total_number"] == len(answer["ivr_report_detail"]) == sum(report["press_count"].values())
    pages = [
        api.get("call_report/detail", type="ivr", ivr_num="6200", page=page, page_size=100, **HISTORY)
        for page in range(1, answer["total_number"] // 100 + 2)
    ]
    assert [row for page in pages for row in page["ivr_report_detail"]] == answer["ivr_report_detail"]
    assert {page["total_number"] for page in pages} == {answer["total_number"]}


def test_entries_in_a_menu(api: Api) -> None:
    answer = api.get("call_report/detail", type="ivr", ivr_num="6201", **PERIOD)
    assert answer["ivr_report_detail"] == [
        {
            "id": 1,
            "time": "2026/06/30 21:37:37",
            "call_from": "0599123456",
            "press": "3",
            "destination": "Support<6300>",
            "call_to": "6300",
            "opr_duration": 7,
            "ivr_num": "6201",
            "destination_type": "Ring Group",
        }
    ]
    narrow = {"detail_time_begin": "2026/06/30 21:37:38"}
    assert api.get("call_report/detail", type="ivr", ivr_num="6201", **PERIOD, **narrow)["total_number"] == 0
    assert api.get("call_report/detail", type="ivr", ivr_num="6999", **PERIOD)["total_number"] == 0


def test_calls_of_extensions(api: Api) -> None:
    def read(**options: Any) -> list[tuple[int, ...]]:
        answer = api.get("call_report/list", type="extcallstatistics", ext_id_list="1,2", **PERIOD, **options)
        names = ("answered", "no_answer", "busy", "failed", "voicemail", "abandoned")
        return [
            (*(row[f"{name}_calls"] for name in names), row["total_call_count"], row["total_talking_time"])
            for row in answer["ext_call_statistics_list"]
        ]

    ada, grace = read()
    assert ada == (0, 0, 1, 0, 0, 2, 3, 0)
    assert grace == (1, 3, 0, 0, 0, 0, 4, 60)
    assert read(communication_type="Inbound") == [(0,) * 8, (1, 2, 0, 0, 0, 0, 3, 60)]
    assert read(communication_type="Internal") == [(0, 0, 0, 0, 0, 1, 1, 0), (0, 1, 0, 0, 0, 0, 1, 0)]
    assert read(communication_type="Outbound")[1] == (0,) * 8
    answer = api.get("call_report/list", type="extcallstatistics", ext_id_list="2", **PERIOD)
    assert list(answer["ext_call_statistics_list"][0])[:2] == ["ext_num", "ext_name"]


def test_messages_are_calls_of_their_mailbox(api: Api, server: Running) -> None:
    record, _ = internal_call(12, 40, answered=START + 40 * 3_600_000, outcome="message")
    store(server, (record, ((0, Note(Topic.RECORDED, 0, "", DestinationKind.VOICEMAIL, 2)),)))
    day = {"start_time": "2026/07/02 12:00:00 AM", "end_time": "2026/07/02 11:59:59 PM"}
    answer = api.get("call_report/list", type="extcallstatistics", ext_id_list="1,2", **day)
    ada, grace = answer["ext_call_statistics_list"]
    assert (ada["voicemail_calls"], ada["total_call_count"]) == (1, 1)
    assert (grace["voicemail_calls"], grace["total_call_count"]) == (1, 1)


def test_ring_groups_trunks_and_missed_callers(api: Api) -> None:
    groups = api.get("call_report/list", type="ringgroupstatistics", ring_group_id_list="1", **PERIOD)
    (row,) = groups["ring_group_statistics_list"]
    assert (row["ring_group_num"], row["answered_calls"], row["total_talking_time"]) == ("6300", 1, 60)
    trunks = api.get("call_report/list", type="trunkactivity", trunk_id_list="1", **PERIOD)
    assert trunks["trunk_activity_list"] == [
        {
            "trunk_name": "Provider",
            "inbound_calls": 3,
            "inbound_talking_time": 13,
            "outbound_calls": 2,
            "outbound_talking_time": 0,
            "total_call_count": 5,
        }
    ]
    missed = api.get("call_report/list", type="unreturnmisscall", **PERIOD)
    assert missed["unreturn_miss_call_list"] == [
        {
            "call_from": "0700900123",
            "miss_call_count": 1,
            "first_time": "2026/07/01 00:37:17",
            "last_time": "2026/07/01 00:37:17",
        }
    ]


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("ivr", {"ivr_id_list": "3,4"}),
        ("extcallstatistics", {"ext_id_list": "1,2", "communication_type": "Internal"}),
        ("ringgroupstatistics", {"ring_group_id_list": "1"}),
        ("trunkactivity", {"trunk_id_list": "1"}),
        ("unreturnmisscall", {}),
    ],
)
def test_a_report_is_downloaded_as_csv(api: Api, server: Running, kind: str, ids: dict[str, str]) -> None:
    listed = api.get("call_report/list", type=kind, **ids, **PERIOD)
    rows = next(value for value in listed.values() if isinstance(value, list))
    answer = api.get("call_report/download", type=kind, **ids, **PERIOD)
    assert answer["file"] == f"CallReport-{kind}-20260630-20260701.csv"
    file = fetch(api, answer["download_resource_url"])
    assert answer["file"] in file.headers["content-disposition"]
    lines = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig"))))
    flat = [
        {**{name: v for name, v in row.items() if name != "press_count"}, **row.get("press_count", {})}
        for row in rows
    ]
    assert lines == [list(flat[0]), *([str(value) for value in row.values()] for row in flat)]
    head, expires, mac = answer["download_resource_url"].rsplit("-", 2)
    for other in (f"{head}-{int(expires) + 1}-{mac}", f"{head}-{expires}-{'0' * 32}.csv"):
        assert fetch(api, other).json()["errcode"] == 60001


def fetch(api: Api, address: str) -> Answer:
    return api.send("GET", f"{address}?access_token={api.token}")


def test_bad_downloads_of_reports(api: Api) -> None:
    answer = api.get("call_report/download", type="ivr", **PERIOD)
    assert answer["invalid_param_list"] == [{"field": "ivr_id_list", "validation_type": "required"}]
    for length, others, field in ((700, 0, "ivr_id_list"), (300, 400, "ext_id_list"), (310, 310, "")):
        ids, more = (",".join(["1000000"] * count) for count in (length, others))
        answer = api.get("call_report/download", type="ivr", ivr_id_list=ids, ext_id_list=more, **PERIOD)
        assert [bad["field"] for bad in answer.get("invalid_param_list", ())] == ([field] if field else [])
    assert fetch(api, answer["download_resource_url"]).headers["content-type"].startswith("text/csv")


def test_both_versions_page_alike(api: Api) -> None:
    query = {"type": "ivr", "ivr_id_list": "1,2,3,4", "page": 2, "page_size": 3} | PERIOD
    old = api.get("call_report/list", **query)
    target = api.target("call_report/list", query).replace("/v1.0/", "/v2.0/")
    assert api.checked(api.send("GET", target)) == old
    assert (old["total_number"], len(old["ivr_list"])) == (4, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"type": ""}, "type"),
        ({"type": "sofa"}, "type"),
        ({"type": "IVR"}, "type"),
        ({"type": "qosreport"}, "type"),
        ({"type": "queueperformance"}, "type"),
        ({"type": "extcallbilling"}, "type"),
        ({"ivr_id_list": ""}, "ivr_id_list"),
        ({"ivr_id_list": "3,x"}, "ivr_id_list"),
        ({"ivr_id_list": "3,,4"}, "ivr_id_list"),
        ({"ivr_id_list": "[3,4]"}, "ivr_id_list"),
        ({"ivr_id_list": "٣"}, "ivr_id_list"),
        ({"start_time": "2026/06/30"}, "start_time"),
        ({"start_time": "2026/13/30 12:00:00 AM"}, "start_time"),
        ({"end_time": "2026-07-01T23:59:59Z"}, "end_time"),
        ({"start_time": ""}, "start_time"),
        ({"end_time": "noon"}, "end_time"),
        ({"start_time": "2020/01/01 12:00:00 AM"}, "end_time"),
        ({"start_time": "2027/01/01 12:00:00 AM"}, "end_time"),
        ({"page": "0"}, "page"),
        (
            {"type": "extcallstatistics", "ext_id_list": "1", "communication_type": "all"},
            "communication_type",
        ),
        ({"type": "extcallstatistics"}, "ext_id_list"),
        ({"type": "ringgroupstatistics"}, "ring_group_id_list"),
        ({"type": "trunkactivity"}, "trunk_id_list"),
    ],
    ids=str,
)
def test_bad_requests_are_refused_with_their_field(api: Api, changes: dict[str, str], field: str) -> None:
    answer = api.get("call_report/list", **({"type": "ivr", "ivr_id_list": "3"} | PERIOD | changes))
    assert answer["errcode"] == 40002
    assert answer["invalid_param_list"][0]["field"] == field
    if changes.get("type") != "ivr" and "type" in changes:
        assert api.get("call_report/detail", **(PERIOD | changes))["errcode"] == 40002


@pytest.mark.parametrize(
    "changes",
    [
        {"ivr_id_list": " 3 , 4 "},
        {"ivr_id_list": "3,4,3", "communication_type": "", "page": "", "page_size": ""},
        {"ivr_id_list": "3,4", "start_time": "2026/06/30 12:00:00 am", "end_time": "2026-07-01 23:59:59"},
        {"ivr_id_list": "3,4", "start_time": str(SECOND - 86_000), "end_time": str(SECOND + 86_000)},
        {"ivr_id_list": "3,4", "queue_id_list": "1", "language": "en"},
    ],
    ids=str,
)
def test_odd_spellings_are_understood(api: Api, changes: dict[str, str]) -> None:
    plain = api.get("call_report/list", type="ivr", ivr_id_list="3,4", **PERIOD)
    assert api.get("call_report/list", **({"type": "ivr"} | PERIOD | changes)) == plain


def test_details_need_a_menu(api: Api) -> None:
    answer = api.get("call_report/detail", type="ivr", **PERIOD)
    assert answer["invalid_param_list"] == [{"field": "ivr_num", "validation_type": "required"}]
