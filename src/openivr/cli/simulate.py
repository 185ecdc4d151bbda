"""`openivr simulate`: try a menu without a phone, and run stored test cases."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from openivr.cdr.journal.event_codec import read_happenings, write_happenings
from openivr.cli.options import store_options
from openivr.cli.snapshot import load, load_scenarios
from openivr.simulate.keys import act_out, read_keys
from openivr.simulate.replay import replay
from openivr.simulate.scenario import Scenario, ScenarioError, ScenarioResult, read_scenarios, run
from openivr.simulate.simulation import Simulation
from openivr.simulate.terminal import converse
from openivr.simulate.transcript import show
from openivr.simulate.world import World

DEMO = Path(__file__).parents[1] / "demo" / "scenarios.yaml"


class NumberOrCommand(click.Group):
    """A group whose first word may also be a number to call: `simulate 6200` is `simulate call 6200`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            args = ["call", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=NumberOrCommand, context_settings={"ignore_unknown_options": True})
def simulate() -> None:
    """Try a menu without a phone: `openivr simulate 6200 --keys "1 w3 1001#"`.

    The call runs on a virtual clock, so it takes no time.
    """


def read_outcomes(_ctx: click.Context, _param: click.Parameter, values: Iterable[str]) -> World:
    """Read `1000=busy` and the like."""
    pairs = [value.partition("=") for value in values]
    try:
        return World({number: outcome for number, _, outcome in pairs})
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
@click.option("--keys", callback=read_script, help='What the caller does: "1 w3 1001#"; h hangs up.')
@click.option("--from", "caller", default="", metavar="NUMBER", help="The caller's number.")
@click.option(
    "--outcome",
    "world",
    multiple=True,
    callback=read_outcomes,
    metavar="NUMBER=WHAT",
    help="busy, no answer, declined, unavailable or limit reached; others answer. May be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Transcript, notes and events as JSON.")
def call(  # noqa: PLR0913 - one argument per option
    number: str,
    *,
    data: Path,
    database: str,
    keys: list[str | float | None] | None,
    caller: str,
    world: World,
    as_json: bool,
) -> None:
    """Call NUMBER; without --keys, type them (in a terminal or by a pipe)."""
    snapshot = load(data, database)
    destination = snapshot.numbers.get(number)
    if destination is None:
        raise click.BadParameter(f"nobody has the number {number}", param_hint="NUMBER")
    simulation = Simulation(snapshot, world)
    if keys is None and not as_json:
        for text in converse(simulation, destination, caller, sys.stdin):
            click.echo(text)
        return
    simulation.call(destination, caller)
    act_out(simulation, keys or [])
    simulation.finish()
    click.echo(to_json(simulation) if as_json else show(simulation.lines))


def to_json(simulation: Simulation) -> str:
    """Give the call as one JSON object; `replay` understands it."""
    import msgspec

    called = simulation.lines[0]
    whole = {
        "call": called.text,
        "lines": simulation.lines,
        "notes": simulation.notes,
        "events": write_happenings(simulation.happenings),
        "commands": [[describe(command) for command in commands] for commands in simulation.commands],
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def describe(command: object) -> dict[str, Any]:
    """Give a command as a JSON object with its name."""
    import msgspec

    fields: dict[str, Any] = msgspec.to_builtins(command)
    return {"command": type(command).__name__} | fields


@simulate.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@store_options
def replay_file(file: Path, data: Path, database: str) -> None:
    """Give the events of a `simulate --json` FILE to the present configuration; fail if anything differs."""
    import msgspec

    try:
        whole = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        happenings = read_happenings(whole["events"])
        before = whole["commands"]
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise click.ClickException(f"{file}: {error}") from error
    answers = replay(load(data, database), happenings)
    listed = [[describe(command) for command in commands] for commands in answers]
    now = msgspec.json.decode(msgspec.json.encode(listed))
    for place, (old, new) in enumerate(zip(before, now, strict=False)):
        if old != new:
            raise click.ClickException(f"event {place}: the commands differ\n- {old}\n+ {new}")
    click.echo(f"{len(happenings)} events, the same commands")


@simulate.command("test")
@click.argument("files", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--stored", is_flag=True, help="Run those that are saved with the menus.")
@store_options
@click.option("--json", "as_json", is_flag=True, help="The verdicts as JSON.")
def run_tests(files: tuple[Path, ...], stored: bool, data: Path, database: str, as_json: bool) -> None:
    """Run the scenarios in FILES (or in folders of *.yaml), or those that are saved with the menus.

    Without either it runs those of the demo. Exits with 1 if a scenario fails and with 2 if one cannot be
    read.
    """
    given = files or ([] if stored else [DEMO])
    scenarios = [scenario for file in given for scenario in read_all(file)]
    snapshot = load(data, database)
    scenarios += load_scenarios(data, database) if stored else []
    verdicts = [run(snapshot, scenario) for scenario in scenarios]
    show_verdicts(verdicts, as_json)
    sys.exit(any(not verdict.passed for verdict in verdicts))


def read_all(path: Path) -> list[Scenario]:
    """Read a file or a folder of scenarios."""
    paths = sorted(path.glob("**/*.yaml")) if path.is_dir() else [path]
    try:
        return [scenario for each in paths for scenario in read_scenarios(each)]
    except (ScenarioError, OSError) as error:
        raise click.UsageError(str(error)) from error


def show_verdicts(verdicts: list[ScenarioResult], as_json: bool) -> None:
    """Print one line per scenario, differences below it, and a count."""
    if as_json:
        import msgspec

        rows = [
            {"scenario": v.scenario.name, "passed": v.passed, "differences": v.differences} for v in verdicts
        ]
        click.echo(msgspec.json.encode(rows))
        return
    for verdict in verdicts:
        click.secho(
            f"{'ok  ' if verdict.passed else 'FAIL'}  {verdict.scenario.name}", bold=not verdict.passed
        )
        for line in verdict.differences:
            click.secho(f"      {line}", fg={"-": "red", "+": "green"}.get(line[0]))
    failed = sum(not verdict.passed for verdict in verdicts)
    click.echo(f"{len(verdicts) - failed} passed, {failed} failed")
