"""Extensions forward calls that they do not take (M12), and keys count while a phone rings (M8)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from openivr.ivr.commands import Dial, Note, Topic, mask
from openivr.ivr.model import Destination, DestinationKind, Forwarding, IvrSnapshot, OutboundRoute, by_id
from tests.ivr.conftest import Desk, Office

Ring = Callable[..., Desk]

ADA = Destination(DestinationKind.EXTENSION, 1)
ALAN = Destination(DestinationKind.EXTENSION, 2)
ADAS_MAILBOX = Destination(DestinationKind.VOICEMAIL, 1)
MOBILE = Destination(DestinationKind.EXTERNAL, number="9123")
SHOWN = ("rings", "fails", "forwards", "reaches", "enters", "records", "ends")


def with_rules(snapshot: IvrSnapshot, id_: int = 1, /, **changes: Any) -> IvrSnapshot:
    people = {**snapshot.extensions, id_: replace(snapshot.extensions[id_], **changes)}
    return replace(snapshot, extensions=by_id(people.values()))


def may_call_out(snapshot: IvrSnapshot, *route_ids: int) -> IvrSnapshot:
    routes = [
        replace(route, extension_ids=frozenset({1} if route.id in route_ids else ()))
        for route in snapshot.outbound_routes.values()
    ]
    return replace(snapshot, outbound_routes=by_id(routes))


BUSY = Forwarding(busy=ADAS_MAILBOX)
UNANSWERED = Forwarding(no_answer=ADAS_MAILBOX)


@pytest.mark.parametrize(
    ("outcome", "rules"),
    [
        ("busy", BUSY),
        ("declined", BUSY),
        ("no_answer", UNANSWERED),
        ("unavailable", UNANSWERED),
    ],
)
def test_m12_a_call_that_is_not_taken_goes_to_the_mailbox(
    office: Office, ring: Ring, outcome: str, rules: Forwarding
) -> None:
    snapshot = with_rules(office(keys={"1": ADA}), outside=rules)
    for desk in (ring(snapshot, {"1000": outcome}, ADA), ring(snapshot, {"1000": outcome}).do("1")):
        shown = desk.finish().told("rings", "fails", "forwards", "leaves", "ends")
        assert shown == [
            ("rings", "extension 1000"),
            ("fails", outcome),
            ("forwards", "voicemail of 1000 Ada Byron"),
            ("leaves", "message"),
            ("ends", "message_left"),
        ]


@pytest.mark.parametrize(("outcome", "rules"), [("busy", UNANSWERED), ("no_answer", BUSY)])
def test_a_rule_for_another_case_does_nothing(
    office: Office, ring: Ring, outcome: str, rules: Forwarding
) -> None:
    desk = ring(with_rules(office(keys={"1": ADA}), outside=rules), {"1000": outcome}).do("1").finish()
    assert desk.texts("forwards") == []


def test_do_not_disturb_is_busy(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(), outside=BUSY, do_not_disturb=True)
    desk = ring(snapshot, destination=ADA).finish()
    assert desk.told(*SHOWN)[:2] == [("fails", "busy"), ("forwards", "voicemail of 1000 Ada Byron")]


def test_always_forwards_without_ringing(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(), outside=Forwarding(always=ALAN))
    assert ring(snapshot, destination=ADA).finish().told(*SHOWN) == [
        ("forwards", "extension 1001 Alan Turing"),
        ("rings", "extension 1001"),
        ("reaches", "extension 1001"),
        ("ends", "callee_hangup"),
    ]


def test_calls_from_inside_have_rules_of_their_own(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(), inside=Forwarding(always=ALAN), outside=Forwarding(always=ADAS_MAILBOX))
    desk = ring(snapshot, destination=ADA)
    assert desk.texts("forwards") == ["voicemail of 1000 Ada Byron"]
    desk.simulation.__init__(snapshot, desk.simulation.world)  # type: ignore[misc]
    desk.simulation.call(ADA, "1001")
    assert desk.texts("forwards") == ["extension 1001 Alan Turing"]


def test_extensions_that_forward_to_each_other_ring_once_each(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(keys={"1": ADA}), outside=Forwarding(no_answer=ALAN))
    snapshot = with_rules(snapshot, 2, outside=Forwarding(no_answer=ADA))
    desk = ring(snapshot, {"1000": "no_answer", "1001": "no_answer"}).do("1")
    while not desk.texts("ends") and "notice-no-answer" not in desk.texts("hears"):
        desk.simulation.advance()
    assert desk.texts("rings") == ["extension 1000", "extension 1001", "extension 1000"]
    assert desk.texts("ends") == []


def test_two_that_always_forward_to_each_other_ring(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(), outside=Forwarding(always=ALAN))
    snapshot = with_rules(snapshot, 2, outside=Forwarding(always=ADA))
    assert ring(snapshot, destination=ADA).finish().texts("reaches") == ["extension 1000"]


def test_a_call_can_be_forwarded_again_after_a_key(office: Office, ring: Ring) -> None:
    menu = Destination(DestinationKind.IVR, 1)
    snapshot = with_rules(office(keys={"1": ADA}), outside=Forwarding(busy=menu))
    desk = ring(snapshot, {"1000": "busy"}).do("1 w3 1 w3")
    assert len(desk.texts("forwards")) == 2


def test_an_outside_number_goes_over_the_routes_of_the_extension(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(), outside=Forwarding(no_answer=MOBILE))
    for route_ids, rung in (
        ((1,), ["extension 1000", "outside 123 over Local, A"]),
        ((2,), ["extension 1000", "outside 9123 over Any, B"]),
        ((), ["extension 1000"]),
    ):
        desk = ring(may_call_out(snapshot, *route_ids), {"1000": "no_answer"}, ADA).finish()
        assert desk.texts("rings") == rung
        assert len(desk.texts("reaches")) == len(rung) - 1


def test_the_number_of_a_forward_is_private(office: Office, ring: Ring) -> None:
    snapshot = may_call_out(with_rules(office(), outside=Forwarding(always=MOBILE)), 1)
    notes: list[Note] = ring(snapshot, destination=ADA).finish().simulation.notes
    (note,) = (note for note in notes if note.topic is Topic.FORWARDED)
    assert (note.input, note.number, mask(note).number) == ("1000", "9123", "...")


def test_a_mobile_number_rings_together_with_the_phones(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(), mobile="9123", ring_seconds=20)
    desk = ring(may_call_out(snapshot, 1), {"1000": "no_answer"}, ADA)
    (dial,) = (c for commands in desk.simulation.commands for c in commands if isinstance(c, Dial))
    assert (dial.number, dial.mobile, dial.seconds) == ("1000", "9123", 20)
    assert desk.finish().texts("reaches") == ["extension 1000"]
    desk = ring(may_call_out(snapshot, 1), {"1000": "no_answer", "9123": "no_answer"}, ADA).finish()
    assert (desk.texts("fails"), desk.at("fails")) == (["no_answer"], [20])
    assert ring(snapshot, {"1000": "no_answer"}, ADA).finish().texts("reaches") == []


def test_members_of_a_ring_group_do_not_forward(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(), outside=Forwarding(always=ADAS_MAILBOX, no_answer=ADAS_MAILBOX))
    group = Destination(DestinationKind.RING_GROUP, 1)
    desk = ring(snapshot, {"6300": "no_answer"}, group).finish()
    assert desk.texts("forwards") == []


def test_m8_pound_goes_on_as_without_an_answer(office: Office, ring: Ring) -> None:
    snapshot = with_rules(office(keys={"1": ADA}), outside=UNANSWERED)
    desk = ring(snapshot, {"1000": "no_answer"}).do("1")
    desk.simulation.wait(5)  # a `#` at once would belong to the choice
    desk.do("#")
    assert desk.told(*SHOWN)[-2:] == [("fails", "no_answer"), ("forwards", "voicemail of 1000 Ada Byron")]


def test_m8_star_goes_back_to_the_menu(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"1": ADA}), {"1000": "no_answer"}).do("1")
    desk.simulation.wait(5)
    desk.do("*")
    assert desk.texts("enters") == ["6200", "6200"]
    assert desk.texts("fails") == []


def test_a_pound_after_digits_belongs_to_them(office: Office, ring: Ring) -> None:
    desk = ring(with_rules(office(), outside=UNANSWERED), {"1000": "no_answer"}, ADA).do("w3 1001#")
    assert desk.texts("forwards") == []
    assert desk.do("w4 #").texts("forwards") == ["voicemail of 1000 Ada Byron"]


@pytest.mark.parametrize("key", ["#", "*", "5"])
def test_other_keys_let_it_ring(office: Office, ring: Ring, key: str) -> None:
    desk = ring(office(), {"1000": "no_answer"}, ADA)
    desk.simulation.wait(5)
    desk.do(key)
    assert desk.told(*SHOWN) == [("rings", "extension 1000")]


def test_no_key_ends_the_ringing_of_an_outside_number(office: Office, ring: Ring) -> None:
    snapshot = office(keys={"1": MOBILE})
    desk = ring(snapshot, {"123": "no_answer", "9123": "no_answer"}).do("1")
    desk.simulation.wait(5)
    desk.do("*#")
    assert len(desk.texts("rings")) == 1
    assert desk.texts("enters") == ["6200"]


def test_a_route_that_nobody_may_use_forwards_nothing() -> None:
    assert OutboundRoute(1, "Any").extension_ids == frozenset()
