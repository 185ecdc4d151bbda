"""Measures reports of a year of calls beside a count of the same calls by SQL."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import Connection, and_, func, insert, select

from bench.machine import print_table
from bench.timing import repeat
from openivr.server.bootstrap import load_demo
from openivr.store.cdr import report_sums, reports
from openivr.store.cdr.call_records import NAMES, CallNote, CallRecord, note_row
from openivr.store.cdr.reports import Span
from openivr.store.config.ivr_snapshot import load_snapshot
from openivr.store.database import Database
from openivr.store.tables import CALL, CALL_NOTE
from tests.call_history import make_past

CALLS, SHAPES = 200_000, 10_000  # of a year, and those of them that differ in more than their time
YEAR = 365 * 86_400_000
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
RUNS, SECONDS = 20, 10.0
EAST = ((0, 20_700_000),)  # 5 h 45 min: no day of this clock is one of UTC

Copy = Callable[[Connection, Any, list[dict[str, Any]]], None]


def measure(name: str, database: Database, copy: Copy) -> None:
    """Print how long the numbers of a year take."""
    started = time.monotonic()
    fill(database, copy)
    print(f"{name}: {CALLS:,} calls of a year made in {time.monotonic() - started:.0f} s", flush=True)
    since = int(FIRST.timestamp() * 1000) - EAST[0][1]
    span = Span(since, since + YEAR)
    cases = (
        ("hours, outcomes", partial(reports.count_hours, span=span, zone=EAST), report_sums.select_outcomes),
        ("keys of menus", partial(reports.count_acts, span=span), report_sums.select_actions),
        ("ways of callers", partial(reports.count_journeys, span=span), report_sums.select_journeys),
        ("the whole page of reports", partial(reports.read_report, span=span, zone=EAST), None),
    )
    rows = [(title, *compare(database, count, span, by_sql)) for title, count, by_sql in cases]
    print_table(
        f"Reports of a year of {CALLS:,} calls, {name}",
        ("", "p50 ms", "worst ms", "count by SQL, ms"),
        rows,
    )


def compare(database: Database, count: Callable[..., Any], span: Span, by_sql: Any) -> tuple[str, ...]:
    def run() -> None:
        with database.reading() as connection:
            count(connection)

    def run_sql() -> None:
        with database.reading() as connection:
            connection.execute(by_sql(and_(*reports.began_in(span)))).all()

    times = repeat(run, RUNS, SECONDS)
    figures = [f"{statistics.median(times):.0f}", f"{times[-1]:.0f}"]
    return (*figures, f"{repeat(run_sql, 1, SECONDS)[0]:.0f}" if by_sql else "")


def fill(database: Database, copy: Copy) -> None:
    """Make the calls of a year, with their sums."""
    with database.changing() as change:
        load_demo(change)
    with database.reading() as connection:
        snapshot = load_snapshot(connection)
    shapes = list(islice(make_past(snapshot, "6200", FIRST, 3650, 100), SHAPES))
    with database.writing() as connection:
        past = list(spread(shapes))
        copy(connection, CALL, [{name: getattr(record, name) for name in NAMES} for record, _ in past])
        copy(connection, CALL_NOTE, [row for record, notes in past for row in note_rows(record, notes)])
        for number in range(1, CALLS // SHAPES):
            repeat_calls(connection, number)
        connection.exec_driver_sql("ANALYZE")
        report_sums.add_sums(connection, report_sums.count_where(connection, CALL.c.id != ""))
    with database.writing() as connection:
        connection.exec_driver_sql("ANALYZE")


def spread(shapes: list[tuple[CallRecord, list[CallNote]]]) -> Iterator[tuple[CallRecord, list[CallNote]]]:
    """Yield each call once, spread over a year."""
    first = int(FIRST.timestamp() * 1000)
    for place, (record, notes) in enumerate(shapes):
        later = first + place * (YEAR // SHAPES) - record.started
        ended = (record.ended or record.updated) + later
        moved = replace(
            record,
            id=f"{place:08x}",
            started=record.started + later,
            answered=None if record.answered is None else record.answered + later,
            ended=ended,
            updated=ended,
            period="open" if place % 3 else "closed",
        )
        yield moved, [CallNote(note.at + later, note.note) for note in notes]


def repeat_calls(connection: Connection, number: int) -> None:
    """Let the database copy the first calls, each a little later than the copy before."""
    later = number * (YEAR // CALLS)
    for table, id_, times in (
        (CALL, "id", ("started", "answered", "ended", "updated")),
        (CALL_NOTE, "call_id", ("at",)),
    ):
        moved = {id_: table.c[id_] + f"-{number}"} | {name: table.c[name] + later for name in times}
        columns = [moved.get(column.name, column) for column in table.c]
        first = select(*columns).where(func.length(table.c[id_]) == len("00000000"))
        connection.execute(insert(table).from_select([column.name for column in table.c], first))


def note_rows(record: CallRecord, notes: list[CallNote]) -> Iterator[dict[str, Any]]:
    for place, note in enumerate(notes):
        yield {"call_id": record.id, "place": place} | note_row(note)
