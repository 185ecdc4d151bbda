"""The tests of a menu: calls that were kept, run again against the configuration as it is now.

A run takes about a millisecond, so whoever looks at the list sees how they go now and not how they went once.
"""

from dataclasses import dataclass
from time import monotonic

from starlette.responses import Response

from openivr.ivr.model import Ivr, IvrSnapshot
from openivr.resources.errors import Duplicate, Invalid, NotFound
from openivr.simulate.capture import Unrepeatable, as_scenario
from openivr.simulate.scenario import ScenarioError, ScenarioResult, read_scenario, run, write_scenario
from openivr.store.config import scenarios
from openivr.store.config.scenarios import StoredScenario
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.messages import say
from openivr.web.simulator.handset import say_outcome
from openivr.web.simulator.pages import (
    MOST_BODY,
    SimulatorRequest,
    UnusableRequest,
    find_called,
    find_menu,
    play_call,
    read_call,
)

PATH = "/menus/{id:int}/tests"
ONE = PATH + "/{test:int}"
RUN_SECONDS = 2.0  # for all tests of a menu; what does not fit is left out


@dataclass(frozen=True, slots=True)
class ScenarioTest:
    """A stored test and how it goes: without `verdict` it was not run; `problem` says why it cannot be."""

    stored: StoredScenario
    verdict: ScenarioResult | None = None
    problem: str = ""

    @property
    def state(self) -> str:
        """ "passed", "failed" or "waiting"."""
        if self.problem or (self.verdict and not self.verdict.passed):
            return "failed"
        return "passed" if self.verdict else "waiting"


def run_one(snapshot: IvrSnapshot, stored: StoredScenario) -> ScenarioTest:
    """Run a test."""
    try:
        return ScenarioTest(stored, run(snapshot, read_scenario(stored.document, stored.name)))
    except ScenarioError as error:
        return ScenarioTest(stored, problem=str(error))


def run_all(snapshot: IvrSnapshot, found: list[StoredScenario]) -> list[ScenarioTest]:
    """Run tests in their order for as long as there is time."""
    end = monotonic() + RUN_SECONDS
    return [run_one(snapshot, stored) if monotonic() < end else ScenarioTest(stored) for stored in found]


async def show_list(visit: PageRequest) -> Response:
    """Every test of a menu, run."""
    snapshot, ivr = await find_menu(visit)
    found = await visit.database.read(scenarios.find_all, ivr.id)
    cases = await visit.database.run_in_thread(run_all, snapshot, found)
    return visit.page("cases.html", where="/menus", ivr=ivr, cases=cases)


async def show_one(visit: PageRequest) -> Response:
    """One test, run, step by step."""
    return await show_case(visit)


async def show_case(visit: PageRequest, *, status: int = 200, **values: str) -> Response:
    snapshot, ivr = await find_menu(visit)
    stored = await find_stored(visit, ivr)
    case = await visit.database.run_in_thread(run_one, snapshot, stored)
    outcomes = case.verdict.scenario.world.outcomes if case.verdict else {}
    given = {
        "ivr": ivr,
        "case": case,
        "pretended": [f"{number} {say_outcome(outcome)}" for number, outcome in outcomes.items()],
        "name": stored.name,
        "problem": "",
    }
    return visit.page("case.html", status=status, where="/menus", **(given | values))


async def find_stored(visit: PageRequest, ivr: Ivr) -> StoredScenario:
    """The test of the address. Raises NotFound."""
    ident = visit.ident("test")
    found = await visit.database.read(scenarios.find_all, ivr.id)
    for stored in found:
        if stored.id == ident:
            return stored
    raise NotFound(f"scenario {ident}")


async def save(visit: PageRequest) -> Response:
    """Keep a call from the telephone in the page as a test."""
    name, saved, problem = visit.text("name").strip(), 0, ""
    try:
        sent = read_call(visit.text("call"))
        snapshot, ivr = await find_called(visit, sent)
        document = await visit.database.run_in_thread(write, snapshot, ivr, sent, name)
        saved = await visit.database.write(scenarios.add, ivr.id, document)
    except (UnusableRequest, Unrepeatable) as error:
        problem = say("cases.unfit", why=str(error))
    except (Duplicate, Invalid) as error:
        problem = explain(error)
    if not visit.is_fragment and not problem:
        return visit.go(f"/menus/{visit.ident()}/tests", [say("cases.saved", name=name)])
    status = 422 if problem else 200
    values = {"name": name, "call": visit.text("call"), "menu": visit.ident(), "saved": saved}
    return visit.page("keep.html", status=status, where="/menus", problem=problem, **values)


def write(snapshot: IvrSnapshot, ivr: Ivr, sent: SimulatorRequest, name: str) -> scenarios.Document:
    """A call as the document of a test. Raises Unfit, Unrepeatable."""
    return write_scenario(as_scenario(name, ivr.number, play_call(snapshot, ivr, sent)))


def explain(error: Duplicate | Invalid) -> str:
    """What is wrong with a name, in words."""
    if isinstance(error, Duplicate):
        return say("cases.duplicate", name=error.value)
    rule = error.problems[0].rule
    return say(f"cases.name_{rule}", most=scenarios.MAX_SCENARIOS, longest=scenarios.MAX_NAME)


async def rename(visit: PageRequest) -> Response:
    """Give a test another name."""
    name = visit.text("name").strip()
    try:
        await visit.database.write(scenarios.rename, visit.ident(), visit.ident("test"), name)
    except (Duplicate, Invalid) as error:
        return await show_case(visit, status=422, name=name, problem=explain(error))
    return visit.go(f"/menus/{visit.ident()}/tests/{visit.ident('test')}", [say("cases.renamed", name=name)])


async def remove(visit: PageRequest) -> Response:
    """Delete a test."""
    _, ivr = await find_menu(visit)
    stored = await find_stored(visit, ivr)
    await visit.database.write(scenarios.remove, ivr.id, stored.id)
    return visit.go(f"/menus/{ivr.id}/tests", [say("cases.removed", name=stored.name)])


VIEWS = (
    PageRoute(path=PATH, handle=show_list),
    PageRoute(path=PATH, handle=save, method="POST", most_body=MOST_BODY),
    PageRoute(path=ONE, handle=show_one),
    PageRoute(path=ONE, handle=rename, method="POST"),
    PageRoute(path=ONE + "/delete", handle=remove, method="POST"),
)
