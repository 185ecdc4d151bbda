"""Blocked and allowed numbers: by number, by pattern, withheld; calls from them and to them."""

from dataclasses import replace

import pytest

from openivr.ivr.digits import match_shape, parse_pattern
from openivr.ivr.inbound_route import IncomingCall, RoutingReason, RuleType, decide_inbound, explain_inbound
from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    InboundRoute,
    Ivr,
    IvrSnapshot,
    NumberRule,
    OutboundRoute,
    Trunk,
    by_id,
)
from openivr.ivr.number_format import NumberFormat
from openivr.ivr.number_rule import is_blocked, make_index
from openivr.ivr.policy import Allowed, Refusal, attempts, decide, is_blocked_outside

MENU, OTHER = (Destination(DestinationKind.IVR, id_) for id_ in (1, 2))
BLOCKED = NumberRule(1, "Nuisance", ("+441632960999", "0900.", "anonymous"))
OFFICE = IvrSnapshot(
    trunks=by_id([Trunk(1, "Line")]),
    inbound_routes=by_id([InboundRoute(1, "Main", MENU)]),
    block_rules=by_id([BLOCKED]),
)


def goes(snapshot: IvrSnapshot, caller: str) -> Destination | None:
    step = decide_inbound(snapshot, IncomingCall(1, ("6200",), caller))
    assert step is not None
    assert step.destination == explain_inbound(snapshot, IncomingCall(1, ("6200",), caller)).destination
    return step.destination


@pytest.mark.parametrize(
    ("caller", "is_let_in"),
    [
        ("441632960999", False),
        ("+441632960999", False),
        ("441632960998", True),
        ("0900", True),
        ("09001", False),
        ("", False),
        ("2000", True),
    ],
)
def test_callers_are_blocked_by_number_pattern_or_withheld(caller: str, is_let_in: bool) -> None:
    assert goes(OFFICE, caller) == (MENU if is_let_in else None)


def test_blocked_callers_can_go_elsewhere() -> None:
    office = replace(OFFICE, block_rules={1: replace(BLOCKED, destination=OTHER)})
    assert goes(office, "09001") == OTHER
    assert goes(office, "2000") == MENU


def test_an_allowed_number_is_blocked_by_no_rule() -> None:
    rules = [NumberRule(1, "Customers", ("09001",)), NumberRule(2, "Out", ("09002",), False, outbound=True)]
    office = replace(OFFICE, allow_rules=by_id(rules))
    assert goes(office, "09001") == MENU
    assert goes(office, "09002") is None
    assert goes(office, "0900123") is None


def test_a_rule_of_calls_to_them_blocks_no_caller() -> None:
    office = replace(OFFICE, block_rules={1: replace(BLOCKED, inbound=False, outbound=True)})
    assert goes(office, "09001") == MENU
    types = [step.rule for step in explain_inbound(office, IncomingCall(1, ("6200",), "09001")).steps]
    assert RuleType.BLOCK_NUMBERS not in types


def test_each_rule_says_why() -> None:
    second = NumberRule(2, "Second", ("0900.",))
    office = replace(OFFICE, block_rules=by_id([BLOCKED, second]))
    steps = {
        step.name: (step.reason, dict(step.params))
        for step in explain_inbound(office, IncomingCall(1, ("6200",), "09001")).steps
    }
    assert steps["Nuisance"] == (RoutingReason.LISTED, {"pattern": "0900."})
    assert steps["Second"] == (RoutingReason.EARLIER, {"rule": "Nuisance", "effect": "rejects"})
    assert steps["Main"] == (RoutingReason.EARLIER, {"rule": "Nuisance", "effect": "rejects"})


OUT = replace(
    OFFICE,
    outbound_routes=by_id([OutboundRoute(1, "Out", (DialPattern("9X."),), (1,))]),
    block_rules={1: NumberRule(1, "Costly", ("90900.",), False, outbound=True)},
)


def test_nobody_may_call_a_blocked_number() -> None:
    menu = Ivr(1, "6200", "Main", policy=DialPolicy(outbound=True, outbound_route_ids=(1,)))
    assert decide(OUT, menu, "909001") is Refusal.NUMBER_BLOCKED
    assert isinstance(decide(OUT, menu, "90901"), Allowed)
    assert [*attempts(OUT, (1,), "909001")] == []
    assert [attempt.number for attempt in attempts(OUT, (1,), "90901")] == ["90901"]
    allowed = replace(OUT, allow_rules={1: NumberRule(1, "But", ("909001",), False, outbound=True)})
    assert isinstance(decide(allowed, menu, "909001"), Allowed)
    assert not is_blocked(allowed, "909001")
    assert is_blocked(allowed, "909002")


TYPED = [
    ("9" + "01632960999", True),  # as the route makes it, in the form of the trunk
    ("9" + "00441632960999", True),
    ("9" + "441632960999", True),
    ("9" + "01632960998", False),
    ("9" + "0041632960999", False),  # another country
]
PREMIUM = replace(
    OUT,
    trunks=by_id([Trunk(1, "Line", number_format=NumberFormat("44"))]),
    outbound_routes=by_id([OutboundRoute(1, "Out", (DialPattern("9X.", strip=1),), (1,))]),
    block_rules={1: NumberRule(1, "Premium", ("+441632960999",), False, outbound=True)},
)


@pytest.mark.parametrize(("typed", "is_blocked_"), TYPED)
def test_t16_a_dialled_number_is_blocked_in_any_form_of_its_trunk(typed: str, is_blocked_: bool) -> None:
    menu = Ivr(1, "6200", "Main", policy=DialPolicy(outbound=True, outbound_route_ids=(1,)))
    assert (decide(PREMIUM, menu, typed) is Refusal.NUMBER_BLOCKED) is is_blocked_
    assert is_blocked_outside(PREMIUM, (1,), typed) is is_blocked_
    assert bool([*attempts(PREMIUM, (1,), typed)]) is not is_blocked_
    but = NumberRule(1, "But", ("01632960999",), False, outbound=True)
    assert [*attempts(replace(PREMIUM, allow_rules={1: but}), (1,), typed)]


def test_t16_a_number_is_dialled_over_the_trunk_where_it_is_another_one() -> None:
    trunks = by_id([*PREMIUM.trunks.values(), Trunk(2, "Abroad", number_format=NumberFormat("49"))])
    routes = by_id([OutboundRoute(1, "Out", (DialPattern("9X.", strip=1),), (1, 2))])
    office = replace(PREMIUM, trunks=trunks, outbound_routes=routes)
    assert [attempt.trunk for attempt in attempts(office, (1,), "901632960999")] == [2]
    assert not is_blocked_outside(office, (1,), "901632960999")


def test_the_index_finds_what_the_patterns_match() -> None:
    numbers = ("100", "+200", "1XX", "N.", "alice", "1[0-9", "*5")
    index = make_index(numbers)
    for number in ("100", "200", "+200", "150", "15", "9", "22", "alice", "bob", "1[0-9", "*5", ""):
        bare = number.removeprefix("+")
        expected = any(
            bare == text.removeprefix("+")
            or (
                "[0-9" not in text
                and text != "alice"
                and match_shape(bare, parse_pattern(text.removeprefix("+")))[0]
            )
            for text in numbers
        )
        assert (index.find(number) is not None) == expected, number
