"""Tests of a menu: saved calls that run against the current configuration.

A run takes about a millisecond, so the list runs every test when it is shown.
"""

from dataclasses import dataclass
from time import monotonic

from starlette.responses import Response

from openivr.ivr.model import Ivr, IvrSnapshot
from openivr.resources.errors import Duplicate, Invalid, NotFound
from openivr.simulate.capture import Unrepeatable, as_scenario
from openivr.simulate.scenario import (
    UNKNOWN,
    ScenarioError,
    ScenarioResult,
    ScenarioStep,
    read_scenario,
    run,
    write_scenario,
)
from openivr.store.config import scenarios
from openivr.store.config.scenarios import StoredScenario
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.messages import t
from openivr.web.simulator.handset import say_outcome, say_text
from openivr.web.simulator.pages import (
    MAX_BODY,
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
    """A stored test and its result. Without `verdict` it was not run, `problem` gives the reason."""

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


def run_all(snapshot: IvrSnapshot, tests: list[StoredScenario]) -> list[ScenarioTest]:
    """Run tests in their order as long as there is time."""
    end = monotonic() + RUN_SECONDS
    return [run_one(snapshot, stored) if monotonic() < end else ScenarioTest(stored) for stored in tests]


async def tests_page(request: PageRequest) -> Response:
    """All tests of a menu, run."""
    snapshot, ivr = await find_menu(request)
    tests = await request.database.read(scenarios.find_all, ivr.id)
    cases = await request.database.run_in_thread(run_all, snapshot, tests)
    return request.render("cases.html", where="/menus", ivr=ivr, cases=cases)


async def test_page(request: PageRequest) -> Response:
    """One test with its steps, run."""
    return await render_test(request)


async def render_test(request: PageRequest, *, status: int = 200, **values: str) -> Response:
    snapshot, ivr = await find_menu(request)
    stored = await find_stored(request, ivr)
    case = await request.database.run_in_thread(run_one, snapshot, stored)
    outcomes = case.verdict.scenario.world.outcomes if case.verdict else {}
    given = {
        "ivr": ivr,
        "case": case,
        "pretended": [f"{number} {say_outcome(outcome)}" for number, outcome in outcomes.items()],
        "name": stored.name,
        "problem": "",
        "say_step": say_step,
    }
    return request.render("case.html", status=status, where="/menus", **(given | values))


def say_step(step: ScenarioStep) -> str:
    """Return a step in words."""
    if step.what in UNKNOWN:
        return t(f"line.{step.what}", number=step.text)
    said = t(f"verb.{step.what}") + (f": {say_text(step.what, step.text)}" if step.text else "")
    return said if step.at is None else f"{said} {t('line.at', seconds=f'{step.at:g}')}"


async def find_stored(request: PageRequest, ivr: Ivr) -> StoredScenario:
    """The test of the path. Raises NotFound."""
    test_id = request.path_id("test")
    tests = await request.database.read(scenarios.find_all, ivr.id)
    for stored in tests:
        if stored.id == test_id:
            return stored
    raise NotFound(f"scenario {test_id}")


async def save(request: PageRequest) -> Response:
    """Save a call of the simulator as a test."""
    name, saved, problem = request.form_text("name").strip(), 0, ""
    try:
        sent = read_call(request.form_text("call"))
        snapshot, ivr = await find_called(request, sent)
        document = await request.database.run_in_thread(write, snapshot, ivr, sent, name)
        saved = await request.database.write(scenarios.add, ivr.id, document)
    except (UnusableRequest, Unrepeatable) as error:
        problem = t("cases.unfit", why=str(error))
    except (Duplicate, Invalid) as error:
        problem = describe_problem(error)
    if not request.is_fragment and not problem:
        return request.redirect(f"/menus/{request.path_id()}/tests", [t("cases.saved", name=name)])
    status = 422 if problem else 200
    values = {"name": name, "call": request.form_text("call"), "menu": request.path_id(), "saved": saved}
    return request.render("keep.html", status=status, where="/menus", problem=problem, **values)


def write(snapshot: IvrSnapshot, ivr: Ivr, sent: SimulatorRequest, name: str) -> scenarios.Document:
    """A call as the document of a test. Raises UnusableRequest or Unrepeatable."""
    return write_scenario(as_scenario(name, ivr.number, play_call(snapshot, ivr, sent)))


def describe_problem(error: Duplicate | Invalid) -> str:
    """The problem of a test's name in words."""
    if isinstance(error, Duplicate):
        return t("cases.duplicate", name=error.value)
    code = error.problems[0].code
    return t(f"cases.name_{code}", most=scenarios.MAX_SCENARIOS, longest=scenarios.MAX_NAME)


async def rename(request: PageRequest) -> Response:
    """Rename a test."""
    name = request.form_text("name").strip()
    try:
        await request.database.write(scenarios.rename, request.path_id(), request.path_id("test"), name)
    except (Duplicate, Invalid) as error:
        return await render_test(request, status=422, name=name, problem=describe_problem(error))
    return request.redirect(
        f"/menus/{request.path_id()}/tests/{request.path_id('test')}", [t("cases.renamed", name=name)]
    )


async def delete(request: PageRequest) -> Response:
    """Delete a test."""
    _, ivr = await find_menu(request)
    stored = await find_stored(request, ivr)
    await request.database.write(scenarios.remove, ivr.id, stored.id)
    return request.redirect(f"/menus/{ivr.id}/tests", [t("cases.removed", name=stored.name)])


ROUTES = (
    PageRoute(path=PATH, handle=tests_page),
    PageRoute(path=PATH, handle=save, method="POST", max_body=MAX_BODY),
    PageRoute(path=ONE, handle=test_page),
    PageRoute(path=ONE, handle=rename, method="POST"),
    PageRoute(path=ONE + "/delete", handle=delete, method="POST"),
)
