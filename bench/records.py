"""Measures lists of a million call records, and reports of a year, beside plain SQL on the same data.

On both databases, in about five minutes: each part has so many seconds, and measures as much as they allow.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from bench import reports
from bench.machine import print_table
from bench.timing import repeat, timed
from openivr.store.cdr import cdr_lists
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.cdr_index import Filter, HasPart, HasText, IndexOrder, IsBetween
from openivr.store.cdr.cdr_lists import CdrLists, CdrQuery
from openivr.store.database import Database
from openivr.store.schema import migrate
from openivr.store.tables import CALL, CDR_CALL, CDR_ROW, CDR_STATE
from tests import postgres

ROWS = 1_000_000
FILL_SECONDS = {"SQLite": 120, "PostgreSQL": 40}  # in which so many rows are made at the most
MEASURE_SECONDS = 35  # for all lists of a database
YEAR = 365 * 86_400
START = 1_750_000_000
PAGE = 20
RUNS = 300
SQL_RUNS = 5
BATCH = 10_000
SORTED = ("id", "started", "uid", "duration", "talk_duration", "disposition", "src_trunk", "did_number")
STAGES = ("ivr", "ivr", "ring_group", "extension")


def main() -> None:
    for name in ("SQLite", "PostgreSQL"):
        with opened(name) as database:
            started = time.monotonic()
            total = fill(database, ROWS, started + FILL_SECONDS[name])
            print(f"{name}: {total:,} rows made in {time.monotonic() - started:.0f} s", flush=True)
            measure(name, database, total)
        with opened(name) as database:
            reports.measure(name, database, copy)


@contextmanager
def opened(name: str) -> Iterator[Database]:
    """Open an empty database of a sort, which is deleted afterwards."""
    if name == "SQLite":
        with tempfile.TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{Path(folder) / 'openivr.db'}")
            migrate(database)
            yield database
            database.close()
        return
    with postgres.running() as socket:
        database = Database(postgres.create_database(socket, "bench"))
        migrate(database)
        yield database
        database.close()


def fill(database: Database, total: int, until: float) -> int:
    """Make calls of a year with so many routing stages, or as many as there is time for. Return how many."""
    chance = random.Random(1)
    stages = make_stages(chance, total)
    last = calls = 0
    with database.writing() as connection:
        for index in CALL.indexes:  # which no list needs here
            index.drop(connection)
        while time.monotonic() < until and (part := list(islice(stages, BATCH))):
            rows = [row for rows in part for row in rows]
            for at, row in enumerate(rows, last + 1):
                row["id"] = at
            last += len(rows)
            whole = [whole_row(at, of_call) for at, of_call in enumerate(part, calls + 1)]
            calls += len(part)
            copy(connection, CALL, [record_row(of_call) for of_call in part])
            copy(connection, CDR_ROW, rows)
            copy(connection, CDR_CALL, whole)
        connection.execute(CDR_STATE.update().values(last_row=last, last_call=calls))
        for name in SORTED:
            connection.exec_driver_sql(f"CREATE INDEX bench_{name} ON cdr_row ({name}, id)")
        connection.exec_driver_sql("CREATE INDEX bench_caller ON cdr_row (call_from, duration, id)")
    with database.writing() as connection:
        connection.exec_driver_sql("ANALYZE")
    return last


def make_stages(chance: random.Random, total: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the stages of one call after another."""
    made = 0
    at = float(START)
    step = YEAR * 2.5 / total
    people = [f"{chance.choice('ABCDEFG')}. Person {n}" for n in range(200)]
    while made < total:
        at += chance.expovariate(1 / step)
        moment = int(at)
        count = min(chance.choice((1, 2, 2, 3, 4, 3)), total - made)
        is_inbound = chance.random() < 0.7
        person = chance.randrange(200)
        outside = f"0{chance.randrange(10**9, 10**9 + 300_000) * 7919 % 10**10:010d}"
        random_id = chance.randrange(16**8)
        rows = []
        for leg in range(count):
            kind = STAGES[(4 - count) + leg] if is_inbound else "external_num"
            ring, talk = (
                (0, chance.randrange(40)) if kind == "ivr" else (chance.randrange(30), chance.randrange(900))
            )
            disposition = chance.choices(
                ("ANSWERED", "NO ANSWER", "BUSY", "FAILED", "VOICEMAIL"), (70, 15, 5, 5, 5)
            )[0]
            rows.append(
                {
                    "call_id": f"{moment * 1000:x}-{random_id:08x}",
                    "ended": (moment + 1000) * 1000,
                    "uid": time.strftime("%Y%m%d%H%M%S", time.gmtime(moment)) + f"000{random_id:08X}",
                    "leg": leg + 1,
                    "started": moment + leg * 10,
                    "call_from": outside if is_inbound else str(1000 + person),
                    "call_from_name": "" if is_inbound else people[person],
                    "to_kind": kind,
                    "to_id": person,
                    "call_to": {"ivr": "6200", "ring_group": "6300"}.get(kind, str(1000 + person))
                    if is_inbound
                    else outside,
                    "call_to_name": "Welcome",
                    "disposition": disposition,
                    "call_type": "Inbound" if is_inbound else "Outbound",
                    "duration": ring + talk,
                    "ring_duration": ring,
                    "talk_duration": talk,
                    "src_trunk": "Provider" if is_inbound else "",
                    "dst_trunk": "" if is_inbound else "Provider",
                    "did_number": f"+44163296{person:04d}" if is_inbound else "",
                    "dod_number": "" if is_inbound else "+441632960000",
                    "is_recorded": int(leg == count - 1),
                }
            )
        made += count
        yield rows


def whole_row(id_: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    first, last = rows[0], rows[-1]
    kept = {name: value for name, value in last.items() if name in CDR_CALL.c} | {"started": first["started"]}
    talk = last["talk_duration"]
    whole = sum(row["duration"] for row in rows)
    durations = {"call_duration": whole, "routing_duration": whole - talk, "handling_duration": talk}
    return kept | durations | {"id": id_, "last_status": last["disposition"]}


def record_row(rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = rows[0]
    record = CallRecord(
        id=first["call_id"],
        node="bench",
        started=first["started"] * 1000,
        ended=first["ended"],
        updated=first["ended"],
        caller=first["call_from"],
        called="6200",
        outcome="connected",
    )
    return {column.name: getattr(record, column.name) for column in CALL.c}


def copy(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows in the quickest way that a database has."""
    if connection.dialect.name == "sqlite":
        connection.execute(table.insert(), rows)
        return
    import msgspec
    from psycopg import sql

    names = [column.name for column in table.c]
    cursor = connection.connection.cursor()
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    text = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    with cursor.copy(text) as target:
        for row in rows:
            target.write_row(
                [
                    msgspec.json.encode(v).decode() if isinstance(v, list | dict) else v
                    for v in map(row.get, names)
                ]
            )


Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Question:
    """A list that is asked for: conditions for the index and for SQL, and an order."""

    filters: tuple[Filter, ...] = ()
    conditions: tuple[Condition, ...] = ()
    sort: str = "id"


def answered() -> Question:
    return Question((HasText("disposition", ("ANSWERED",)),), (CDR_ROW.c.disposition == "ANSWERED",))


def of_span(chance: random.Random, sort: str) -> Question:
    """Answered ones of a random part of the year."""
    since = START + chance.randrange(YEAR)
    is_later = IsBetween("started", since, None)
    one = answered()
    return Question((*one.filters, is_later), (*one.conditions, CDR_ROW.c.started >= since), sort)


def from_extension(chance: random.Random) -> Question:
    number = str(1000 + chance.randrange(200))
    return Question((HasText("call_from", (number,)),), (CDR_ROW.c.call_from == number,), "duration")


def with_part(chance: random.Random) -> Question:
    """A part of two to six digits of the number of the caller."""
    size = chance.randrange(1, 6)
    part = str(chance.randrange(10**size, 10 ** (size + 1)))
    return Question((HasPart(("call_from",), part),), (CDR_ROW.c.call_from.contains(part),))


# Each request of the last five has other conditions, so that no result is known already.
CASES: tuple[tuple[str, Callable[[random.Random], Question]], ...] = (
    *((f"all, by {name}", partial(lambda name, _: Question(sort=name), name)) for name in SORTED),
    ("answered, by time of talk", lambda _: replace(answered(), sort="talk_duration")),
    ("answered in a part of the year, by time", lambda chance: of_span(chance, "started")),
    ("answered in a part of the year, by line", lambda chance: of_span(chance, "src_trunk")),
    ("answered in a part of the year, by length", lambda chance: of_span(chance, "duration")),
    ("from one extension, by length", from_extension),
    ("a part of the caller's number", with_part),
)


def measure(name: str, database: Database, total: int) -> None:
    """Print how long pages of lists take. The first time of each case is always measured."""
    lists = CdrLists()
    started = time.monotonic()
    with database.reading() as connection:
        while not lists.rows.follow_some(connection):
            pass
    built = time.monotonic() - started
    seconds = MEASURE_SECONDS / len(CASES)
    rows = [(title, *compare(database, lists, make, total, seconds)) for title, make in CASES]
    print_table(
        f"Call records: pages of {PAGE} among {total:,} rows, {name}; the index is built in {built:.1f} s",
        ("", "first, ms", "p50 ms", "p99 ms", "plain SQL p50 ms", "plain SQL worst ms", "runs"),
        rows,
    )


def compare(
    database: Database,
    lists: CdrLists,
    make: Callable[[random.Random], Question],
    total: int,
    seconds: float,
) -> tuple[str, ...]:
    """Measure random pages of a list, either way round, by the index and by SQL."""
    chance = random.Random(2)
    first = timed(partial(read, database, lists, make(chance), chance, total))
    tail = repeat(lambda: read(database, lists, make(chance), chance, total), RUNS, seconds / 2)
    by_sql = repeat(lambda: run_sql(database, make(chance), chance, total), SQL_RUNS, seconds / 2)
    figures = (first, statistics.median(tail), tail[int(len(tail) * 0.99)])
    return (
        *(f"{value:.1f}" for value in figures),
        *(f"{value:.0f}" for value in (statistics.median(by_sql), by_sql[-1])),
        f"{len(tail)} / {len(by_sql)}",
    )


def read(database: Database, lists: CdrLists, question: Question, chance: random.Random, total: int) -> None:
    order = IndexOrder(question.sort, is_descending=chance.random() < 0.5)
    with database.reading() as connection:
        lists.list_rows(connection, CdrQuery(question.filters, order, chance.randrange(total // 4), PAGE))


def run_sql(database: Database, question: Question, chance: random.Random, total: int) -> None:
    """Count and read a page, with an index for each order."""
    with database.reading() as connection:
        count = select(func.count()).select_from(CDR_ROW).where(*question.conditions)
        connection.execute(count).scalar_one()
        query = cdr_lists.select_of(cdr_lists.ROWS).where(*question.conditions)
        page = query.order_by(CDR_ROW.c[question.sort], CDR_ROW.c.id)
        connection.execute(page.offset(chance.randrange(total // 4)).limit(PAGE)).all()


if __name__ == "__main__":
    main()
