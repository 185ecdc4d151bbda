"""Recorded calls told again: exactly, with what is private hidden, and honestly after a change."""

from dataclasses import replace

import pytest

from openivr.cdr.journal.entries import CallStepped
from openivr.cli.snapshot import load
from openivr.ivr.model import IvrSnapshot, by_id
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.database import Database
from openivr.web.simulator.handset import say_text
from openivr.web.simulator.replay import ReplayedCall, make_replay
from tests.cdr.simulated_calls import Recorded
from tests.cdr.simulated_calls import record as act_out
from tests.live_server import Api, Running
from tests.web.site import Admin

NAVIGATOR, RECEPTIONIST = 3, 4


def describe(call: Recorded, revision: int = 1) -> tuple[CallRecord, list[CallNote]]:
    """What the store has of a call."""
    steps = [entry for entry in call.end() if isinstance(entry, CallStepped)]
    events = [step.event for step in steps]
    notes = [CallNote(step.at, note) for step in steps for note in step.notes]
    record = CallRecord(
        call.ident, revision=revision, caller="2000", called="6200", stage="ended", events=events
    )
    return record, notes


def save(server: Running, call: Recorded) -> None:
    record, notes = describe(call)
    database = Database(f"sqlite:///{server.data / 'openivr.db'}")
    with database.writing() as connection:
        call_records.save(connection, [record])
        call_records.save_notes(connection, ((call.ident, place, note) for place, note in enumerate(notes)))
    database.close()


@pytest.fixture
def menus(server: Running) -> IvrSnapshot:
    return load(server.data, "")


def texts(told: ReplayedCall) -> str:
    return " ".join(f"{line['what']} {line['text']}" for line in told.lines)


def test_a_call_is_told_as_it_was(menus: IvrSnapshot) -> None:
    call = act_out(menus, "one", "2", menu=NAVIGATOR)
    told = make_replay(menus, *describe(call))
    assert told.is_exact
    assert [line["text"] for line in told.lines] == [say_text(line.what, line.text) for line in call.lines]
    assert told.lines[-2]["text"] == "ring group 6300"
    assert told.lines[-1]["node"] == "ring_group-1"
    assert told.menu == NAVIGATOR
    assert told.sent is not None
    assert told.sent.happenings[0]["key"] == "2"


def test_a_change_that_matters_is_admitted_and_another_is_not_mentioned(menus: IvrSnapshot) -> None:
    record, notes = describe(act_out(menus, "one", "2", menu=NAVIGATOR))
    other = replace(menus, ivrs=by_id([ivr for ivr in menus.ivrs.values() if ivr.id != RECEPTIONIST]))
    assert make_replay(other, record, notes).is_exact
    keyless = replace(menus.ivrs[NAVIGATOR], keys={})
    changed = make_replay(replace(menus, ivrs=by_id([keyless])), record, notes)
    assert not changed.is_exact
    assert changed.sent is None
    assert "refused 2" in texts(changed)


def test_what_is_private_stays_hidden_and_cannot_be_kept(menus: IvrSnapshot) -> None:
    (trunk,) = menus.trunks.values()
    working = replace(menus, trunks=by_id([replace(trunk, enabled=True)]))
    told = make_replay(working, *describe(act_out(working, "one", "95551234567", menu=NAVIGATOR)))
    assert told.is_exact
    assert "555" not in texts(told)
    assert told.sent is None


def test_a_record_without_events_has_nothing_to_tell(menus: IvrSnapshot) -> None:
    assert make_replay(menus, CallRecord("one"), []) == ReplayedCall([], is_exact=True)


def test_the_page_of_a_call_and_its_test(server: Running, admin: Admin, menus: IvrSnapshot, api: Api) -> None:
    save(server, act_out(menus, "call-1", "1#", menu=NAVIGATOR))
    text = admin.get("/calls/call-1/replay").content.decode()
    assert '<span class="what">extension 1000</span>' in text
    assert "differs from what happened" not in text
    sent = text.split('name="call" value="')[1].split('"')[0].replace("&#34;", '"')
    kept = admin.post(f"/menus/{NAVIGATOR}/tests", {"name": "From a real call", "call": sent})
    assert kept.status == 303
    assert "From a real call" in admin.get(f"/menus/{NAVIGATOR}/tests").content.decode()
    api.post("ivr/update", {"id": NAVIGATOR, "press1_dest": "end_call"})
    changed = admin.get("/calls/call-1/replay").content.decode()
    assert "differs from what happened" not in changed  # the snapshot that it had is still kept
    for path in ("/calls/call/replay", "/calls/none/replay", "/calls/%00/replay", "/calls/%25/replay"):
        assert admin.get(path).status == 404
