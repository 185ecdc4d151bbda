"""The numbers of reports equal those that the records give, on both databases and in any zone."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from openivr.hours.calendar import PeriodKind
from openivr.ivr.commands import HangupReason, Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr import call_records, call_writer, report_sums, reports
from openivr.store.cdr.call_records import CallFilter, CallNote, CallRecord, NoteFilter
from openivr.store.cdr.reports import HOUR, UTC, CallReport, Hour, Journey, Span, Zone
from openivr.store.database import Database
from openivr.store.tables import ACTION_SUM, CALL, JOURNEY_SUM, OUTCOME_SUM
from tests.effort import scale

Past = list[tuple[CallRecord, list[CallNote]]]

BERLIN, LORD_HOWE = ZoneInfo("Europe/Berlin"), ZoneInfo("Australia/Lord_Howe")
KATHMANDU = ZoneInfo("Asia/Kathmandu")  # 5 h 45 min before UTC
AMSTERDAM = timezone(timedelta(minutes=19, seconds=32))  # as it was until 1937
SPRING = int(datetime(2026, 3, 29, tzinfo=BERLIN).timestamp() * 1000)  # that night clocks go forward at 2
AUTUMN = int(datetime(2026, 10, 25, tzinfo=BERLIN).timestamp() * 1000)  # that night clocks go back at 3
ZONES = ((BERLIN, SPRING), (BERLIN, AUTUMN), (LORD_HOWE, AUTUMN), (KATHMANDU, SPRING), (AMSTERDAM, SPRING))
SUMS = (OUTCOME_SUM, ACTION_SUM, JOURNEY_SUM)
MENUS, NUMBERS = (1, 2, 3), ("6200", "6201", "6202", "620")
PERIODS = ("", *PeriodKind)
OUTCOMES = ("", "connected", "message", "menu", "missed", "refused")


def zone_of(zone: tzinfo, span: Span) -> Zone:
    """The offsets of a zone, found by looking at every half hour."""
    found: list[tuple[int, int]] = []
    for at in range(span.since, span.until, HOUR // 2):
        offset = offset_of(zone, at)
        if not found or found[-1][1] != offset:
            found.append((at, offset))
    return found


def offset_of(zone: tzinfo, at: int) -> int:
    offset = datetime.fromtimestamp(at / 1000, zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


notes = st.builds(
    Note,
    st.sampled_from(Topic),
    st.sampled_from((0, *MENUS)),
    st.sampled_from(("", "1", "2", "#", "1000", "...")),
    st.none() | st.sampled_from(DestinationKind),
    st.sampled_from((0, 1, 2)),
    detail=st.sampled_from(("", *HangupReason, "no such key")),
).map(lambda note: replace(note, detail="busy") if note.topic is Topic.FAILED else note)


@st.composite
def pasts(draw: st.DrawFn, night: int) -> Past:
    """Calls of a night and the days around it, with notes that mean nothing."""
    moments = draw(st.lists(st.integers(night - 26 * HOUR, night + 50 * HOUR), max_size=25))
    past: Past = []
    for place, at in enumerate(moments):
        record = CallRecord(
            id=f"{place:04d}",
            started=at,
            path=" ".join(draw(st.lists(st.sampled_from(NUMBERS), max_size=3))),
            outcome=draw(st.sampled_from(OUTCOMES)),
            reason=draw(st.sampled_from(("", HangupReason.CALLER_HANGUP, HangupReason.MENU_TIMEOUT))),
            period=draw(st.sampled_from(PERIODS)),
        )
        record.ended = at + 60_000 if record.outcome else None
        # what happens in a call may happen long after it began
        late = [CallNote(at + 7 * HOUR * n, note) for n, note in enumerate(draw(st.lists(notes, max_size=6)))]
        past.append((record, late))
    return past


def keep(database: Database, past: Past) -> None:
    with database.writing() as connection:
        call_writer.delete_calls(connection, connection.execute(select(CALL.c.id)).scalars().all())
        write(connection, past)


def write(connection: Connection, past: Past) -> None:
    notes = ((record.id, at, one) for record, those in past for at, one in enumerate(those))
    call_writer.write_calls(connection, [record for record, _ in past], notes)


def count(past: Past, zone: tzinfo) -> CallReport:
    """The same report, from the records alone."""
    hours: Counter[tuple[int, str, str]] = Counter()
    acts: Counter[tuple[str, int, str, str, int, str]] = Counter()
    journeys: Counter[tuple[tuple[str, ...], str, str, str, int]] = Counter()
    for record, those in past:
        local = datetime.fromtimestamp(record.started / 1000, zone)
        begun = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        start = record.started - begun // timedelta(milliseconds=1)
        hours[start, record.outcome, record.period] += 1
        reached: tuple[str, int] = "", 0
        for note in (one.note for one in those):
            kind = note.kind or ""
            if note.topic in {"entered", "chose", "timed_out", "invalid", "ended"} and note.ivr:
                acts[note.topic, note.ivr, note.input, kind, note.target, note.detail] += 1
            if note.topic in {"connected", "recorded"}:
                reached = kind, note.target
        journeys[tuple(record.path.split()), record.outcome, record.reason, *reached] += 1
    return CallReport(
        [Hour(*key, call_records) for key, call_records in hours.items()],
        [reports.MenuAction(*key, call_records) for key, call_records in acts.items()],
        [Journey(*key, call_records) for key, call_records in journeys.items()],
    )


def same(a: Sequence[object], b: Sequence[object]) -> bool:
    return Counter(a) == Counter(b)


@settings(max_examples=scale(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_numbers_are_those_of_the_records(database: Database, data: st.DataObject) -> None:
    zone, night = data.draw(st.sampled_from(ZONES))
    past = data.draw(pasts(night))
    keep(database, past)
    size = data.draw(st.sampled_from((HOUR, report_sums.QUARTER, 1_000)))
    since = (night + data.draw(st.integers(-26 * HOUR, 24 * HOUR))) // size * size
    span = Span(since, since + data.draw(st.integers(0, 80)) * HOUR)
    with database.reading() as connection:
        found = reports.read_report(
            connection, span, zone_of(zone, Span(span.since - HOUR, span.until + HOUR))
        )
    over = [one for one in past if not one[0].is_live]
    expected = count([one for one in over if span.since <= one[0].started < span.until], zone)
    assert same(found.hours, expected.hours)
    assert same(found.acts, expected.acts)
    assert same(found.journeys, expected.journeys)
    assert [hour.start for hour in found.hours] == sorted(hour.start for hour in found.hours)


@settings(max_examples=scale(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_sums_stay_right_after_any_writes_and_deletions(database: Database, data: st.DataObject) -> None:
    keep(database, [])
    known: dict[str, tuple[CallRecord, list[CallNote]]] = {}
    for _ in range(data.draw(st.integers(1, 6))):
        written = data.draw(pasts(SPRING))
        deleted = data.draw(st.none() | st.integers(SPRING - 26 * HOUR, SPRING + 50 * HOUR))
        for record, those in written:  # some of the calls are known: they end, or have later notes
            before = known.get(record.id)
            if before is not None and not before[0].is_live and record.is_live:
                known[record.id] = replace(record, outcome="menu", ended=record.started), those
            else:
                known[record.id] = record, those
            known[record.id][1].extend(before[1][len(those) :] if before else [])
        with database.writing() as connection:
            write(connection, [known[record.id] for record, _ in written])
        if deleted is not None:
            with database.writing() as connection:
                call_writer.delete_old(connection, deleted)
            known = {id_: call for id_, call in known.items() if (call[0].ended or deleted) >= deleted}
        assert_sums(database, list(known.values()))


def assert_sums(database: Database, past: Past) -> None:
    """Assert that whole days, which come from sums alone, have the numbers of the calls."""
    first = (SPRING - 26 * HOUR) // report_sums.DAY * report_sums.DAY
    with database.reading() as connection:
        found = reports.read_report(connection, Span(first, first + 5 * report_sums.DAY), UTC)
        kept = [number for table in SUMS for number in connection.execute(select(table.c["count"])).scalars()]
    expected = count([call for call in past if not call[0].is_live], ZoneInfo("UTC"))
    assert same(found.hours, expected.hours)
    assert same(found.acts, expected.acts)
    assert same(found.journeys, expected.journeys)
    assert all(number > 0 for number in kept)


@settings(max_examples=scale(10), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_calls_behind_a_number_are_found(database: Database, data: st.DataObject) -> None:
    past = data.draw(pasts(SPRING))
    keep(database, past)
    path = tuple(data.draw(st.lists(st.sampled_from(NUMBERS), max_size=2)))
    is_whole = data.draw(st.booleans())
    noted = data.draw(
        st.none()
        | st.builds(
            NoteFilter,
            st.sampled_from((("chose",), ("connected", "recorded"))),
            st.none() | st.sampled_from(MENUS),
            st.none() | st.sampled_from(("", "1")),
            st.none() | st.sampled_from(("", *DestinationKind)),
            st.none() | st.just(1),
            st.none() | st.just(""),
        )
    )
    reason = data.draw(st.sampled_from(("", HangupReason.CALLER_HANGUP)))
    period = data.draw(st.sampled_from((*PERIODS, call_records.NO_PERIOD)))
    wanted = CallFilter(path=path, is_whole_path=is_whole, noted=noted, reason=reason, period=period)
    with database.reading() as connection:
        _, rows = call_records.list_calls(connection, wanted)
    assert {row.id for row in rows} == {
        record.id for record, those in past if is_wanted(wanted, record, those)
    }


def is_wanted(wanted: CallFilter, record: CallRecord, those: list[CallNote]) -> bool:
    way = tuple(record.path.split())
    begins = way == wanted.path if wanted.is_whole_path else way[: len(wanted.path)] == wanted.path
    noted = wanted.noted
    return (
        begins
        and wanted.reason in {"", record.reason}
        and wanted.period in {"", record.period or call_records.NO_PERIOD}
        and (noted is None or any(fits(noted, one.note) for one in those))
    )


def fits(noted: NoteFilter, note: Note) -> bool:
    asked = (
        (noted.menu, note.ivr),
        (noted.input, note.input),
        (noted.kind, note.kind or ""),
        (noted.target, note.target),
        (noted.detail, note.detail),
    )
    return note.topic in noted.topics and all(one is None or one == other for one, other in asked)
