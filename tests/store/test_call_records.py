"""Lists of calls: every filter, every order, and what goes on now, on both databases."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Text

from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr import call_records, call_writer
from openivr.store.cdr.call_records import AHEAD, CallFilter, CallNote, CallRecord, Order
from openivr.store.database import Database
from openivr.store.runtime import liveness
from openivr.store.tables import CDR_ROW

DAY = 86_400_000
ENDED: dict[str, Any] = {"ended": 5, "outcome": "menu", "reason": "caller_hangup", "stage": "ended"}
CALLS = (
    CallRecord(
        "a", started=1 * DAY, caller="+442071", called="6200", source_kind="trunk", source_id=1, **ENDED
    ),
    CallRecord(
        "b", started=2 * DAY, caller="1000", called="6201", source_kind="extension", source_id=1, **ENDED
    ),
    CallRecord("c", started=3 * DAY, caller="", called="207", source_kind="trunk", source_id=2, **ENDED),
    CallRecord("d", started=3 * DAY, caller="20_7%", called="6200", outcome="missed", ended=9, reason="x"),
    CallRecord("live", started=4 * DAY, caller="3", called="6200", sequence=4, stage="waiting", node="n"),
)
STAGE = {
    **{column.name: "" if isinstance(column.type, Text) else 0 for column in CDR_ROW.c},
    "call_to": "6200",
}
MENUS = {"a": (3, 3, 4), "b": (4,), "d": (3,), "live": (3,)}


@pytest.fixture
def filled(database: Database) -> Database:
    with database.writing() as connection:
        call_records.save(connection, CALLS)
        notes = [
            (call, place, CallNote(1, Note(Topic.ENTERED, menu)))
            for call, menus in MENUS.items()
            for place, menu in enumerate(menus)
        ]
        call_records.save_notes(
            connection, [*notes, ("c", 0, CallNote(1, Note(Topic.CHOSE, 3, "1", DestinationKind.IVR, 4)))]
        )
        call_records.save_menus(connection, [one.id for one in CALLS if not one.is_live])
        stages = ({**STAGE, "id": id_, "call_id": call} for id_, call in enumerate("ad", 1))
        connection.execute(CDR_ROW.insert(), list(stages))
    return database


WANTED: tuple[tuple[CallFilter, str], ...] = (
    (CallFilter(), "live d c b a"),
    (CallFilter(is_live=False), "d c b a"),
    (CallFilter(is_live=True), "live"),
    (CallFilter(since=2 * DAY, until=4 * DAY), "d c b"),
    (CallFilter(number="207"), "c a"),
    (CallFilter(number="_"), "d"),
    (CallFilter(number="%", is_live=False), "d"),
    (CallFilter(caller="1000"), "b"),
    (CallFilter(called="6200"), "live d a"),
    (CallFilter(outcome="missed"), "d"),
    (CallFilter(reason="caller_hangup", until=3 * DAY), "b a"),
    (CallFilter(source=("trunk", 1)), "a"),
    (CallFilter(source=("extension", 1)), "b"),
    (CallFilter(menu=3), "live d a"),
    (CallFilter(menu=3, is_live=True), "live"),
    (CallFilter(menu=3, is_live=False), "d a"),
    (CallFilter(menu=4, is_live=False), "b a"),
    (CallFilter(menu=3, is_live=False, since=2 * DAY), "d"),
    (CallFilter(menu=3, is_live=False, until=2 * DAY), "a"),
    (CallFilter(menu=3, is_live=False, outcome="missed"), "d"),
    (CallFilter(menu=3, is_live=False, outcome="missed", until=2 * DAY), ""),
    (CallFilter(menu=5, is_live=False), ""),
    (CallFilter(did="6200"), "a"),
    (CallFilter(did="6200", menu=3, is_live=False), "a"),
    (CallFilter(did="207"), "c"),
    (CallFilter(did="6200", trunk="Provider"), ""),
    (CallFilter(extensions=("1000", "1001")), "b"),
    (CallFilter(extensions=("6200",), is_live=False), "d a"),
    (CallFilter(extensions=()), ""),
)


@pytest.mark.parametrize(("wanted", "expected"), WANTED, ids=lambda value: str(value)[:90])
def test_what_is_wanted_is_found(filled: Database, wanted: CallFilter, expected: str) -> None:
    with filled.reading() as connection:
        total, found = call_records.list_calls(connection, wanted)
        assert " ".join(one.id for one in found) == expected
        assert total == len(found)
        walked, last = [], None
        while part := call_records.walk_calls(connection, wanted, last, 2):
            walked += part
            last = (part[-1].started, part[-1].id)
    assert walked == found


@pytest.mark.parametrize("menu", [None, 3])
@pytest.mark.parametrize(
    ("order", "key"),
    [
        (Order("started", is_descending=False), lambda one: (one.started, one.id)),
        (Order("caller", is_descending=False), lambda one: (one.caller, one.started, one.id)),
        (Order("called", is_descending=True), lambda one: (one.called, one.started, one.id)),
    ],
    ids=["started", "caller", "called"],
)
def test_orders(
    filled: Database, menu: int | None, order: Order, key: Callable[[CallRecord], tuple[object, ...]]
) -> None:
    wanted = CallFilter(is_live=False, menu=menu)
    with filled.reading() as connection:
        _, found = call_records.list_calls(connection, wanted, order=order)
        pages = [call_records.list_calls(connection, wanted, at, 1, order)[1] for at in range(len(found))]
    assert found == sorted(found, key=key, reverse=order.is_descending)
    assert [one for page in pages for one in page] == found


def test_totals_are_right_near_the_end_and_far_from_it(database: Database) -> None:
    count = 2 * AHEAD
    with database.writing() as connection:
        call_records.save(connection, [CallRecord(f"{at:04d}", started=at, ended=at) for at in range(count)])
    with database.reading() as connection:
        for offset in (0, 10, AHEAD, count - 1, count, count + 5):
            total, found = call_records.list_calls(connection, CallFilter(is_live=False), offset, 10)
            assert total == count
            assert len(found) == max(0, min(10, count - offset))


def test_a_call_that_is_deleted_takes_its_menus_along(filled: Database) -> None:
    with filled.writing() as connection:
        assert call_writer.delete_old(connection, 6) == 3
        assert call_records.list_calls(connection, CallFilter(menu=4, is_live=False)) == (0, [])


def test_the_pulse_beats_when_something_happens(filled: Database) -> None:
    now = 1_000_000

    def feel(at: int = now) -> str:
        with filled.reading() as connection:
            return liveness.read_version(connection, at)

    def change(*records: CallRecord) -> str:
        with filled.writing() as connection:
            call_records.save(connection, records)
        return feel()

    with filled.writing() as connection:
        liveness.note_alive(connection, "n", now)
    seen = [feel()]
    assert feel(now + liveness.SILENT_MS) == seen[0]
    seen.append(feel(now + liveness.SILENT_MS + 1))
    seen.append(change(replace(CALLS[-1], sequence=5)))
    seen.append(change(CallRecord("more", started=5)))
    seen.append(change(CallRecord("more", started=5, ended=now)))
    assert len(set(seen)) == len(seen)
    assert feel() == seen[-1]


def test_who_is_silent(filled: Database) -> None:
    with filled.writing() as connection:
        assert liveness.read_nodes(connection, 5).are_silent
        assert liveness.read_nodes(connection, 5).last == 0
        liveness.note_alive(connection, "n", 1000)
        liveness.note_alive(connection, "m", 2000)
        nodes = liveness.read_nodes(connection, 1500 + liveness.SILENT_MS)
    assert (nodes.is_silent("n"), nodes.is_silent("m"), nodes.is_silent("gone")) == (True, False, True)
    assert (nodes.are_silent, nodes.last) == (False, 2000)


def test_calls_under_way_are_listed_with_whom_they_ring(filled: Database) -> None:
    with filled.writing() as connection:
        call_records.save(connection, [CallRecord("later", started=9 * DAY, legs=[{"number": "1000"}])])
        total, found = liveness.list_live(connection, 1)
        assert (total, [one.id for one in found]) == (2, ["live"])
        assert liveness.list_live(connection, 5)[1][1].legs == [{"number": "1000"}]


def test_a_call_is_found_by_its_id_or_the_beginning_of_it(database: Database) -> None:
    with database.writing() as connection:
        call_records.save(connection, [CallRecord("ab"), CallRecord("abc"), CallRecord("xyz")])
        found = {
            id_: call_records.find_call(connection, id_) for id_ in ("ab", "abc", "xy", "a", "q", "", "%")
        }
    assert {id_: one and one.id for id_, one in found.items()} == {
        **{"ab": "ab", "abc": "abc", "xy": "xyz"},
        **dict.fromkeys(("a", "q", "", "%")),
    }
