"""API clients (programs that may log in) and the addresses they may come from."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from openivr.connections.shares import network_of
from openivr.resources.errors import Duplicate, NotFound
from openivr.resources.secret import hash_password
from openivr.store.auth import tokens
from openivr.store.tables import ALLOWED_ADDRESS, API_CLIENT, BLOCKED_ADDRESS


@dataclass(frozen=True, slots=True)
class ApiClient:
    """An API client. `id` is its user name."""

    id: str
    name: str
    created: int


def add(connection: Connection, name: str, id_: str, secret: str) -> None:
    """Create a client. Raises Duplicate if the id or the name exists."""
    for column, value in ((API_CLIENT.c.id, id_), (API_CLIENT.c.name, name)):
        if connection.execute(select(API_CLIENT.c.name).where(column == value)).first():
            raise Duplicate(column.name, value, "client", name)
    row = {"id": id_, "name": name, "secret_hash": hash_password(secret), "created": int(time.time())}
    connection.execute(insert(API_CLIENT).values(row))


def list_all(connection: Connection) -> list[ApiClient]:
    columns = (API_CLIENT.c.id, API_CLIENT.c.name, API_CLIENT.c.created)
    return [ApiClient(*row) for row in connection.execute(select(*columns).order_by(API_CLIENT.c.created))]


def revoke(connection: Connection, name: str) -> None:
    """Delete a client, by id or name, and its tokens."""
    named = (API_CLIENT.c.id == name) | (API_CLIENT.c.name == name)
    if not connection.execute(delete(API_CLIENT).where(named)).rowcount:
        raise NotFound(f"client {name}")


def log_out(connection: Connection, name: str, now: int) -> int:
    """End the tokens of a client, by id or name. Return the number of access tokens that were good."""
    named = (API_CLIENT.c.id == name) | (API_CLIENT.c.name == name)
    id_ = connection.execute(select(API_CLIENT.c.id).where(named)).scalar()
    if id_ is None:
        raise NotFound(f"client {name}")
    return tokens.end_all(connection, id_, now)


def find_hash(connection: Connection, id_: str) -> str | None:
    if "\0" in id_:  # which PostgreSQL refuses in a text
        return None
    return connection.execute(select(API_CLIENT.c.secret_hash).where(API_CLIENT.c.id == id_)).scalar()


def allow(connection: Connection, network: str) -> None:
    """Put a network, in its canonical form, on the allow list."""
    connection.execute(delete(ALLOWED_ADDRESS).where(ALLOWED_ADDRESS.c.network == network))
    connection.execute(insert(ALLOWED_ADDRESS).values(network=network))


def disallow(connection: Connection, network: str) -> None:
    gone = delete(ALLOWED_ADDRESS).where(ALLOWED_ADDRESS.c.network == network)
    if not connection.execute(gone).rowcount:
        raise NotFound(f"network {network}")


def allowed(connection: Connection) -> list[str]:
    return list(connection.execute(select(ALLOWED_ADDRESS.c.network).order_by("network")).scalars())


def unblock(connection: Connection, address: str) -> None:
    """End the lock-out of an address before its time."""
    source = network_of(address)
    if not connection.execute(delete(BLOCKED_ADDRESS).where(BLOCKED_ADDRESS.c.address == source)).rowcount:
        raise NotFound(f"blocked address {address}")


def blocked(connection: Connection, now: int) -> list[tuple[str, int]]:
    """List the addresses that are locked out at a time, and until when (Unix seconds)."""
    columns = BLOCKED_ADDRESS.c
    last = func.max(columns.until).label("until")  # at the API, or at the admin
    rows = connection.execute(select(columns.address, last).where(columns.until > now).group_by("address"))
    return [(row.address, row.until) for row in rows]
