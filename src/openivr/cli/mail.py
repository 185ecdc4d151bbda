"""`openivr mail`: the mail server, a test of it, and the queue."""

import time
from pathlib import Path
from typing import Any

import click

from openivr.cli.options import opened, store_options
from openivr.resources.mail_server import DEFAULT_PORTS

STATES = {"waiting": "waits", "sent": "sent", "failed": "not sent", "obsolete": "not needed"}


@click.group(invoke_without_command=True, short_help="Set and test the mail server; list and resend mail.")
@store_options
@click.pass_context
def mail(context: click.Context, data: Path, database: str) -> None:
    """Show the mail server that mail about voicemail messages is sent by.

    \b
    openivr mail set --server smtp.example.com --user pbx --sender pbx@example.com
    openivr mail test sam@example.com
    """
    if context.invoked_subcommand:
        return
    from openivr.store.mail.mail_server import find_mail_server

    with opened(data, database) as store, store.reading() as connection:
        server = find_mail_server(connection)
    if server is None:
        click.echo("no mail server: no mail is sent")
        return
    login = f", as {server.user}" if server.user else ""
    click.echo(f"{server.server} port {server.port}, {server.security}{login}, from {server.sender}")


@mail.command("set")
@click.option("--server", help="Name or address of the mail server.")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 587, 465 with tls, 25 with none.")
@click.option("--security", type=click.Choice(list(DEFAULT_PORTS)), help="Encryption. Default: starttls.")
@click.option(
    "--user", help="Name to log in with. The password is asked for, or read from OPENIVR_MAIL_PASSWORD."
)
@click.option("--sender", help="Address that mail comes from.")
@click.option("--url", help="Address of the web admin, for links in mail.")
@click.option(
    "--audio-format", type=click.Choice(["mp3", "wav"]), help="Format of attached messages. Default: mp3."
)
@click.option("--password", envvar="OPENIVR_MAIL_PASSWORD", hidden=True, help="Shown to others: see --user.")
@store_options
def set_(data: Path, database: str, **options: Any) -> None:
    """Set the mail server, or change what the options name. Mail that waits is tried at once."""
    from openivr.resources.mail_server import read_mail_server
    from openivr.store.mail import mail_queue
    from openivr.store.mail.mail_server import find_mail_server, save_mail_server

    body = {name: value for name, value in options.items() if value is not None}
    if body.get("user") and "password" not in body:
        body["password"] = click.prompt("Password", hide_input=True)
    with opened(data, database) as store, store.writing() as connection:
        server = read_mail_server(body, find_mail_server(connection))
        save_mail_server(connection, server)
        mail_queue.try_now(connection)
    click.echo(f"mail is sent by {server.server} port {server.port}")


@mail.command()
@store_options
def off(data: Path, database: str) -> None:
    """Forget the mail server. No mail is sent any longer."""
    from openivr.store.mail.mail_server import save_mail_server

    with opened(data, database) as store, store.writing() as connection:
        save_mail_server(connection, None)
    click.echo("no mail is sent")


@mail.command()
@click.argument("address")
@store_options
def test(address: str, data: Path, database: str) -> None:
    """Send a mail to ADDRESS at once, and print the answer of the mail server."""
    import asyncio

    from openivr.mail.attempt import AttemptResult
    from openivr.mail.trial import try_mail_server
    from openivr.store.mail.mail_server import find_mail_server

    with opened(data, database) as store, store.reading() as connection:
        server = find_mail_server(connection)
    if server is None:
        raise click.ClickException("there is no mail server: see `openivr mail set --help`")
    outcome = asyncio.run(try_mail_server(server, address))
    if outcome.result is not AttemptResult.SENT:
        raise click.ClickException(f"not sent: {outcome.answer}")
    click.echo(f"sent: {outcome.answer}")


@mail.command("list")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="How many mails to list."
)
@store_options
def list_(limit: int, data: Path, database: str) -> None:
    """List the newest mail: when, to whom, and what became of it."""
    from openivr.store.mail import mail_queue

    with opened(data, database) as store, store.reading() as connection:
        mails = mail_queue.list_mail(connection, limit)
    for one in mails:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created / 1000))
        click.echo(f"{when}  {STATES[one.state]}  {one.recipient}  {one.id}  {one.answer}".rstrip())


@mail.command("resend")
@click.argument("id_", metavar="ID")
@store_options
def resend(id_: str, data: Path, database: str) -> None:
    """Try a mail for another day that was not sent."""
    from openivr.clock import lifetime
    from openivr.store.mail import mail_queue

    with opened(data, database) as store, store.writing() as connection:
        if not mail_queue.send_again(connection, id_, int(lifetime.now() * 1000)):
            raise click.ClickException(f"there is no mail {id_} that was given up")
    click.echo("it is tried again")
