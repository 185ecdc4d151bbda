"""`openivr admin`: who may sign in to the web admin."""

import time
from pathlib import Path

import click

from openivr.cli.options import opened, store_options


@click.group(short_help="The administrator of the web admin: reset the password.")
def admin() -> None:
    """The administrator who signs in to the web admin."""


@admin.command("reset-password")
@click.option("--name", default="admin", show_default=True, help="Whose password.")
@store_options
def reset_password(name: str, data: Path, database: str) -> None:
    """Give out a new password, to be changed at the next sign-in; every signed-in browser is signed out."""
    from openivr.store.auth.admin import reset

    with opened(data, database) as store, store.changing("auth") as change:
        password = reset(change.connection, name, int(time.time()))
    click.echo(f"name      {name}\npassword  {password}")
