"""Who may be reached, compared with a slow and obvious oracle, and what a refusal says."""

import re
from dataclasses import replace
from itertools import product

import pytest

from openivr.ivr.digits import Match
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionGroup,
    ExtensionRule,
    Ivr,
    IvrSnapshot,
    OutboundRoute,
    RingGroup,
    Trunk,
    by_id,
)
from openivr.ivr.policy import Allowed, Refusal, attempts, configured, decide, find_internal, reach

ROUTES = (
    OutboundRoute(1, "three digits", (DialPattern("2ZX"),), (1,), position=2),
    OutboundRoute(2, "all", (DialPattern("0.", strip=1, prepend="49"),), (2, 1), position=1),
    OutboundRoute(3, "off", (DialPattern("X!"),), (1,), enabled=False),
    OutboundRoute(4, "broken", (DialPattern("[1"),), (1,)),
    OutboundRoute(5, "ours too", (DialPattern("1X"),), (1,)),
)
SNAPSHOT = IvrSnapshot(
    ivrs=by_id([Ivr(1, "22", "Main")]),
    extensions=by_id(
        [Extension(1, "1"), Extension(2, "10"), Extension(3, "102"), Extension(4, "12", enabled=False)]
    ),
    extension_groups=by_id([ExtensionGroup(1, "Sales", frozenset({2, 4}))]),
    ring_groups=by_id([RingGroup(1, "21", "All"), RingGroup(2, "20", "Night")]),
    trunks=by_id([Trunk(1, "A"), Trunk(2, "B"), Trunk(3, "C", enabled=False)]),
    outbound_routes=by_id(ROUTES),
)
REGEX = {1: "2[1-9][0-9]", 2: "0[0-9]{1,14}", 5: "1[0-9]"}
WORDS = ["".join(word) for size in range(1, 5) for word in product("012", repeat=size)]
POLICIES = [
    DialPolicy(rule, frozenset(ids), frozenset(groups), calls, frozenset({1, 9}), bool(routes), routes)
    for rule in ExtensionRule
    for ids, groups in [((), ()), ((1,), ()), ((3,), (1,)), ((), (1, 9))]
    for calls in (False, True)
    for routes in [(), (1,), (2, 3, 4), (5, 1)]
]
KEYS = {"1": Destination(DestinationKind.END_CALL), "2": Destination(DestinationKind.IVR, 1)}


def obviously_allowed(policy: DialPolicy, number: str) -> bool:
    """Read the rules one by one, for one number, without an index."""
    for person in SNAPSHOT.extensions.values():
        if person.number == number:
            listed = person.id in policy.extension_ids or (
                1 in policy.extension_group_ids and person.id in (2, 4)
            )
            rule = {"disable": False, "all": True, "allow": listed, "restrict": not listed}
            return person.enabled and rule[policy.extensions]
    if number in ("20", "21"):
        return policy.call_numbers and number == "21"
    if number == "22":
        return False
    return any(re.fullmatch(REGEX.get(route, "-"), number) for route in policy.outbound_route_ids)


@pytest.mark.parametrize("policy", POLICIES, ids=range(len(POLICIES)))
@pytest.mark.parametrize("keys", [{}, KEYS], ids=["no keys", "keys"])
def test_matching_and_deciding_agree_with_the_oracle(
    policy: DialPolicy, keys: dict[str, Destination]
) -> None:
    snapshot = replace(SNAPSHOT)  # nothing worked out before is remembered
    menu = Ivr(1, "22", "Main", policy=policy, keys=keys)
    allowed = [word for word in WORDS if word in keys or obviously_allowed(policy, word)]
    for typed in WORDS:
        verdict = decide(snapshot, menu, typed)
        assert isinstance(verdict, Allowed) == (typed in allowed), typed
        if len(typed) < 4:  # so that the words hold every longer number that matters
            exact = typed in allowed
            longer = any(word.startswith(typed) and word != typed for word in allowed)
            assert reach(snapshot, policy).match(typed, keys) is Match((exact, longer)), typed


def test_menus_of_one_policy_share_their_reach() -> None:
    assert reach(SNAPSHOT, DialPolicy()) is reach(SNAPSHOT, DialPolicy())


@pytest.mark.parametrize(
    ("policy", "typed", "refusal"),
    [
        (DialPolicy(), "1", Refusal.EXTENSIONS_OFF),
        (DialPolicy(ExtensionRule.ALLOW), "1", Refusal.EXTENSION_NOT_LISTED),
        (DialPolicy(ExtensionRule.RESTRICT, frozenset({1})), "1", Refusal.EXTENSION_RESTRICTED),
        (DialPolicy(ExtensionRule.ALL), "12", Refusal.EXTENSION_DISABLED),
        (DialPolicy(), "21", Refusal.RING_GROUP_NOT_LISTED),
        (DialPolicy(ExtensionRule.ALL), "22", Refusal.MENU_NOT_DIALABLE),
        (DialPolicy(), "*02", Refusal.VOICEMAIL_OFF),
        (DialPolicy(), "A", Refusal.NOT_A_NUMBER),
        (DialPolicy(), "0*1", Refusal.NOT_A_NUMBER),
        (DialPolicy(), "", Refusal.NOT_A_NUMBER),
        (DialPolicy(outbound=True, outbound_route_ids=(2,)), "0" * 16, Refusal.TOO_LONG),
        (DialPolicy(), "01", Refusal.UNKNOWN_NUMBER),
        (DialPolicy(outbound_route_ids=(2,)), "01", Refusal.UNKNOWN_NUMBER),
        (DialPolicy(outbound=True, outbound_route_ids=(3, 4, 77)), "01", Refusal.NO_OUTBOUND_ROUTE),
    ],
)
def test_a_refusal_names_the_rule_that_was_missing(policy: DialPolicy, typed: str, refusal: Refusal) -> None:
    assert decide(replace(SNAPSHOT), Ivr(9, "99", "Menu", policy=policy), typed) is refusal


def test_an_inside_number_never_goes_outside() -> None:
    policy = DialPolicy(outbound=True, outbound_route_ids=(5,))
    menu = Ivr(9, "99", "Menu", policy=policy)
    assert decide(SNAPSHOT, menu, "11") == Allowed(Destination(DestinationKind.EXTERNAL, number="11"), (5,))
    assert decide(SNAPSHOT, menu, "10") is Refusal.EXTENSIONS_OFF


def test_the_voicemail_code_is_a_number_where_it_is_allowed() -> None:
    menu = Ivr(9, "99", "Menu", policy=DialPolicy(check_voicemail=True))
    assert decide(SNAPSHOT, menu, "*02") == Allowed(Destination(DestinationKind.VOICEMAIL))
    assert reach(SNAPSHOT, menu.policy).match("*", {}) is Match.PREFIX


def ways(route_ids: tuple[int, ...], number: str) -> list[tuple[int, int, str]]:
    return [(way.route.id, way.trunk, way.number) for way in attempts(replace(SNAPSHOT), route_ids, number)]


def test_lines_are_tried_route_by_route_and_trunk_by_trunk() -> None:
    assert ways((2, 1), "0123") == [(2, 2, "49123"), (2, 1, "49123")]
    assert ways((1, 2), "219") == [(1, 1, "219")]
    assert ways((3, 4, 77), "1") == []


@pytest.mark.parametrize("number", ["", "+", "0a", "0*1", "0" * 16, "+0#", "٣٤"])
def test_only_digits_are_ever_dialled(number: str) -> None:
    everything = OutboundRoute(1, "everything", (DialPattern("!"),), (1,))
    snapshot = IvrSnapshot(outbound_routes=by_id([everything]), trunks=by_id([Trunk(1, "A")]))
    assert not list(attempts(snapshot, (1,), number))


def test_a_disabled_trunk_is_passed_over() -> None:
    route = OutboundRoute(1, "National", (DialPattern("+."),), (3, 8, 1))
    snapshot = IvrSnapshot(outbound_routes=by_id([route]), trunks=SNAPSHOT.trunks)
    assert [way.trunk for way in attempts(snapshot, (1,), "+491")] == [1]


def test_a_number_in_the_configuration_may_use_every_route_by_position() -> None:
    outside = Destination(DestinationKind.EXTERNAL, number="01")
    assert configured(SNAPSHOT, outside) == Allowed(outside, (3, 4, 5, 2, 1))
    assert configured(SNAPSHOT, KEYS["1"]) == Allowed(KEYS["1"])


def test_a_pattern_that_cannot_be_read_does_not_hide_the_next() -> None:
    route = OutboundRoute(1, "Both", (DialPattern("[1"), DialPattern("2X", strip=1)), (1,))
    snapshot = IvrSnapshot(outbound_routes=by_id([route]), trunks=SNAPSHOT.trunks)
    assert [way.number for way in attempts(snapshot, (1,), "23")] == ["3"]


def test_what_was_worked_out_is_kept() -> None:
    snapshot = replace(SNAPSHOT)
    list(attempts(snapshot, (1,), "219"))
    kept = dict(snapshot.memo)
    list(attempts(snapshot, (1,), "219"))
    assert list(kept) == [("shapes", 1)]
    assert snapshot.memo[("shapes", 1)] is kept[("shapes", 1)]


def test_numbers_inside_are_found_and_so_is_the_code_of_mailboxes() -> None:
    assert find_internal(SNAPSHOT, "10") == Destination(DestinationKind.EXTENSION, 2)
    assert find_internal(SNAPSHOT, "*02") == Destination(DestinationKind.VOICEMAIL)
    for number in ("9999", "", "*03"):
        assert find_internal(SNAPSHOT, number) is None
