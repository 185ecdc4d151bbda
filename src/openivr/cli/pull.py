"""`openivr pull` and `openivr diff`: imports from a P-Series or another OpenIVR, and compares with it."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openivr.cli.files import describe, progress
from openivr.cli.options import FILE, IfMissing, opened, option, store_options

if TYPE_CHECKING:
    from openivr.yeastar_import.comparison import Comparison
    from openivr.yeastar_import.source import Source

F = TypeVar("F", bound=Callable[..., Any])
SAME, DIFFERENT, TROUBLE = 0, 1, 2  # exit statuses of diff, as of diff(1)
SIGNS = {"create": "only there", "update": "differs", "delete": "only here"}


def source_options(command: F) -> F:
    """Add the options that say how to reach the PBX and log in."""
    for add in reversed(
        (
            click.argument("url"),
            option("--client-id", required=True, help="Client ID of the API of the PBX."),
            option("--secret", help="Client Secret; asked for if missing. Prefer OPENIVR_SECRET."),
            option("--ca", type=FILE, help="CA certificate (PEM) to verify the PBX."),
            option("--pin", help="SHA-256 fingerprint of a self-signed certificate, instead of --ca."),
            option("--proxy", default="", help="URL of an HTTP proxy."),
            option(
                "--timeout", type=click.FloatRange(0.1), default=30.0, help="Seconds to wait for an answer."
            ),
        )
    ):
        command = add(command)
    return command


@contextmanager
def reading(options: dict[str, Any]) -> Iterator["Source"]:
    """Read the configuration of the PBX. Errors of the client become click errors."""
    from openivr.client import BlockingClient, ClientError, Network
    from openivr.yeastar_import.source import Reader

    secret = options["secret"] or click.prompt("Client secret", hide_input=True, err=True)
    try:
        network = Network(
            ca=options["ca"],
            pin=options["pin"] or "",
            proxy=options["proxy"],
            connect_seconds=min(options["timeout"], 10.0),
            read_seconds=options["timeout"],
        )
        with BlockingClient(options["url"], options["client_id"], secret, network) as client:
            reader = Reader(client)
            with progress("reading", reader.count()) as step:
                source = reader.read(step)
    except (ClientError, ValueError, OSError) as error:
        raise click.ClickException(f"cannot read from the PBX: {error}") from error
    yield source


@click.command(short_help="Import from a Yeastar P-Series or another OpenIVR.")
@source_options
@click.option("--dry-run", is_flag=True, help="Report what would be imported, change nothing.")
@click.option("--passwords", type=FILE, help="New file for generated registration passwords.")
@store_options
def pull(dry_run: bool, passwords: Path | None, data: Path, database: str, **options: Any) -> None:
    """Import menus, extensions, groups, routes, trunks and prompts from the PBX at URL.

    \b
    openivr pull https://192.0.2.10:8088 --client-id ID --dry-run

    Objects are matched by number or name. Either everything is imported or, if anything is wrong, nothing.
    Objects that only this server has stay. Run it again to import later changes.
    """
    from openivr.store.config import import_export
    from openivr.yeastar_import import comparison as words

    if passwords and passwords.exists():
        raise click.ClickException(f"{passwords} exists already")
    if_missing = IfMissing.TRY if dry_run else IfMissing.CREATE
    with reading(options) as source, opened(data, database, if_missing) as store:
        click.echo(
            words.tell_source(source.information, {k: len(some) for k, some in source.objects.items()})
        )
        with saved(passwords or default_path(data)) as save, store.changing() as change:
            found = compare(change.connection, source, keeps_others=True)
            for line in words.tell(found, is_dry_run=dry_run):
                click.echo(line)
            if dry_run or not found.plan.actions:
                change.connection.rollback()
                click.echo("dry run: nothing was changed" if dry_run else "nothing was changed")
                return
            save(found.given)
            with progress("writing", len(found.plan.actions)) as step:
                import_export.carry_out(change, found.plan, step)


def compare(connection: Any, source: "Source", *, keeps_others: bool) -> "Comparison":
    """Compare the PBX with this server. Raises click.ClickException if the result cannot be imported."""
    from openivr.yeastar_import import comparison

    with progress("comparing", sum(map(len, source.objects.values()))) as step:
        found = comparison.compare(connection, source, keeps_others=keeps_others, step=step)
    if found.plan.mistakes:
        told = "\n".join(mistake.text for mistake in found.plan.mistakes)
        raise click.ClickException("nothing was changed\n" + told)
    return found


def default_path(data: Path) -> Path:
    """Return a new file in the data folder, or in the present folder if there is none."""
    folder, name = data if data.is_dir() else Path(), time.strftime("extension-passwords-%Y%m%d-%H%M%S")
    paths = (folder / f"{name}{f'-{n}' if n > 1 else ''}.csv" for n in count(1))
    return next(path for path in paths if not path.exists())


@contextmanager
def saved(path: Path) -> Iterator[Callable[[list[tuple[str, str, str]]], None]]:
    """Yield a function that writes passwords. If the change fails, the file is deleted."""
    from openivr.yeastar_import import passwords

    written = False

    def save(given: list[tuple[str, str, str]]) -> None:
        nonlocal written
        if given:
            passwords.write(path, given)
            written = True

    try:
        yield save
    except BaseException:
        if written:
            path.unlink()
        raise
    if written:
        click.echo(f"new registration passwords are in {path}: enter them in the phones, then delete it")


class Trouble(click.ClickException):
    """An error of diff, with exit status 2, because status 1 means that something differs."""

    exit_code = TROUBLE


@click.command(short_help="Compare a PBX with this server.")
@source_options
@store_options
def diff(data: Path, database: str, **options: Any) -> None:
    """Compare the PBX at URL with this server, and print a line for each object that differs.

    Compares what `openivr pull` would import. Exit status: 0 nothing differs, 1 something differs, 2 the
    comparison failed.
    """
    try:
        with reading(options) as source, opened(data, database) as store, store.reading() as connection:
            found = compare(connection, source, keeps_others=False)
    except click.ClickException as error:
        raise Trouble(error.message) from error
    for item in found.plan.actions:
        click.echo(f"{SIGNS[item.action]}  {item.kind.name} {item.label}{describe(item)}")
    sys.exit(DIFFERENT if found.plan.actions else SAME)
