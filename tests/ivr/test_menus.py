"""What a caller meets in a menu (P-Series: add-an-ivr; timing as in the vendor's description)."""

from collections.abc import Callable
from typing import Any

import pytest

from openivr.ivr.call_state import CallState
from openivr.ivr.commands import HangupReason, Note, Topic
from openivr.ivr.events import TimerFired
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPolicy,
    ExtensionRule,
    Ivr,
    IvrSnapshot,
    RingGroup,
)
from openivr.ivr.policy import Refusal
from openivr.ivr.states.menu import choose

Office = Callable[..., IvrSnapshot]
Ring = Callable[..., Any]

ADA = Destination(DestinationKind.EXTENSION, 1)
ALL = DialPolicy(ExtensionRule.ALL)
ANNOUNCEMENT = "welcome.wav, keys.wav"


def test_silence_hears_the_announcement_so_often_and_no_more(office: Office, ring: Ring) -> None:
    desk = ring(office()).finish()
    assert desk.texts("hears") == [ANNOUNCEMENT] * 2
    assert desk.at("hears") == [0, 13]  # 8 s of announcement, 5 s to answer
    assert desk.texts("ends") == ["menu_timeout"]
    assert desk.at("ends") == [26]


def test_a_menu_without_prompts_only_waits(office: Office, ring: Ring) -> None:
    desk = ring(office(prompts=(), prompt_repeat=1, resp_timeout=1)).finish()
    assert desk.texts("hears") == []
    assert desk.at("ends") == [1]


def test_silence_goes_to_the_timeout_destination(office: Office, ring: Ring) -> None:
    desk = ring(office(timeout=ADA)).finish()
    assert desk.texts("reaches") == ["extension 1000"]
    assert desk.at("rings") == [26]


def test_a_key_interrupts_the_announcement_and_acts_at_once(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"1": ADA})).do("w2 1")
    assert desk.at("rings") == [2]
    assert "play" not in desk.simulation._due


@pytest.mark.parametrize(
    ("moment", "wait"), [("during", "w2"), ("after the prompt", "w9"), ("second play", "w15")]
)
def test_a_key_counts_at_any_moment(office: Office, ring: Ring, moment: str, wait: str) -> None:
    desk = ring(office(keys={"1": ADA})).do(f"{wait} 1")
    assert desk.texts("rings") == ["extension 1000"]


def test_a_key_that_begins_a_number_waits_for_more(office: Office, ring: Ring) -> None:
    menu = office(keys={"1": Destination(DestinationKind.RING_GROUP, 1)}, policy=ALL)
    assert ring(menu).do("1 w2").texts("rings") == []
    assert ring(menu).do("1 w3").texts("rings") == ["ring_group 6300"]
    assert ring(menu).do("1#").texts("rings") == ["ring_group 6300"]
    assert ring(menu).do("1001").texts("rings") == ["extension 1001"]


def test_each_digit_of_a_number_may_take_its_time(office: Office, ring: Ring) -> None:
    assert ring(office(policy=ALL)).do("1 w2.5 0 w2.5 0 w2.5 1").texts("rings") == ["extension 1001"]
    desk = ring(office(policy=ALL)).do("1 w2.5 0 w3")
    assert desk.told("refused", "ends") == [("refused", "10"), ("ends", "invalid_key")]


def test_a_pound_after_a_complete_number_does_nothing(office: Office, ring: Ring) -> None:
    desk = ring(office(policy=ALL)).do("1000# w4 #")
    assert desk.texts("reaches") == ["extension 1000"]
    assert desk.texts("refused") == []


def test_star_and_pound_are_keys(office: Office, ring: Ring) -> None:
    menu = office(keys={"*": ADA, "#": Destination(DestinationKind.EXTENSION, 2)}, policy=ALL)
    assert ring(menu).do("*").texts("rings") == ["extension 1000"]
    assert ring(menu).do("#").texts("rings") == ["extension 1001"]


def test_star_waits_where_the_voicemail_code_is_allowed(office: Office, ring: Ring) -> None:
    menu = office(keys={"*": ADA}, policy=DialPolicy(check_voicemail=True))
    assert ring(menu).do("* w2").texts("rings") == []
    assert ring(menu).do("* w3").texts("rings") == ["extension 1000"]
    assert ring(menu).do("*02").texts("hears")[-1] == "vm-mailbox"


@pytest.mark.parametrize("key", ["1", "5", "*", "#", "A", "D"])
def test_a_key_without_meaning_ends_the_call(office: Office, ring: Ring, key: str) -> None:
    desk = ring(office()).do(f"w1 {key}")
    assert desk.told("refused", "ends") == [("refused", key), ("ends", "invalid_key")]
    assert desk.at("ends") == [1]


def test_a_letter_spoils_a_number(office: Office, ring: Ring) -> None:
    assert ring(office(policy=ALL)).do("10A").texts("refused") == ["10A"]


def test_a_wrong_key_goes_to_the_invalid_destination_without_a_word(office: Office, ring: Ring) -> None:
    desk = ring(office(invalid=ADA)).do("7")
    assert desk.told("refused", "rings") == [("refused", "7"), ("rings", "extension 1000")]
    assert desk.texts("hears") == [ANNOUNCEMENT]


SELF = Destination(DestinationKind.IVR, 1)


def test_wrong_entries_have_no_limit_by_default(office: Office, ring: Ring) -> None:
    desk = ring(office(invalid=SELF, timeout=ADA)).do("7 w4 " * 12)
    assert len(desk.texts("refused")) == 12
    assert desk.texts("rings") == []


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_after_the_last_wrong_entry_the_call_goes_where_it_goes_without_a_key(
    office: Office, ring: Ring, limit: int
) -> None:
    desk = ring(office(invalid=SELF, timeout=ADA, max_invalid=limit)).do("7 w4 " * limit)
    assert desk.told("refused", "rings") == [("refused", "7")] * limit + [("rings", "extension 1000")]
    assert desk.texts("hears").count("notice-invalid-key") == limit - 1


def test_a_valid_entry_begins_the_count_of_wrong_ones_again(office: Office, ring: Ring) -> None:
    aside = Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav")
    desk = ring(office(keys={"1": aside}, invalid=SELF, timeout=ADA, max_invalid=2))
    assert desk.do("7 w4 1 w9 7 w4").texts("rings") == []
    assert desk.do("7").texts("rings") == ["extension 1000"]


def test_an_extension_is_out_of_reach_where_dialling_is_off(office: Office, ring: Ring) -> None:
    desk = ring(office()).do("1")
    assert desk.told("refused", "rings") == [("refused", "1")]


def test_a_missing_prompt_is_passed_over_and_noted(office: Office, ring: Ring) -> None:
    desk = ring(office(prompts=("gone.wav", "welcome.wav", "gone.wav")))
    assert desk.texts("hears") == ["welcome.wav"]
    assert desk.texts("misses") == ["gone.wav"]


def test_default_is_the_built_in_greeting(office: Office, ring: Ring) -> None:
    assert ring(office(prompts=("default",))).texts("hears") == ["ivr-greeting-dial-ext"]


def second(**changes: Any) -> Ivr:
    return Ivr(2, "6201", "Second", prompts=("hours.wav",), **changes)


def test_menus_nest_and_keys_typed_ahead_count_in_the_next(office: Office, ring: Ring) -> None:
    snapshot = office(ivrs=(second(keys={"2": ADA}),), keys={"1": Destination(DestinationKind.IVR, 2)})
    desk = ring(snapshot).do("12")
    assert desk.texts("enters") == ["6200", "6201"]
    assert desk.texts("rings") == ["extension 1000"]


def test_a_menu_entered_again_starts_afresh(office: Office, ring: Ring) -> None:
    snapshot = office(
        ivrs=(second(keys={"0": Destination(DestinationKind.IVR, 1)}),),
        keys={"1": Destination(DestinationKind.IVR, 2)},
    )
    desk = ring(snapshot).do("w15 1 0").finish()
    assert desk.texts("hears") == [ANNOUNCEMENT, ANNOUNCEMENT, "hours.wav", ANNOUNCEMENT, ANNOUNCEMENT]


def test_twenty_moves_without_a_key_are_enough(office: Office, ring: Ring) -> None:
    snapshot = office(
        ivrs=(second(timeout=Destination(DestinationKind.IVR, 1)),),
        timeout=Destination(DestinationKind.IVR, 2),
    )
    desk = ring(snapshot).finish()
    assert len(desk.texts("enters")) == 1 + 20
    assert desk.texts("ends") == ["hop_limit"]
    assert desk.simulation.notes[-1] == Note(Topic.ENDED, 1, detail=HangupReason.HOP_LIMIT, limit=20)


def test_the_note_of_too_many_digits_has_the_limit(office: Office) -> None:
    snapshot = office(policy=DialPolicy(outbound=True, outbound_route_ids=(2,)))
    call = CallState(snapshot, ivr=snapshot.ivrs[1], typed="0" * 16)
    choose(call)
    assert call.out == [
        Note(Topic.INVALID, 1, "0" * 16, detail=Refusal.TOO_LONG, private=True, limit=15),
    ]


def test_a_key_starts_the_count_of_moves_again(office: Office, ring: Ring) -> None:
    snapshot = office(
        timeout=Destination(DestinationKind.IVR, 1), keys={"1": Destination(DestinationKind.IVR, 1)}
    )
    desk = ring(snapshot).do("w390 1").finish()  # in the 16th menu
    assert len(desk.texts("enters")) == 16 + 1 + 20


def test_a_busy_destination_brings_the_caller_back(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"1": ADA}), {"1000": "busy"}).do("1").finish()
    assert desk.texts("hears") == [ANNOUNCEMENT, "notice-busy", ANNOUNCEMENT]
    assert desk.texts("ends") == ["menu_timeout"]


def test_m4_after_a_failure_the_announcement_is_heard_once_more(office: Office, ring: Ring) -> None:
    desk = ring(
        office(keys={"1": ADA, "2": Destination(DestinationKind.RING_GROUP, 1)}, prompt_repeat=1),
        {"1000": "busy"},
    )
    assert desk.do("1 w4").texts("hears") == [ANNOUNCEMENT, "notice-busy", ANNOUNCEMENT]
    assert desk.do("2").texts("rings") == ["extension 1000", "ring_group 6300"]


@pytest.mark.parametrize(
    ("outcome", "notice"),
    [
        ("busy", "notice-busy"),
        ("no_answer", "notice-no-answer"),
        ("declined", "notice-unavailable"),
        ("unavailable", "notice-unavailable"),
        ("limit_reached", "notice-unavailable"),
    ],
)
def test_the_caller_is_told_why(office: Office, ring: Ring, outcome: str, notice: str) -> None:
    desk = ring(office(keys={"1": ADA}), {"1000": outcome}).do("1 w31")
    assert desk.told("fails", "hears")[1:3] == [("fails", outcome), ("hears", notice)]


def test_a_key_interrupts_the_notice(office: Office, ring: Ring) -> None:
    desk = ring(
        office(keys={"1": ADA, "2": Destination(DestinationKind.RING_GROUP, 1)}), {"1000": "busy"}
    ).do("1 w1.1 2")
    assert desk.at("rings") == [0, 1.1]


def test_a_timeout_destination_that_fails_ends_the_call(office: Office, ring: Ring) -> None:
    desk = ring(office(timeout=ADA), {"1000": "busy"}).finish()
    assert desk.texts("hears")[-1] == "notice-busy"
    assert desk.texts("ends") == ["destination_unreached"]


def test_a_key_during_that_notice_saves_the_call(office: Office, ring: Ring) -> None:
    desk = ring(office(timeout=ADA, keys={"2": Destination(DestinationKind.EXTENSION, 2)}), {"1000": "busy"})
    assert desk.do("w27.5 2").finish().texts("reaches") == ["extension 1001"]


@pytest.mark.parametrize(
    "kind",
    [DestinationKind.EXTENSION, DestinationKind.VOICEMAIL, DestinationKind.IVR, DestinationKind.RING_GROUP],
)
def test_a_destination_that_is_gone_brings_the_caller_back(
    office: Office, ring: Ring, kind: DestinationKind
) -> None:
    desk = ring(office(keys={"1": Destination(kind, 99)})).do("1 w4")
    assert desk.texts("fails") == ["unavailable"]
    assert desk.texts("hears") == [ANNOUNCEMENT, "notice-unavailable", ANNOUNCEMENT]


@pytest.mark.parametrize(
    "disabled", [Destination(DestinationKind.EXTENSION, 3), Destination(DestinationKind.VOICEMAIL, 3)]
)
def test_a_disabled_extension_is_not_reached(office: Office, ring: Ring, disabled: Destination) -> None:
    desk = ring(office(keys={"1": disabled})).do("1")
    assert desk.told("rings", "fails") == [("fails", "unavailable")]


def test_end_call(office: Office, ring: Ring) -> None:
    assert ring(office(keys={"9": Destination(DestinationKind.END_CALL)})).do("9").texts("ends") == [
        "end_call"
    ]


def test_a_greeting_is_played_to_its_end_then_the_call_ends(office: Office, ring: Ring) -> None:
    greeting = Destination(DestinationKind.PLAY_GREETING, prompt="hours.wav", plays=3)
    desk = ring(office(keys={"1": greeting, "2": ADA})).do("1 2").finish()
    assert desk.texts("hears")[-1] == "hours.wav, hours.wav, hours.wav"
    assert desk.at("ends") == [12]
    assert desk.texts("ends") == ["prompt_played"]


def test_a_prompt_is_played_and_the_menu_starts_again(office: Office, ring: Ring) -> None:
    aside = Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav", plays=2)
    desk = ring(office(keys={"1": aside, "2": ADA}, prompt_repeat=1))
    assert desk.do("1 w8").texts("hears") == [ANNOUNCEMENT, "hours.wav, hours.wav", ANNOUNCEMENT]
    assert desk.do("1 w2 2").texts("rings") == ["extension 1000"]


def test_missing_prompts_never_stop_a_call(office: Office, ring: Ring) -> None:
    keys = {
        "1": Destination(DestinationKind.PLAY_PROMPT, prompt="gone.wav"),
        "2": Destination(DestinationKind.PLAY_GREETING, prompt="gone.wav"),
    }
    desk = ring(office(keys=keys)).do("1 2")
    assert desk.texts("enters") == ["6200", "6200"]
    assert desk.texts("ends") == ["prompt_played"]


def test_a_silent_loop_over_a_prompt_ends(office: Office, ring: Ring) -> None:
    desk = ring(office(timeout=Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav"))).finish()
    assert desk.texts("hears").count("hours.wav") == 20


def test_a_ring_group_that_fails_goes_on_to_its_own_destination(office: Office, ring: Ring) -> None:
    groups = (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.EXTENSION, 2)),)
    desk = ring(
        office(groups=groups, keys={"1": Destination(DestinationKind.RING_GROUP, 1)}), {"6300": "busy"}
    ).do("1 w1")
    assert desk.texts("rings") == ["ring_group 6300", "extension 1001"]


def test_a_busy_ring_group_without_a_destination_brings_the_caller_back(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"1": Destination(DestinationKind.RING_GROUP, 1)}), {"6300": "busy"}).do("1 w1")
    assert desk.told("fails", "hears")[1:] == [("fails", "busy"), ("hears", "notice-busy")]


def test_the_pause_of_a_ring_group_does_not_run_on_in_what_follows(office: Office, ring: Ring) -> None:
    groups = (
        RingGroup(1, "6300", "All", (1,), ring_seconds=2, fail=Destination(DestinationKind.DIAL_BY_NAME)),
    )
    desk = ring(
        office(groups=groups, keys={"1": Destination(DestinationKind.RING_GROUP, 1)}), {"6300": "busy"}
    ).do("1 w1")
    ringing = next(c.token for c in reversed(desk.simulation.commands[1]) if type(c).__name__ == "SetTimer")
    assert desk.simulation.session.handle(TimerFired(ringing)) == ()


def test_ringing_that_was_given_up_is_not_taken_for_a_play(office: Office, ring: Ring) -> None:
    groups = (RingGroup(1, "6300", "All", (1,), ring_seconds=2, fail=Destination(DestinationKind.IVR, 2)),)
    silent = Ivr(2, "6201", "Silent", keys={"1": ADA})
    snapshot = office(ivrs=(silent,), groups=groups, keys={"1": Destination(DestinationKind.RING_GROUP, 1)})
    desk = ring(snapshot, {"6300": "no_answer"}).do("1 w3 1")
    stopped = [c for batch in desk.simulation.commands for c in batch if type(c).__name__ == "StopPlay"]
    assert len(stopped) == 1
    assert desk.texts("rings") == ["ring_group 6300", "extension 1000"]


def test_a_ring_group_with_nobody_in_it_fails_at_once(office: Office, ring: Ring) -> None:
    groups = (RingGroup(1, "6300", "All", (3, 99), fail=Destination(DestinationKind.EXTENSION, 2)),)
    desk = ring(office(groups=groups, keys={"1": Destination(DestinationKind.RING_GROUP, 1)})).do("1")
    assert desk.told("fails", "rings") == [("fails", "unavailable"), ("rings", "extension 1001")]


def test_ring_groups_that_send_the_call_in_a_circle_end_it(office: Office, ring: Ring) -> None:
    groups = (RingGroup(1, "6300", "All", (), fail=Destination(DestinationKind.RING_GROUP, 1)),)
    desk = ring(office(groups=groups, keys={"1": Destination(DestinationKind.RING_GROUP, 1)})).do("1")
    assert desk.texts("ends") == ["hop_limit"]


def test_the_longest_call_is_cut_off(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"1": ADA}), talk=86_400).do("1").finish()
    assert desk.at("ends") == [10_800]
    assert desk.texts("ends") == ["call_length_limit"]


def test_a_conversation_ends_when_the_called_side_hangs_up(office: Office, ring: Ring) -> None:
    desk = ring(office(keys={"1": ADA}), talk=10).do("1").finish()
    assert desk.at("ends") == [13]
    assert desk.texts("ends") == ["callee_hangup"]


def test_a_call_may_lead_straight_to_somebody(office: Office, ring: Ring) -> None:
    desk = ring(office(), destination=ADA).finish()
    assert desk.texts("reaches") == ["extension 1000"]
    assert not any(type(c).__name__ == "Answer" for batch in desk.simulation.commands for c in batch)


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        (Destination(DestinationKind.EXTENSION, 99), "destination_unreached"),
        (Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav"), "prompt_played"),
        (Destination(DestinationKind.PLAY_PROMPT, prompt="gone.wav"), "prompt_played"),
        (Destination(DestinationKind.DIAL_BY_NAME), "destination_unreached"),
    ],
)
def test_a_call_without_a_menu_has_nowhere_to_return_to(
    office: Office, ring: Ring, destination: Destination, reason: str
) -> None:
    assert ring(office(), destination=destination).finish().texts("ends") == [reason]
