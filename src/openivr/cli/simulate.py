"""`openivr simulate`: tries menus without a phone, and runs test cases."""

import sys
from collections.abc import Iterable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

import click

from openivr.cdr.journal.event_codec import read_events, write_events
from openivr.cli.hours import read_moment
from openivr.cli.options import store_options
from openivr.cli.route import unknown_trunk
from openivr.cli.snapshot import load, load_scenarios
from openivr.ivr.commands import Command
from openivr.ivr.former_words import CAUSES, command_codes
from openivr.ivr.hours_code import find_caller_request
from openivr.ivr.policy import find_internal
from openivr.simulate.arrival import UnusableNumber, describe_call
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.replay import replay_commands
from openivr.simulate.scenario import Scenario, ScenarioError, ScenarioResult, read_scenarios, run
from openivr.simulate.simulation import Simulation
from openivr.simulate.terminal import converse
from openivr.simulate.transcript import show
from openivr.simulate.world import World, find_unknown

DEMO = Path(__file__).parents[1] / "demo" / "scenarios.yaml"


class NumberOrCommand(click.Group):
    """A group whose first word can also be a number to call: `simulate 6200` is `simulate call 6200`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["call", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=NumberOrCommand, context_settings={"ignore_unknown_options": True})
def simulate() -> None:
    """Try a menu without a phone, on a virtual clock.

    \b
    openivr simulate 6200 --keys "1 w3 1001#"     call the menu 6200
    openivr simulate "*02" --keys "1000#"         dial a feature code
    openivr simulate 441632960000 --trunk Provider --from 447700900123
                                                  call from the outside
    openivr simulate test tests.yaml              run test cases
    """


def read_outcomes(_ctx: click.Context, _param: click.Parameter, values: Iterable[str]) -> World:
    """Read `1000=busy` and the like."""
    pairs = [value.partition("=") for value in values]
    try:
        return World({number: CAUSES.get(outcome, outcome) for number, _, outcome in pairs})
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def read_script(
    _ctx: click.Context, _param: click.Parameter, text: str | None
) -> list[str | float | None] | None:
    """Read the language of `--keys`."""
    try:
        return None if text is None else read_keys(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@simulate.command()
@click.argument("number")
@store_options
@click.option(
    "--keys",
    callback=read_script,
    help='Actions of the caller: "1 w3 1001#" presses 1, waits 3 s, presses 1001#; h hangs up.',
)
@click.option(
    "--from", "caller", default="", metavar="NUMBER", help="The caller's number. Default: withheld."
)
@click.option(
    "--trunk",
    default="",
    metavar="NAME",
    help="The trunk that delivers the call, so that inbound routes decide. Default: an internal call.",
)
@click.option(
    "--outcome",
    "world",
    multiple=True,
    callback=read_outcomes,
    metavar="NUMBER=WHAT",
    help="Reaction of a number, trunk or route: busy, no_answer, declined, unavailable or limit_reached. "
    "Others answer. Repeatable.",
)
@click.option(
    "--at",
    "moment",
    default="",
    metavar="TIME",
    help='Moment of the call, such as "2026-12-24 17:59", in the time of the default calendar. Default: now.',
)
@click.option("--json", "as_json", is_flag=True, help="Print transcript, notes, events and commands as JSON.")
def call(  # noqa: PLR0913 - one argument per option
    number: str,
    *,
    data: Path,
    database: str,
    keys: list[str | float | None] | None,
    caller: str,
    trunk: str,
    world: World,
    moment: str,
    as_json: bool,
) -> None:
    """Call NUMBER and print a transcript. Without --keys, read keys from the terminal or a pipe.

    NUMBER is internal, a feature code, or with --trunk any number that the trunk delivers.
    """
    snapshot = load(data, database)
    for name in find_unknown(snapshot, world):
        raise click.BadParameter(f"{name} is no number, trunk or route of a call", param_hint="--outcome")
    start = read_moment(moment, snapshot.calendars[0]) if moment or snapshot.is_timed else 0
    simulation = Simulation(snapshot, world, start)
    begin_call(simulation, number, caller, trunk)
    if keys is None and not as_json:
        for text in converse(simulation, sys.stdin):
            click.echo(text)
        return
    act_out(simulation, keys or [])
    simulation.finish()
    click.echo(to_json(simulation) if as_json else show(simulation.lines))


def begin_call(simulation: Simulation, number: str, caller: str, trunk: str) -> None:
    """Call an internal number, or any number over a trunk. Raises click.BadParameter."""
    if trunk:
        try:
            incoming = describe_call(simulation.snapshot, trunk, number, caller)
        except UnusableNumber as error:
            raise click.BadParameter(str(error)) from error
        if incoming is None:
            raise unknown_trunk(simulation.snapshot, trunk)
        simulation.receive(incoming)
        return
    if request := find_caller_request(simulation.snapshot, caller, number):
        simulation.dial_code(request, caller)
        return
    destination = find_internal(simulation.snapshot, number)
    if destination is None:
        text = f"number {number} does not exist; with --trunk it is called from the outside"
        raise click.BadParameter(text, param_hint="NUMBER")
    simulation.call(destination, caller)


def to_json(simulation: Simulation) -> str:
    """Return the call as one JSON object, for `replay`."""
    import msgspec

    called = simulation.lines[0]
    whole = {
        "call": called.text,
        "lines": simulation.lines,
        "notes": simulation.notes,
        "events": write_events(simulation.events),
        "commands": [[describe(command) for command in commands] for commands in simulation.commands],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def describe(command: object) -> dict[str, Any]:
    """Return a command as a JSON object with its name."""
    import msgspec

    fields: dict[str, Any] = msgspec.to_builtins(command)
    return {"command": type(command).__name__} | fields


def with_defaults(command: dict[str, Any]) -> dict[str, Any]:
    """Return a command with the fields that the release which wrote it did not have, at their defaults."""
    import msgspec

    kinds = {kind.__name__: kind for kind in get_args(Command)}
    defaults = {
        field.name: msgspec.to_builtins(field.default)
        for field in fields(kinds[command["command"]])
        if field.default is not MISSING
    }
    return defaults | command


@simulate.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@store_options
def replay_file(file: Path, data: Path, database: str) -> None:
    """Replay the events of FILE, written by `simulate --json`, and fail if the commands differ today."""
    import msgspec

    try:
        whole = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        happenings = read_events(whole["events"])
        before = [
            [with_defaults(command_codes(command)) for command in commands] for commands in whole["commands"]
        ]
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    answers = replay_commands(load(data, database), happenings)
    listed = [[describe(command) for command in commands] for commands in answers]
    now = msgspec.json.decode(msgspec.json.encode(listed))
    for place, (old, new) in enumerate(zip(before, now, strict=False)):
        if old != new:
            raise click.ClickException(f"event {place}: the commands differ\n- {old}\n+ {new}")
    click.echo(f"{len(happenings)} events, the same commands")


@simulate.command("test")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--stored", is_flag=True, help="Run the scenarios that are stored with the menus.")
@store_options
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def run_tests(files: tuple[Path, ...], stored: bool, data: Path, database: str, as_json: bool) -> None:
    """Run the scenarios in FILES or in folders of *.yaml, or with --stored those of the configuration.

    Without either, run the scenarios of the demo. Exit status: 0 all passed, 1 a scenario failed, 2 a file
    cannot be read.
    """
    given = files or ([] if stored else [DEMO])
    scenarios = [scenario for file in given for scenario in read_all(file)]
    snapshot = load(data, database)
    scenarios += load_scenarios(data, database) if stored else []
    results = [run(snapshot, scenario) for scenario in scenarios]
    show_results(results, as_json)
    sys.exit(any(not result.passed for result in results))


def read_all(path: Path) -> list[Scenario]:
    """Read a file or a folder of scenarios."""
    paths = sorted(path.glob("**/*.yaml")) if path.is_dir() else [path]
    try:
        return [scenario for each in paths for scenario in read_scenarios(each)]
    except (ScenarioError, OSError) as error:
        raise click.UsageError(str(error)) from error


def show_results(results: list[ScenarioResult], as_json: bool) -> None:
    """Print a line for each scenario, differences below it, and a count."""
    if as_json:
        import msgspec

        rows = [
            {"scenario": v.scenario.name, "passed": v.passed, "differences": v.differences} for v in results
        ]
        click.echo(msgspec.json.encode(rows))
        return
    for result in results:
        click.secho(f"{'ok  ' if result.passed else 'FAIL'}  {result.scenario.name}", bold=not result.passed)
        for line in result.differences:
            click.secho(f"      {line}", fg={"-": "red", "+": "green"}.get(line[0]))
    failed = sum(not result.passed for result in results)
    click.echo(f"{len(results) - failed} passed, {failed} failed")
