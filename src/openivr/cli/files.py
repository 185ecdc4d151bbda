"""`openivr export`, `import`, `backup` and `restore`: configuration and data as files."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from openivr.cli.options import FILE, IfMissing, opened, store_options

if TYPE_CHECKING:
    from openivr.store.config.import_export import DocumentError, ImportPlan, PlannedChange


@contextmanager
def progress(title: str, total: int) -> Iterator[Any]:
    """Show a progress bar on a terminal, elsewhere nothing. The yielded function advances it."""
    from rich.progress import Progress

    with Progress(disable=not sys.stderr.isatty(), console=stderr_console(), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count=1: bar.advance(task, count)


def stderr_console() -> Any:
    from rich.console import Console

    return Console(stderr=True)


@click.command(short_help="Write the configuration to a YAML file.")
@click.argument("file", type=FILE)
@click.option("--no-audio", is_flag=True, help="Leave out the audio of prompts.")
@store_options
def export(file: Path, no_audio: bool, data: Path, database: str) -> None:
    """Write the whole configuration to FILE as YAML, to read, compare and import.

    FILE - is standard output. Passwords are hashed, except those of trunks and of the mail server,
    which are in plain text. Only the owner can read the file.
    """
    from openivr.config import yaml_document
    from openivr.resources import KINDS
    from openivr.store import system
    from openivr.store.config import import_export

    with opened(data, database) as store, store.reading() as connection:
        total = sum(system.count(connection, kind) for kind in KINDS)
        with progress("exporting", total) as step:
            document = import_export.export(connection, with_audio=not no_audio, step=step)
        text = yaml_document.dump(document)
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    yaml_document.write_private(file, text)
    click.echo(f"wrote {total} objects to {file}")


@click.command("import", short_help="Replace or change the configuration by a YAML file.")
@click.argument("file", type=click.File(encoding="utf-8"))
@click.option("--dry-run", is_flag=True, help="Report changes and errors, change nothing.")
@click.option("--keep", is_flag=True, help="Keep objects and fields that the file does not contain.")
@store_options
def import_(file: Any, dry_run: bool, keep: bool, data: Path, database: str) -> None:
    """Replace the configuration by FILE, or with --keep, change what FILE names.

    \b
    openivr import office.yaml --dry-run      report what would change
    openivr import trunk.yaml --keep          add a trunk, keep everything else

    Either all of FILE is imported or, if anything in it is wrong, nothing. Objects are matched by id, else by
    number or name, and scenarios by menu and name. Objects that FILE does not contain are deleted, and fields
    that an object leaves out get their defaults; with --keep both stay as they are. Running servers use the
    new configuration at once.
    """
    from openivr.config import yaml_document
    from openivr.store.config import import_export
    from openivr.store.mail.mail_server import save_mail_server

    try:
        document = yaml_document.load(file.read())
    except yaml_document.UnreadableDocument as error:
        raise failure(file.name, [error.mistake]) from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8") from error
    total = sum(map(len, document.entries.values()))
    if_missing = IfMissing.REFUSE if keep else IfMissing.TRY if dry_run else IfMissing.CREATE
    with opened(data, database, if_missing) as store, store.changing() as change:
        with progress("checking", total) as step:
            plan = import_export.make_plan(
                change.connection,
                document.entries,
                document.scenarios,
                keeps_others=keep,
                is_partial=keep,
                step=step,
            )
        if plan.mistakes:
            raise failure(file.name, plan.mistakes)
        report(plan)
        if dry_run:
            click.echo("dry run: nothing was changed")
            change.connection.rollback()
            return
        with progress("importing", len(plan.actions)) as step:
            import_export.carry_out(change, plan, step)
        import_export.replace_access(change.connection, document.clients, document.addresses)
        if document.mail_server is not None:
            save_mail_server(change.connection, document.mail_server)


def failure(name: str, mistakes: "list[DocumentError]") -> click.ClickException:
    lines = [f"{name}:{mistake.line}: {mistake.text}" for mistake in mistakes]
    return click.ClickException("nothing was changed\n" + "\n".join(lines))


def report(plan: "ImportPlan") -> None:
    """Print the changes, one line for each object, and their counts."""
    for item in plan.actions:
        click.echo(f"{item.action}  {item.kind.name} {item.label}{describe(item)}")
    counts = [
        sum(item.action == action for item in plan.items) for action in ("create", "update", "delete", "")
    ]
    click.echo("{} to create, {} to update, {} to delete, {} unchanged".format(*counts))
    if plan.scenarios is not None:
        click.echo(
            f"{len(plan.scenarios)} scenarios{'' if plan.keeps_others else ' replace the present ones'}"
        )


def describe(item: "PlannedChange") -> str:
    hidden = {one.name for one in item.kind.fields if one.hidden}
    old, new = item.old or {}, item.new or {}
    parts = []
    for name in item.changed:
        is_short = name not in hidden and isinstance(new.get(name), str | int)
        parts.append(f"{name}: {old[name]} → {new[name]}" if is_short else name)
    return f"  ({'; '.join(parts)})" if parts else ""


@click.command(short_help="Copy all data to a file while the server runs.")
@click.argument("file", type=FILE)
@store_options
def backup(file: Path, data: Path, database: str) -> None:
    """Copy all data, prompts and tokens included, to FILE, while the server runs.

    FILE is a SQLite database, also if the source is PostgreSQL. It must not exist yet.
    """
    from openivr.store import backup as backups

    if file.exists():
        raise click.ClickException(f"{file} exists already")
    part = file.with_name(file.name + ".part")
    with opened(data, database) as store:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT, 0o600))
        with store.reading() as connection:
            total = backups.count_rows(connection)
        with progress("copying", total) as step:
            backups.backup(store, part, step)
    part.replace(file)
    click.echo(f"wrote {file}")


@click.command(short_help="Replace all data by a backup.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@store_options
def restore(file: Path, yes: bool, data: Path, database: str) -> None:
    """Replace all data by FILE, which `openivr backup` has written, in one step or not at all.

    A running server uses the restored data at once.
    """
    import sqlite3

    from openivr.store import backup as backups

    if not yes:
        click.confirm("This replaces all objects, clients and tokens. Continue?", abort=True)
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as check:
            check.execute("SELECT version_num FROM alembic_version")
    except sqlite3.DatabaseError as error:
        raise click.ClickException(f"{file} is not a backup: {error}") from error
    with (
        opened(data, database, IfMissing.CREATE) as store,
        progress("restoring", file.stat().st_size) as step,
    ):
        backups.restore(file, store, step)
    click.echo(f"restored {file}")
