"""Random offices for property tests, and one in which every kind of call gets far."""

from typing import Any

from hypothesis import strategies as st

from openivr.ivr.model import (
    Destination,
    DestinationKind,
    DialPattern,
    DialPolicy,
    Extension,
    ExtensionGroup,
    ExtensionRule,
    Forwarding,
    Ivr,
    IvrSnapshot,
    OutboundRoute,
    PinList,
    Prompt,
    RingGroup,
    Trunk,
    by_id,
)

KEYS = "0123456789*#ABCD"
EXTENSIONS = ["1", "10", "100", "1001", "20", "21"]
PROMPTS = ["default", "a.wav", "b.wav", "gone.wav"]
PATTERNS = ["X!", "0.", "00X", "9XXX", "[0-2]Z", "+."]
IDS = st.integers(1, 4)

destinations = st.builds(
    Destination,
    st.sampled_from(DestinationKind),
    target=IDS,
    number=st.sampled_from(["0", "001", "+491", "9123", ""]),
    prefix=st.sampled_from(["", "0"]),
    prompt=st.sampled_from(PROMPTS),
    plays=st.integers(1, 3),
)
maybe = st.none() | destinations
forwardings = st.just(Forwarding()) | st.builds(Forwarding, st.none() | maybe, maybe, maybe)
policies = st.builds(
    DialPolicy,
    st.sampled_from(ExtensionRule),
    st.frozensets(IDS, max_size=2),
    st.frozensets(st.integers(1, 2), max_size=2),
    st.booleans(),
    st.frozensets(st.integers(1, 3), max_size=2),
    st.booleans(),
    st.lists(IDS, max_size=3).map(tuple),
    st.booleans(),
)


def menus(ident: int) -> st.SearchStrategy[Ivr]:
    return st.builds(
        Ivr,
        st.just(ident),
        st.just(f"620{ident}"),
        st.just(f"Menu {ident}"),
        prompts=st.lists(st.sampled_from(PROMPTS), max_size=5).map(tuple),
        prompt_repeat=st.integers(1, 5),
        resp_timeout=st.integers(1, 10),
        digit_timeout=st.integers(1, 10),
        policy=policies,
        keys=st.dictionaries(st.sampled_from("012*#"), destinations, max_size=5),
        timeout=maybe,
        invalid=maybe,
        key_pins=st.dictionaries(st.sampled_from("012*#"), st.integers(1, 2), max_size=2),
    )


@st.composite
def snapshots(draw: Any) -> IvrSnapshot:
    numbers = draw(st.lists(st.sampled_from(EXTENSIONS), unique=True, max_size=4))
    people = [
        Extension(
            ident,
            number,
            draw(st.sampled_from(["Ada", "Bob", ""])),
            "Lee",
            draw(st.booleans()),
            do_not_disturb=draw(st.integers(0, 3)) == 3,
            outside=draw(forwardings),
        )
        for ident, number in enumerate(numbers, start=1)
    ]
    groups = [
        RingGroup(
            ident,
            f"630{ident}",
            f"Group {ident}",
            draw(st.lists(IDS, max_size=2).map(tuple)),
            fail=draw(maybe),
            join_prompt=draw(st.sampled_from(["", "a.wav", "gone.wav"])),
            play_full_join_prompt=draw(st.booleans()),
        )
        for ident in range(1, draw(st.integers(1, 3)))
    ]
    routes = [
        OutboundRoute(
            ident,
            f"Route {ident}",
            (DialPattern(draw(st.sampled_from(PATTERNS)), draw(st.integers(0, 1))),),
            draw(st.lists(st.integers(1, 3), max_size=2).map(tuple)),
            draw(st.integers(0, 2)),
            draw(st.booleans()),
            extension_ids=draw(st.frozensets(IDS, max_size=3)),
        )
        for ident in range(1, draw(st.integers(1, 4)))
    ]
    return IvrSnapshot(
        ivrs=by_id([draw(menus(ident)) for ident in range(1, draw(st.integers(2, 5)))]),
        extensions=by_id(people),
        extension_groups=by_id([ExtensionGroup(1, "Sales", draw(st.frozensets(IDS, max_size=2)))]),
        ring_groups=by_id(groups),
        trunks=by_id([Trunk(1, "A"), Trunk(2, "B", enabled=draw(st.booleans()))]),
        outbound_routes=by_id(routes),
        pin_lists=by_id([PinList(1, "Warehouse", 1, 4, 4), PinList(2, "Office", 2, 3, 6)]),
        prompts={name: Prompt(name, 2) for name in ("a.wav", "b.wav")},
        max_call_seconds=10**9,  # so that a call which ends has ended for another reason
    )


# Random offices are mostly poor; in this one every kind of call gets far.
FREE = DialPolicy(
    ExtensionRule.ALL,
    call_numbers=True,
    ring_group_ids=frozenset({1}),
    outbound=True,
    outbound_route_ids=(2, 1),
    check_voicemail=True,
)
RICH = IvrSnapshot(
    ivrs=by_id(
        [
            Ivr(
                1,
                "6201",
                "Menu 1",
                ("a.wav",),
                policy=FREE,
                keys={"2": Destination(DestinationKind.EXTENSION, 1)},
            ),
            Ivr(
                2,
                "6202",
                "Menu 2",
                keys={
                    "1": Destination(DestinationKind.DIAL_BY_NAME),
                    "2": Destination(DestinationKind.IVR, 1),
                },
            ),
        ]
    ),
    extensions=by_id([Extension(1, "1001", "Ada", "Lee"), Extension(2, "10", "Bob", "Lee", enabled=False)]),
    extension_groups=by_id([ExtensionGroup(1, "Sales")]),
    ring_groups=by_id([RingGroup(1, "6301", "Group 1", (1,), fail=Destination(DestinationKind.IVR, 2))]),
    trunks=by_id([Trunk(1, "A"), Trunk(2, "B")]),
    outbound_routes=by_id(
        [
            OutboundRoute(1, "Route 1", (DialPattern("9XXX", 1),), (1, 2)),
            OutboundRoute(2, "Route 2", (DialPattern("0."),), (2, 1)),
        ]
    ),
    prompts={name: Prompt(name, 2) for name in ("a.wav", "b.wav")},
    max_call_seconds=10**9,
)
