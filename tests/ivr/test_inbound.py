"""Which inbound route takes a call."""

import pytest

from openivr.ivr.inbound_route import find_inbound
from openivr.ivr.model import Destination, DestinationKind, InboundRoute, IvrSnapshot, by_id

MENUS = [Destination(DestinationKind.IVR, ident) for ident in range(6)]
ROUTES = by_id(
    [
        InboundRoute(1, "Rest", MENUS[1], position=9),
        InboundRoute(2, "Sales", MENUS[2], did_patterns=("441632960000", "4416329601XX"), position=1),
        InboundRoute(3, "Family", MENUS[3], caller_patterns=("+4479.",), trunk_ids=(7,), position=2),
        InboundRoute(4, "Closed", MENUS[4], did_patterns=("5.",), position=0, enabled=False),
        InboundRoute(5, "Name", MENUS[5], did_patterns=("sales-team",), position=3),
    ]
)


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
    assert find_inbound(IvrSnapshot(inbound_routes=ROUTES), trunk, called, caller) == MENUS[menu]


def test_a_call_that_no_route_takes() -> None:
    assert find_inbound(IvrSnapshot(), 1, "1", "2") is None
