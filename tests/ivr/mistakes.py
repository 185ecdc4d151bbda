"""One mistake for each rule of `check` at least: the code, the change that makes it, the place, the words."""

from dataclasses import replace
from typing import Any

from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionRule,
    InboundRoute,
    Ivr,
    OutboundRoute,
    Prompt,
    RingGroup,
    Trunk,
    by_id,
)

ADA = Destination(DestinationKind.EXTENSION, 1)
MAIN = Destination(DestinationKind.IVR, 1)
INBOUND = by_id([InboundRoute(1, "Main line", MAIN)])
SOUND = {"1": ADA}
OUT = DialPolicy(outbound=True, outbound_route_ids=(1,))
LOCAL = OutboundRoute(1, "Local", (DialPattern("9XXX"),), (1,))


def second(**changes: Any) -> Ivr:
    return Ivr(2, "6201", "Second", prompts=("hours.wav",), **{"keys": SOUND} | changes)


ABSENT = Destination(DestinationKind.EXTENSION, 99)
MISTAKES: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "IVR101",
        {"ivrs": (second(),)},
        "menu 6201 Second",
        "No inbound route, key or time-out leads here; only a phone that dials 6201 does.",
    ),
    (
        "IVR102",
        {"timeout": MAIN},
        "menu 6200 Main, no key",
        "A caller who presses no key goes from 6200 to 6200, and is cut off after 20 moves.",
    ),
    (
        "IVR102",
        {"timeout": Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav")},
        "menu 6200 Main, no key",
        "A caller who presses no key goes from 6200 to 6200, and is cut off after 20 moves.",
    ),
    ("IVR103", {"keys": {"1": MAIN}}, "menu 6200 Main", "No key, number or time-out leads to anybody."),
    (
        "IVR201",
        {"policy": DialPolicy(ExtensionRule.ALL)},
        "menu 6200 Main, key 1",
        "It may begin numbers 1000, 1001 and 1003, so it acts only after 3 s or #.",
    ),
    (
        "IVR201",
        {"keys": {"9": ADA}, "policy": OUT, "snapshot": {"outbound_routes": by_id([LOCAL])}},
        "menu 6200 Main, key 9",
        "It may begin an outside number, so it acts only after 3 s or #.",
    ),
    (
        "IVR202",
        {"policy": DialPolicy(ExtensionRule.ALL), "snapshot": {"extensions": by_id([Extension(1, "1")])}},
        "menu 6200 Main, key 1",
        "The number 1 cannot be dialled here: the key wins.",
    ),
    (
        "IVR301",
        {"prompts": ("gone.wav",)},
        "menu 6200 Main",
        "The prompt gone.wav does not exist; callers will not hear it.",
    ),
    (
        "IVR301",
        {"keys": SOUND | {"2": Destination(DestinationKind.PLAY_GREETING, prompt="gone.wav")}},
        "menu 6200 Main, key 2",
        "The prompt gone.wav does not exist; callers will not hear it.",
    ),
    ("IVR302", {"prompts": ()}, "menu 6200 Main", "Callers hear nothing for 5 s."),
    (
        "IVR303",
        {"prompts": ("empty.wav",), "snapshot": {"prompts": {"empty.wav": Prompt("empty.wav", 0)}}},
        "menu 6200 Main",
        "The prompt empty.wav has no sound in it.",
    ),
    (
        "IVR401",
        {"timeout": ABSENT},
        "menu 6200 Main, no key",
        "It leads to extension 99, which does not exist.",
    ),
    (
        "IVR401",
        {"invalid": Destination(DestinationKind.IVR, 7)},
        "menu 6200 Main, wrong key",
        "It leads to ivr 7, which does not exist.",
    ),
    (
        "IVR401",
        {
            "snapshot": {
                "inbound_routes": by_id([InboundRoute(1, "Old", ABSENT), InboundRoute(2, "New", MAIN)])
            }
        },
        "inbound route Old",
        "It leads to extension 99, which does not exist.",
    ),
    (
        "IVR402",
        {"timeout": Destination(DestinationKind.EXTENSION, 3)},
        "menu 6200 Main, no key",
        "Extension 1002 is disabled.",
    ),
    (
        "IVR402",
        {"timeout": Destination(DestinationKind.VOICEMAIL, 4)},
        "menu 6200 Main, no key",
        "Extension 1003 has no mailbox.",
    ),
    (
        "IVR402",
        {
            "groups": (RingGroup(1, "6300", "All", (3, 99)),),
            "timeout": Destination(DestinationKind.RING_GROUP, 1),
        },
        "menu 6200 Main, no key",
        "Ring group 6300 has nobody who could be rung.",
    ),
    (
        "IVR403",
        {"keys": SOUND | {"9": MAIN}},
        "menu 6200 Main, key 9",
        "It leads back to where it comes from.",
    ),
    (
        "IVR403",
        {"groups": (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.RING_GROUP, 1)),)},
        "ring group 6300 All, no answer",
        "It leads back to where it comes from.",
    ),
    (
        "IVR404",
        {"timeout": Destination(DestinationKind.EXTERNAL, number="5", prefix="0")},
        "menu 6200 Main, no key",
        "No route with a working trunk takes 05.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(extension_ids=frozenset({99}))},
        "menu 6200 Main",
        "A list of this menu names extension 99, which is gone.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(extension_group_ids=frozenset({9}))},
        "menu 6200 Main",
        "A list of this menu names extension group 9, which is gone.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(ring_group_ids=frozenset({9}))},
        "menu 6200 Main",
        "A list of this menu names ring group 9, which is gone.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(outbound_route_ids=(9,))},
        "menu 6200 Main",
        "A list of this menu names outbound route 9, which is gone.",
    ),
    (
        "IVR406",
        {
            "keys": SOUND | {"0": Destination(DestinationKind.DIAL_BY_NAME)},
            "snapshot": {"extensions": by_id([Extension(1, "1")])},
        },
        "menu 6200 Main, key 0",
        "No enabled extension has a name that can be spelled on a keypad.",
    ),
    (
        "IVR407",
        {"snapshot": {"outbound_routes": by_id([replace(LOCAL, patterns=(DialPattern("9[1"),))])}},
        "outbound route Local",
        "9[1: bracket not closed or empty: [1. It allows nothing.",
    ),
    (
        "IVR408",
        {"note": "key 1 led to queue Support, which is not served here"},
        "menu 6200 Main",
        "key 1 led to queue Support, which is not served here",
    ),
    (
        "IVR501",
        {"resp_timeout": 1},
        "menu 6200 Main",
        "Callers have 1 s for the first key after each announcement.",
    ),
    (
        "IVR502",
        {"digit_timeout": 1, "policy": DialPolicy(ExtensionRule.ALL)},
        "menu 6200 Main",
        "Callers have 1 s between two digits of a number.",
    ),
    (
        "IVR601",
        {"policy": OUT},
        "menu 6200 Main",
        "Anybody who calls (inbound route Main line) can dial the pattern 9XXX over route Local "
        "(trunks A and B; at most 4 at a time, 60 an hour, 10 an hour for one caller).",
    ),
    (
        "IVR602",
        {"policy": replace(OUT, outbound_route_ids=(2,))},
        "menu 6200 Main",
        "Anybody who calls (inbound route Main line) can dial the patterns 9. and +. over route Any "
        "(trunk B; at most 4 at a time, 60 an hour, 10 an hour for one caller).",
    ),
    (
        "IVR603",
        {"keys": SOUND | {"8": Destination(DestinationKind.EXTERNAL, number="9123")}},
        "menu 6200 Main, key 8",
        "It calls 9123 over routes Any and Local.",
    ),
    (
        "IVR604",
        {"policy": DialPolicy(outbound=True)},
        "menu 6200 Main",
        "Callers may dial outside, but over no line that works: whatever they dial fails.",
    ),
    (
        "IVR604",
        {"policy": OUT, "snapshot": {"trunks": by_id([Trunk(1, "A", enabled=False)])}},
        "menu 6200 Main",
        "Callers may dial outside, but over no line that works: whatever they dial fails.",
    ),
    (
        "IVR701",
        {
            "keys": SOUND | {"0": Destination(DestinationKind.DIAL_BY_NAME)},
            "policy": DialPolicy(ExtensionRule.ALLOW, frozenset({1, 2})),
        },
        "menu 6200 Main, key 0",
        "It reaches extension 1003, which may not be dialled here.",
    ),
]
