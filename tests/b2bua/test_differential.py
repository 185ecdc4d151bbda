"""Simulated calls and real ones are the same: every scenario of the demo, and random calls, on telephones."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace
from difflib import unified_diff

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from openivr.b2bua import voicemail_recorder
from openivr.cdr.journal.event_codec import describe
from openivr.ivr.commands import Note, Topic, mask
from openivr.ivr.events import Cause
from openivr.ivr.session import IvrSession
from openivr.server.bootstrap import DEMO_SCENARIOS
from openivr.simulate.arrival import describe_call
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.scenario import Scenario, enact, read_scenarios
from openivr.simulate.simulation import Simulation
from openivr.simulate.world import Mailbox, World
from openivr.store.cdr.call_records import CallRecord
from tests.b2bua.call_driver import GUARDED, STATUSES, CallDriver, open_call_driver, retell_notes
from tests.effort import scale

SCENARIOS = read_scenarios(DEMO_SCENARIOS)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def driver(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallDriver]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(voicemail_recorder, "SILENCE_SECONDS", 0.3)
        opened = open_call_driver(tmp_path_factory.mktemp("driver"))
        yield runner.run(opened.__aenter__())
        runner.run(opened.__aexit__(None, None, None))


@pytest.fixture
def driver_with_trunk(runner: asyncio.Runner, driver: CallDriver) -> Iterator[CallDriver]:
    runner.run(driver.switch_trunk(is_on=True))
    yield driver
    runner.run(driver.switch_trunk(is_on=False))


def describe_all(simulation: Simulation) -> list[str]:
    """The events of a simulated call as a record has them."""
    session, rows = IvrSession(simulation.snapshot), []
    for happening in simulation.events:
        if not session.ended:
            rows.append(describe(happening, is_private=session.private))
            session.handle(happening.event)
    return show(rows)


def compare(what: str, simulated: list[str], real: list[str]) -> None:
    """Fail with what differs, line by line."""
    difference = list(unified_diff(simulated, real, f"simulated {what}", f"real {what}", n=99, lineterm=""))
    assert not difference, "\n".join(["the real call differs from the simulated one", *difference])


def compare_calls(driver: CallDriver, simulation: Simulation, record: CallRecord) -> None:
    notes = show(publish(simulation.notes))
    compare("notes", notes, show(publish(driver.notes(record))))
    compare("events", describe_all(simulation), show(map(without_moment, record.events)))
    compare("notes, told again", notes, show(publish(retell_notes(simulation, record))))


def without_moment(event: dict[str, object]) -> dict[str, object]:
    """An event without the time of day, which a simulated call does not have unless it is given."""
    return {name: value for name, value in event.items() if name != "moment"}


def show(rows: Iterable[object]) -> list[str]:
    """One line each."""
    return [msgspec.json.encode(row).decode() for row in rows]


def publish(notes: Iterable[Note]) -> list[Note]:
    """As the database has them: that a note is private is not kept; what it hides is hidden."""
    return [replace(mask(note), private=False) for note in notes]


@pytest.mark.parametrize(
    ("keys", "typed", "results"),
    [
        ("1 w1 1234 w2", "1••••", ["accepted"]),
        ("1# 987656 w4 98 w4 1234# w2", "1#••••••••••••#", ["refused", "refused", "accepted"]),
        ("1 w6 8#9999# w4 777# w5 2", "1•#••••#•••#2", ["refused", "refused", "refused"]),
        ("1 w6 w6 w6", "1", []),
    ],
)
def test_a_key_that_asks_for_a_pin_is_the_same_on_telephones(
    runner: asyncio.Runner, driver: CallDriver, keys: str, typed: str, results: list[str]
) -> None:
    snapshot = driver.pbx.process.config_cache.configuration.snapshot
    simulation = Simulation(snapshot)
    simulation.call(snapshot.numbers[GUARDED], "2000")
    act_out(simulation, read_keys(keys))
    assert [note.detail for note in simulation.notes if note.topic is Topic.PIN] == results
    record = runner.run(driver.act(simulation))
    compare_calls(driver, simulation, record)
    assert record.keys == typed


@pytest.mark.parametrize("place", range(len(SCENARIOS)), ids=[one.name for one in SCENARIOS])
def test_a_scenario_is_the_same_on_telephones(runner: asyncio.Runner, driver: CallDriver, place: int) -> None:
    scenario: Scenario = SCENARIOS[place]
    snapshot = driver.pbx.process.config_cache.configuration.snapshot
    simulation = Simulation(snapshot, scenario.world)
    for _ in enact(simulation, scenario):
        pass
    record = runner.run(driver.act(simulation, by_info=place % 2 == 1))
    compare_calls(driver, simulation, record)
    assert (record.caller, record.called) == (scenario.caller, scenario.calls)
    if Topic.RECORDED in {note.topic for note in driver.notes(record)}:
        runner.run(driver.until(lambda: record.id in driver.messages()))


OUTCOMES = ("answers", *(cause.value for cause in STATUSES), Cause.NO_ANSWER.value)
CALLED = ("1000", "1001", "1002", "1003", "6300", "National")
KEYS = st.sampled_from("0123456789*#") | st.sampled_from(
    ("1#", "1001", "6300", "887", "*02", "1000#", "4711#", "1234#", "7777", "95551234567", "905551234567")
)
ACTS: st.SearchStrategy[list[str | float | None]] = st.lists(
    KEYS | st.floats(0.5, 12).map(lambda seconds: round(seconds, 1)), max_size=6
)
WORLDS = st.builds(
    World,
    outcomes=st.dictionaries(st.sampled_from(CALLED), st.sampled_from(OUTCOMES)),
    mailboxes=st.just({"1000": Mailbox("4711", ("message-1", "message-2"))}),
    talk=st.sampled_from((2.0, 60.0)),
)


@st.composite
def random_calls(draw: st.DrawFn) -> tuple[str, World, list[str | float | None]]:
    """The number of a menu, what is outside, and what the caller does."""
    return draw(st.sampled_from(("6200", "6201", "6202", "6203", GUARDED))), draw(WORLDS), draw(ACTS)


@given(random=random_calls(), by_info=st.booleans())
@settings(
    max_examples=scale(8), deadline=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
)
def test_a_random_call_is_the_same_on_telephones(
    runner: asyncio.Runner,
    driver_with_trunk: CallDriver,
    random: tuple[str, World, list[str | float | None]],
    by_info: bool,
) -> None:
    driver, (number, world, acts) = driver_with_trunk, random
    snapshot = driver.pbx.process.config_cache.configuration.snapshot
    simulation = Simulation(snapshot, world)
    simulation.call(snapshot.numbers[number], "2000")
    act_out(simulation, acts)
    simulation.finish()
    record = runner.run(driver.act(simulation, by_info=by_info))
    compare_calls(driver, simulation, record)


@pytest.mark.parametrize(
    ("called", "caller", "route"),
    [
        ("441632960001", "447700900123", "Customer"),
        ("441632960001", "", "Withheld"),
        ("441632960001", "2000", "Direct"),
        ("+441632960002", "2000", "Rest"),
        ("6202", "2000", "To 6202"),
    ],
)
def test_a_call_from_the_outside_is_the_same_on_telephones(
    runner: asyncio.Runner, driver: CallDriver, called: str, caller: str, route: str
) -> None:
    simulation = simulate_outside(driver, called, caller)
    assert [line.text for line in simulation.lines if line.what == "route"] == [route]
    simulation.finish()
    record = runner.run(driver.act(simulation))
    compare_calls(driver, simulation, record)
    assert (record.caller, record.called, record.source) == (caller, called, "In")


def simulate_outside(driver: CallDriver, called: str, caller: str) -> Simulation:
    """Simulate a call over the trunk that the driver calls over."""
    simulation = Simulation(driver.pbx.process.config_cache.configuration.snapshot)
    incoming = describe_call(simulation.snapshot, "In", called, caller or "withheld")
    assert incoming is not None
    simulation.receive(incoming)
    return simulation


def test_a_call_that_no_route_takes_is_rejected_on_telephones(
    runner: asyncio.Runner, driver: CallDriver
) -> None:
    assert simulate_outside(driver, "441632961234", "2000").is_rejected

    async def scenario() -> int:
        driver.caller.user = "2000"
        termination = await driver.caller.call("441632961234").until_over()
        await driver.pbx.until_quiet()
        return termination.status

    assert runner.run(scenario()) == 404
    record = driver.pbx.records()[-1]
    assert (record.called, record.reason) == ("441632961234", "no_inbound_route")
