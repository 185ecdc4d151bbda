"""Calls that took place become test cases that repeat them."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from openivr.cdr.journal.event_codec import TimedEvent, describe, read_events
from openivr.hours.calendar import Calendar
from openivr.ivr.builtin_sounds import LEAVE_MESSAGE
from openivr.ivr.events import Digit, HungUp, PromptEnded
from openivr.ivr.model import Destination, DestinationKind, IvrSnapshot, by_id
from openivr.simulate.arrival import read_moment, write_moment
from openivr.simulate.capture import Unrepeatable, as_scenario
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.replay import replay_call
from openivr.simulate.scenario import ScenarioStep, read_scenario, run, write_scenario
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import Mailbox, World
from openivr.sounds import seconds
from tests.ivr.offices import RICH, snapshots

MENUS = {ivr: Destination(DestinationKind.IVR, ivr) for ivr in (1, 2)}
ACTS = st.lists(
    st.tuples(st.floats(0, 6).map(lambda seconds: round(seconds, 1)), st.sampled_from("0121200##*2h")),
    max_size=12,
)
WORLDS = st.builds(
    World,
    st.dictionaries(st.sampled_from(["1001", "10", "6301", "A"]), st.sampled_from(["busy", "no_answer"])),
    st.just({"1001": Mailbox("12", ("m1", "m2"))}),
)


def play(snapshot: IvrSnapshot, keys: str, menu: int = 3, world: World | None = None) -> Simulation:
    simulation = Simulation(snapshot, world)
    simulation.call(Destination(DestinationKind.IVR, menu), "2000")
    act_out(simulation, read_keys(keys))
    return simulation


def stretch(call: Simulation, factor: float) -> list[TimedEvent]:
    """Return the events of a call at another tempo, as in a page with real sound."""
    return [TimedEvent(round(one.at * factor), one.event) for one in call.events]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much], deadline=None)
@given(
    snapshots() | st.just(RICH),
    WORLDS,
    ACTS,
    st.integers(1, 2),
    st.sampled_from([(0.5, 0), (1, 0), (1, 1_800_000_000), (3.7, 0), (3.7, 1_800_000_000)]),
)
def test_any_call_repeats_itself(
    snapshot: IvrSnapshot, world: World, acts: list[tuple[float, str]], menu: int, pace: tuple[float, int]
) -> None:
    assume(menu in snapshot.ivrs)
    tempo, start = pace
    call = Simulation(snapshot, world, start)
    call.call(MENUS[menu], "2000")
    for pause, act in acts:
        call.wait(pause)
        call.handle(HungUp() if act == "h" else Digit(act))
    recorded = replay_call(snapshot, world, stretch(call, tempo), start=start)
    scenario = as_scenario("Any", snapshot.ivrs[menu].number, recorded)
    assert run(snapshot, read_scenario(write_scenario(scenario), "here")).passed


def steps(call: Simulation, number: str = "6200") -> list[str]:
    return [f"{step.what} {step.text}".strip() for step in as_scenario("It", number, call).steps]


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (1_700_042_400, "2023-11-15 11:00"),
        (1_700_042_401, "2023-11-15 11:00:01"),
        (1_698_537_600, "2023-10-29 02:00:00+02:00"),  # this hour comes twice
        (1_698_541_200, "2023-10-29 02:00:00+01:00"),
    ],
)
def test_a_moment_is_read_as_it_was_written(moment: int, text: str) -> None:
    snapshot = IvrSnapshot(calendars={0: Calendar("Europe/Berlin")})
    written = write_moment(snapshot, moment)
    assert read_moment(snapshot, written) == moment
    assert written == text or text.endswith("+02:00")  # the first of the two needs no offset


def test_a_lost_line_is_repeated_as_one_that_hung_up(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "w1")
    call.handle(HungUp("caller_lost"))
    assert call.lines[-1].text == "caller_lost"
    assert steps(call)[-2:] == ["hangs_up", "ends caller_hangup"]


def test_keys_in_a_row_are_one_step_and_pauses_are_kept(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "w2 1001 w4 h", world=World({"1001": "busy"}))
    assert steps(call) == [
        "hears ivr-greeting-dial-ext",
        "presses 1001",
        "rings extension 1001",
        "fails busy",
        "hears notice-busy",
        "hears ivr-greeting-dial-ext",
        "hangs_up",
        "ends caller_hangup",
    ]


def test_a_key_after_something_that_nobody_sees_waits_for_it(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "2 w9 #", menu=2)  # after the tone the pound ends the message; before, it skips
    call.finish()
    assert steps(call, "6203") == [
        "hears ivr-greeting-dial-ext",
        "presses 2",
        "hears vm-leave-message",
        f"waits {seconds(LEAVE_MESSAGE) + 1:.3f}",  # a second more so that it holds when they get longer
        "presses #",
        "leaves message",
        "hears vm-saved",
        "ends message_left",
    ]


def test_the_tempo_of_the_page_does_not_matter(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "w1 1 w20", world=World({"1000": "declined"}))
    slow = replay_call(demo_menus, call.world, stretch(call, 9))
    assert steps(slow) == steps(call)
    assert slow.lines[-1].at == 9 * call.lines[-1].at


def test_the_world_is_what_was_met_in_the_call(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "1# w2 2", world=World({"1000": "busy", "6300": "no_answer", "1001": "busy"}))
    call.wait(31)
    scenario = as_scenario("It", "6200", call)
    assert scenario.world == World({"1000": "busy", "6300": "no_answer"})


def test_a_line_that_fails_is_named_and_not_the_number(demo_menus: IvrSnapshot) -> None:
    (trunk,) = demo_menus.trunks.values()
    working = replace(demo_menus, trunks=by_id([replace(trunk, enabled=True)]))
    call = play(working, "95551234567 w2 h", world=World({trunk.name: "limit_reached"}))
    assert as_scenario("It", "6200", call).world == World({trunk.name: "limit_reached"})


def test_one_who_was_busy_once_and_answered_once_cannot_be_repeated(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "1# w4", world=World({"1000": "busy"}))
    again = replay_call(demo_menus, World(), call.events)
    again.press("1#")
    again.wait(4)
    assert again.lines[-1].what == "reaches"
    with pytest.raises(Unrepeatable, match="lead elsewhere"):
        as_scenario("It", "6200", again)


def test_a_mailbox_and_its_hidden_pin(demo_menus: IvrSnapshot) -> None:
    world = World(mailboxes={"1000": Mailbox("4711", ("one",))})
    call = play(demo_menus, "*02 1000# 4711# w1 h", menu=4, world=world)
    rows = [describe(one, is_private=5 < place < 13) for place, one in enumerate(call.events)]
    assert "4" not in "".join(row.get("key", "") for row in rows[8:])
    recorded = replay_call(demo_menus, World(), read_events(rows))
    scenario = as_scenario("It", "6201", recorded)
    assert scenario.world.mailboxes == {"1000": Mailbox("0000", ("one",))}


def test_a_prompt_that_failed_in_the_page_cannot_be_repeated(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "")
    (play_end,) = (due.event for slot, due in call.due.items() if slot == "play")
    assert isinstance(play_end, PromptEnded)
    call.handle(replace(play_end, failed=("ivr-greeting-dial-ext",)))
    with pytest.raises(Unrepeatable):
        as_scenario("It", "6200", call)


def test_a_trunk_whose_name_means_something_in_a_world_cannot_be_written(demo_menus: IvrSnapshot) -> None:
    (trunk,) = demo_menus.trunks.values()
    working = replace(demo_menus, trunks=by_id([replace(trunk, name="talk", enabled=True)]))
    call = play(working, "95551234567 w2 h", world=World({"talk": "limit_reached"}))
    with pytest.raises(Unrepeatable, match="means something else"):
        as_scenario("It", "6200", call)


def test_what_is_due_leaves_out_what_nobody_waits_for_any_more(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "w1")
    assert set(call.due) == {"play", "call"}
    call.press("1")
    assert set(call.due) == {"wait", "call"}
    call.press("0")
    call.hang_up()
    assert call.due == {}


def test_lines_say_where_the_caller_is(demo_menus: IvrSnapshot) -> None:
    call = play(demo_menus, "1# w4 h", world=World({"1000": "busy"}))
    assert [(line.what, line.node) for line in call.lines if line.what != "waits"] == [
        ("calls", ""),
        ("enters", "ivr-3"),
        ("hears", "ivr-3"),
        ("presses", "ivr-3"),
        ("presses", "ivr-3"),
        ("rings", "extension-1"),
        ("fails", "ivr-3"),
        ("hears", "ivr-3"),
        ("hears", "ivr-3"),
        ("ends", "ivr-3"),
    ]


def test_a_step_of_a_scenario_with_a_time_keeps_it() -> None:
    row = {"scenario": "It", "calls": "1", "steps": [{"rings": "extension 1", "at": "0.2"}, "hangs_up"]}
    scenario = read_scenario(row, "here")
    assert scenario.steps[0] == ScenarioStep("rings", "extension 1", 0.2)
    assert write_scenario(scenario) == row
