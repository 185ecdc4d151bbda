"""Pages about calls: what is under way, lists by every filter, files, one call, its sound."""

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
import soundfile

from openivr.cdr.journal.writer import Journal
from openivr.cdr.worker import CdrWorker
from openivr.cli.snapshot import load
from openivr.download.content_disposition import attachment
from openivr.download.csv_export import make_csv
from openivr.store.auth.admin import SEEN_STEP
from openivr.store.cdr import call_writer, cdr_lists, voicemail
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.cdr_lists import CdrLists
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.database import Database
from openivr.store.runtime import liveness
from openivr.store.tables import ADMIN_SESSION
from openivr.web.calls.call_list import CallListRequest, make_wanted, quick_ways, read_day, read_source
from openivr.web.calls.call_list import load as load_list
from openivr.web.calls.pages import COLUMNS
from openivr.web.core.listing import Listing
from tests.cdr.simulated_calls import record as act_out
from tests.live_server import Running
from tests.web.site import Admin

NAVIGATOR = 3
HOSTILE = '<script>alert(1)</script>"=cmd'
NOW = time.time_ns() // 1_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
OVER: dict[str, Any] = {"stage": "ended", "outcome": "menu", "reason": "caller_hangup", "called": "6200"}
PAST = (
    CallRecord("hostile", started=NOW - HOUR, ended=NOW, caller="+442071", caller_name=HOSTILE, **OVER),
    CallRecord("trunk", started=NOW - 2 * HOUR, ended=NOW, source_kind="trunk", source_id=1, **OVER),
    CallRecord("formula", started=NOW - 3 * HOUR, ended=NOW, caller="=1+1", caller_name="@SUM(A1)", **OVER),
    CallRecord("old", started=NOW - 900 * HOUR, ended=NOW - 899 * HOUR, caller="0555", **OVER),
)
LIVE = CallRecord(
    "live",
    "node",
    started=NOW - 61_000,
    updated=NOW,
    sequence=3,
    stage="waiting",
    caller="0777",
    caller_name=HOSTILE,
    called="6200",
    menu=NAVIGATOR,
    path="6200",
    keys="12",
)


@pytest.fixture(scope="module")
def site(server: Running) -> Running:
    """A server that has seen calls."""
    call = act_out(load(server.data, ""), "told", "3", start=NOW - 4 * HOUR, menu=NAVIGATOR)
    journal = Journal(server.folder / "journal")
    for entry in call.end():
        journal.write(entry)
    journal.close()
    with server.database() as database:
        CdrWorker(database, "other", server.folder / "journal").catch_up()
        with database.writing() as connection:
            call_writer.write_calls(connection, PAST, ())
    return server


def keep_alive(running: Running) -> None:
    """Let the node of the live call have reported just now."""
    with running.database() as database, database.writing() as connection:
        liveness.note_alive(connection, "node", time.time_ns() // 1_000_000)


@pytest.fixture
def live(site: Running) -> Iterator[CallRecord]:
    """A call that is under way."""
    save(site, LIVE)
    keep_alive(site)
    yield LIVE
    save(site, replace(LIVE, ended=NOW - 1000 * HOUR, started=NOW - 1000 * HOUR, **OVER))


def save(running: Running, *records: CallRecord) -> None:
    with running.database() as database, database.writing() as connection:
        call_writer.write_calls(connection, records, ())


def text(admin: Admin, path: str, **query: object) -> str:
    answer = admin.get(f"{path}?{urlencode(query)}")
    assert answer.status == 200, answer
    return answer.content.decode()


def listed(admin: Admin, **query: object) -> set[str]:
    page = text(admin, "/calls", **query)
    return {part.partition('"')[0] for part in page.split('<tr id="past-')[1:]}


def test_calls_under_way(admin: Admin, live: CallRecord) -> None:
    page = text(admin, "/calls")
    part = page.split('<tr id="live-live"')[1].split("</tr>")[0]
    assert '<a href="/menus/3">6200 VoiceMenu Navigator</a>' in part
    assert "Waiting for a key" in part
    assert '<kbd class="keys">12</kbd>' in part
    assert f'<time data-since="{live.started}">' in part
    assert "&lt;script&gt;" in part
    assert "<script>alert" not in page
    assert "1 live call" in page
    assert "live" not in listed(admin)


def test_nothing_is_answered_where_nothing_has_changed(site: Running, admin: Admin, live: CallRecord) -> None:
    seen = text(admin, "/calls").split('data-seen="')[1].partition('"')[0]
    same = admin.get(f"/calls/now?seen={seen}")
    assert (same.status, same.content) == (204, b"")
    save(site, replace(live, sequence=4, keys="123"))
    assert '<kbd class="keys">123</kbd>' in text(admin, "/calls/now", seen=seen)
    one = admin.get("/calls/live/now?seen=4")
    assert one.status == 204
    assert '<kbd class="keys">123</kbd>' in text(admin, "/calls/live/now", seen=3)


def test_a_page_that_asks_by_itself_does_not_keep_its_session(site: Running, admin: Admin) -> None:
    def seen() -> int:
        with database.reading() as connection:
            return int(connection.execute(ADMIN_SESSION.select()).mappings().one()["seen"])

    with site.database() as database:
        early = int(time.time()) - SEEN_STEP - 5
        with database.changing("auth") as change:
            change.connection.execute(ADMIN_SESSION.update().values(seen=early))
        admin.get("/calls/now")
        admin.get("/calls/told/now")
        assert seen() == early
        admin.get("/calls")
        assert seen() > early


def test_silence_is_told(site: Running, admin: Admin, live: CallRecord) -> None:
    assert 'class="notice calm"' not in text(admin, "/calls")
    with site.database() as database:
        with database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM node")
            liveness.note_alive(connection, "node", NOW - HOUR)
        page = text(admin, "/calls")
        assert "The phone service has not reported since Today" in page.replace("Yesterday", "Today")
        assert "No news of this call since" in page


def day(ago: int) -> str:
    return (datetime.now() - timedelta(days=ago)).strftime("%Y-%m-%d")


def test_filters(admin: Admin) -> None:
    everything = {"hostile", "trunk", "formula", "told", "old"}
    assert listed(admin) >= everything
    assert listed(admin, number="2071") == {"hostile"}
    assert listed(admin, number="20 71") == {"hostile"}
    assert listed(admin, source="trunk-1") == {"trunk"}
    assert "told" in listed(admin, source="extension-1")
    assert listed(admin, did="62 00") == {"trunk"}
    assert listed(admin, reason="timed_out_hung_up") == {"told"}
    assert listed(admin, outcome="message") == set()
    assert listed(admin, since=day(2)) >= everything - {"old"}
    assert "old" not in listed(admin, since=day(2))
    assert listed(admin, until=day(20)) >= {"old"}
    assert listed(admin, since=day(0), until=day(1)) == set()
    assert "No matching calls" in text(admin, "/calls", outcome="message")


def test_calls_of_a_group_are_listed(site: Running, admin: Admin) -> None:
    save(site, replace(PAST[3], caller="1001"))
    try:
        assert listed(admin, group="1") == {"old"}
        assert listed(admin, group="999") == set()
        assert 'value="1" selected>Sales' in text(admin, "/calls", group="1")
    finally:
        save(site, PAST[3])


@pytest.mark.parametrize("menu", ["6202", "6202 VoicePrompt", "VoicePrompt"])
def test_a_menu_is_found_as_it_is_typed(admin: Admin, menu: str) -> None:
    assert listed(admin, menu=menu) == {"told"}


@pytest.mark.parametrize("most", [0, 1000], ids=["scan", "index"])
def test_a_part_of_a_number_is_found_in_all_calls(
    database: Database, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """By the index of numbers, and by looking through all calls where too many numbers have it."""
    monkeypatch.setattr(cdr_lists, "MAX_NUMBERS", most)
    past = [
        CallRecord(
            f"{at:03}-{at:08x}",
            started=NOW - at * DAY,
            ended=NOW - at * DAY + 1,
            updated=NOW,
            caller=f"0{at % 3}07",
            called="6200" if at % 2 else "+441632960107",
            source_kind="trunk",
            source="Provider",
            outcome="menu",
        )
        for at in range(1, 40)
    ]
    with database.writing() as connection:
        call_writer.write_calls(connection, past, ())
    for part, is_wanted in (
        ("107", lambda call: "107" in call.caller + " " + call.called),
        ("0007", lambda call: call.caller == "0007"),
        ("620", lambda call: call.called == "6200"),
        ("999", lambda call: False),
    ):
        asked, listing = CallListRequest(number=part), Listing("", "started", "desc", "", 1, 50, 0, (), {})
        with database.reading() as connection:
            page = load_list(connection, CdrLists(), asked, listing, NOW)
        expected = [call.id for call in past if is_wanted(call)]
        assert [record.id for record in page.listing.rows] == expected
        assert page.listing.total == len(expected)


def test_a_menu_that_is_none_has_no_calls(admin: Admin) -> None:
    for menu in ("9999", "Voice", "<script>"):
        assert listed(admin, menu=menu) == set()


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"source": "trunk-x"},
        {"source": "trunk-99999999999999999999"},
        {"outcome": "sung"},
        {"reason": "none"},
        {"page": "x", "sort_by": "password", "order_by": "up", "page_size": "-3"},
    ],
    ids=str,
)
def test_what_is_asked_wrongly_is_not_asked(admin: Admin, wrong: dict[str, str]) -> None:
    assert "hostile" in listed(admin, **wrong)


def test_paging_and_sorting(admin: Admin) -> None:
    first = text(admin, "/calls", page_size=2, outcome="menu")
    assert "1–2 of" in first
    following = first.split('rel="next" href="')[1].partition('"')[0].replace("&amp;", "&")
    assert "outcome=menu" in following
    second = admin.get(following).content.decode()
    assert "3–4 of" in second
    assert 'aria-sort="descending"' in second
    by_caller = text(admin, "/calls", sort_by="caller")
    assert 'aria-sort="ascending"' in by_caller
    assert "data-part" not in by_caller.split('id="past"')[1].partition(">")[0]


def test_days_by_the_clock_of_the_server() -> None:
    asked = CallListRequest(since="2026-03-01", until="2026-03-31")
    wanted = make_wanted(None, asked)  # type: ignore[arg-type]  # nothing is looked up
    assert wanted.since == int(datetime(2026, 3, 1).timestamp() * 1000)
    assert wanted.until == int(datetime(2026, 4, 1).timestamp() * 1000)
    assert read_day("2026-02-30") is None
    assert read_source("trunk-5") == ("trunk", 5)
    ways = list(quick_ways(CallListRequest(since="2026-03-25", number="1"), datetime(2026, 3, 31)))
    assert ways[1] == ("7 days", "/calls?since=2026-03-25&number=1", True)
    assert ways[3] == ("All", "/calls?number=1", False)


def read_file(admin: Admin, **query: object) -> list[dict[str, str]]:
    answer = admin.get(f"/calls/file?{urlencode(query)}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="openivr-calls-')
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_file_has_what_the_filter_gives(admin: Admin) -> None:
    rows = read_file(admin)
    assert tuple(rows[0]) == COLUMNS
    assert {row["id"] for row in rows} >= {"hostile", "trunk", "formula", "told", "old"}
    assert [row["started"] for row in rows] == sorted((row["started"] for row in rows), reverse=True)
    [told] = read_file(admin, menu="6202")
    assert (told["menus"], told["outcome"], told["came_in_by"]) == ("6200 6202", "menu", "extension 1000")
    assert datetime.fromisoformat(told["started"]).timestamp() == (NOW - 4 * HOUR) // 1000
    assert read_file(admin, number="none") == []


def test_the_file_has_no_formula(admin: Admin) -> None:
    [formula] = read_file(admin, number="=1")
    assert (formula["caller"], formula["caller_name"]) == ("'=1+1", "'@SUM(A1)")
    [plain] = read_file(admin, number="+44")
    assert (plain["caller"], plain["caller_name"]) == ("+442071", HOSTILE)


@pytest.mark.parametrize("cell", ["=1", "+1+1", "-2", "@A", "\t=1", "\r=1", "+", "\n=1", "+49\n=1", "+١"])
def test_dangerous_cells(cell: str) -> None:
    [[read]] = list(csv.reader(io.StringIO(make_csv([[cell]]), newline="")))
    assert read == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "a=1", "+4420", "1-2", 'a "quote", and more'])
def test_harmless_cells(cell: str) -> None:
    rows = list(csv.reader(io.StringIO(make_csv([[cell, 5]]), newline="")))
    assert rows == [[cell, "5"]]


def test_a_long_file_comes_in_parts(site: Running, admin: Admin) -> None:
    many = [replace(PAST[3], id=f"many-{at:05d}", started=at // 7, caller="0888") for at in range(2500)]
    save(site, *many)
    rows = read_file(admin, number="0888")
    assert [row["id"] for row in rows] == sorted((one.id for one in many), reverse=True)
    with site.database() as database, database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM call_record WHERE caller = '0888'")


def test_a_note_about_a_call(admin: Admin) -> None:
    page = "/calls/told"
    assert 'maxlength="1000"></textarea>' in text(admin, page)
    answer = admin.post(f"{page}/remark", {"remark": "Wants a <quote>\r\nand coffee"})
    assert (answer.status, answer.headers["location"]) == (303, page)
    shown = text(admin, page)
    assert 'maxlength="1000">Wants a &lt;quote&gt;\nand coffee</textarea>' in shown
    assert "Note saved." in shown
    admin.post(f"{page}/remark", {"remark": "x" * 1001})
    shown = text(admin, page)
    assert "at most 1000 characters" in shown
    assert "and coffee</textarea>" in shown
    assert admin.post("/calls/none/remark", {"remark": "x"}).status == 404
    admin.post(f"{page}/remark", {"remark": ""})


def test_one_call(admin: Admin) -> None:
    page = text(admin, "/calls/told")
    assert '<a href="/menus/3">6200 VoiceMenu Navigator</a>' in page
    assert '<a href="/menus/1">6202 VoicePrompt</a>' in page
    assert '<a href="/people/extensions/1">1000 Ada Byron</a>' in page
    assert "<b>Menus only</b>: no key pressed" in page
    assert 'href="/calls/told/replay"' in page
    assert "1 key received as an event." in page
    assert "<code>CallArrived</code>" in page
    assert "data-watch" not in page
    assert '<h2 id="sounds-title">' not in page


def test_hostile_names(admin: Admin) -> None:
    for path in ("/calls/hostile", "/calls/formula", "/calls"):
        page = text(admin, path)
        assert "<script>alert" not in page
    assert "&lt;script&gt;" in text(admin, "/calls/hostile")


@pytest.mark.parametrize(
    "path", ["/calls/none", "/calls/tol", "/calls/%00", "/calls/none/now", "/calls/%25/now"]
)
def test_a_call_that_there_is_not(admin: Admin, path: str) -> None:
    assert admin.get(path).status == 404


def test_the_sound_of_a_call(site: Running, admin: Admin) -> None:
    folder = site.data / "recordings"
    folder.mkdir(exist_ok=True)
    wav = make_wav()
    (folder / "sounding.wav").write_bytes(wav)
    (site.data / "outside.wav").write_bytes(b"secret")
    save(
        site,
        replace(PAST[3], id="sounding", recording="sounding.wav"),
        replace(PAST[3], id="gone", recording="gone.wav"),
        replace(PAST[3], id="sly", recording="../outside.wav"),
    )
    page = text(admin, "/calls/sounding")
    assert 'src="/calls/sounding/recording"' in page
    whole = admin.get("/calls/sounding/recording")
    assert (whole.status, whole.content, whole.headers["content-type"]) == (200, wav, "audio/wav")
    part = admin.get("/calls/sounding/recording", Range="bytes=4-7")
    assert (part.status, part.content) == (206, wav[4:8])
    kept = admin.get("/calls/sounding/recording?download=1")
    assert 'filename="openivr-call-sounding.wav"' in kept.headers["content-disposition"]
    assert max(admin.get("/calls/sounding/recording/outline").json()) == 100
    assert "the file is not on this server" in text(admin, "/calls/gone")
    for ident in ("gone", "sly", "told", "none"):
        assert admin.get(f"/calls/{ident}/recording").status == 404
        assert admin.get(f"/calls/{ident}/recording/outline").status == 404


def make_wav() -> bytes:
    """A second with a tone on its right side alone."""
    target = io.BytesIO()
    tone = np.sin(np.arange(8000)) * 0.5
    soundfile.write(target, np.stack([np.zeros(8000), tone], 1), 8000, format="WAV", subtype="PCM_16")
    return target.getvalue()


def test_the_messages_of_a_call(site: Running, admin: Admin) -> None:
    wav = make_wav()
    with site.database() as database, database.writing() as connection:
        voicemail.save(connection, VoicemailMessage("vm-1", 1, "told", "2000", NOW, 1000), wav)
        voicemail.save(connection, VoicemailMessage("vm-2", 1, "another", "2000", NOW, 1000), wav)
    page = text(admin, "/calls/told")
    assert "Message for 1000 Ada Byron" in page
    assert "vm-2" not in page
    assert admin.get("/calls/told/messages/vm-1", Range="bytes=0-3").content == b"RIFF"
    kept = admin.get("/calls/told/messages/vm-1?download=1").headers["content-disposition"]
    assert kept == attachment("openivr-vm-1.wav")
    assert admin.get("/calls/told/messages/vm-1/outline").status == 200
    for path in ("told/messages/vm-2", "none/messages/vm-1", "told/messages/%00", "told/messages/x/outline"):
        assert admin.get(f"/calls/{path}").status == 404
    with site.database() as database, database.reading() as connection:
        assert [one.heard for one in voicemail.messages_of(connection, "told")] == [0]


def test_the_calls_of_a_menu(admin: Admin) -> None:
    assert f'hx-get="/menus/{NAVIGATOR}/calls"' in text(admin, f"/menus/{NAVIGATOR}")
    part = text(admin, f"/menus/{NAVIGATOR}/calls")
    assert 'href="/calls/told"' in part
    assert 'href="/calls?menu=6200"' in part
    assert "No calls yet." in text(admin, "/menus/4/calls")
    assert admin.get("/menus/99/calls").status == 404


def test_the_first_call_is_explained(tmp_path_factory: pytest.TempPathFactory, demo: Running) -> None:
    admin = Admin(demo).enter()
    page = text(admin, "/calls")
    assert "No calls yet" in page
    assert "127.0.0.1:5060" in page
    assert "Dial 6200: you hear VoiceMenu Navigator." in page
    assert "The phone service has never run" in page
    admin.close()
