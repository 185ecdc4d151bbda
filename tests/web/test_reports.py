"""The page of reports: its numbers, its files, and the calls behind them."""

import csv
import io
import re
from collections import Counter
from datetime import datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest

from openivr.cdr.journal.entries import CallOutcome
from openivr.hours.calendar import PeriodKind
from openivr.ivr.commands import HangupReason, Topic
from openivr.ivr.policy import Refusal
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from tests.call_history import keep_past, make_past
from tests.live_server import Running
from tests.web.site import Admin

Past = list[tuple[CallRecord, list[CallNote]]]
DAYS, DAILY = 40, 12
PERIODS = ("", *PeriodKind)
IN_WORDS = ("Open hours", "Break", "Closed", "Holiday", "No hours set")
RANGES = ("range=today", "range=week", "range=month", f"from={datetime.now():%Y-%m-01}")
ROW = re.compile(r"<tr[^>]*>\s*<th scope=\"row\".*?</tr>", re.DOTALL)
CELL = re.compile(r"<t[hd][^>]*>(.*?)</t[hd]>", re.DOTALL)


@pytest.fixture(scope="module")
def past(server: Running) -> Past:
    """Calls of the last weeks, which the module's server has. Some began on the last second of a day."""
    database = Database(f"sqlite:///{server.data / 'openivr.db'}")
    with database.reading() as connection:
        snapshot = load_snapshot(connection)
    midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = (midnight - timedelta(days=DAYS)).astimezone()
    made = list(make_past(snapshot, "6200", first, DAYS, DAILY))
    for nth, (record, _) in enumerate(made[::9]):
        day = (midnight - timedelta(days=nth % DAYS)).astimezone()
        record.started = int(day.timestamp() * 1000) - (nth % 2)
    busiest = find_busiest(made)
    for nth, (record, _) in enumerate(made):
        if day_of(record) != busiest:  # its calls depend on no period
            record.period = PERIODS[nth % 7 % len(PERIODS)]
    keep_past(database, made)
    database.close()
    return made


def find_busiest(past: Past) -> object:
    """The day with the most calls."""
    return Counter(day_of(record) for record, _ in past).most_common(1)[0][0]


def read_table(page: str, name: str) -> list[list[str]]:
    """The rows of a table of the page, as texts."""
    section = page.partition(f'aria-labelledby="plot-{name}"')[2].partition("</table>")[0]
    rows = (CELL.findall(row) for row in ROW.findall(section))
    return [[unescape(re.sub(r"<[^>]*>", "", cell)).strip() for cell in row] for row in rows]


def read_file(admin: Admin, name: str, asked: str) -> list[dict[str, str]]:
    answer = admin.get(f"/reports/{name}.csv?{asked}")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        rf'attachment; filename="(openivr-{name}-\d{{4}}-\d\d-\d\d-\d{{4}}-\d\d-\d\d\.csv)"'
        r"; filename\*=UTF-8''\1",
        answer.headers["content-disposition"],
    )
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def within(past: Past, rows: list[dict[str, str]]) -> Past:
    """The calls of the days that a file of days has."""
    first, last = rows[0]["Day"], rows[-1]["Day"]
    return [one for one in past if first <= str(day_of(one[0])) <= last]


def day_of(record: CallRecord) -> object:
    return datetime.fromtimestamp(record.started / 1000).date()


def whole(text: str) -> int:
    return int(text.replace(",", ""))


@pytest.mark.parametrize("asked", RANGES)
def test_the_numbers_are_those_of_the_records(admin: Admin, past: Past, asked: str) -> None:
    days = read_file(admin, "days", asked)
    calls = within(past, days)
    counted = Counter(str(day_of(record)) for record, _ in calls)
    assert {row["Day"]: int(row["Calls"]) for row in days} == {
        row["Day"]: counted[row["Day"]] for row in days
    }
    hours = read_file(admin, "hours", asked)
    assert sum(int(row["Calls"]) for row in hours) == len(calls)
    by_hour = Counter(f"{datetime.fromtimestamp(r.started / 1000):%Y-%m-%dT%H}" for r, _ in calls)
    assert Counter({row["Hour"][:13]: int(row["Calls"]) for row in hours if row["Calls"] != "0"}) == by_hour
    week = read_file(admin, "week", asked)
    cells = {
        (row["Day"], hour): int(n) for row in week for hour, n in row.items() if hour != "Day" and n != "0"
    }
    moments = (datetime.fromtimestamp(record.started / 1000) for record, _ in calls)
    assert cells == Counter((f"{moment:%a}", f"{moment:%H}") for moment in moments)
    outcomes = {row["How they ended"]: int(row["Calls"]) for row in read_file(admin, "outcomes", asked)}
    assert outcomes == Counter(record.outcome for record, _ in calls)


@pytest.mark.parametrize("asked", RANGES)
def test_calls_are_split_by_the_period_of_the_office(admin: Admin, past: Past, asked: str) -> None:
    calls = within(past, read_file(admin, "days", asked))
    rows = read_file(admin, "periods", asked)
    titles = {"connected": "Connected", "message": "Left a message", "menu": "Menus only"}
    cells = {
        (row["Business hours"], outcome): int(row[title])
        for row in rows
        for outcome, title in titles.items()
        if row.get(title, "0") != "0"
    }
    assert cells == Counter((record.period or "none", record.outcome) for record, _ in calls)
    totals = {row["Business hours"]: int(row["Calls"]) for row in rows}
    assert totals == Counter(record.period or "none" for record, _ in calls)


def test_periods_are_shown_in_words_and_stay_in_the_filter(admin: Admin, past: Past) -> None:
    page = admin.get("/reports/plots?range=month").content.decode()
    assert [row[0] for row in read_table(page, "periods")] == list(IN_WORDS)
    for period, words in zip((*PeriodKind, "none"), IN_WORDS, strict=True):
        listed = admin.get(f"/calls?period={period}").content.decode()
        assert f'<option value="{period}" selected>{words}</option>' in listed
        wanted = sum((record.period or "none") == period for record, _ in past)
        assert count_calls(admin, f"/calls?period={period}") >= wanted > 0
        lines = list(csv.DictReader(io.StringIO(read_calls(admin, f"period={period}"))))
        assert len(lines) == count_calls(admin, f"/calls?period={period}")
    everything = count_calls(admin, "/calls")
    assert count_calls(admin, "/calls?period=lunch") == everything > count_calls(admin, "/calls?period=open")


def test_days_without_periods_are_not_split(admin: Admin, past: Past) -> None:
    asked = f"from={find_busiest(past)}&to={find_busiest(past)}"
    [row] = read_file(admin, "periods", asked)
    assert (row["Business hours"], int(row["Calls"])) == (
        "none",
        len(within(past, read_file(admin, "days", asked))),
    )
    page = admin.get(f"/reports/plots?{asked}").content.decode()
    assert "plot-outcomes" in page
    assert "plot-periods" not in page
    assert read_file(admin, "periods", "from=2020-01-01&to=2020-01-02") == []


def read_calls(admin: Admin, asked: str) -> str:
    return admin.get(f"/calls/file?{asked}").content.decode("utf-8-sig")


@pytest.mark.parametrize("asked", RANGES)
def test_what_happens_in_menus_is_that_of_the_records(admin: Admin, past: Past, asked: str) -> None:
    calls = within(past, read_file(admin, "days", asked))
    notes = [one.note for _, those in calls for one in those]
    topics = Counter((note.topic, note.number) for note in notes)
    keys = read_file(admin, "keys", asked)
    assert sum(int(row["Times"]) for row in keys) == sum(note.topic is Topic.CHOSE for note in notes)
    typed = Counter(note.input for note in notes if note.topic is Topic.CHOSE)
    assert Counter(row["Typed"] for row in keys for _ in range(int(row["Times"]))) == typed
    trouble = read_file(admin, "trouble", asked)
    assert {row["Menu"][:4]: int(row["Came in"]) for row in trouble} == {
        number: count for (topic, number), count in topics.items() if topic is Topic.ENTERED
    }
    for head, topic in (("No key in time", Topic.TIMED_OUT), ("Wrong key", Topic.INVALID)):
        assert sum(int(row[head]) for row in trouble) == sum(note.topic is topic for note in notes)
    wrong = [(row["Typed"], int(row["Times"])) for row in read_file(admin, "wrong", asked)]
    refused = Counter(note.input for note in notes if note.topic is Topic.INVALID)
    assert sum((Counter({typed: times}) for typed, times in wrong), Counter[str]()) == refused


def test_every_call_goes_somewhere(admin: Admin, past: Past) -> None:
    rows = read_file(admin, "ways", "range=month")
    calls = within(past, read_file(admin, "days", "range=month"))
    menus = {row["From"] for row in rows}
    assert sum(int(row["Calls"]) for row in rows if row["To"] not in menus) == len(calls)


def test_files_have_codes_where_pages_have_words(admin: Admin, past: Past) -> None:
    assert past
    refusals = {row["Refused because"] for row in read_file(admin, "wrong", "range=month")}
    assert refusals
    assert refusals <= set(Refusal)
    page = admin.get("/reports/plots?range=month").content.decode()
    ways = read_file(admin, "ways", "range=month")
    menus = {row["From"] for row in ways}
    ends = {row["To"] for row in ways if row["To"] in {*HangupReason, *CallOutcome}}
    assert HangupReason.CALLER_HANGUP in ends
    shown = {row[1] for row in read_table(page, "ways")}
    assert not shown & ends - menus


LINK = re.compile(r'<t[hd] data-value="(\d+)"[^>]*><a href="(/calls[^"]*)">')


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("range=month", "days"),
        ("range=week", "hours"),
        ("range=month", "outcomes"),
        ("range=month", "periods"),
        ("range=month", "ways"),
    ],
)
def test_a_number_leads_to_as_many_calls(admin: Admin, past: Past, asked: str, name: str) -> None:
    page = admin.get(f"/reports/plots?{asked}").content.decode()
    section = page.partition(f'aria-labelledby="plot-{name}"')[2].partition("</table>")[0]
    links = LINK.findall(section)
    assert len(links) > 2
    for number, address in links[:: max(1, len(links) // 25)]:
        assert count_calls(admin, unescape(address)) == int(number), unescape(address)


def count_calls(admin: Admin, address: str) -> int:
    """How many calls the list has at an address."""
    found = re.search(r"of ([\d,]+)</span>", admin.get(address).content.decode())
    assert found, address
    return whole(found[1])


@pytest.mark.parametrize(
    ("name", "topic"),
    [("keys", Topic.CHOSE), ("trouble", None), ("wrong", Topic.INVALID)],
)
def test_what_happened_leads_to_the_calls_in_which_it_did(
    admin: Admin, past: Past, name: str, topic: Topic | None
) -> None:
    page = admin.get("/reports/plots?range=month").content.decode()
    before, after = ("reports/wrong.csv", "</details>") if name == "wrong" else (f'plot-{name}"', "</table>")
    links = LINK.findall(page.partition(before)[2].partition(after)[0])
    assert links
    calls = within(past, read_file(admin, "days", "range=month"))
    for number, address in links:
        listed = admin.get(unescape(address)).content.decode()
        assert "From the reports:" in listed
        assert 0 < count_calls(admin, unescape(address)) <= int(number)
    if topic:
        having = sum(any(one.note.topic is topic for one in those) for _, those in calls)
        assert sum(count_calls(admin, unescape(address)) for _, address in links) >= having


def test_the_calls_of_a_number_are_told_in_words(admin: Admin, past: Past) -> None:
    page = admin.get("/reports/plots?range=month").content.decode()
    told = set()
    for _, address in LINK.findall(page):
        listed = admin.get(unescape(address)).content.decode() if "part=" in address else ""
        told |= set(re.findall(r"From the reports: ([^.]*)\.", listed))
    sentences = " ".join(unescape(one) for one in told)
    for words in (
        "that reached 1000 Ada Byron",
        "and no further menu",
        "pressed in 6200",
        "no key pressed in 6200",
        " refused in ",
        "→",
    ):
        assert words in sentences
    shown = admin.get(unescape(next(a for _, a in LINK.findall(page) if "part=" in a))).content.decode()
    everything = re.search(r'<a href="([^"]*)">Show all calls of these days', shown)
    assert everything
    assert "part=" not in everything[1]
    assert count_calls(admin, unescape(everything[1])) > 0


@pytest.mark.parametrize(
    "part",
    [
        "x",
        "{}",
        "[]",
        '{"menu":-1}',
        '{"topics":["chose"],"menu":99999999999}',
        '{"topics":["ended"]}',
        '{"topics":["chose"],"kind":"trunk","target":1}',
        '{"path":["\\u0000"]}',
        '{"input":"\\u0000","topics":["chose"]}',
        '{"since":1e99}',
        '{"unknown":1}',
        '{"path":' + "[" * 600,
        '{"topics":["chose"],"kind":"dial_by_name","target":7}',
        '{"topics":["chose"],"kind":"extension","target":2147483647,"menu":2147483647}',
        '{"since":0,"until":4503599627370496}',
    ],
)
def test_what_nobody_wrote_does_no_harm(admin: Admin, past: Past, part: str) -> None:
    assert admin.get(f"/calls?{urlencode({'part': part})}").status == 200


def test_the_page_shows_what_the_files_say(admin: Admin, past: Past) -> None:
    page = admin.get("/reports/plots?range=week").content.decode()
    assert read_table(page, "outcomes")[0][0] == "Connected"
    assert "nothing is assigned to this key" in page
    for name in ("days", "outcomes", "periods", "ways", "keys", "trouble"):
        shown = read_table(page, name)
        file = [list(row.values()) for row in read_file(admin, name, "range=week")]
        assert len(shown) == len(file) > 0
        assert [whole(row[-1]) for row in shown if name != "outcomes"] == [
            int(row[-1]) for row in file if name != "outcomes"
        ]


def test_the_page_comes_before_its_numbers(admin: Admin, past: Past) -> None:
    page = admin.get("/reports?range=week").content.decode()
    assert 'hx-get="/reports/plots?range=week" hx-trigger="load"' in page
    assert (
        '<noscript><meta http-equiv="refresh" content="0; url=/reports/plots?range=week"></noscript>' in page
    )
    assert "<table" not in page
    assert "echarts" not in admin.get("/menus").content.decode()


def test_one_s_own_days_stay_in_the_form(admin: Admin, past: Past) -> None:
    page = admin.get("/reports?from=2026-03-28&to=2026-03-30").content.decode()
    assert 'name="from" value="2026-03-28"' in page
    assert 'name="to" value="2026-03-30"' in page
    assert "/reports/plots?from=2026-03-28&amp;to=2026-03-30" in page
    assert "Choose at most 3 years." in admin.get("/reports?from=2026-02-30&to=2026-03-30").content.decode()


def test_days_without_calls_say_so(admin: Admin, past: Past) -> None:
    page = admin.get("/reports/plots?from=2020-01-01&to=2020-01-02").content.decode()
    assert "No calls in these days" in page
    assert 'data-plot="' not in page
    assert [row["Calls"] for row in read_file(admin, "days", "from=2020-01-01&to=2020-01-02")] == ["0", "0"]


@pytest.mark.parametrize(
    "path", ["/reports/nothing.csv", "/reports/clock.csv", "/reports/.csv", "/reports/x"]
)
def test_there_is_no_other_file(admin: Admin, path: str) -> None:
    assert admin.get(path).status == 404


@pytest.mark.parametrize("path", ["/reports", "/reports/plots", "/reports/days.csv"])
def test_strangers_see_nothing(server: Running, path: str) -> None:
    stranger = Admin(server)
    assert stranger.get(path).status == 303
    stranger.close()


def test_a_hostile_name_stays_a_text(admin: Admin, server: Running, past: Past) -> None:
    api = server.log_in()
    menu = next(
        row for row in api.get("ivr/list", page=1, page_size=20, sort_by="id", order_by="asc")["data"]
    )
    old = menu["name"]
    assert api.post("ivr/update", {"id": menu["id"], "name": "<b>=1+1"})["errcode"] == 0
    try:
        page = admin.get("/reports/plots?range=month").content.decode()
        assert "<b>=1" not in page
        assert "&lt;b&gt;=1+1" in page
    finally:
        api.post("ivr/update", {"id": menu["id"], "name": old})
        api.close()
