"""Announcements that are played before menus and inbound routes until a stated time."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from openivr.ivr.commands import Note, Play, Topic
from openivr.ivr.events import CallArrived, Digit, PromptEnded
from openivr.ivr.inbound_route import IncomingCall
from openivr.ivr.model import (
    Announcement,
    Destination,
    DestinationKind,
    InboundRoute,
    IvrSnapshot,
    Prompt,
    Trunk,
    by_id,
)
from openivr.ivr.session import IvrSession
from openivr.ivr.state import IvrState
from openivr.simulate.simulation import Simulation

Office = Callable[..., IvrSnapshot]
MAIN = Destination(DestinationKind.IVR, 1)
ADA = Destination(DestinationKind.EXTENSION, 1)
BEGIN, END = 1_000_000, 2_000_000
STORM = Announcement(1, "Storm", "storm.wav", begin=BEGIN, end=END)


def announced(office: Office, row: Announcement, **menu: Any) -> IvrSnapshot:
    made = office(**{"keys": {"1": MAIN, "2": ADA}, **menu})
    prompts = {**made.prompts, "storm.wav": Prompt("storm.wav", 4.0)}
    routes = by_id([InboundRoute(3, "Main line", ADA)])
    return replace(
        made,
        announcements=by_id([row]),
        prompts=prompts,
        inbound_routes=routes,
        trunks=by_id([Trunk(7, "Line")]),
    )


def arrive(snapshot: IvrSnapshot, moment: int) -> tuple[IvrSession, list[Any]]:
    session = IvrSession(snapshot)
    return session, list(session.handle(CallArrived("2000", MAIN, moment=moment)))


def test_it_is_played_before_its_menu_from_its_begin_until_its_end(office: Office) -> None:
    snapshot = announced(office, replace(STORM, ivr_ids=(1,)))
    assert snapshot.is_timed
    played = {
        moment: arrive(snapshot, moment)[0].state is IvrState.PREFACE
        for moment in (BEGIN - 1, BEGIN, END - 1, END, 0)
    }
    assert played == {BEGIN - 1: False, BEGIN: True, END - 1: True, END: False, 0: False}


def test_the_menu_follows_and_it_is_played_once_in_a_call(office: Office) -> None:
    session, commands = arrive(announced(office, replace(STORM, ivr_ids=(1,))), BEGIN)
    assert Note(Topic.ANNOUNCED, detail="storm.wav") in commands
    play = next(command for command in commands if isinstance(command, Play))
    assert play.prompts == ("storm.wav",)
    commands = list(session.handle(PromptEnded(play.token)))
    assert session.state is IvrState.ANNOUNCING
    commands += session.handle(Digit("1", BEGIN + 9))  # to the same menu again
    assert session.state is IvrState.ANNOUNCING
    assert not any(isinstance(command, Note) and command.topic is Topic.ANNOUNCED for command in commands)


def test_a_key_skips_it(office: Office) -> None:
    session, _ = arrive(announced(office, replace(STORM, ivr_ids=(1,))), BEGIN)
    session.handle(Digit("2", BEGIN + 1))
    assert (session.state, session.ivr.id) == (IvrState.ANNOUNCING, 1)


def test_it_is_played_before_a_route_and_before_no_other_place(office: Office) -> None:
    snapshot = announced(office, replace(STORM, inbound_route_ids=(3,)))
    assert arrive(snapshot, BEGIN)[0].state is IvrState.ANNOUNCING
    for moment, verbs in ((BEGIN, {"announces", "hears"}), (END, set())):
        call = Simulation(snapshot, start=moment)
        call.receive(IncomingCall(7, ("100",), "2000"))
        assert {line.what for line in call.lines} & {"announces", "hears"} == verbs
        call.finish()
        assert any(line.what == "rings" for line in call.lines)


def test_a_prompt_that_is_missing_is_noted_and_the_call_goes_on(office: Office) -> None:
    snapshot = announced(office, replace(STORM, ivr_ids=(1,), prompt="gone.wav"))
    session, commands = arrive(snapshot, BEGIN)
    assert session.state is IvrState.ANNOUNCING
    topics = [command.topic for command in commands if isinstance(command, Note)]
    assert topics.count(Topic.MISSING) == 1
    assert Topic.ANNOUNCED not in topics


def test_a_menu_of_a_key_has_its_own(office: Office) -> None:
    other = Destination(DestinationKind.IVR, 2)
    snapshot = announced(office, replace(STORM, ivr_ids=(2,)), keys={"1": other})
    menus = by_id([*snapshot.ivrs.values(), replace(snapshot.ivrs[1], id=2, number="6299")])
    session, _ = arrive(replace(snapshot, ivrs=menus), BEGIN)
    states = [session.state]
    session.handle(Digit("1", BEGIN + 1))
    states.append(session.state)
    assert states == [IvrState.ANNOUNCING, IvrState.PREFACE]
