"""Recorded calls told again: exactly, with what is private hidden, and honestly after a change."""

from dataclasses import replace

import pytest

from openivr.cdr.journal.entries import CallStepped
from openivr.cdr.journal.event_codec import read_events
from openivr.cli.snapshot import load
from openivr.hours.calendar import Calendar, OfficeHours, TimeSpan
from openivr.ivr.inbound_route import IncomingCall, decide_inbound
from openivr.ivr.model import ByPeriod, Destination, DestinationKind, InboundRoute, IvrSnapshot, by_id
from openivr.simulate.replay import replay_call
from openivr.simulate.scenario import read_scenario, run
from openivr.simulate.world import World
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.store.database import Database
from openivr.web.simulator.handset import say_text
from openivr.web.simulator.replay import ReplayedCall, keepable, make_replay
from openivr.web.simulator.scenario_tests import write
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


HOURS = OfficeHours(1, frozenset(range(7)), office=(TimeSpan(540, 1080),))
DAY, NIGHT = 1_700_042_401, 1_700_089_201  # 2023-11-15 10:00:01 and 23:00:01 UTC


def from_outside(menus: IvrSnapshot) -> IvrSnapshot:
    """Routes that look at the number called, at the caller, and at the period."""
    (trunk,) = menus.trunks.values()
    menu = Destination(DestinationKind.IVR, NAVIGATOR)
    routes = (
        InboundRoute(1, "Customers", menu, ("4416329600XX",), ("+447700900123",)),
        InboundRoute(2, "Day", Destination(DestinationKind.IVR, 1), ("4416329600XX",), ("anonymous",)),
        InboundRoute(3, "Night", menu, position=1),
    )
    timed = replace(routes[1], by_period=ByPeriod(closed=menu))
    return replace(
        menus,
        trunks=by_id([replace(trunk, enabled=True)]),
        inbound_routes=by_id([routes[0], timed, routes[2]]),
        calendars={0: Calendar("Europe/London", hours=(HOURS,))},
    )


def receive(snapshot: IvrSnapshot, called: str, caller: str, moment: int) -> CallRecord:
    """The record of a call over the trunk."""
    (trunk,) = snapshot.trunks.values()
    incoming = IncomingCall(trunk.id, (called,), caller, moment=moment)
    step = decide_inbound(snapshot, incoming)
    assert step is not None
    assert step.destination is not None
    call = Recorded(snapshot, "one", moment)
    call.call(step.destination, caller, step.decision)
    call.press("2")
    record = CallRecord("one", caller=caller, called=called, started=moment * 1000 + 700)
    record.source_kind, record.source_id, record.source = "trunk", trunk.id, trunk.name
    record.events = [entry.event for entry in call.end() if isinstance(entry, CallStepped)]
    return record


@pytest.mark.parametrize(
    ("called", "caller", "moment", "route"),
    [
        ("441632960001", "+447700900123", DAY, "Customers"),
        ("+44-1632-960001", "", NIGHT, "Day"),
        ("0441", "2000", DAY, "Night"),
    ],
)
def test_a_real_call_is_kept_with_its_way_through_the_routes(
    menus: IvrSnapshot, called: str, caller: str, moment: int, route: str
) -> None:
    snapshot = from_outside(menus)
    record = receive(snapshot, called, caller, moment)
    call = replay_call(snapshot, World(), read_events(record.events))
    menu, sent = keepable(call, record)
    assert menu == NAVIGATOR
    assert sent is not None
    document = write(snapshot, snapshot.ivrs[NAVIGATOR], sent, "It")
    assert document["trunk"] == "Provider"
    assert document["from"] == (caller or "withheld")
    assert document["at"] == f"2023-11-15 {'10' if moment == DAY else '23'}:00:01"
    assert document["menu"] == "6200"
    assert document["steps"][0] == {"route": route}
    scenario = read_scenario(document, "It")
    assert run(snapshot, scenario).passed
    routes = by_id(row for row in snapshot.inbound_routes.values() if row.name != route)
    assert not run(replace(snapshot, inbound_routes=routes), scenario).passed
    if route == "Day":
        assert not run(snapshot, replace(scenario, at="2023-11-15 10:00")).passed


def test_a_real_call_that_the_routes_lead_elsewhere_keeps_its_menu(menus: IvrSnapshot) -> None:
    snapshot = from_outside(menus)
    record = receive(snapshot, "441632960001", "2000", DAY)
    snapshot = replace(snapshot, inbound_routes={})
    _, sent = keepable(replay_call(snapshot, World(), read_events(record.events)), record)
    assert sent is not None
    assert (sent.trunk, sent.called, sent.caller, sent.moment) == ("", "", "2000", DAY)
    document = write(snapshot, snapshot.ivrs[NAVIGATOR], sent, "It")
    assert (document["calls"], document["at"]) == ("6200", "2023-11-15 10:00:01")
    assert run(snapshot, read_scenario(document, "It")).passed


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
