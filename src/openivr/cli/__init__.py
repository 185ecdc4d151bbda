"""The command line. The module of a command is imported on first use, which keeps `openivr --help` fast."""

import tomllib
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import Any

import click

import openivr

# command -> where it is defined, and its line in `openivr --help`
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("openivr.cli.serve:serve", "Run the whole server: API, web admin and calls."),
    "api": ("openivr.cli.serve:api", "Run the API and the web admin, without calls."),
    "calls": ("openivr.cli.calls:calls", "Run calls without the API; list and show calls; manage bans."),
    "call": ("openivr.cli.call:call", "Call a number from this terminal."),
    "simulate": ("openivr.cli.simulate:simulate", "Try a menu without a phone; run test cases."),
    "route": ("openivr.cli.route:route", "Show which inbound route takes a call, and why others do not."),
    "hours": ("openivr.cli.hours:hours", "Show and switch business hours."),
    "announce": ("openivr.cli.announce:announce", "Play an announcement until a stated time."),
    "mail": ("openivr.cli.mail:mail", "Set and test the mail server; list and resend mail."),
    "check": ("openivr.cli.check:check", "Find mistakes in the menus before callers do."),
    "graph": ("openivr.cli.graph:graph", "Draw menus and their destinations as Mermaid or JSON."),
    "client": ("openivr.cli.clients:client", "Add, list, log out and revoke API clients."),
    "allow": ("openivr.cli.clients:allow", "Manage the IP allow list and locked-out addresses."),
    "admin": ("openivr.cli.admin:admin", "Reset the password of the web admin."),
    "token": ("openivr.cli.clients:token", "Print an access token for the local server."),
    "export": ("openivr.cli.files:export", "Write the configuration to a YAML file."),
    "import": ("openivr.cli.files:import_", "Replace or change the configuration by a YAML file."),
    "pull": ("openivr.cli.pull:pull", "Import from a Yeastar P-Series or another OpenIVR."),
    "diff": ("openivr.cli.pull:diff", "Compare a PBX with this server."),
    "backup": ("openivr.cli.files:backup", "Copy all data to a file while the server runs."),
    "restore": ("openivr.cli.files:restore", "Replace all data by a backup."),
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
    """Make the keys of a TOML file (option names with `_` for `-`) the defaults of all commands."""
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
    """Return the values that belong to options of this command, nested by the commands of a group.

    A repeatable option takes a list or a single value.
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
    """Yield the names of values that some command has an option for."""
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
    help="TOML file with defaults for the options of all commands.",
)
def main() -> None:
    """OpenIVR answers the phone, plays a menu, reads the keys and connects the caller.

    \b
    openivr serve --demo              start a server with demo menus
    openivr call 6200                 call a menu from this terminal
    openivr COMMAND --help            show the options of a command

    Server options can also be set as environment variables (--data is OPENIVR_DATA) or in the file of
    --config. The command line wins over the environment, and the environment over the file.
    """
