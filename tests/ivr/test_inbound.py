"""Which inbound route takes a call, and why the others do not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.ivr.analysis.routes import check_routes
from openivr.ivr.digits import match_shape, parse_pattern
from openivr.ivr.inbound_route import (
    IncomingCall,
    RoutingReason,
    RuleEffect,
    RuleType,
    explain_inbound,
    find_inbound,
)
from openivr.ivr.model import Destination, DestinationKind, InboundRoute, IvrSnapshot, Trunk, by_id

MENUS = [Destination(DestinationKind.IVR, number) for number in range(6)]
TRUNKS = by_id([Trunk(7, "Main line"), Trunk(8, "Second line"), Trunk(9, "Old line", enabled=False)])
ROUTES = by_id(
    [
        InboundRoute(1, "Rest", MENUS[1], position=9),
        InboundRoute(2, "Sales", MENUS[2], did_patterns=("441632960000", "4416329601XX"), position=1),
        InboundRoute(3, "Family", MENUS[3], caller_patterns=("+4479.",), trunk_ids=(7,), position=2),
        InboundRoute(4, "Closed", MENUS[4], did_patterns=("5.",), position=0, enabled=False),
        InboundRoute(5, "Name", MENUS[5], did_patterns=("sales-team",), position=3),
    ]
)
SNAPSHOT = IvrSnapshot(inbound_routes=ROUTES, trunks=TRUNKS)


def reasons(call: IncomingCall, snapshot: IvrSnapshot = SNAPSHOT) -> dict[str, RoutingReason]:
    return {step.name: step.reason for step in explain_inbound(snapshot, call).steps}


@pytest.mark.parametrize(
    ("trunk", "called", "caller", "menu"),
    [
        (7, "441632960000", "", 2),
        (7, "+441632960000", "", 2),
        (7, "441632960123", "", 2),
        (7, "441632960999", "", 1),
        (7, "1", "+4479123", 3),
        (7, "1", "4479123", 3),
        (7, "1", "4480123", 1),
        (8, "1", "+4479123", 1),
        (7, "5551", "", 1),
        (7, "sales-team", "", 5),
        (7, "sales-teams", "", 1),
    ],
)
def test_the_first_route_that_fits_takes_the_call(trunk: int, called: str, caller: str, menu: int) -> None:
    call = IncomingCall(trunk, (called,), caller)
    assert find_inbound(SNAPSHOT, call) == MENUS[menu]
    assert explain_inbound(SNAPSHOT, call).destination == MENUS[menu]


def test_a_call_that_no_route_takes() -> None:
    snapshot = replace(SNAPSHOT, inbound_routes={2: ROUTES[2]})
    call = IncomingCall(7, ("1",), "2")
    assert find_inbound(snapshot, call) is None
    routing = explain_inbound(snapshot, call)
    assert routing.decisive is None
    assert [step.reason for step in routing.steps] == [RoutingReason.ENABLED, RoutingReason.OTHER_NUMBER]


@pytest.mark.parametrize(("trunk", "reason"), [(9, RoutingReason.DISABLED), (1, RoutingReason.UNKNOWN)])
def test_no_call_comes_over_a_trunk_that_is_disabled_or_gone(trunk: int, reason: RoutingReason) -> None:
    call = IncomingCall(trunk, ("441632960000",))
    assert find_inbound(SNAPSHOT, call) is None
    decisive = explain_inbound(SNAPSHOT, call).decisive
    assert decisive is not None
    assert (decisive.rule, decisive.effect, decisive.reason) == (
        RuleType.TRUNK,
        RuleEffect.REJECTS,
        reason,
    )


def test_each_rule_says_why_it_did_not_take_the_call() -> None:
    assert reasons(IncomingCall(8, ("441632960123",), "2000")) == {
        "Second line": RoutingReason.ENABLED,
        "Closed": RoutingReason.DISABLED,
        "Sales": RoutingReason.MATCH,
        "Family": RoutingReason.OTHER_TRUNK,
        "Name": RoutingReason.OTHER_NUMBER,
        "Rest": RoutingReason.EARLIER,
    }


@pytest.mark.parametrize(("caller", "menu"), [("", 0), ("anonymous", 0), ("2000", 1), ("+2000", 1)])
def test_a_route_for_withheld_numbers(caller: str, menu: int) -> None:
    withheld = InboundRoute(6, "Withheld", MENUS[0], caller_patterns=("anonymous",), position=-1)
    snapshot = replace(SNAPSHOT, inbound_routes=by_id([withheld, ROUTES[1]]))
    assert find_inbound(snapshot, IncomingCall(7, ("1",), caller)) == MENUS[menu]


@pytest.mark.parametrize(
    ("caller", "reason"), [("2000", RoutingReason.OTHER_CALLER), ("", RoutingReason.WITHHELD)]
)
def test_a_route_for_stated_callers_tells_another_caller_from_a_withheld_one(
    caller: str, reason: RoutingReason
) -> None:
    assert reasons(IncomingCall(7, ("1",), caller))["Family"] is reason


def test_the_steps_have_the_values_of_their_reasons() -> None:
    steps = {
        step.name: step.params
        for step in explain_inbound(SNAPSHOT, IncomingCall(8, ("441632960123",), "2000")).steps
    }
    assert steps["Sales"] == {"did": "4416329601XX", "caller": ""}
    assert steps["Family"] == {"trunks": "Main line"}
    assert steps["Name"] == {"patterns": "sales-team"}
    assert steps["Rest"] == {"rule": "Sales", "effect": "takes"}


def test_a_route_that_leads_nowhere_keeps_the_call_and_rejects_it() -> None:
    nowhere = InboundRoute(6, "Nowhere", None, did_patterns=("1",), position=-1)
    snapshot = replace(SNAPSHOT, inbound_routes=by_id([*ROUTES.values(), nowhere]))
    call = IncomingCall(7, ("1",))
    assert find_inbound(snapshot, call) is None
    decisive = explain_inbound(snapshot, call).decisive
    assert decisive is not None
    assert decisive.reason is RoutingReason.NO_DESTINATION
    assert reasons(call, snapshot)["Rest"] is RoutingReason.EARLIER


def test_the_first_spelling_that_leads_anywhere_is_explained() -> None:
    snapshot = replace(SNAPSHOT, inbound_routes={2: ROUTES[2]})
    call = IncomingCall(7, ("01632960000", "+441632960000"))
    assert find_inbound(snapshot, call) == MENUS[2]
    assert explain_inbound(snapshot, call).called == "+441632960000"
    unknown = explain_inbound(snapshot, IncomingCall(7, ("1", "2")))
    assert (unknown.called, unknown.decisive) == ("1", None)


NUMBERS = st.sampled_from(("441632960000", "+441632960000", "441632960123", "100", "anonymous", "team", ""))
PATTERNS = st.lists(
    st.sampled_from(("441632960000", "+4416329601XX", "[1-4].", "1XX", "X!", "anonymous", "team", "1[0-9")),
    max_size=2,
    unique=True,
).map(tuple)
SNAPSHOTS = st.builds(
    lambda routes: IvrSnapshot(inbound_routes=by_id(routes), trunks=TRUNKS),
    st.lists(
        st.builds(
            InboundRoute,
            id=st.integers(1, 99),
            name=st.just("Route"),
            destination=st.sampled_from((*MENUS, None)),
            did_patterns=PATTERNS,
            caller_patterns=PATTERNS,
            trunk_ids=st.lists(st.sampled_from((7, 8, 9, 10)), max_size=2).map(tuple),
            position=st.integers(0, 3),
            enabled=st.booleans() | st.just(True),
        ),
        max_size=6,
        unique_by=lambda route: route.id,
    ),
)
CALLS = st.builds(
    IncomingCall,
    trunk=st.sampled_from((7, 8, 9, 10)),
    called=st.lists(NUMBERS, min_size=1, max_size=2).map(tuple),
    caller=NUMBERS,
)


def expected_destination(snapshot: IvrSnapshot, call: IncomingCall) -> Destination | None:
    """The rules once more, as slowly and plainly as can be."""
    trunk = snapshot.trunks.get(call.trunk)
    for called in call.called if trunk and trunk.enabled else ():
        fitting = [
            (route.position, route.id)
            for route in snapshot.inbound_routes.values()
            if route.enabled
            and (not route.trunk_ids or call.trunk in route.trunk_ids)
            and takes(route.did_patterns, called)
            and takes(route.caller_patterns, call.caller or "anonymous")
        ]
        if fitting and (destination := snapshot.inbound_routes[min(fitting)[1]].destination):
            return destination
    return None


def takes(patterns: tuple[str, ...], number: str) -> bool:
    return not patterns or any(takes_one(pattern.strip("+"), number.strip("+")) for pattern in patterns)


def takes_one(pattern: str, number: str) -> bool:
    try:
        return pattern == number or match_shape(number, parse_pattern(pattern))[0]
    except ValueError:
        return False


@given(snapshot=SNAPSHOTS, call=CALLS)
def test_a_call_goes_where_its_explanation_says(snapshot: IvrSnapshot, call: IncomingCall) -> None:
    routing = explain_inbound(snapshot, call)
    assert find_inbound(snapshot, call) == routing.destination == expected_destination(snapshot, call)
    decisive = [step for step in routing.steps if step.effect is not RuleEffect.PASSES]
    assert decisive == ([routing.decisive] if routing.decisive else [])
    assert [step.id for step in routing.steps[1:]] == [
        route.id
        for route in sorted(snapshot.inbound_routes.values(), key=lambda route: (route.position, route.id))
    ]


@given(snapshot=SNAPSHOTS, call=CALLS)
def test_a_route_that_the_check_calls_hidden_takes_no_call(snapshot: IvrSnapshot, call: IncomingCall) -> None:
    hidden = {row.target.id for row in check_routes(snapshot) if row.rule.code == "IVR802"}
    decisive = explain_inbound(snapshot, call).decisive
    assert decisive is None or decisive.rule is RuleType.TRUNK or decisive.id not in hidden
