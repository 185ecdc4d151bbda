"""`openivr client`, `openivr allow` and `openivr token`: access to the API."""

import ipaddress
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from openivr.cli.options import opened, store_options

if TYPE_CHECKING:
    from openivr.store.database import Database

LOCAL_ID, LOCAL_NAME = "openivr-token", "openivr token"  # the client that `openivr token` logs in as

TOKEN_FILE = "cli-token"  # noqa: S105 - a name
MIN_SECONDS = 300  # that a token must still be valid to be printed again


def server_time(data: Path) -> int:
    """Return the Unix time by which a server on this data lets tokens and lock-outs end."""
    from openivr.clock import LIFETIME_FILE, lifetime, read_boot_id

    lifetime.follow(data / LIFETIME_FILE, read_boot_id())
    return int(lifetime.now())


@click.group(short_help="Add, list, log out and revoke API clients.")
def client() -> None:
    """Manage API clients: programs that log in with a Client ID (user name) and Secret (password)."""


@client.command()
@click.argument("name")
@click.option("--id", "ident", help="Client ID. Default: random.")
@click.option("--secret", help="Client Secret. Default: random.")
@store_options
def add(name: str, ident: str | None, secret: str | None, data: Path, database: str) -> None:
    """Add a client and print its id and secret. The secret cannot be shown again."""
    from openivr.resources.secret import random_text
    from openivr.store.auth import clients

    ident, secret = ident or random_text(), secret or random_text()
    with opened(data, database) as store, store.changing("auth") as change:
        clients.add(change.connection, name, ident, secret)
    click.echo(f"id      {ident}\nsecret  {secret}")


@client.command("list")
@store_options
def list_clients(data: Path, database: str) -> None:
    """List all clients: id, date of creation, name."""
    from openivr.store.auth import clients

    with opened(data, database) as store, store.reading() as connection:
        for one in clients.list_all(connection):
            created = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created))
            click.echo(f"{one.id}  {created}  {one.name}")


@client.command()
@click.argument("name")
@store_options
def revoke(name: str, data: Path, database: str) -> None:
    """Delete the client with this id or name. Its tokens end at once."""
    from openivr.store.auth import clients

    with opened(data, database) as store, store.changing("auth") as change:
        clients.revoke(change.connection, name)
    click.echo(f"revoked {name}")


@client.command("log-out")
@click.argument("name")
@store_options
def log_out(name: str, data: Path, database: str) -> None:
    """End all tokens of the client with this id or name, which may log in again at once."""
    from openivr.store.auth import clients

    with opened(data, database) as store, store.changing("auth") as change:
        count = clients.log_out(change.connection, name, server_time(data))
    click.echo(f"ended {count} token{'' if count == 1 else 's'} of {name}")


def read_network(_ctx: click.Context, _param: click.Parameter, text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@click.group(short_help="Manage the IP allow list and locked-out addresses.")
def allow() -> None:
    """Manage the IP allow list of the API. An empty list allows all addresses."""


@allow.command("add")
@click.argument("network", callback=read_network)
@store_options
def allow_add(network: str, data: Path, database: str) -> None:
    """Allow an address or a network, such as 192.0.2.0/24. The API then refuses all others."""
    from openivr.store.auth import clients

    with opened(data, database) as store, store.changing("auth") as change:
        clients.allow(change.connection, network)
    click.echo(f"allowed {network}")


@allow.command("remove")
@click.argument("network", callback=read_network)
@store_options
def allow_remove(network: str, data: Path, database: str) -> None:
    """Remove an address or a network from the list."""
    from openivr.store.auth import clients

    with opened(data, database) as store, store.changing("auth") as change:
        clients.disallow(change.connection, network)
    click.echo(f"removed {network}")


@allow.command("list")
@store_options
def allow_list(data: Path, database: str) -> None:
    """List allowed networks, and addresses that are locked out after failed logins."""
    from openivr.store.auth import clients

    with opened(data, database) as store, store.reading() as connection:
        for network in clients.allowed(connection) or ["all addresses"]:
            click.echo(f"allowed  {network}")
        for address, until in clients.blocked(connection, server_time(data)):
            click.echo(f"blocked  {address}  until {time.strftime('%H:%M:%S', time.localtime(until))}")


@allow.command("unblock")
@click.argument("address")
@store_options
def allow_unblock(address: str, data: Path, database: str) -> None:
    """End the lock-out of an address."""
    from openivr.store.auth import clients

    with opened(data, database) as store, store.changing("auth") as change:
        clients.unblock(change.connection, address)
    click.echo(f"unblocked {address}")


@click.command(short_help="Print an access token for the local server.")
@store_options
def token(data: Path, database: str) -> None:
    """Print an access token that is valid for 30 minutes.

    \b
    curl -A me "http://127.0.0.1:8088/openapi/v1.0/ivr/list?access_token=$(openivr token)"

    The last one is printed again while it is valid for at least five minutes more; it is kept in the data
    folder, readable by its owner only. The tokens belong to a client of their own. At its limit of 8 the
    oldest of them ends. Tokens of other clients are not affected.
    """
    from openivr.config.yaml_document import write_private

    now = server_time(data)
    with opened(data, database) as store:
        text = find_token(store, data / TOKEN_FILE, now) or issue_token(store, now)
        with suppress(OSError):  # a folder that cannot be written, or none beside a database elsewhere
            write_private(data / TOKEN_FILE, text)
    click.echo(text)


def find_token(store: "Database", path: Path, now: int) -> str:
    """Return the token that the file has, "" if it ends soon or there is none."""
    from openivr.resources.secret import fingerprint
    from openivr.store.auth import tokens

    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
    with store.reading() as connection:
        live = tokens.live_tokens(connection, now + MIN_SECONDS)
    return text if fingerprint(text) in live else ""


def issue_token(store: "Database", now: int) -> str:
    """Issue a token to the client of this command."""
    from openivr.resources.secret import random_text
    from openivr.store.auth import clients, tokens

    policy = tokens.TokenPolicy()
    with store.changing("auth") as change:
        if clients.find_hash(change.connection, LOCAL_ID) is None:
            clients.add(change.connection, LOCAL_NAME, LOCAL_ID, random_text())
        tokens.make_room(change.connection, policy, LOCAL_ID, now)
        pair = tokens.issue(change.connection, policy, LOCAL_ID, now)
    if not isinstance(pair, tokens.TokenPair):
        raise click.ClickException("there are too many tokens")
    return pair.access
