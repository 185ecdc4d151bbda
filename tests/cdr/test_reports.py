"""Lists of calls and the numbers about them, on both databases."""

from pathlib import Path

import pytest

from openivr.cdr.journal.writer import Journal
from openivr.cdr.worker import CdrWorker
from openivr.ivr.model import DestinationKind, IvrSnapshot
from openivr.store.cdr import call_records, reports
from openivr.store.cdr.call_records import CallFilter
from openivr.store.cdr.reports import HOUR, Span
from openivr.store.database import Database
from tests.cdr.simulated_calls import record

DAY = 24 * HOUR
MIDNIGHT = 1_700_006_400_000  # 2023-11-15 00:00 UTC
WHOLE = Span(0, 2 * MIDNIGHT)


@pytest.fixture
def navigator(snapshot: IvrSnapshot) -> int:
    """The demo's main menu."""
    menu = snapshot.ivr_by_number("6200")
    assert menu is not None
    return menu.id


@pytest.fixture
def filled(database: Database, snapshot: IvrSnapshot, navigator: int, tmp_path: Path) -> Database:
    """Two calls that choose 3, one that chooses wrongly, one silent, one under way."""
    journal = Journal(tmp_path)
    started = [0, 1_000, HOUR, 3 * HOUR]
    for at, keys in zip(started, ["3", "3", "7", ""], strict=True):
        call = record(snapshot, f"call-{at:08d}", keys, MIDNIGHT + at, navigator)
        for entry in call.end():
            journal.write(entry)
    for entry in record(snapshot, "live", "", MIDNIGHT + DAY, navigator).entries:
        journal.write(entry)
    journal.close()
    CdrWorker(database, "node", tmp_path).catch_up()
    return database


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (CallFilter(), 5),
        (CallFilter(since=MIDNIGHT + HOUR), 3),
        (CallFilter(since=MIDNIGHT, until=MIDNIGHT + HOUR), 2),
        (CallFilter(number="200"), 5),
        (CallFilter(number="%"), 0),
        (CallFilter(caller="2000"), 5),
        (CallFilter(caller="200"), 0),
        (CallFilter(called="6200", outcome="menu"), 4),
        (CallFilter(outcome="connected"), 0),
        (CallFilter(is_live=True), 1),
        (CallFilter(is_live=False), 4),
        (CallFilter(menu=12345), 0),
    ],
)
def test_calls_are_found(filled: Database, wanted: CallFilter, count: int) -> None:
    with filled.reading() as connection:
        total, rows = call_records.list_calls(connection, wanted)
    assert total == len(rows) == count


def test_calls_are_found_by_the_menus_they_went_through(
    filled: Database, snapshot: IvrSnapshot, navigator: int
) -> None:
    prompt = snapshot.ivr_by_number("6202")
    assert prompt is not None
    with filled.reading() as connection:
        assert call_records.list_calls(connection, CallFilter(menu=navigator))[0] == 5
        total, rows = call_records.list_calls(connection, CallFilter(menu=prompt.id))
    assert total == 2
    assert {row.path for row in rows} == {"6200 6202"}


def test_pages_are_newest_first(filled: Database) -> None:
    with filled.reading() as connection:
        total, first = call_records.list_calls(connection, CallFilter(), 0, 2)
        _, second = call_records.list_calls(connection, CallFilter(), 2, 2)
    assert total == 5
    assert [row.id for row in first + second] == [
        "live",
        f"call-{3 * HOUR:08d}",
        f"call-{HOUR:08d}",
        "call-00001000",
    ]


@pytest.mark.parametrize(
    ("ident", "found"),
    [
        ("live", "live"),
        ("li", "live"),
        ("call-0000", None),
        ("call-00001", "call-00001000"),
        ("", None),
        ("%", None),
    ],
)
def test_one_call_is_found_by_the_beginning_of_its_id(
    filled: Database, ident: str, found: str | None
) -> None:
    with filled.reading() as connection:
        record_found = call_records.find_call(connection, ident)
    assert (record_found and record_found.id) == found


def test_calls_are_counted_by_the_hour(filled: Database) -> None:
    with filled.reading() as connection:
        hours = reports.count_hours(connection, WHOLE)
        east = reports.count_hours(connection, WHOLE, [(0, HOUR // 2)])
    assert [(one.start - MIDNIGHT, one.outcome, one.calls) for one in hours] == [
        (0, "menu", 2),
        (HOUR, "menu", 1),
        (3 * HOUR, "menu", 1),
    ]
    assert [one.start - MIDNIGHT for one in east] == [at - HOUR // 2 for at in (0, HOUR, 3 * HOUR)]


def test_what_happens_in_menus_is_counted(filled: Database, snapshot: IvrSnapshot, navigator: int) -> None:
    prompt = snapshot.ivr_by_number("6202")
    assert prompt is not None
    with filled.reading() as connection:
        acts = reports.count_acts(connection, WHOLE)
        before = reports.count_acts(connection, Span(0, MIDNIGHT))
    chosen = [(one.menu, one.input, one.kind, one.target, one.count) for one in acts if one.topic == "chose"]
    assert chosen == [(navigator, "3", DestinationKind.IVR, prompt.id, 2)]
    [wrong] = [one for one in acts if one.topic == "invalid"]
    assert (wrong.menu, wrong.input, wrong.count) == (navigator, "7", 1)
    assert wrong.detail
    assert sum(one.count for one in acts if one.topic == "ended") == 4
    assert before == []


def test_ways_are_counted_by_call(filled: Database) -> None:
    with filled.reading() as connection:
        journeys = reports.count_journeys(connection, WHOLE)
    assert sum(one.calls for one in journeys) == 4  # and not the one under way
    assert journeys[0].path == ("6200", "6202")
    assert journeys[0].calls == 2


def test_no_call_of_a_span_reaches_another(filled: Database) -> None:
    with filled.reading() as connection:
        report = reports.read_report(connection, Span(MIDNIGHT, MIDNIGHT + HOUR))
    assert sum(one.calls for one in report.hours) == sum(one.calls for one in report.journeys) == 2
