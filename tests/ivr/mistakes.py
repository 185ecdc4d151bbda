"""Mistakes for every rule of `check`: the code, the change that makes it, the target, the words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from openivr.hours.calendar import (
    Calendar,
    Holiday,
    HolidayType,
    ManualSwitch,
    OfficeHours,
    PeriodKind,
    TimeSpan,
)
from openivr.ivr.analysis.rules import FindingTarget, Part
from openivr.ivr.import_remark import ImportRemark, ImportRemarkCode
from openivr.ivr.model import (
    Announcement,
    ByPeriod,
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionRule,
    Forwarding,
    InboundRoute,
    Ivr,
    NumberRule,
    OutboundRoute,
    PinList,
    Prompt,
    RingGroup,
    Trunk,
    by_id,
)
from tests.ivr.conftest import PEOPLE

ADA = Destination(DestinationKind.EXTENSION, 1)
ALAN = Destination(DestinationKind.EXTENSION, 2)
MAIN = Destination(DestinationKind.IVR, 1)
END = Destination(DestinationKind.END_CALL)
INBOUND = by_id([InboundRoute(1, "Main line", MAIN)])
SOUND = {"1": ADA}
GROUP_1 = Destination(DestinationKind.RING_GROUP, 1)
GROUP_2 = Destination(DestinationKind.RING_GROUP, 2)
OUT = DialPolicy(outbound=True, outbound_route_ids=(1,))
LOCAL = OutboundRoute(1, "Local", (DialPattern("9XXX"),), (1,))


def second(**changes: Any) -> Ivr:
    fields: dict[str, Any] = {"keys": SOUND, "timeout": END, "invalid": END}
    return Ivr(2, "6201", "Second", prompts=("hours.wav",), **(fields | changes))


NOW = int(datetime(2026, 11, 30, 12, tzinfo=UTC).timestamp())
DAY = 86_400
MORNING, NOON, EVENING = TimeSpan(540, 720), TimeSpan(660, 780), TimeSpan(1080, 1200)
WORKDAYS = OfficeHours(1, frozenset(range(5)), office=(MORNING,))
OFFICE = Calendar("UTC", 4, "Office", (WORKDAYS,))


def on(calendar: Calendar, **more: Any) -> dict[str, Any]:
    """A change of the office that gives it a calendar, on which a key depends."""
    snapshot = {"calendars": {0: calendar, calendar.id: calendar}, **more}
    return {"snapshot": snapshot, "by_period": {"1": ByPeriod(closed=ADA)}}


NO_DAY = OfficeHours(2, months=frozenset({2}), days=frozenset({30}), office=(NOON,))
TWO_KEYS = {"keys": {"1": ADA, "2": ADA}}


def days_off(*dates: date) -> tuple[Holiday, ...]:
    return tuple(Holiday("Off", HolidayType.DATE, place, day, day) for place, day in enumerate(dates, 1))


ABSENT = Destination(DestinationKind.EXTENSION, 99)
MENU = FindingTarget("ivr", 1)
NO_KEY = FindingTarget("ivr", 1, Part.TIMEOUT)
REMARKS = [
    (
        ImportRemarkCode.DESTINATION_UNSERVED,
        {"input": "1", "type": "queue", "name": "Support"},
        "Key 1 led to queue Support, which is not served here.",
    ),
    (
        ImportRemarkCode.DESTINATION_UNSERVED,
        {"input": "*", "type": "group_vm", "name": "2"},
        "Key * led to group voicemail 2, which is not served here.",
    ),
    (
        ImportRemarkCode.DESTINATION_MISSING,
        {"input": "timeout", "type": "extension", "name": "12"},
        "No key in time led to extension 12, which is not here.",
    ),
    (
        ImportRemarkCode.DESTINATION_INVALID,
        {"input": "invalid", "type": "end_call", "name": "5"},
        "A wrong key led to end call 5, which is not valid here.",
    ),
    (
        ImportRemarkCode.NUMBER_INVALID,
        {"input": "4", "type": "external_num", "name": "not a number"},
        "Key 4 led to outside number not a number. "
        "A number has 1 to 15 digits, prefix included, with + only at the front.",
    ),
    (
        ImportRemarkCode.PLAYS_INVALID,
        {"input": "4", "type": "play_prompt", "name": "9 hours.wav", "high": "5"},
        "Key 4 led to play prompt 9 hours.wav. A prompt can be played 1 to 5 times.",
    ),
    (
        ImportRemarkCode.KEY_PROMPT_MISSING,
        {"input": "3", "prompt": "welcome.wav"},
        "Key 3 played welcome.wav, whose sound is not here.",
    ),
    (
        ImportRemarkCode.PROMPT_MISSING,
        {"prompt": "welcome.wav"},
        "Prompt welcome.wav is left out, because its sound is not here.",
    ),
    (
        ImportRemarkCode.MEMBER_MISSING,
        {"field": "dial_call_number_list", "type": "ring_group", "name": "Sales"},
        "The list of ring groups named ring group Sales, which is not here.",
    ),
    (ImportRemarkCode.OTHER, {"text": "Ask Grace about {keys}"}, "Ask Grace about {keys}"),
]
MISTAKES: list[tuple[str, dict[str, Any], FindingTarget, str]] = [
    (
        "IVR101",
        {"ivrs": (second(),)},
        FindingTarget("ivr", 2),
        "No inbound route, key or time-out leads here. Only a phone that dials 6201 does.",
    ),
    (
        "IVR102",
        {"timeout": MAIN},
        NO_KEY,
        "A caller who presses no key goes from 6200 to 6200, and the call ends after 20 hops.",
    ),
    (
        "IVR102",
        {"timeout": Destination(DestinationKind.PLAY_PROMPT, prompt="hours.wav")},
        NO_KEY,
        "A caller who presses no key goes from 6200 to 6200, and the call ends after 20 hops.",
    ),
    (
        "IVR103",
        {"keys": {"1": MAIN}},
        MENU,
        "No key, number or time-out leads to a person, a mailbox or an outside number.",
    ),
    ("IVR104", {"timeout": None}, NO_KEY, "A call is ended when the caller presses no key."),
    (
        "IVR105",
        {"invalid": None},
        FindingTarget("ivr", 1, Part.INVALID),
        "A call is ended after one wrong key.",
    ),
    (
        "IVR106",
        {
            "groups": (
                RingGroup(1, "6300", "A", (1,), ring_seconds=20, fail=GROUP_2),
                RingGroup(
                    2, "6301", "B", (2,), ring_seconds=30, fail=Destination(DestinationKind.RING_GROUP, 1)
                ),
            )
        },
        FindingTarget("ring_group", 1, Part.NO_ANSWER),
        "An unanswered call goes from ring group 6300 to 6301 to 6300: 50 s of ringing in each round.",
    ),
    (
        "IVR107",
        {"invalid": Destination(DestinationKind.IVR, 2), "ivrs": (second(invalid=MAIN),)},
        FindingTarget("ivr", 1, Part.INVALID),
        "A caller who presses wrong keys goes from 6200 to 6201 to 6200.",
    ),
    (
        "IVR108",
        {"keys": {}, "timeout": ADA},
        MENU,
        "The menu has no keys, and callers cannot dial numbers. Every key is a wrong key.",
    ),
    (
        "IVR109",
        {"keys": {}, "timeout": None, "invalid": None},
        MENU,
        "No key, time-out or number leads on yet.",
    ),
    (
        "IVR110",
        {
            "keys": {"1": Destination(DestinationKind.EXTENSION, 4)},
            "timeout": Destination(DestinationKind.EXTENSION, 4),
            "invalid": MAIN,
        },
        MENU,
        "Every call ends at extension 1003, which has no mailbox. Unanswered callers reach no one.",
    ),
    (
        "IVR111",
        {
            "snapshot": {
                "extensions": by_id(
                    [
                        Extension(1, "1000", "Ada", outside=Forwarding(busy=ALAN)),
                        Extension(2, "1001", "Alan", outside=Forwarding(always=ADA)),
                    ]
                )
            }
        },
        FindingTarget("extension", 1, Part.BUSY),
        "Calls are forwarded from extension 1000 to 1001 to 1000.",
    ),
    (
        "IVR201",
        {"policy": DialPolicy(ExtensionRule.ALL)},
        FindingTarget("ivr", 1, Part.KEY, "1"),
        "Numbers 1000, 1001 and 1003 start with this key, so the key acts after 3 s or #.",
    ),
    (
        "IVR201",
        {"keys": {"9": ADA}, "policy": OUT, "snapshot": {"outbound_routes": by_id([LOCAL])}},
        FindingTarget("ivr", 1, Part.KEY, "9"),
        "Outside numbers start with this key, so the key acts after 3 s or #.",
    ),
    (
        "IVR202",
        {"policy": DialPolicy(ExtensionRule.ALL), "snapshot": {"extensions": by_id([Extension(1, "1")])}},
        FindingTarget("ivr", 1, Part.KEY, "1"),
        "The number 1 cannot be dialled here, because the key wins.",
    ),
    (
        "IVR203",
        {
            "snapshot": {
                "extensions": by_id([Extension(1, "10", "A"), Extension(2, "100"), Extension(3, "2")])
            }
        },
        FindingTarget("extension", 1),
        "Number 100 starts with 10. A menu waits for more digits after 10.",
    ),
    (
        "IVR301",
        {"prompts": ("gone.wav",)},
        MENU,
        "The prompt gone.wav does not exist. Callers will not hear it.",
    ),
    (
        "IVR301",
        {"keys": SOUND | {"2": Destination(DestinationKind.PLAY_GREETING, prompt="gone.wav")}},
        FindingTarget("ivr", 1, Part.KEY, "2"),
        "The prompt gone.wav does not exist. Callers will not hear it.",
    ),
    (
        "IVR301",
        {"groups": (RingGroup(1, "6300", "All", (1,), join_prompt="gone.wav"),)},
        FindingTarget("ring_group", 1),
        "The prompt gone.wav does not exist. Callers will not hear it.",
    ),
    ("IVR302", {"prompts": ()}, MENU, "Callers hear nothing for 5 s."),
    (
        "IVR303",
        {"prompts": ("empty.wav",), "snapshot": {"prompts": {"empty.wav": Prompt("empty.wav", 0)}}},
        MENU,
        "The prompt empty.wav has no sound in it.",
    ),
    (
        "IVR304",
        {"prompts": ("a.wav",), "snapshot": {"prompts": {"a.wav": Prompt("a.wav", 3, -70)}}},
        MENU,
        "The prompt a.wav is silent.",
    ),
    (
        "IVR305",
        {"prompts": ("a.wav",), "snapshot": {"prompts": {"a.wav": Prompt("a.wav", 3, -43)}}},
        MENU,
        "The prompt a.wav is too quiet on a telephone (-43 LUFS).",
    ),
    (
        "IVR401",
        {"timeout": ABSENT},
        NO_KEY,
        "The extension with id 99 does not exist.",
    ),
    (
        "IVR401",
        {"invalid": Destination(DestinationKind.IVR, 7)},
        FindingTarget("ivr", 1, Part.INVALID),
        "The menu with id 7 does not exist.",
    ),
    (
        "IVR401",
        {
            "snapshot": {
                "inbound_routes": by_id([InboundRoute(1, "Old", ABSENT), InboundRoute(2, "New", MAIN)])
            }
        },
        FindingTarget("inbound_route", 1),
        "The extension with id 99 does not exist.",
    ),
    (
        "IVR402",
        {"timeout": Destination(DestinationKind.EXTENSION, 3)},
        NO_KEY,
        "Extension 1002 is disabled.",
    ),
    (
        "IVR402",
        {"timeout": Destination(DestinationKind.VOICEMAIL, 4)},
        NO_KEY,
        "Extension 1003 has no mailbox.",
    ),
    (
        "IVR402",
        {
            "groups": (RingGroup(1, "6300", "All", (3, 99)),),
            "timeout": Destination(DestinationKind.RING_GROUP, 1),
        },
        NO_KEY,
        "Ring group 6300 has no enabled member.",
    ),
    (
        "IVR403",
        {"groups": (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.RING_GROUP, 1)),)},
        FindingTarget("ring_group", 1, Part.NO_ANSWER),
        "It leads back to where it comes from.",
    ),
    (
        "IVR404",
        {"timeout": Destination(DestinationKind.EXTERNAL, number="5", prefix="0")},
        NO_KEY,
        "No route with an enabled trunk takes 05.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(extension_ids=frozenset({99}))},
        MENU,
        "A list of this menu names the extension with id 99, which does not exist.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(extension_group_ids=frozenset({9}))},
        MENU,
        "A list of this menu names the extension group with id 9, which does not exist.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(ring_group_ids=frozenset({9}))},
        MENU,
        "A list of this menu names the ring group with id 9, which does not exist.",
    ),
    (
        "IVR405",
        {"policy": DialPolicy(outbound_route_ids=(9,))},
        MENU,
        "A list of this menu names the outbound route with id 9, which does not exist.",
    ),
    (
        "IVR406",
        {
            "keys": SOUND | {"0": Destination(DestinationKind.DIAL_BY_NAME)},
            "snapshot": {"extensions": by_id([Extension(1, "1")])},
        },
        FindingTarget("ivr", 1, Part.KEY, "0"),
        "No enabled extension has a name that can be spelled on a keypad.",
    ),
    (
        "IVR407",
        {"snapshot": {"outbound_routes": by_id([replace(LOCAL, patterns=(DialPattern("9[1"),))])}},
        FindingTarget("outbound_route", 1),
        "9[1: the bracket in [1 is empty or not closed. It allows nothing.",
    ),
    *(
        ("IVR408", {"import_remarks": (ImportRemark(code, params),)}, MENU, text)
        for code, params, text in REMARKS
    ),
    (
        "IVR501",
        {"resp_timeout": 1},
        MENU,
        "Callers have 1 s for the first key after each announcement.",
    ),
    (
        "IVR502",
        {"digit_timeout": 1, "policy": DialPolicy(ExtensionRule.ALL)},
        MENU,
        "Callers have 1 s between two digits of a number.",
    ),
    (
        "IVR601",
        {"policy": OUT},
        MENU,
        "Any caller (inbound route Main line) can dial the pattern 9XXX over route Local "
        "(trunks A and B; at most 4 at a time, 60 an hour, 10 an hour for one caller).",
    ),
    (
        "IVR602",
        {"policy": replace(OUT, outbound_route_ids=(2,))},
        MENU,
        "Any caller (inbound route Main line) can dial the patterns 9. and +. over route Any "
        "(trunk B; at most 4 at a time, 60 an hour, 10 an hour for one caller).",
    ),
    (
        "IVR603",
        {"keys": SOUND | {"8": Destination(DestinationKind.EXTERNAL, number="9123")}},
        FindingTarget("ivr", 1, Part.KEY, "8"),
        "It calls 9123 over routes Any and Local.",
    ),
    (
        "IVR603",
        {"by_period": {"8": ByPeriod(closed=Destination(DestinationKind.EXTERNAL, number="9123"))}},
        FindingTarget("ivr", 1, Part.KEY, "8"),
        "It calls 9123 over routes Any and Local.",
    ),
    (
        "IVR604",
        {"policy": DialPolicy(outbound=True)},
        MENU,
        "Callers may dial outside, but no route has an enabled trunk. These calls fail.",
    ),
    (
        "IVR604",
        {"policy": OUT, "snapshot": {"trunks": by_id([Trunk(1, "A", enabled=False)])}},
        MENU,
        "Callers may dial outside, but no route has an enabled trunk. These calls fail.",
    ),
    (
        "IVR605",
        {
            "snapshot": {
                "extensions": by_id([Extension(1, "1000", "Ada", mobile="9123")]),
                "outbound_routes": by_id([replace(LOCAL, extension_ids=frozenset({1}))]),
            }
        },
        FindingTarget("extension", 1),
        "Calls to extension 1000 can go to 9123 over route Local.",
    ),
    (
        "IVR701",
        {
            "keys": SOUND | {"0": Destination(DestinationKind.DIAL_BY_NAME)},
            "policy": DialPolicy(ExtensionRule.ALLOW, frozenset({1, 2})),
        },
        FindingTarget("ivr", 1, Part.KEY, "0"),
        "It reaches extension 1003, which cannot be dialled from this menu.",
    ),
    (
        "IVR702",
        {"policy": DialPolicy(check_voicemail=True)},
        MENU,
        "Callers can dial *02 for their mailbox, but no mailbox has a PIN, so none can be opened.",
    ),
    (
        "IVR703",
        {"snapshot": {"extensions": by_id([*PEOPLE[:1], replace(PEOPLE[1], has_pin=True, weak_pin=True)])}},
        FindingTarget("extension", 2),
        "The mailbox of 1001 has a PIN that is guessed first: its number, or digits in a row.",
    ),
    (
        "IVR704",
        {"keys": SOUND, "key_pins": {"1": 1}, "snapshot": {"pin_lists": by_id([PinList(1, "Staff")])}},
        FindingTarget("ivr", 1, Part.KEY, "1"),
        "The key asks for a PIN of Staff, which has none, so it lets nobody through.",
    ),
    (
        "IVR705",
        {
            "keys": SOUND,
            "key_pins": {"1": 1},
            "snapshot": {"pin_lists": by_id([PinList(1, "Staff", 2, 3, 6)])},
        },
        FindingTarget("pin_list", 1),
        "Staff has a PIN of 3 digits, which is soon guessed.",
    ),
    (
        "IVR706",
        {"snapshot": {"pin_lists": by_id([PinList(1, "Staff", 2, 4, 6)])}},
        FindingTarget("pin_list", 1),
        "No key asks for a PIN of Staff.",
    ),
    (
        "IVR801",
        {"snapshot": {"inbound_routes": by_id([InboundRoute(1, "A", MAIN, ("+44-1632-960000",))])}},
        FindingTarget("inbound_route", 1),
        "No called number matches +44-1632-960000.",
    ),
    (
        "IVR801",
        {"snapshot": {"inbound_routes": by_id([InboundRoute(1, "A", MAIN, caller_patterns=("1[0-9",))])}},
        FindingTarget("inbound_route", 1),
        "No caller's number matches 1[0-9.",
    ),
    (
        "IVR801",
        {"snapshot": {"allow_rules": by_id([NumberRule(1, "A", ("alice", "1[0-9"))])}},
        FindingTarget("allow_numbers", 1),
        "No number matches 1[0-9.",
    ),
    (
        "IVR808",
        {"snapshot": {"block_rules": by_id([NumberRule(1, "A", ("0900X.", "X."))])}},
        FindingTarget("block_numbers", 1),
        "X. blocks every caller who is not among the allowed numbers.",
    ),
    (
        "IVR401",
        {"snapshot": {"block_rules": by_id([NumberRule(1, "A", ("1",), destination=ABSENT)])}},
        FindingTarget("block_numbers", 1),
        "The extension with id 99 does not exist.",
    ),
    (
        "IVR802",
        {
            "snapshot": {
                "inbound_routes": by_id(
                    [
                        InboundRoute(1, "Wide", MAIN, ("441632X.",)),
                        InboundRoute(2, "B", MAIN, ("+441632960000",)),
                    ]
                )
            }
        },
        FindingTarget("inbound_route", 2),
        "Route Wide above it takes every call that this route would take.",
    ),
    (
        "IVR802",
        {
            "snapshot": {
                "inbound_routes": by_id(
                    [
                        InboundRoute(1, "A", MAIN, ("100", "300")),
                        InboundRoute(2, "B", MAIN, ("2XX",), trunk_ids=(1,)),
                        InboundRoute(3, "Unneeded", MAIN, ("2X1",)),
                        InboundRoute(4, "C", MAIN, ("100", "+20X"), trunk_ids=(1,)),
                    ]
                )
            }
        },
        FindingTarget("inbound_route", 4),
        "Routes A and B above it take every call that this route would take.",
    ),
    (
        "IVR802",
        {
            "snapshot": {
                "inbound_routes": by_id(
                    [
                        InboundRoute(1, "A", MAIN, trunk_ids=(1,)),
                        InboundRoute(2, "B", MAIN, ("1XX",), trunk_ids=(2,)),
                        InboundRoute(3, "C", MAIN, ("100",), trunk_ids=(1, 2)),
                    ]
                )
            }
        },
        FindingTarget("inbound_route", 3),
        "Routes A and B above it take every call that this route would take.",
    ),
    (
        "IVR803",
        {
            "snapshot": {
                "inbound_routes": by_id(
                    [InboundRoute(1, "A", MAIN, ("100",)), InboundRoute(2, "B", MAIN, ("100", "200"))]
                )
            }
        },
        FindingTarget("inbound_route", 2),
        "Calls to 100 go to route A above it.",
    ),
    (
        "IVR804",
        {
            "snapshot": {
                "inbound_routes": by_id([InboundRoute(1, "A", MAIN, trunk_ids=(1,))]),
                "trunks": by_id([Trunk(1, "Provider", enabled=False), Trunk(2, "Other")]),
            }
        },
        FindingTarget("trunk", 1),
        "Every inbound route needs a trunk that is disabled, like Provider.",
    ),
    (
        "IVR805",
        {
            "snapshot": {
                "outbound_routes": by_id(
                    [
                        OutboundRoute(1, "Wide", (DialPattern("8."),), (1,), position=1),
                        OutboundRoute(2, "Narrow", (DialPattern("8XXX"),), (1,), position=2),
                    ]
                )
            }
        },
        FindingTarget("outbound_route", 2),
        "Route Wide above it takes all its numbers. This route is only tried when that one fails.",
    ),
    (
        "IVR806",
        {"snapshot": {"outbound_routes": by_id([OutboundRoute(1, "A", (DialPattern("1XX"),), (1,))])}},
        FindingTarget("outbound_route", 1),
        "1XX takes 112.",
    ),
    (
        "IVR806",
        {"snapshot": {"outbound_routes": by_id([OutboundRoute(1, "A", (DialPattern("1XX", 1),), (1,))])}},
        FindingTarget("outbound_route", 1),
        "1XX takes 112 and dials 12, which is not the emergency number.",
    ),
    (
        "IVR807",
        {"snapshot": {"extensions": by_id([Extension(1, "911", "A")])}},
        FindingTarget("extension", 1),
        "911 is an emergency number. Phones that dial it ring inside.",
    ),
    (
        "IVR901",
        on(replace(OFFICE, hours=())),
        FindingTarget("timezone", 4),
        "The calendar has no business hours, so it is closed at all times.",
    ),
    (
        "IVR901",
        on(Calendar("UTC", hours=(replace(WORKDAYS, breaks=(TimeSpan(0, 720),)),))),
        FindingTarget("timezone", 0),
        "No business hours of the calendar ever open, so it is closed at all times.",
    ),
    (
        "IVR902",
        on(OFFICE, inbound_routes=by_id([InboundRoute(1, "A", MAIN, by_period=ByPeriod(holiday=ADA))])),
        FindingTarget("inbound_route", 1),
        "Calls are rejected when the period is closed.",
    ),
    (
        "IVR902",
        {**on(OFFICE), "by_period": {"timeout": ByPeriod()}},
        NO_KEY,
        "The call is ended when the period is closed.",
    ),
    (
        "IVR903",
        {**on(OFFICE), "by_period": {"1": ByPeriod(closed=MAIN)}},
        FindingTarget("ivr", 1, Part.KEY, "1"),
        "When the period is closed, it leads to the menu that it belongs to.",
    ),
    (
        "IVR903",
        {**on(OFFICE), "by_period": {"timeout": ByPeriod(closed=END, holiday=MAIN)}},
        NO_KEY,
        "When the period is holiday, it leads to the menu that it belongs to.",
    ),
    (
        "IVR904",
        on(replace(OFFICE, hours=(WORKDAYS, replace(WORKDAYS, id=2, office=(NOON,))))),
        FindingTarget("businesshour", 2),
        "11:00-13:00 overlaps 09:00-12:00 of other business hours on the same days.",
    ),
    (
        "IVR904",
        on(replace(OFFICE, hours=(replace(WORKDAYS, office=(MORNING, NOON)),))),
        FindingTarget("businesshour", 1),
        "09:00-12:00 and 11:00-13:00 overlap.",
    ),
    (
        "IVR904",
        on(replace(OFFICE, hours=(replace(WORKDAYS, office=(MORNING, EVENING), breaks=(EVENING,)),))),
        FindingTarget("businesshour", 1),
        "Breaks cover all of 18:00-20:00.",
    ),
    (
        "IVR904",
        on(
            replace(
                OFFICE,
                hours=(WORKDAYS, NO_DAY),
            )
        ),
        FindingTarget("businesshour", 2),
        "There is no day on which these hours hold.",
    ),
    (
        "IVR905",
        on(replace(OFFICE, holidays=(Holiday("Off", HolidayType.WEEKDAY, 3, month=2, nth=6, weekday=0),))),
        FindingTarget("holiday", 3),
        "There is no day on which it falls.",
    ),
    (
        "IVR905",
        on(replace(OFFICE, holidays=days_off(date(2025, 11, 29)))),
        FindingTarget("holiday", 1),
        "It was over on 2025-11-29.",
    ),
    (
        "IVR905",
        on(
            replace(
                OFFICE,
                holidays=(replace(days_off(date(2026, 12, 25))[0], span=TimeSpan(600, 600)),),
            )
        ),
        FindingTarget("holiday", 1),
        "Its time of day is empty.",
    ),
    (
        "IVR906",
        on(replace(OFFICE, switch=ManualSwitch(PeriodKind.CLOSED, by="Ada", at=NOW - 3 * DAY))),
        FindingTarget("timezone", 4),
        "It is closed by hand, without an end, since 3 days ago, by Ada.",
    ),
    (
        "IVR907",
        {
            **on(OFFICE),
            "keys": {"1": ADA, "2": ADA},
            "by_period": {"1": ByPeriod(closed=ADA), "2": ByPeriod()},
        },
        MENU,
        "Key 2 is a wrong key when the period is closed.",
    ),
    (
        "IVR908",
        {**on(OFFICE), "by_period": {"1": ByPeriod()}},
        MENU,
        "Every key is a wrong key when the period is closed, and callers cannot dial numbers.",
    ),
    (
        "IVR909",
        on(replace(OFFICE, holidays=days_off(date(2025, 12, 25), date(2026, 5, 1)))),
        FindingTarget("timezone", 4),
        "No holiday falls into the coming 60 days. A year before, some did.",
    ),
    (
        "IVR910",
        on(OFFICE, announcements=by_id([Announcement(1, "Storm", "hours.wav", (1,), end=NOW)])),
        FindingTarget("announcement", 1),
        "It ended at 2026-11-30 12:00.",
    ),
    (
        "IVR301",
        on(OFFICE, announcements=by_id([Announcement(1, "Storm", "gone.wav", (1,), end=NOW + 1)])),
        FindingTarget("announcement", 1),
        "The prompt gone.wav does not exist. Callers will not hear it.",
    ),
    (
        "IVR301",
        on(replace(OFFICE, holidays=(replace(days_off(date(2026, 12, 25))[0], prompt="gone.wav"),))),
        FindingTarget("holiday", 1),
        "The prompt gone.wav does not exist. Callers will not hear it.",
    ),
]
