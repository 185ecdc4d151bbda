"""Numbers of the reports that the API has: of extensions, ring groups, trunks, and missed calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, func, select

from openivr.ivr.commands import Topic
from openivr.store.cdr.call_records import batches
from openivr.store.cdr.cdr_index import Filter, HasText, IsBetween, Selection
from openivr.store.cdr.cdr_lists import CdrLists
from openivr.store.cdr.reports import Span
from openivr.store.cdr.routing_stages import INBOUND, NO_ANSWER, OUTBOUND, STATUSES
from openivr.store.tables import CALL, CALL_NOTE

RECEIVED = ("extension", "ext_vm")  # kinds of stages at an extension
SAME = 9  # last characters by which two notations of a number are taken to be the same
ENTRIES = (Topic.CHOSE, Topic.INVALID, Topic.TIMED_OUT)


@dataclass(frozen=True, slots=True)
class Totals:
    """Calls by disposition, and the seconds that were talked."""

    calls: Mapping[str, int]
    talked: int

    @property
    def count(self) -> int:
        return sum(self.calls.values())


@dataclass(frozen=True, slots=True)
class MissedCaller:
    """A caller from outside who was not reached, was not called back, and has not been answered since."""

    number: str
    first: int  # Unix seconds
    last: int
    count: int


def period(since: int, until: int) -> Filter:
    """Return the condition of a span in Unix seconds, whose ends are included."""
    return IsBetween("started", since, until)


def count_extensions(
    connection: Connection, lists: CdrLists, numbers: Sequence[str], span: Filter, call_type: str | None
) -> dict[str, Totals]:
    """Return for each extension the calls that came to it and those that it made."""
    of_type = (HasText("call_type", (call_type,)),) if call_type else ()
    received = lists.rows.select(
        connection,
        (span, HasText("to_kind", RECEIVED), HasText("call_to", tuple(numbers)), *of_type),
        ("call_to", "disposition", "talk_duration"),
    )
    made = lists.calls.select(
        connection,
        (
            span,
            HasText("call_from", tuple(numbers)),
            HasText("call_type", ("Internal", "Outbound")),
            *of_type,
        ),
        ("call_from", "last_status", "handling_duration"),
    )
    came = count_by(received, numbers, "call_to", "disposition", "talk_duration")
    went = count_by(made, numbers, "call_from", "last_status", "handling_duration")
    return {number: add(came[number], went[number]) for number in numbers}


def count_stages(
    connection: Connection, lists: CdrLists, kind: str, numbers: Sequence[str], span: Filter
) -> dict[str, Totals]:
    """Return for each number the stages of a kind that led to it."""
    found = lists.rows.select(
        connection,
        (span, HasText("to_kind", (kind,)), HasText("call_to", tuple(numbers))),
        ("call_to", "disposition", "talk_duration"),
    )
    return count_by(found, numbers, "call_to", "disposition", "talk_duration")


def count_trunks(
    connection: Connection, lists: CdrLists, names: Sequence[str], span: Filter, side: str
) -> dict[str, Totals]:
    """Return for each trunk the calls that came in over it (`src_trunk`), or went out (`dst_trunk`)."""
    first_of_call = () if side == "dst_trunk" else (IsBetween("leg", 1, 1),)
    found = lists.rows.select(
        connection,
        (span, HasText(side, tuple(names)), *first_of_call),
        (side, "disposition", "talk_duration"),
    )
    return count_by(found, names, side, "disposition", "talk_duration")


def count_by(
    found: Selection, values: Sequence[str], name: str, disposition: str, talked: str
) -> dict[str, Totals]:
    """Return the totals of rows by the text of one column."""
    codes = {text: code for code, text in enumerate(found.texts[name])}
    places = np.full(len(codes) + 1, -1, np.int64)
    for place, value in enumerate(values):
        if value in codes:
            places[codes[value]] = place
    rows = places[found.columns[name]]
    kinds = found.texts[disposition]
    width = max(1, len(kinds))
    counts = np.bincount(rows * width + found.columns[disposition], minlength=len(values) * width)
    sums = np.bincount(rows, weights=found.columns[talked], minlength=len(values))
    return {
        value: Totals(
            {kind: int(counts[place * width + at]) for at, kind in enumerate(kinds)}, int(sums[place])
        )
        for place, value in enumerate(values)
    }


def add(first: Totals, second: Totals) -> Totals:
    calls = {status: first.calls.get(status, 0) + second.calls.get(status, 0) for status in STATUSES}
    return Totals(calls, first.talked + second.talked)


def find_missed(connection: Connection, lists: CdrLists, span: Filter) -> list[MissedCaller]:
    """Return the callers whose last call was missed and not returned, the latest first."""
    names = ("call_from", "last_status", "started", "handling_duration")
    calls = lists.calls.select(connection, (span, HasText("call_type", (INBOUND,))), names)
    statuses, numbers = calls.texts["last_status"], calls.texts["call_from"]
    is_missed = {code for code, text in enumerate(statuses) if text in (NO_ANSWER, "ABANDONED", "BUSY")}
    missed: dict[str, list[int]] = {}
    rows: NDArray[Any] = np.argsort(calls.columns["started"], kind="stable")
    for row in rows:
        number = numbers[calls.columns["call_from"][row]]
        if int(calls.columns["last_status"][row]) in is_missed and number:
            missed.setdefault(number, []).append(int(calls.columns["started"][row]))
        else:
            missed.pop(number, None)
    called = {number[-SAME:]: number for number in missed}
    outside = (IsBetween("started", min((at[-1] for at in missed.values()), default=0), None),)
    made = lists.calls.select(
        connection, (*outside, HasText("call_type", (OUTBOUND,))), ("call_to", "started")
    )
    for code, started in zip(made.columns["call_to"], made.columns["started"], strict=True):
        caller = called.get(made.texts["call_to"][code][-SAME:], "")
        if caller in missed and started >= missed[caller][-1]:
            del missed[caller]
    found = [MissedCaller(number, at[0], at[-1], len(at)) for number, at in missed.items()]
    return sorted(found, key=lambda one: (-one.last, one.number))


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """An entry of a caller in a menu: the stored note, and what was known before it.

    `waited` are the milliseconds since the call came to the menu, or last did something in it.
    """

    note: Row[Any]
    waited: int


def list_entries(
    connection: Connection, menu: int, span: Span, offset: int, limit: int
) -> tuple[int, list[MenuEntry]]:
    """Return the number of entries in a menu in a span, and some of them, oldest first."""
    within = CALL_NOTE.c.at >= span.since, CALL_NOTE.c.at < span.until
    in_menu = (CALL_NOTE.c.ivr == menu, *within)
    entered = (*in_menu, CALL_NOTE.c.topic.in_(ENTRIES))
    total = connection.execute(select(func.count()).select_from(CALL_NOTE).where(*entered)).scalar_one()
    order = CALL_NOTE.c.at, CALL_NOTE.c.call_id, CALL_NOTE.c.place
    query = select(CALL_NOTE, CALL.c.caller, CALL.c.caller_name)
    query = query.select_from(CALL_NOTE.join(CALL, CALL.c.id == CALL_NOTE.c.call_id)).where(*entered)
    rows = connection.execute(query.order_by(*order).offset(offset).limit(limit)).all()
    before: dict[tuple[str, int], int] = {}
    for ids in batches(sorted({row.call_id for row in rows}), 500):
        others = select(CALL_NOTE.c.call_id, CALL_NOTE.c.place, CALL_NOTE.c.at).where(
            CALL_NOTE.c.call_id.in_(ids), *in_menu, CALL_NOTE.c.topic.in_((Topic.ENTERED, *ENTRIES))
        )
        last: dict[str, int] = {}
        for note in connection.execute(others.order_by(*order)):
            before[note.call_id, note.place] = last.get(note.call_id, note.at)
            last[note.call_id] = note.at
    return total, [MenuEntry(row, row.at - before[row.call_id, row.place]) for row in rows]
