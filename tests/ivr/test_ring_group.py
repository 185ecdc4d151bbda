"""Ring groups with a prompt, and extensions that may not be disturbed (M11)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from openivr.ivr.commands import Dial
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot, RingGroup, by_id
from openivr.ivr.state import IvrState

Office = Callable[..., IvrSnapshot]
Ring = Callable[..., Any]

TO_GROUP = {"6": Destination(DestinationKind.RING_GROUP, 1)}
GROUP = RingGroup(1, "6300", "All", (1, 2), ring_seconds=20, join_prompt="hours.wav")
STRAIGHT = Destination(DestinationKind.RING_GROUP, 1)
ADA = Destination(DestinationKind.EXTENSION, 1)


def dials(desk: Any) -> list[Dial]:
    return [c for batch in desk.simulation.commands for c in batch if isinstance(c, Dial)]


def disturb_not(snapshot: IvrSnapshot, *ids: int) -> IvrSnapshot:
    people = snapshot.extensions.values()
    return replace(snapshot, extensions=by_id(replace(row, do_not_disturb=row.id in ids) for row in people))


def test_m11_the_prompt_of_a_group_is_heard_while_it_rings(office: Office, ring: Ring) -> None:
    desk = ring(office(keys=TO_GROUP, groups=(GROUP,))).do("6").finish()
    told = desk.told("hears", "rings", "reaches")[1:]
    assert told == [
        ("hears", "hours.wav"),
        ("rings", "ring_group 6300"),
        ("reaches", "ring_group 6300"),
    ]
    assert desk.at("rings") == [0]
    assert [dial.prompt for dial in dials(desk)] == ["hours.wav"]


def test_m11_the_whole_prompt_of_a_group_is_heard_first(office: Office, ring: Ring) -> None:
    full = replace(GROUP, play_full_join_prompt=True)
    desk = ring(office(keys=TO_GROUP, groups=(full,))).do("6")
    assert desk.simulation.session.state is IvrState.JOINING
    assert desk.simulation.session.place == STRAIGHT
    assert desk.do("1#").texts("rings") == []
    assert desk.finish().at("rings") == [4]
    assert [dial.prompt for dial in dials(desk)] == [""]
    assert desk.texts("refused") == []


def test_a_group_that_is_called_straight_answers_for_its_prompt(office: Office, ring: Ring) -> None:
    for full in (False, True):
        snapshot = office(groups=(replace(GROUP, play_full_join_prompt=full),))
        desk = ring(snapshot, destination=STRAIGHT).finish()
        assert desk.told("hears", "rings")[0] == ("hears", "hours.wav")


@pytest.mark.parametrize("full", [False, True])
def test_a_missing_prompt_of_a_group_is_noted_and_the_group_rings(
    office: Office, ring: Ring, full: bool
) -> None:
    group = replace(GROUP, join_prompt="gone.wav", play_full_join_prompt=full)
    desk = ring(office(keys=TO_GROUP, groups=(group,))).do("6")
    assert desk.texts("misses") == ["gone.wav"]
    assert desk.texts("rings") == ["ring_group 6300"]


def test_hanging_up_during_the_prompt_of_a_group_ends_the_call(office: Office, ring: Ring) -> None:
    full = replace(GROUP, play_full_join_prompt=True)
    desk = ring(office(keys=TO_GROUP, groups=(full,))).do("6 w1 h")
    assert desk.told("rings", "ends") == [("ends", "caller_hangup")]


def test_m11_who_may_not_be_disturbed_is_busy(office: Office, ring: Ring) -> None:
    snapshot = disturb_not(office(keys={"1": ADA}), 1)
    desk = ring(snapshot).do("1")
    assert desk.told("rings", "fails") == [("fails", "busy")]
    assert desk.texts("hears")[-1] == "notice-busy"
    assert ring(snapshot, destination=ADA).texts("ends") == ["destination_unreached"]


def test_m11_who_may_not_be_disturbed_rings_in_no_group(office: Office, ring: Ring) -> None:
    group = replace(GROUP, join_prompt="", fail=Destination(DestinationKind.EXTENSION, 4))
    some = ring(disturb_not(office(keys=TO_GROUP, groups=(group,)), 1)).do("6")
    assert some.texts("rings") == ["ring_group 6300"]
    nobody = ring(disturb_not(office(keys=TO_GROUP, groups=(group,)), 1, 2)).do("6")
    assert nobody.told("rings", "fails") == [("fails", "unavailable"), ("rings", "extension 1003")]
