"""Static findings: each rule finds its mistake and is silent without it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from openivr.hours.calendar import Holiday, HolidayType, ManualSwitch, PeriodKind
from openivr.ivr.analysis.check import check
from openivr.ivr.analysis.graph import Edge, edges
from openivr.ivr.analysis.rules import RULES, Finding, FindingTarget, Part, Severity
from openivr.ivr.analysis.words import TITLES, show_list, show_target, text_of
from openivr.ivr.model import (
    Announcement,
    ByPeriod,
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionRule,
    InboundRoute,
    Ivr,
    IvrSnapshot,
    NumberRule,
    PinList,
    Prompt,
    RingGroup,
    Trunk,
    by_id,
)
from tests.ivr.conftest import PEOPLE
from tests.ivr.mistakes import (
    ABSENT,
    ADA,
    DAY,
    END,
    EVENING,
    INBOUND,
    LOCAL,
    MAIN,
    MISTAKES,
    MORNING,
    NOON,
    NOW,
    OFFICE,
    OUT,
    SOUND,
    WORKDAYS,
    days_off,
    on,
    second,
)

Office = Callable[..., IvrSnapshot]
GOLDBERG = Destination(DestinationKind.EXTENSION, 4)
STAFF = PinList(1, "Staff", 2, 4, 6)


def inbound(*routes: InboundRoute, **more: Any) -> dict[str, Any]:
    """A change of the office that makes these its inbound routes."""
    return {"snapshot": {"inbound_routes": by_id(routes), **more}}


@pytest.fixture
def find(office: Office) -> Callable[..., list[Finding]]:
    """Check an office whose main menu has a key to Ada, changed as a test wants."""

    def find(snapshot: dict[str, Any] | None = None, **changes: Any) -> list[Finding]:
        built = office(**{"keys": SOUND, "timeout": END, "invalid": END} | changes)
        return check(replace(built, **{"inbound_routes": INBOUND} | (snapshot or {})), NOW)

    return find


Find = Callable[..., list[Finding]]


def targets(findings: list[Finding], code: str) -> list[FindingTarget]:
    return [finding.target for finding in findings if finding.rule.code == code]


def params(findings: list[Finding], code: str) -> dict[str, Any]:
    (finding,) = (finding for finding in findings if finding.rule.code == code)
    return dict(finding.params)


def others(findings: list[Finding]) -> list[Finding]:
    """Leave out what the office's route Any means: it takes all that Local does, and 911."""
    return [row for row in findings if row.rule.code not in ("IVR805", "IVR806")]


def texts(findings: list[Finding], code: str) -> list[str]:
    return [text_of(finding) for finding in findings if finding.rule.code == code]


def test_a_sound_office_has_no_findings(find: Find) -> None:
    assert others(find()) == []


@pytest.mark.parametrize(
    ("code", "changes", "target", "text"), MISTAKES, ids=[f"{row[0]}-{n}" for n, row in enumerate(MISTAKES)]
)
def test_a_mistake_is_found(
    find: Find, code: str, changes: dict[str, Any], target: FindingTarget, text: str
) -> None:
    found = find(**changes)
    assert targets(found, code) == [target]
    assert texts(found, code) == [text]


def test_every_rule_has_a_case() -> None:
    assert {code for code, *_ in MISTAKES} == set(RULES) == set(TITLES)
    assert len({rule.name for rule in RULES.values()}) == len(RULES)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("IVR103", {"keys": {}, "policy": DialPolicy(ExtensionRule.ALL)}),
        ("IVR103", {"keys": {}, "invalid": Destination(DestinationKind.VOICEMAIL, 1)}),
        ("IVR103", {"keys": {"1": Destination(DestinationKind.IVR, 2)}, "ivrs": (second(),)}),
        ("IVR103", {"keys": {}, "timeout": Destination(DestinationKind.RING_GROUP, 1)}),
        ("IVR103", {"keys": {"0": Destination(DestinationKind.DIAL_BY_NAME)}}),
        ("IVR103", {"keys": {"0": Destination(DestinationKind.EXTERNAL, number="91")}}),
        ("IVR103", {"keys": {}, "policy": OUT}),
        (
            "IVR103",
            {
                "keys": {},
                "timeout": Destination(DestinationKind.RING_GROUP, 1),
                "groups": (RingGroup(1, "6300", "Empty", (), fail=Destination(DestinationKind.IVR, 2)),),
                "ivrs": (second(),),
            },
        ),
        ("IVR101", {"ivrs": (second(),), "timeout": Destination(DestinationKind.IVR, 2)}),
        (
            "IVR101",
            {
                "ivrs": (second(),),
                "policy": DialPolicy(call_numbers=True, ring_group_ids=frozenset({1})),
                "groups": (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.IVR, 2)),),
            },
        ),
        ("IVR201", {"keys": {"2": ADA}, "policy": DialPolicy(ExtensionRule.ALL)}),
        ("IVR403", {"invalid": MAIN}),
        ("IVR403", {"keys": SOUND | {"9": MAIN}}),
        ("IVR104", {"timeout": MAIN}),
        ("IVR105", {"invalid": MAIN}),
        ("IVR106", {"groups": (RingGroup(1, "6300", "A", (1,), fail=MAIN),)}),
        ("IVR107", {"invalid": MAIN}),
        ("IVR107", {"invalid": Destination(DestinationKind.IVR, 2), "ivrs": (second(invalid=END),)}),
        ("IVR108", {"keys": {}, "policy": DialPolicy(ExtensionRule.ALL)}),
        ("IVR108", {"keys": {}, "timeout": ADA, "invalid": ADA}),
        ("IVR109", {"keys": {}, "timeout": ADA, "invalid": None}),
        ("IVR110", {"keys": {"1": GOLDBERG}, "policy": DialPolicy(ExtensionRule.ALL)}),
        ("IVR110", {"keys": {"1": GOLDBERG, "2": ADA}, "timeout": GOLDBERG, "invalid": GOLDBERG}),
        ("IVR110", {"keys": {"1": ADA}, "timeout": ADA, "invalid": ADA}),
        ("IVR203", {"snapshot": {"extensions": by_id([Extension(1, "100", "A"), Extension(2, "200")])}}),
        (
            "IVR702",
            {
                "policy": DialPolicy(check_voicemail=True),
                "snapshot": {"extensions": by_id([Extension(1, "1000", "Ada", has_pin=True)])},
            },
        ),
        (
            "IVR704",
            {"keys": {"1": ADA}, "key_pins": {"1": 1}, "snapshot": {"pin_lists": by_id([STAFF])}},
        ),
        (
            "IVR705",
            {"keys": {"1": ADA}, "key_pins": {"1": 1}, "snapshot": {"pin_lists": by_id([STAFF])}},
        ),
        ("IVR705", {"snapshot": {"pin_lists": by_id([PinList(1, "Empty")])}}),
        (
            "IVR706",
            {"keys": {"1": ADA}, "key_pins": {"1": 1}, "snapshot": {"pin_lists": by_id([STAFF])}},
        ),
        ("IVR801", inbound(InboundRoute(1, "A", MAIN, ("+441632960000", "1X.", "alice"), ("anonymous",)))),
        (
            "IVR802",
            inbound(InboundRoute(1, "A", MAIN, ("441632[0-4].",)), InboundRoute(2, "B", MAIN, ("441632X.",))),
        ),
        ("IVR802", inbound(InboundRoute(1, "A", MAIN, trunk_ids=(1,)), InboundRoute(2, "B", MAIN))),
        ("IVR802", inbound(InboundRoute(1, "A", MAIN, caller_patterns=("07.",)), InboundRoute(2, "B", MAIN))),
        ("IVR802", inbound(InboundRoute(1, "A", MAIN, enabled=False), InboundRoute(2, "B", MAIN))),
        (
            "IVR802",
            inbound(
                InboundRoute(1, "A", MAIN, ("100",), trunk_ids=(1,)),
                InboundRoute(2, "B", MAIN, ("200",), trunk_ids=(2,)),
                InboundRoute(3, "C", MAIN, ("100",), trunk_ids=(1, 2)),
            ),
        ),
        (
            "IVR802",
            inbound(
                InboundRoute(1, "A", MAIN, ("100",)),
                InboundRoute(2, "B", MAIN, ("20X",), trunk_ids=(1,)),
                InboundRoute(3, "C", MAIN, ("1XX",), ("2000",)),
                InboundRoute(4, "D", MAIN, ("1XX", "20X"), trunk_ids=(1,)),
            ),
        ),
        (
            "IVR803",
            inbound(
                InboundRoute(1, "A", MAIN, ("100", "200"), trunk_ids=(1,)),
                InboundRoute(2, "B", MAIN, ("100", "300"), trunk_ids=(2,)),
            ),
        ),
        (
            "IVR804",
            inbound(
                InboundRoute(1, "A", MAIN, ("1",), trunk_ids=(1,)),
                InboundRoute(2, "B", MAIN, ("2",), trunk_ids=(2,)),
                trunks=by_id([Trunk(1, "T", enabled=False), Trunk(2, "U")]),
            ),
        ),
        ("IVR805", {"snapshot": {"outbound_routes": by_id([LOCAL, replace(LOCAL, id=2, name="B")])}}),
        (
            "IVR703",
            {
                "snapshot": {
                    "extensions": by_id(
                        [
                            replace(PEOPLE[0], has_pin=True),
                            replace(PEOPLE[3], has_pin=True, weak_pin=True),  # it has no mailbox
                        ]
                    )
                }
            },
        ),
        ("IVR304", {"prompts": ("a.wav",), "snapshot": {"prompts": {"a.wav": Prompt("a.wav", 3, -69)}}}),
        ("IVR305", {"prompts": ("a.wav",), "snapshot": {"prompts": {"a.wav": Prompt("a.wav", 3, -40)}}}),
        ("IVR808", {"snapshot": {"block_rules": by_id([NumberRule(1, "A", (".",), False, outbound=True)])}}),
        ("IVR808", {"snapshot": {"block_rules": by_id([NumberRule(1, "A", ("0.", "anonymous", "+1"))])}}),
        ("IVR808", {"snapshot": {"allow_rules": by_id([NumberRule(1, "A", (".",))])}}),
        (
            "IVR101",
            inbound(block_rules=by_id([NumberRule(1, "A", ("1",), destination=MAIN)])),
        ),
        ("IVR806", {"snapshot": {"outbound_routes": by_id([LOCAL])}}),
        ("IVR501", {"resp_timeout": 2}),
        ("IVR502", {"digit_timeout": 1}),
        ("IVR502", {"digit_timeout": 2, "policy": DialPolicy(ExtensionRule.ALL)}),
        ("IVR301", {"prompts": ("default",)}),
        ("IVR301", {"prompts": ("vm-saved",)}),
        ("IVR604", {"policy": OUT}),
        ("IVR901", on(OFFICE)),
        ("IVR901", {"snapshot": {"calendars": {0: replace(OFFICE, hours=())}}}),
        (
            "IVR902",
            on(OFFICE, inbound_routes=by_id([InboundRoute(1, "A", MAIN, by_period=ByPeriod(closed=ADA))])),
        ),
        ("IVR902", {**on(OFFICE), "by_period": {"timeout": ByPeriod(closed=END)}}),
        ("IVR902", {**on(OFFICE), "timeout": None, "by_period": {"timeout": ByPeriod()}}),
        ("IVR903", {**on(OFFICE), "by_period": {"invalid": ByPeriod(closed=MAIN)}}),
        ("IVR903", {**on(OFFICE), "keys": {"1": MAIN}, "by_period": {"1": ByPeriod(closed=MAIN)}}),
        ("IVR904", on(replace(OFFICE, hours=(replace(WORKDAYS, office=(MORNING, EVENING)),)))),
        ("IVR904", on(replace(OFFICE, hours=(replace(WORKDAYS, breaks=(NOON,)),)))),
        (
            "IVR904",
            on(replace(OFFICE, hours=(WORKDAYS, replace(WORKDAYS, id=2, weekdays=frozenset({6}))))),
        ),
        ("IVR905", on(replace(OFFICE, holidays=days_off(date(2025, 11, 30), date(2030, 1, 1))))),
        (
            "IVR905",
            on(replace(OFFICE, holidays=(Holiday("Off", HolidayType.WEEK, 3, month=2, nth=5, weekday=6),))),
        ),
        (
            "IVR905",
            on(
                replace(
                    OFFICE,
                    holidays=(
                        Holiday(
                            "Leap", HolidayType.MONTH, 3, first=date(2000, 2, 29), last=date(2000, 2, 29)
                        ),
                    ),
                )
            ),
        ),
        ("IVR906", on(replace(OFFICE, switch=ManualSwitch(PeriodKind.CLOSED, at=NOW - DAY)))),
        ("IVR906", on(replace(OFFICE, switch=ManualSwitch(PeriodKind.CLOSED, NOW + DAY, at=NOW - 3 * DAY)))),
        ("IVR907", {**on(OFFICE), "by_period": {"1": ByPeriod(closed=END), "2": ByPeriod()}}),
        ("IVR908", {**on(OFFICE), "keys": {"1": ADA, "2": ADA}, "by_period": {"1": ByPeriod()}}),
        (
            "IVR908",
            {**on(OFFICE), "by_period": {"1": ByPeriod()}, "policy": DialPolicy(ExtensionRule.ALL)},
        ),
        ("IVR909", on(replace(OFFICE, holidays=days_off(date(2025, 12, 25), date(2026, 12, 25))))),
        ("IVR909", on(replace(OFFICE, holidays=days_off(date(2026, 5, 1))))),
        (
            "IVR910",
            on(OFFICE, announcements=by_id([Announcement(1, "Storm", "hours.wav", (1,), end=NOW + 1)])),
        ),
        ("IVR601", {"policy": DialPolicy(outbound_route_ids=(1,))}),
        (
            "IVR701",
            {
                "keys": SOUND | {"0": Destination(DestinationKind.DIAL_BY_NAME)},
                "policy": DialPolicy(ExtensionRule.ALL),
            },
        ),
    ],
)
def test_what_is_no_mistake_is_not_reported(find: Find, code: str, changes: dict[str, Any]) -> None:
    assert texts(find(**changes), code) == []


def test_places_that_lead_nowhere_do_not_count_as_somebody(find: Find) -> None:
    nobody = {
        "1": Destination(DestinationKind.EXTENSION, 3),
        "2": Destination(DestinationKind.VOICEMAIL, 4),
        "3": Destination(DestinationKind.EXTERNAL, number="5"),
        "4": Destination(DestinationKind.IVR, 2),
        "5": Destination(DestinationKind.PLAY_GREETING, prompt="hours.wav"),
    }
    found = find(keys=nobody, ivrs=(second(keys={"1": MAIN}),))
    assert targets(found, "IVR103") == [FindingTarget("ivr", 1), FindingTarget("ivr", 2)]


def test_a_circle_of_several_menus_is_told_once(find: Find) -> None:
    third = Ivr(3, "6202", "Third", timeout=Destination(DestinationKind.IVR, 2), keys=SOUND)
    groups = (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.IVR, 3)),)
    found = find(
        ivrs=(second(timeout=Destination(DestinationKind.RING_GROUP, 1)), third),
        groups=groups,
        timeout=Destination(DestinationKind.IVR, 3),
    )
    assert targets(found, "IVR102") == [FindingTarget("ivr", 2, Part.TIMEOUT)]
    assert params(found, "IVR102") == {"numbers": ("6201", "6202", "6201"), "hops": 20}


def test_ring_groups_that_go_round_are_not_followed_for_ever(find: Find) -> None:
    groups = (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.RING_GROUP, 1)),)
    assert texts(find(groups=groups, timeout=Destination(DestinationKind.RING_GROUP, 1)), "IVR102") == []


def test_the_way_of_a_stranger_to_the_outside_is_told_in_words(find: Find) -> None:
    groups = (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.IVR, 2)),)
    found = find(
        ivrs=(second(policy=OUT),),
        groups=groups,
        keys=SOUND | {"5": Destination(DestinationKind.RING_GROUP, 1)},
    )
    assert targets(found, "IVR601") == [FindingTarget("ivr", 2)]
    assert params(found, "IVR601")["path"] == ("inbound_route:Main line", "5:6200", "no_answer:6300")
    (text,) = texts(found, "IVR601")
    assert text.startswith("Any caller (inbound route Main line, then key 5 in 6200, then no answer in 6300)")


def test_a_menu_for_inside_phones_is_not_said_to_be_open_to_strangers(find: Find) -> None:
    found = find(ivrs=(second(policy=OUT),))
    assert [row.reason for row in found if row.rule.code == "IVR601"] == ["inside"]
    assert texts(found, "IVR601")[0].startswith("A phone that can dial 6201 can dial")


def test_disabled_inbound_routes_lead_nowhere(find: Find) -> None:
    closed = by_id([InboundRoute(1, "Main line", MAIN, enabled=False)])
    assert len(texts(find(snapshot={"inbound_routes": closed}), "IVR101")) == 1


def test_a_trunk_that_is_switched_off_is_said_to_be(find: Find) -> None:
    found = find(policy=OUT, snapshot={"trunks": by_id([Trunk(1, "A", enabled=False), Trunk(2, "B")])})
    assert params(found, "IVR601")["disabled_trunks"] == ("A",)
    assert "(trunks A (disabled) and B;" in texts(found, "IVR601")[0]


def test_the_worst_comes_first(find: Find) -> None:
    found = find(timeout=ABSENT, policy=OUT, ivrs=(second(),), keys=SOUND | {"9": ADA})
    assert [finding.rule.severity for finding in others(found)] == [
        Severity.ERROR,
        Severity.WARNING,
        Severity.WARNING,
        Severity.NOTE,
    ]


def test_long_lists_are_told_by_their_ends(find: Find) -> None:
    people = by_id([Extension(n, str(1000 + n), "Ada") for n in range(1, 8)])
    found = find(policy=DialPolicy(ExtensionRule.ALL), snapshot={"extensions": people})
    assert "Numbers 1001 to 1007 (7) start" in texts(found, "IVR201")[0]


@pytest.mark.parametrize(
    ("code", "changes", "text"),
    [
        (
            "IVR201",
            {
                "keys": {"3": ADA},
                "snapshot": {"extensions": by_id([Extension(1, "30", "Ada"), Extension(2, "4")])},
            },
            "Number 30 starts with this key, so the key acts after 3 s or #.",
        ),
        (
            "IVR603",
            {"timeout": Destination(DestinationKind.EXTERNAL, number="91")},
            "It calls 91 over route Any.",
        ),
        (
            "IVR602",
            {
                "policy": OUT,
                "snapshot": {
                    "outbound_routes": by_id(
                        [replace(LOCAL, patterns=(DialPattern("[9"), DialPattern("9!")))]
                    )
                },
            },
            "Any caller (inbound route Main line) can dial the pattern 9! over route Local (trunk A; "
            "at most 4 at a time, 60 an hour, 10 an hour for one caller).",
        ),
        (
            "IVR401",
            {"timeout": Destination(DestinationKind.RING_GROUP, 9)},
            "The ring group with id 9 does not exist.",
        ),
        (
            "IVR701",
            {
                "keys": {"0": Destination(DestinationKind.DIAL_BY_NAME)},
                "policy": DialPolicy(ExtensionRule.RESTRICT, frozenset({1, 2})),
            },
            "It reaches extensions 1000 and 1001, which cannot be dialled from this menu.",
        ),
    ],
)
def test_other_words_for_a_finding(find: Find, code: str, changes: dict[str, Any], text: str) -> None:
    policy = {"policy": DialPolicy(ExtensionRule.ALL)} if "policy" not in changes else {}
    assert texts(find(**changes | policy), code) == [text]


def test_a_prompt_may_be_short(find: Find) -> None:
    short = {"prompts": {"empty.wav": Prompt("empty.wav", 0.5)}}
    assert texts(find(prompts=("empty.wav",), snapshot=short), "IVR303") == []


@pytest.mark.parametrize(("number", "found"), [("7", 0), ("77", 1)])
def test_digits_of_short_numbers_need_no_time_between_them(find: Find, number: str, found: int) -> None:
    people = {"extensions": by_id([Extension(1, number, "Ada")])}
    findings = find(digit_timeout=1, policy=DialPolicy(ExtensionRule.ALL), snapshot=people)
    assert len(texts(findings, "IVR502")) == found


@pytest.mark.parametrize(
    "to",
    [
        Destination(DestinationKind.EXTENSION, 4),
        Destination(DestinationKind.VOICEMAIL, 1),
        Destination(DestinationKind.RING_GROUP, 1),
    ],
)
def test_destinations_that_work_are_not_reported(find: Find, to: Destination) -> None:
    assert others(find(timeout=to)) == []


@pytest.mark.parametrize("member", [3, 99])
def test_a_ring_group_of_nobody_is_nobody(find: Find, member: int) -> None:
    groups = (RingGroup(1, "6300", "All", (member,)),)
    found = find(
        keys={
            "1": Destination(DestinationKind.RING_GROUP, 1),
            "2": Destination(DestinationKind.RING_GROUP, 9),
        },
        groups=groups,
    )
    assert len(texts(found, "IVR103")) == 1


def test_inbound_routes_that_lead_nowhere_are_left_alone(find: Find) -> None:
    routes = [
        InboundRoute(1, "Empty", did_patterns=("1",)),
        InboundRoute(2, "Off", ABSENT, enabled=False),
        InboundRoute(3, "Main line", MAIN),
    ]
    assert others(find(snapshot={"inbound_routes": by_id(routes)})) == []


@pytest.mark.parametrize(
    ("changes", "reached"),
    [
        ({"call_numbers": False, "ring_group_ids": frozenset({1})}, False),
        ({"call_numbers": True, "ring_group_ids": frozenset({9})}, False),
        ({"call_numbers": True, "ring_group_ids": frozenset({1, 9})}, True),
    ],
)
def test_a_ring_group_is_on_the_way_only_where_it_may_be_dialled(
    find: Find, changes: dict[str, Any], reached: bool
) -> None:
    groups = (RingGroup(1, "6300", "All", (1,), fail=Destination(DestinationKind.IVR, 2)),)
    found = find(ivrs=(second(policy=OUT),), groups=groups, policy=DialPolicy(**changes))
    path = ("inbound_route:Main line", "6300:6200", "no_answer:6300")
    assert params(found, "IVR601")["path"] == (path if reached else ())
    assert (texts(found, "IVR101") == []) == reached


def test_a_number_that_leads_on_is_an_edge_of_its_menu(office: Office) -> None:
    policy = DialPolicy(call_numbers=True, ring_group_ids=frozenset({1}))
    assert list(edges(office(policy=policy), (DestinationKind.IVR, 1))) == [
        Edge((DestinationKind.IVR, 1), "6300", Destination(DestinationKind.RING_GROUP, 1))
    ]


def test_routes_without_trunks_or_patterns_are_no_way_outside(find: Find) -> None:
    for line in (replace(LOCAL, trunk_ids=(9,)), replace(LOCAL, patterns=(DialPattern("[9"),))):
        found = find(policy=OUT, snapshot={"outbound_routes": by_id([line])})
        assert texts(found, "IVR601") == []
        assert len(texts(found, "IVR604")) == 1


@pytest.mark.parametrize(
    ("count", "said"), [(1, "0"), (2, "0 and 1"), (4, "0, 1, 2 and 3"), (5, "0 to 4 (5)")]
)
def test_lists_in_words(count: int, said: str) -> None:
    assert show_list([str(number) for number in range(count)]) == said


def test_the_words_of_a_place_name_the_resource_and_its_part(office: Office) -> None:
    snapshot = replace(office(), inbound_routes=INBOUND)
    shown = {
        FindingTarget("ivr", 1): "menu 6200 Main",
        FindingTarget("ivr", 1, Part.KEY, "9"): "menu 6200 Main, key 9",
        FindingTarget("ivr", 1, Part.TIMEOUT): "menu 6200 Main, no key",
        FindingTarget("ivr", 1, Part.INVALID): "menu 6200 Main, wrong key",
        FindingTarget("ivr", 1, Part.NUMBER, "6300"): "menu 6200 Main, dialling 6300",
        FindingTarget("ring_group", 9, Part.NO_ANSWER): "ring group 9, no answer",
        FindingTarget("inbound_route", 1): "inbound route Main line",
        FindingTarget("outbound_route", 1): "outbound route Local",
    }
    assert {target: show_target(target, snapshot) for target in shown} == shown


@pytest.mark.parametrize("period", ["open", "closed", "holiday"])
def test_where_a_key_leads_in_one_period_is_reached(find: Find, period: str) -> None:
    night = second(policy=DialPolicy(outbound=True, outbound_route_ids=(1,)))
    led: dict[str, Any] = {period: Destination(DestinationKind.IVR, 2)}
    by_period = {"8": ByPeriod(**led)}
    findings = find(ivrs=(night,), by_period=by_period)
    assert FindingTarget("ivr", 2) not in targets(findings, "IVR101")
    assert params(findings, "IVR601")["path"] == ("inbound_route:Main line", "8:6200")


def test_where_a_route_leads_in_one_period_is_checked(find: Find) -> None:
    route = InboundRoute(1, "Main line", MAIN, by_period=ByPeriod(closed=ABSENT))
    findings = find(**inbound(route))
    assert FindingTarget("inbound_route", 1) in targets(findings, "IVR401")


def test_what_depends_on_the_present_needs_the_moment(office: Office) -> None:
    changes = on(
        replace(OFFICE, switch=ManualSwitch(PeriodKind.CLOSED, at=1), holidays=days_off(date(2025, 1, 1)))
    )
    snapshot = replace(office(keys=SOUND, by_period=changes["by_period"]), **changes["snapshot"])
    codes = {"IVR905", "IVR906", "IVR909"}
    assert {row.rule.code for row in check(snapshot)} & codes == set()
    assert {row.rule.code for row in check(snapshot, NOW)} & codes == {"IVR905", "IVR906"}


def test_the_words_of_a_calendar_and_its_parts(office: Office) -> None:
    calendar = replace(OFFICE, holidays=days_off(date(2026, 12, 25)))
    storm = Announcement(1, "Storm", "hours.wav")
    snapshot = replace(office(), calendars={0: calendar, 4: calendar}, announcements=by_id([storm]))
    shown = {
        FindingTarget("timezone", 0): "default calendar",
        FindingTarget("timezone", 4): "calendar Office",
        FindingTarget("businesshour", 1): "business hours 1",
        FindingTarget("holiday", 1): "holiday Off",
        FindingTarget("announcement", 1): "announcement Storm",
    }
    assert {target: show_target(target, snapshot) for target in shown} == shown


def test_routes_without_a_list_of_trunks_need_one_too(find: Find) -> None:
    off, on = Trunk(1, "Off", enabled=False), Trunk(2, "On")
    route = InboundRoute(1, "Main line", MAIN)
    found = find(**inbound(route, trunks=by_id([off])))
    assert targets(found, "IVR804") == [FindingTarget("trunk", 1)]
    assert targets(find(**inbound(route, trunks=by_id([off, on]))), "IVR804") == []
    assert targets(find(**inbound(route, trunks={})), "IVR804") == []


def test_a_route_that_ends_at_a_person_without_a_mailbox(find: Find) -> None:
    target = FindingTarget("inbound_route", 1)
    assert targets(find(**inbound(InboundRoute(1, "Direct", GOLDBERG))), "IVR110") == [target]
    assert targets(find(**inbound(InboundRoute(1, "Direct", ADA))), "IVR110") == []
    at_night = InboundRoute(1, "Direct", GOLDBERG, by_period=ByPeriod(closed=ADA))
    assert targets(find(**inbound(at_night)), "IVR110") == []
    assert targets(find(**inbound(InboundRoute(1, "Direct", GOLDBERG, enabled=False))), "IVR110") == []
