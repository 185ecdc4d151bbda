"""Replay of a recorded call: its transcript, with the caller's place at each line."""

from dataclasses import dataclass, replace
from typing import Any

import msgspec
from starlette.responses import Response

from openivr.cdr.journal.event_codec import read_events, write_events
from openivr.ivr.commands import Note, mask
from openivr.ivr.events import CallArrived
from openivr.ivr.inbound_route import find_inbound
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot
from openivr.resources.errors import NotFound
from openivr.simulate.arrival import UnusableNumber, describe_call
from openivr.simulate.replay import hide_private, replay_call
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import World
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallNote, CallRecord
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.simulator.handset import describe_line
from openivr.web.simulator.pages import SimulatorRequest


@dataclass(frozen=True, slots=True)
class ReplayedCall:
    """A replayed call. `is_exact`: the notes are those of the record, whatever has been changed since.

    `menu` is the id of the menu for which the call can be saved as a test, 0 if there is none. `sent` is the
    call as the simulator sends it.
    """

    lines: list[dict[str, Any]]
    is_exact: bool
    menu: int = 0
    sent: SimulatorRequest | None = None


def make_replay(snapshot: IvrSnapshot, record: CallRecord, notes: list[CallNote]) -> ReplayedCall:
    """Replay a record. Private parts stay hidden."""
    call = replay_call(snapshot, World(), read_events(record.events))
    shown = hide_private(call)
    is_exact = [plain(mask(note)) for note in call.notes] == [plain(stored.note) for stored in notes]
    lines = [describe_line(line) for line in shown]
    if not is_exact or shown != call.lines:
        return ReplayedCall(lines, is_exact)
    return ReplayedCall(lines, is_exact, *keepable(call, record))


def plain(note: Note) -> Note:
    """A note as the store has it: without the mark that it was private."""
    return replace(note, private=False)


def keepable(call: Simulation, record: CallRecord) -> tuple[int, SimulatorRequest | None]:
    """The menu that a call came to, and the call as the simulator sends it: with its trunk and its moment."""
    arrival = call.events[0].event if call.events else None
    if not isinstance(arrival, CallArrived) or arrival.destination.kind is not DestinationKind.IVR:
        return 0, None
    sent = SimulatorRequest(
        call.snapshot.revision,
        arrival.caller,
        {},
        write_events(call.events[1:]),
        moment=record.started // 1000,
    )
    if record.source_kind == "trunk":
        name_trunk(call.snapshot, record, sent, arrival.destination)
    return arrival.destination.target, sent


def name_trunk(
    snapshot: IvrSnapshot, record: CallRecord, sent: SimulatorRequest, destination: Destination
) -> None:
    """Let a call come from the outside, if the inbound routes lead it where they led it."""
    trunk = snapshot.trunks.get(record.source_id)
    try:
        incoming = describe_call(snapshot, trunk.name, record.called, record.caller) if trunk else None
    except UnusableNumber:
        return
    if incoming and find_inbound(snapshot, replace(incoming, moment=sent.moment)) == destination:
        sent.trunk, sent.called = trunk.name if trunk else "", record.called


async def replay_page(request: PageRequest) -> Response:
    """The replay of a call in its own configuration if that is still stored, else in the newest."""
    call_id = request.path_text("call")
    record = await request.database.read(call_records.find_call, call_id)
    if record is None or record.id != call_id:
        raise NotFound(f"call {call_id}")
    notes = await request.database.read(call_records.notes_of, call_id)
    menus = request.app.menus
    snapshot = await menus.at(record.revision) or await menus.current()
    replayed = await request.database.run_in_thread(make_replay, snapshot, record, notes)
    call = msgspec.json.encode(replayed.sent).decode() if replayed.sent else ""
    values: dict[str, Any] = {"menu": replayed.menu, "call": call, "saved": 0, "name": "", "problem": ""}
    return request.render("replay.html", where="/calls", record=record, replayed=replayed, **values)


ROUTES = (PageRoute(path="/calls/{call}/replay", handle=replay_page),)
