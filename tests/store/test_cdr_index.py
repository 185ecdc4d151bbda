"""The index of call detail records: as a list that is filtered and sorted, on both databases."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from openivr.store.cdr import call_records, call_writer, cdr_index, cdr_rows
from openivr.store.cdr.call_records import CallRecord
from openivr.store.cdr.cdr_index import (
    NOTHING,
    AnyOf,
    CdrIndex,
    Filter,
    HasPart,
    HasText,
    IndexOrder,
    IsBetween,
    Texts,
)
from openivr.store.cdr.cdr_lists import CALLS, ROWS, CdrLists, CdrQuery
from openivr.store.database import Database
from openivr.store.tables import CDR_CALL, CDR_ROW, CDR_STATE
from tests.effort import scale

NUMBERS = ("1000", "1001", "0207946", "07946000", "", "+44207", "é1", "9" * 20)
OUTCOMES = ("connected", "menu", "missed", "refused", "message")
TRUNKS = ("Provider", "Zürich", "b", "B")


def make_record(chance: random.Random, number: int) -> CallRecord:
    started = 1_700_000_000_000 + chance.randrange(100_000)
    is_trunk = chance.random() < 0.5
    return CallRecord(
        id=f"{started:x}-{number:08x}",
        started=started,
        answered=started + chance.randrange(9_000),
        ended=started + chance.randrange(9_000, 20_000),
        caller=chance.choice(NUMBERS),
        called=chance.choice(NUMBERS),
        source_kind="trunk" if is_trunk else "extension",
        source=chance.choice(TRUNKS) if is_trunk else "1000",
        outcome=chance.choice(OUTCOMES),
        recording="x.wav" if chance.random() < 0.3 else "",
    )


def add(database: Database, records: list[CallRecord]) -> None:
    with database.writing() as connection:
        call_records.save(connection, records)
        cdr_rows.save_rows(connection, records)


def rows_of(database: Database) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(select(CDR_ROW).order_by(CDR_ROW.c.id)))


Check = Callable[[Any], bool]
FILTERS: tuple[tuple[Filter, Check], ...] = (
    (HasText("call_from", ("1000",)), lambda row: row.call_from == "1000"),
    (HasText("call_to", ("1000", "1001", "none")), lambda row: row.call_to in ("1000", "1001")),
    (HasText("call_to", ("none",)), lambda row: False),
    (HasPart(("call_from",), "7946"), lambda row: "7946" in row.call_from),
    (HasPart(("call_from", "call_to"), "07"), lambda row: "07" in row.call_from or "07" in row.call_to),
    (HasPart(("call_from",), "9"), lambda row: "9" in row.call_from),
    (HasPart(("call_from",), "99999"), lambda row: "99999" in row.call_from),
    (HasPart(("call_from",), "é"), lambda row: "é" in row.call_from),
    (HasPart(("call_from",), "\n"), lambda row: False),
    (HasPart(("call_from",), ""), lambda row: True),
    (IsBetween("duration", 11, 15), lambda row: 11 <= row.duration <= 15),
    (IsBetween("duration", None, 12), lambda row: row.duration <= 12),
    (IsBetween("started", 1_700_000_050, None), lambda row: row.started >= 1_700_000_050),
    (
        AnyOf((HasText("call_from", ("1001",)), HasText("disposition", ("FAILED",)))),
        lambda row: row.call_from == "1001" or row.disposition == "FAILED",
    ),
    (NOTHING, lambda row: False),
)
SORTS = ("id", "uid", "started", "duration", "talk_duration", "disposition", "src_trunk", "call_type")


def key_of(sort: str) -> Callable[[Any], Any]:
    return lambda row: (row.uid[:17] if sort == "uid" else getattr(row, sort), row.id)


def test_pages_are_those_of_a_filtered_and_sorted_list(database: Database) -> None:
    chance = random.Random(1)
    lists, added = CdrLists(), 0
    for _ in range(4):
        add(database, [make_record(chance, added + at) for at in range(chance.randrange(1, 60))])
        added += 60
        rows = rows_of(database)
        for _ in range(scale(60)):
            chosen = chance.sample(FILTERS, chance.randrange(3))
            sort, descending = chance.choice(SORTS), chance.random() < 0.5
            wanted = sorted((row for row in rows if all(check(row) for _, check in chosen)), key=key_of(sort))
            wanted = wanted[::-1] if descending else wanted
            offset, limit = chance.randrange(len(rows) + 3), chance.randrange(1, 40)
            filters = tuple(one for one, _ in chosen)
            query = CdrQuery(filters, IndexOrder(sort, is_descending=descending), offset, limit)
            with database.reading() as connection:
                total, page = lists.list_rows(connection, query)
            assert total == len(wanted)
            assert [row.id for row in page] == [row.id for row in wanted[offset : offset + limit]]


def test_a_row_shows_the_start_of_its_call_and_the_recording(database: Database) -> None:
    record = make_record(random.Random(3), 1)
    record.recording = "x.wav"
    add(database, [record])
    lists = CdrLists()
    with database.reading() as connection:
        for read in (lists.list_rows, lists.list_calls):
            total, (row,) = read(connection, CdrQuery())
            assert (total, row.call_id, row.call_started) == (1, record.id, record.started)
            assert row.recording == "x.wav"


def test_a_call_that_is_written_again_keeps_its_rows(database: Database) -> None:
    record = make_record(random.Random(4), 1)
    add(database, [record])
    before = rows_of(database)
    add(database, [record, make_record(random.Random(5), 2)])
    assert [row for row in rows_of(database) if row.call_id == record.id] == before
    assert [row.id for row in rows_of(database)] == [1, 2]


def test_deleted_calls_are_gone_before_and_after_their_rows(database: Database) -> None:
    chance = random.Random(2)
    records = [make_record(chance, at) for at in range(50)]
    add(database, records)
    lists = CdrLists()

    def read(index: str) -> tuple[int, list[str]]:
        with database.reading() as connection:
            total, rows = getattr(lists, f"list_{index}")(connection, CdrQuery())
        assert len(rows) == total
        return total, [row.call_id for row in rows]

    assert read("rows")[0] == 50
    before = sorted(record.ended or 0 for record in records)[20]
    kept = {record.id for record in records if (record.ended or 0) >= before}
    with database.writing() as connection:
        cdr_rows.move_horizon(connection, before)
    assert {*read("rows")[1]} == {*read("calls")[1]} == kept
    with database.writing() as connection:
        assert call_writer.delete_old(connection, before) == 50 - len(kept)
    assert {*read("rows")[1]} == kept == {row.call_id for row in rows_of(database)}
    with database.writing() as connection:
        cdr_rows.move_horizon(connection, 0)  # records are kept for ever from now on
    assert {*read("rows")[1]} == kept


def test_an_index_is_built_some_rows_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdr_index, "BATCH", 7)
    chance = random.Random(6)
    add(database, [make_record(chance, at) for at in range(30)])
    index = CdrIndex(ROWS)
    steps = 0
    with database.reading() as connection:
        while not index.follow_some(connection, 10):
            steps += 1
    assert (steps, index.count) == (2, 30)


def test_a_restored_database_is_read_from_the_start(database: Database) -> None:
    add(database, [make_record(random.Random(7), at) for at in range(5)])
    index = CdrIndex(CALLS)
    with database.writing() as connection:
        assert index.follow(connection) == 5
        connection.execute(CDR_CALL.delete().where(CDR_CALL.c.id > 2))
        connection.execute(CDR_STATE.update().values(last_call=2, epoch=CDR_STATE.c.epoch + 1))
        assert index.follow(connection) == 2
        connection.execute(CDR_STATE.update().values(epoch=CDR_STATE.c.epoch - 1))
        with pytest.raises(cdr_index.IndexChanged):
            index.follow(connection)


def test_parts_are_found_in_texts_that_came_later() -> None:
    texts = Texts()
    for value in ("12", "", "312"):
        texts.encode(value)
    assert list(texts.find_part("12")) == [True, False, True]
    texts.encode("0123")
    assert list(texts.find_part("12")) == [True, False, True, True]
    assert list(texts.find_part("123")) == [False, False, False, True]
    assert list(texts.find_part("3")) == [False, False, True, True]
    assert list(texts.find_part("")) == [True] * 4
    assert list(texts.ranks()) == [2, 0, 3, 1]
