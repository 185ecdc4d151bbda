"""`openivr admin`: the account of the web admin."""

import time
from pathlib import Path

import click

from openivr.cli.options import opened, store_options


@click.group(short_help="Reset the password of the web admin.")
def admin() -> None:
    """Manage the account of the web admin."""


@admin.command("reset-password")
@click.option("--name", default="admin", show_default=True, help="Name of the account.")
@store_options
def reset_password(name: str, data: Path, database: str) -> None:
    """Print a temporary password, and sign out all browsers. The next sign-in asks for a new password."""
    from openivr.store.auth.admin import reset

    with opened(data, database) as store, store.changing("auth") as change:
        password = reset(change.connection, name, int(time.time()))
    click.echo(f"name      {name}\npassword  {password}")
