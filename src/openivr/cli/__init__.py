"""The command line. Each command lives in a module of this package and is imported when it is asked for,
so that `openivr --help` and shell pipelines stay fast."""

import tomllib
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

import openivr

# command -> where it is defined and the line that `openivr --help` shows
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("openivr.cli.serve:serve", "Answer the API and calls, and keep doing so."),
    "api": ("openivr.cli.serve:api", "Answer the API without calls."),
    "calls": ("openivr.cli.calls:calls", "Carry calls without the API; list calls and show one."),
    "call": ("openivr.cli.call:call", "Call a number from the terminal, with keys typed live."),
    "simulate": ("openivr.cli.simulate:simulate", "Try a menu without a phone; run stored test cases."),
    "check": ("openivr.cli.check:check", "Find mistakes in the menus before callers do."),
    "graph": ("openivr.cli.graph:graph", "Draw menus and where they lead, as Mermaid or JSON."),
    "client": ("openivr.cli.clients:client", "API clients: add, list, revoke."),
    "allow": ("openivr.cli.clients:allow", "Addresses that may use the API, and those locked out."),
    "admin": ("openivr.cli.admin:admin", "The administrator of the web admin: reset the password."),
    "token": ("openivr.cli.clients:token", "Print an access token for the local server."),
    "export": ("openivr.cli.files:export", "Write the whole configuration to a YAML file."),
    "import": ("openivr.cli.files:import_", "Make the configuration what a YAML file says."),
    "pull": ("openivr.cli.pull:pull", "Bring in the configuration of a P-Series or another OpenIVR."),
    "diff": ("openivr.cli.pull:diff", "Show what differs between a PBX and this server."),
    "backup": ("openivr.cli.files:backup", "Copy the data to a file, while the server runs."),
    "restore": ("openivr.cli.files:restore", "Put a backup in the place of the data."),
}


class LazyGroup(click.Group):
    """A group that imports a command's module on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def read_config(ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    """Make a TOML file's keys (option names, `_` for `-`) the defaults of every command that has them."""
    if path is None:
        return
    try:
        values: dict[str, Any] = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"{path}: {error}") from error
    group = LazyGroup()
    commands = {name: group.get_command(ctx, name) for name in COMMANDS}
    ctx.default_map = {name: spread(command, values) for name, command in commands.items() if command}
    unknown = values.keys() - set(names_in(ctx.default_map, values))
    if unknown:
        raise click.BadParameter(f"{path}: no command has an option {', '.join(sorted(unknown))}")


def spread(command: click.Command, values: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that a command, or a command of a group, has options for.

    An option that may be repeated takes a list, or one value alone.
    """
    own = {param.name: param.multiple for param in command.params if isinstance(param, click.Option)}
    defaults = {
        name: [value] if own[name] and not isinstance(value, list) else value
        for name, value in values.items()
        if name in own
    }
    if isinstance(command, click.Group):
        defaults |= {name: spread(sub, values) for name, sub in command.commands.items()}
    return defaults


def names_in(defaults: MutableMapping[str, Any], values: dict[str, Any]) -> Iterator[str]:
    """The values' names that were given to any command."""
    for name, value in defaults.items():
        if isinstance(value, dict):
            yield from names_in(value, values)
        elif name in values:
            yield name


@click.command(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(openivr.__version__, prog_name="openivr")
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="OPENIVR_CONFIG",
    is_eager=True,
    expose_value=False,
    callback=read_config,
    help="TOML file with defaults for the options of every command.",
)
def main() -> None:
    """OpenIVR answers the phone, plays a menu, hears the keys and connects the caller.

    Every option may also be given as an environment variable: --data is OPENIVR_DATA.
    """
