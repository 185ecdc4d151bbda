"""Calls from the outside in the simulator: numbers as people type them, scenarios, and the transcript."""

from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openivr.hours.calendar import Calendar, OfficeHours, TimeSpan
from openivr.ivr.inbound_route import IncomingCall, RoutingReason, RuleType, explain_inbound
from openivr.ivr.model import (
    ByPeriod,
    Destination,
    DestinationKind,
    DialPattern,
    Extension,
    InboundRoute,
    IvrSnapshot,
    NumberRule,
    OutboundRoute,
    Trunk,
    by_id,
)
from openivr.simulate.arrival import (
    UnusableMoment,
    UnusableNumber,
    find_trunk,
    read_caller,
    read_moment,
    read_number,
    route_over,
    show_moment,
)
from openivr.simulate.scenario import ScenarioError, read_scenario, read_scenarios, run, write_scenario
from openivr.simulate.simulation import Simulation
from openivr.simulate.transcript import show
from openivr.simulate.words import say_routing
from openivr.simulate.world import Mailbox, World, find_unknown
from openivr.sip.message.headers import Uri, read_uri
from openivr.sip.message.phone_number import read_phone_number

MAIN = InboundRoute(
    1, "Main number", Destination(DestinationKind.IVR, 3), ("441632960000",), (), (1,), position=5
)
WITHHELD = InboundRoute(2, "Withheld", Destination(DestinationKind.EXTENSION, 4), (), ("anonymous",))
BROKEN = InboundRoute(3, "Broken", None, ("5",), (), (), position=6)


@pytest.fixture
def office(demo_menus: IvrSnapshot) -> IvrSnapshot:
    """The demo with a trunk that is enabled."""
    trunks = by_id([Trunk(1, "Provider"), Trunk(2, "Second line"), Trunk(3, "Old line", enabled=False)])
    return replace(demo_menus, trunks=trunks, inbound_routes=by_id([MAIN, WITHHELD, BROKEN]))


def scenario(text: str, tmp_path: Path) -> Path:
    path = tmp_path / "scenarios.yaml"
    path.write_text(dedent(text))
    return path


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("441632960000", "441632960000"),
        (" +44 1632 96-00.00 ", "+441632960000"),
        ("(01632) 960000", "01632960000"),
        ("*02", "*02"),
        ("sales-team", "sales-team"),
        ("anna.b", "anna.b"),
    ],
)
def test_numbers_are_read_without_separators(text: str, number: str) -> None:
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["", " ", "1" * 65, "1\n2", "a\x00b"])
def test_a_text_that_no_number_can_be_is_refused(text: str) -> None:
    with pytest.raises(UnusableNumber):
        read_number(text if text != "1\n2" else "a\nb")


@pytest.mark.parametrize("text", ["", "withheld", "Anonymous", "  "])
def test_a_withheld_caller(text: str) -> None:
    assert read_caller(text) == ""


@given(st.text("0123456789+-.()*#ab", min_size=1, max_size=12))
def test_a_typed_number_is_read_as_the_number_of_a_uri(text: str) -> None:
    uri = read_uri(f"sip:{text.replace('#', '%23')}@pbx")
    assert isinstance(uri, Uri)
    assert read_number(text) == read_phone_number(uri).text


def test_trunks_are_found_by_name(office: IvrSnapshot) -> None:
    assert find_trunk(office, "Provider") == find_trunk(office, "provider") == office.trunks[1]
    assert find_trunk(office, "x") is None
    twice = replace(office, trunks=by_id([Trunk(1, "A"), Trunk(2, "a")]))
    assert find_trunk(twice, "a") == twice.trunks[2]
    assert find_trunk(replace(twice, trunks=by_id([Trunk(1, "AB"), Trunk(2, "Ab")])), "ab") is None


def test_the_routes_decide_where_a_call_arrives(office: IvrSnapshot) -> None:
    simulation = Simulation(office)
    simulation.receive(IncomingCall(1, ("441632960000",), "2000"))
    assert show(simulation.lines).splitlines()[:3] == [
        "     0.0  calls      441632960000 over Provider  (from 2000)",
        "     0.0  route      Main number  (it takes calls to 441632960000)",
        "     0.0  enters     6200",
    ]
    simulation.press("1#")
    simulation.finish()
    assert [line.text for line in simulation.lines if line.what == "reaches"] == ["extension 1000"]


@pytest.mark.parametrize(
    ("trunk", "called", "why"),
    [
        (1, "77", ""),
        (3, "441632960000", "  (the trunk is disabled)"),
        (1, "5", "  (Broken takes the call, but leads nowhere)"),
        (9, "441632960000", ""),
    ],
)
def test_a_call_that_is_rejected_is_over(office: IvrSnapshot, trunk: int, called: str, why: str) -> None:
    simulation = Simulation(office)
    simulation.receive(IncomingCall(trunk, (called,), "2000"))
    assert simulation.ended
    simulation.press("1")
    simulation.hang_up()
    simulation.finish()
    assert show(simulation.lines).splitlines()[1:] == [
        f"     0.0  ends       no inbound route takes this number{why}"
    ]
    assert not simulation.events


def test_a_blocked_caller_is_rejected_or_goes_elsewhere(office: IvrSnapshot) -> None:
    rule = NumberRule(1, "Nuisance", ("2000", "anonymous"))
    for destination, lines in (
        (None, ["     0.0  ends       caller is blocked  (the caller is in Nuisance)"]),
        (
            Destination(DestinationKind.IVR, 4),
            [
                "     0.0  route      Nuisance  (callers in Nuisance go there)",
                "     0.0  enters     6201",
            ],
        ),
    ):
        simulation = Simulation(replace(office, block_rules={1: replace(rule, destination=destination)}))
        simulation.receive(IncomingCall(1, ("441632960000",), ""))
        assert show(simulation.lines).splitlines()[1:3] == lines


def test_trunks_over_which_the_same_happens_share_a_result(office: IvrSnapshot) -> None:
    def routed(called: str, caller: str) -> list[list[str]]:
        calls = route_over(office, office.trunks.values(), called, caller)
        return [[trunk.name for trunk in call.trunks] for call in calls]

    assert routed("441632960000", "2000") == [["Provider"], ["Second line"], ["Old line"]]
    free = replace(office, inbound_routes={2: WITHHELD})
    calls = route_over(free, office.trunks.values(), "1", "")
    assert [[trunk.name for trunk in call.trunks] for call in calls] == [
        ["Provider", "Second line"],
        ["Old line"],
    ]


def test_every_reason_has_words(office: IvrSnapshot) -> None:
    said = {
        step.reason: say_routing(step)
        for call in (
            *(IncomingCall(trunk, ("441632960000",), "2000") for trunk in (1, 2, 3, 9)),
            *(IncomingCall(1, (called,), "") for called in ("5", "6")),
        )
        for routes in ([MAIN, WITHHELD, BROKEN, replace(WITHHELD, id=4, caller_patterns=("1",))], [BROKEN])
        for step in explain_inbound(
            replace(office, inbound_routes=by_id([*routes, replace(MAIN, id=8, enabled=False, name="Off")])),
            call,
        ).steps
    }
    blocked = replace(
        office,
        block_rules=by_id([NumberRule(1, "Nuisance", ("2000", "3.")), NumberRule(2, "Late", ("4000",))]),
        allow_rules=by_id([NumberRule(1, "Customers", ("3100",))]),
    )
    said |= {
        step.reason: say_routing(step)
        for caller in ("2000", "3100")
        for step in explain_inbound(blocked, IncomingCall(1, ("441632960000",), caller)).steps
        if step.rule is RuleType.BLOCK_NUMBERS and step.reason not in said
    }
    assert said.keys() == {*RoutingReason}
    assert said[RoutingReason.ALLOWED] == "3. is blocked, but Customers lets the caller through"
    assert said[RoutingReason.OTHER_CALLER] == "it takes calls from 1 only"


def outside(caller: str, steps: str) -> str:
    return f"""
    - scenario: From the outside
      trunk: Provider
      calls: +44 1632 960000
      from: {caller}
      steps: [{steps}]
    """


@pytest.mark.parametrize(
    ("caller", "steps"),
    [
        ("2000", "{route: Main number}, {enters: 6200}, {hears: ivr-greeting-dial-ext}, {presses: 1#}, "
         "{rings: extension 1000, at: 0.2}, {reaches: extension 1000}"),
        ("withheld", "{route: Withheld}, {rings: extension 1003}, {reaches: extension 1003}"),
    ],
)  # fmt: skip
def test_a_scenario_begins_with_trunk_number_and_caller(
    office: IvrSnapshot, tmp_path: Path, caller: str, steps: str
) -> None:
    (read,) = read_scenarios(scenario(outside(caller, steps), tmp_path))
    assert (read.trunk, read.calls) == ("Provider", "+441632960000")
    assert run(office, read).differences == ()
    assert read_scenario(write_scenario(read), "") == read
    assert run(replace(office, inbound_routes={}), read).differences[0].startswith("- route: ")


def test_a_scenario_may_say_that_a_call_is_rejected(office: IvrSnapshot, tmp_path: Path) -> None:
    steps = "{ends: no_inbound_route}"
    (read,) = read_scenarios(scenario(outside("2000", steps), tmp_path))
    assert run(replace(office, inbound_routes={}), read).passed
    assert write_scenario(replace(read, caller=""))["from"] == "withheld"
    assert run(office, read).differences[:2] == ("- ends: no_inbound_route", "+ route: Main number")
    pressing = replace(read, steps=(*read.steps, replace(read.steps[0], what="presses", text="1")))
    assert run(replace(office, inbound_routes={}), pressing).passed


def test_a_feature_code_is_called_from_an_extension(demo_menus: IvrSnapshot) -> None:
    steps = [
        {"hears": "vm-mailbox"},
        {"presses": "1000#"},
        {"hears": "vm-pin"},
        {"presses": "4711#"},
        {"mailbox": "opened"},
        {"hears": "vm-no-more"},
    ]
    world = {"mailboxes": {"1000": {"pin": "4711"}}}
    row = {"calls": "*02", "from": "1000", "world": world, "steps": steps}
    assert run(demo_menus, read_scenario(row, "")).differences == ()


def test_a_trunk_that_does_not_exist_fails_the_scenario(office: IvrSnapshot, tmp_path: Path) -> None:
    (read,) = read_scenarios(scenario(outside("1", ""), tmp_path))
    gone = replace(office, trunks={})
    assert run(gone, read).differences == ("- unknown_trunk: Provider",)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"trunk": "A", "calls": "", "steps": []}, "'' is not a number"),
        ({"trunk": "A", "calls": "1", "from": "a\nb", "steps": []}, "is not a number"),
        ({"menu": "6200", "calls": "6200", "steps": []}, "`menu` needs a `trunk`"),
    ],
)
def test_a_scenario_that_makes_no_sense_is_refused(row: dict[str, object], complaint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        read_scenario(row, "here")
    assert complaint in str(caught.value)


# The moment of a call

CALENDAR = Calendar("Europe/Berlin", hours=(OfficeHours(office=(TimeSpan(9 * 60, 18 * 60),)),))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-12-24 17:59", 1_798_131_540),
        (" 2026-12-24T17:59 ", 1_798_131_540),
        ("2026-12-24 16:59+00:00", 1_798_131_540),
        ("2026-07-01", 1_782_856_800),
    ],
)
def test_a_moment_is_in_the_time_of_the_default_calendar(text: str, seconds: int) -> None:
    snapshot = IvrSnapshot(calendars={0: CALENDAR})
    assert read_moment(snapshot, text) == seconds
    assert read_moment(snapshot, show_moment(snapshot, seconds)) == seconds
    assert read_moment(IvrSnapshot(), "1971-01-01") == 31_536_000  # without a calendar it is UTC


@pytest.mark.parametrize(
    "text", ["", "noon", "24:00", "2026-02-31 10:00", "0001-01-01", "9999-12-31", "x" * 99]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UnusableMoment):
        read_moment(IvrSnapshot(calendars={0: CALENDAR}), text)


@pytest.mark.parametrize(
    ("text", "target", "sentence"),
    [
        ("2026-12-24 17:59", 3, "it takes calls to 441632960000; the period is open"),
        ("2026-12-24 18:00", 4, "it takes calls to 441632960000; the period is closed"),
    ],
)
def test_a_call_is_routed_by_the_period_of_its_moment(
    office: IvrSnapshot, text: str, target: int, sentence: str
) -> None:
    route = replace(MAIN, by_period=ByPeriod(closed=Destination(DestinationKind.EXTENSION, 4)))
    timed = replace(office, inbound_routes={1: route}, calendars={0: CALENDAR})
    (routed,) = route_over(timed, [office.trunks[1]], "441632960000", "1", read_moment(timed, text))
    assert routed.routing.destination is not None
    assert routed.routing.destination.target == target
    assert [say_routing(step) for step in routed.routing.steps if step.rule is RuleType.INBOUND_ROUTE] == [
        sentence
    ]


@pytest.mark.parametrize(("at", "place"), [("2026-12-24 17:59", "1002"), ("2026-12-24 18:00", "1003")])
def test_a_scenario_takes_place_at_its_moment(office: IvrSnapshot, at: str, place: str) -> None:
    open_, closed = (Destination(DestinationKind.EXTENSION, id_) for id_ in (3, 4))
    route = replace(MAIN, by_period=ByPeriod(open=open_, closed=closed))
    timed = replace(office, inbound_routes={1: route}, calendars={0: CALENDAR})
    steps = [{"route": "Main number"}, {"rings": f"extension {place}"}, {"reaches": f"extension {place}"}]
    row = {"trunk": "Provider", "calls": "441632960000", "from": "1", "at": at, "steps": steps}
    read = read_scenario(row, "")
    assert run(timed, read).differences == ()
    assert read_scenario(write_scenario(read), "") == read
    assert run(timed, replace(read, at="")).passed is (place == "1002")  # without a moment it is open
    with pytest.raises(ScenarioError, match="at: 'noon' is no time"):
        read_scenario(row | {"at": "noon"}, "")


# A world of which nothing exists tests nothing


ROUTES = by_id(
    [
        OutboundRoute(1, "Far", (DialPattern("9NXX", strip=1, prepend="44"), DialPattern("00.", 2)), (1,)),
        OutboundRoute(2, "Odd", (DialPattern("1[0-9"), DialPattern("12!", strip=4, prepend="7")), (1,)),
    ]
)
PEOPLE = by_id([Extension(1, "1000"), Extension(2, "1001", voicemail=False)])
WHOLE = IvrSnapshot(extensions=PEOPLE, outbound_routes=ROUTES, trunks=by_id([Trunk(1, "Provider")]))


@pytest.mark.parametrize(
    ("name", "is_known"),
    [
        ("1000", True),
        ("Provider", True),
        ("Far", True),
        ("Near", False),
        ("44234", True),  # 9234 as the trunk gets it
        ("x1009", False),
        ("33123456", True),
        ("7123", True),
        ("6123", True),  # by 00.
    ],
)
def test_a_world_names_what_can_be_called(name: str, is_known: bool) -> None:
    expected = [] if is_known else [name]
    assert [*find_unknown(WHOLE, World({name: "busy"}))] == expected


def test_a_world_without_open_patterns_knows_few_numbers() -> None:
    narrow = replace(WHOLE, outbound_routes=by_id([OutboundRoute(1, "Far", (DialPattern("9NXX", 1),), (1,))]))
    assert [*find_unknown(narrow, World({"234": "busy", "134": "busy", "2345": "busy"}))] == ["134", "2345"]


@pytest.mark.parametrize(("number", "is_known"), [("1000", True), ("1001", False), ("1009", False)])
def test_a_world_names_mailboxes_that_exist(number: str, is_known: bool) -> None:
    world = World(mailboxes={number: Mailbox()})
    assert [*find_unknown(WHOLE, world)] == ([] if is_known else [number])


def test_an_outside_number_that_the_call_does_not_dial_tests_nothing(demo_menus: IvrSnapshot) -> None:
    """Any number may be called by an open pattern, so only the call itself can say which is meant."""
    route = OutboundRoute(1, "Far", (DialPattern("9.", 1),), (1,))
    trunks = by_id([Trunk(1, "Provider")])
    open_menus = replace(demo_menus, outbound_routes={1: route}, trunks=trunks)
    steps = [
        {"hears": "ivr-greeting-dial-ext"},
        {"presses": "91009#"},
        {"rings": "outside 1009 over Far, Provider"},
        {"fails": "busy"},
    ]
    row = {"calls": "6200", "world": {"1009": "busy"}, "steps": steps}
    result = run(open_menus, read_scenario(row, ""))
    assert [line for line in result.differences if "unknown" in line] == []
    assert "  fails: busy" in result.differences
    less = read_scenario(row | {"steps": steps[:1]}, "")
    assert run(open_menus, less).differences == (
        "  hears: ivr-greeting-dial-ext",
        "- unknown_party: 1009",
    )


def test_a_menu_cannot_be_busy(demo_menus: IvrSnapshot) -> None:
    assert [*find_unknown(demo_menus, World({"6200": "busy"}))] == ["6200"]


def test_a_scenario_with_such_a_world_fails(demo_menus: IvrSnapshot) -> None:
    row = {"calls": "6200", "world": {"1009": "busy", "mailboxes": {"77": {}}}, "steps": []}
    assert run(demo_menus, read_scenario(row, "")).differences == (
        "- unknown_party: 1009",
        "- unknown_party: 77",
    )
