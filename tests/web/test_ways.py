"""Ways of callers: nobody is lost on them, and what has no room stands together."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from openivr.store.cdr.reports import Journey
from openivr.web.reports import flows
from openivr.web.reports.flows import FURTHER, OTHER, Flow, FlowEnd, find_ways


def journey(
    path: str, outcome: str = "menu", reason: str = "caller_hangup", to: str = "", calls: int = 1
) -> Journey:
    kind, _, target = to.partition(" ")
    return Journey(tuple(path.split()), outcome, reason, kind, int(target or 0), calls)


journeys = st.lists(
    st.builds(
        Journey,
        st.lists(st.sampled_from([str(6200 + n) for n in range(9)]), max_size=8).map(tuple),
        st.sampled_from(["connected", "message", "menu", "missed", ""]),
        st.sampled_from(["", "caller_hangup", "invalid_key"]),
        st.sampled_from(["", "extension", "ext_vm"]),
        st.integers(0, 20),
        st.integers(1, 50),
    ),
    max_size=40,
)


def test_calls_go_from_menu_to_menu_and_end() -> None:
    found = find_ways(
        [
            journey("6200 6201", "connected", "x", "extension 3", 5),
            journey("6200", calls=2),
            journey("6201", "message", "y", "ext_vm 3", 4),
            journey("", "missed", "z"),
        ]
    )
    assert set(found) == {
        Flow(("6200",), ("6200", "6201"), 5),
        Flow(("6200", "6201"), FlowEnd("connected", "", "extension", 3), 5),
        Flow(("6200",), FlowEnd("menu", "caller_hangup"), 2),
        Flow(("6201",), FlowEnd("message", "", "ext_vm", 3), 4),
        Flow((), FlowEnd("missed"), 1),
    }


def test_a_call_that_comes_back_goes_on_to_the_right() -> None:
    found = find_ways([journey("6200 6202 6200")])
    assert [(way.source, way.target) for way in found] == [
        (("6200",), ("6200", "6202")),
        (("6200", "6202"), ("6200", "6202", "6200")),
        (("6200", "6202", "6200"), FlowEnd("menu", "caller_hangup")),
    ]


def test_what_is_rare_stands_together() -> None:
    found = find_ways([journey("6200", calls=1000), journey("6200 6201"), journey("6209", calls=2)])
    assert Flow(("6200",), FURTHER, 1) in found
    assert Flow(None, FlowEnd("menu", "caller_hangup"), 2) in found
    many = [journey("6200", "connected", "", f"extension {n}", 50 - n) for n in range(1, 20)]
    assert [way.calls for way in find_ways(many) if way.target == OTHER] == [sum(range(31, 38))]


@given(journeys)
def test_who_comes_into_a_menu_leaves_it(given: list[Journey]) -> None:
    came, left = Counter[object](), Counter[object]()
    for way in find_ways(given):
        left[way.source] += way.calls
        came[way.target] += way.calls
    for place in came:
        if not isinstance(place, FlowEnd):
            assert came[place] == left[place]
    ends = sum(calls for place, calls in came.items() if isinstance(place, FlowEnd))
    assert ends == sum(one.calls for one in given)


@given(journeys)
def test_there_is_room_for_all_that_is_shown(given: list[Journey]) -> None:
    found = find_ways(given)
    menus = {way.source for way in found if way.source}
    assert len(menus) <= flows.MAX_MENUS
    assert all(len(path) <= flows.MAX_STEPS for path in menus)
    assert (
        len({way.target for way in found if isinstance(way.target, FlowEnd)} - {OTHER, FURTHER})
        <= flows.MAX_ENDS
    )


@given(journeys)
def test_a_number_is_that_of_the_calls_that_went_this_way(given: list[Journey]) -> None:
    for way in find_ways(given):
        if way.source is None or way.target in (OTHER, FURTHER):
            continue
        if isinstance(way.target, FlowEnd):
            calls = sum(
                one.calls for one in given if one.path == way.source and flows.end_of(one) == way.target
            )
        else:
            size = len(way.target)
            calls = sum(one.calls for one in given if one.path[:size] == way.target)
        assert way.calls == calls
