"""Call records of a past, for reports: calls as people make them, without playing each one out."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from openivr.ivr.commands import HangupReason, Note, Topic
from openivr.ivr.model import Destination, DestinationKind, Ivr, IvrSnapshot
from openivr.ivr.policy import Refusal
from openivr.store.cdr import call_writer
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.database import Database

# How many of a hundred calls come in each hour of a working day.
HOURS = (0, 0, 0, 0, 0, 0, 1, 3, 8, 13, 14, 11, 7, 8, 11, 10, 8, 4, 1, 1, 0, 0, 0, 0)
DAYS = (1.25, 1.1, 1.0, 1.0, 0.85, 0.12, 0.05)  # Monday first
PATIENCE = 4  # menus, until a caller has enough
LIKED = (30, 24, 14, 9, 6, 4, 3, 2, 2, 2)  # the weights of a menu's keys, in their order
Past = Iterator[tuple[CallRecord, list[CallNote]]]


@dataclass
class Caller:
    """One call in the making."""

    chance: random.Random
    record: CallRecord
    notes: list[CallNote]

    @property
    def now(self) -> int:
        return self.record.updated

    def wait(self, least: float, most: float) -> None:
        self.record.updated += int(self.chance.uniform(least, most) * 1000)

    def note(self, note: Note) -> None:
        self.notes.append(CallNote(self.now, note))

    def end(self, outcome: str, reason: HangupReason, menu: int) -> None:
        self.record.ended, self.record.stage = self.now, "ended"
        self.record.outcome, self.record.reason = outcome, reason
        self.note(Note(Topic.ENDED, menu, detail=reason))


def make_past(snapshot: IvrSnapshot, number: str, first: datetime, days: int, daily: int) -> Past:
    """About so many calls to a menu on each working day, from a midnight with its zone on."""
    chance = random.Random(1)
    menu = snapshot.ivr_by_number(number)
    assert menu is not None
    for day in range(days):
        midnight = first + timedelta(days=day)
        expected = daily * DAYS[midnight.weekday()] * chance.uniform(0.85, 1.15)
        moments = sorted(
            midnight + timedelta(hours=hour, seconds=chance.uniform(0, 3600))
            for hour in chance.choices(range(24), HOURS, k=round(expected))
        )
        for moment in moments:
            yield make_call(chance, snapshot, menu, int(moment.timestamp() * 1000))


def make_call(
    chance: random.Random, snapshot: IvrSnapshot, menu: Ivr, at: int
) -> tuple[CallRecord, list[CallNote]]:
    """One call to a menu, as it goes with this caller's luck."""
    number = f"020{chance.randrange(10_000_000, 99_999_999)}"
    record = CallRecord(
        id=f"{at:x}-{chance.randrange(16**8):08x}",
        node="past",
        run="past",
        started=at,
        answered=at,
        updated=at,
        caller=number,
        called=menu.number,
        source_kind="trunk",
        source_id=1,
        source="Provider",
    )
    caller = Caller(chance, record, [])
    caller.note(Note(Topic.ARRIVED, number=number))
    visit(caller, snapshot, menu)
    return record, caller.notes


def visit(caller: Caller, snapshot: IvrSnapshot, menu: Ivr) -> None:
    """Go through a menu, and on from it."""
    record, chance = caller.record, caller.chance
    record.path, record.menu = f"{record.path} {menu.number}".strip(), menu.id
    caller.note(Note(Topic.ENTERED, menu.id, number=menu.number))
    luck, keys = (
        chance.random(),
        {key: to for key, to in menu.keys.items() if to.kind is not DestinationKind.END_CALL},
    )
    caller.wait(2, 12)
    if luck < 0.07 or len(record.path.split()) > PATIENCE or not keys:
        caller.end("menu", HangupReason.CALLER_HANGUP, menu.id)
    elif luck < 0.15:
        caller.wait(10, 20)
        time_out(caller, snapshot, menu)
    elif luck < 0.2:
        typed = chance.choice([key for key in "123456789" if key not in menu.keys] or ["11"])
        caller.note(Note(Topic.INVALID, menu.id, typed, detail=Refusal.NOT_A_NUMBER))
        record.keys += typed
        caller.end("menu", HangupReason.INVALID_KEY, menu.id)
    else:
        key = chance.choices(list(keys), LIKED[: len(keys)] + (1,) * (len(keys) - len(LIKED)))[0]
        to = keys[key]
        record.keys += key
        caller.note(Note(Topic.CHOSE, menu.id, key, to.kind, to.target))
        follow(caller, snapshot, menu, to)


def time_out(caller: Caller, snapshot: IvrSnapshot, menu: Ivr) -> None:
    to = menu.timeout
    if to is None or to.kind is DestinationKind.END_CALL:
        caller.note(Note(Topic.TIMED_OUT, menu.id))
        caller.end("menu", HangupReason.MENU_TIMEOUT, menu.id)
        return
    caller.note(Note(Topic.TIMED_OUT, menu.id, kind=to.kind, target=to.target))
    follow(caller, snapshot, menu, to)


def follow(caller: Caller, snapshot: IvrSnapshot, menu: Ivr, to: Destination) -> None:
    chance = caller.chance
    if to.kind is DestinationKind.IVR:
        visit(caller, snapshot, snapshot.ivrs[to.target])
    elif to.kind is DestinationKind.VOICEMAIL:
        caller.wait(10, 60)
        caller.note(Note(Topic.RECORDED, menu.id, kind=to.kind, target=to.target))
        caller.end("message", HangupReason.MESSAGE_LEFT, menu.id)
    elif to.kind in (DestinationKind.EXTENSION, DestinationKind.RING_GROUP):
        caller.wait(3, 20)
        if chance.random() < 0.16:
            caller.end("menu", HangupReason.CALLER_HANGUP, menu.id)
            return
        caller.note(Note(Topic.CONNECTED, menu.id, kind=to.kind, target=to.target))
        caller.wait(20, 400)
        caller.end(
            "connected", chance.choice((HangupReason.CALLEE_HANGUP, HangupReason.CALLER_HANGUP)), menu.id
        )
    else:
        caller.wait(5, 20)
        caller.end("menu", HangupReason.CALLER_HANGUP, menu.id)


def keep_past(database: Database, past: Iterable[tuple[CallRecord, list[CallNote]]]) -> int:
    """Store calls; how many."""
    whole, count = iter(past), 0
    while part := list(islice(whole, 2000)):
        with database.writing() as connection:
            notes = ((record.id, place, note) for record, notes in part for place, note in enumerate(notes))
            call_writer.write_calls(connection, [record for record, _ in part], notes)
        count += len(part)
    return count
