"""Which phones are registered, and how the trunks are: what a calls process knows, for others and for itself
when it starts again."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, distinct, func, or_, select, update

from openivr.store.cdr.call_records import put
from openivr.store.database import begin_change
from openivr.store.tables import CALL, OBJECTS, REGISTRATION, TRUNK_STATE

EXTENSION = OBJECTS["extension"]
GONE_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Registration:
    """A registered phone of an extension. `data` is the registrar's binding, `expires` is in Unix seconds."""

    extension_id: int
    contact: str
    expires: int
    data: dict[str, Any]
    node: str = ""


@dataclass(frozen=True, slots=True)
class TrunkStatus:
    """State of a trunk, as seen from a node. `since` is in Unix milliseconds."""

    trunk_id: int
    state: str
    detail: str  # why, as a code
    since: int
    node: str = ""
    answer: str = ""  # what the far side said where it rejected us


def list_registrations(connection: Connection, extension: int | None = None) -> list[Registration]:
    """List registrations, of one extension or of all. Expired ones are deleted (see `expire`)."""
    query = select(REGISTRATION)
    if extension is not None:
        query = query.where(REGISTRATION.c.extension_id == extension)
    rows = connection.execute(query.order_by(REGISTRATION.c.extension_id, REGISTRATION.c.contact))
    return [Registration(row.extension_id, row.contact, row.expires, row.data, row.node) for row in rows]


def bind(connection: Connection, registration: Registration) -> None:
    """Write a registration down."""
    row = {name: getattr(registration, name) for name in Registration.__slots__}
    put(connection, REGISTRATION, [row])


def unbind(connection: Connection, extension: int, contact: str) -> None:
    """Forget a registration."""
    one = (REGISTRATION.c.extension_id == extension) & (REGISTRATION.c.contact == contact)
    connection.execute(delete(REGISTRATION).where(one))


def expire(connection: Connection, now: int, node: str, *, is_alive: bool) -> None:
    """Delete registrations that have expired by `now`, in Unix seconds, as far as nothing reports their end.

    The calls process of this node reports them while it is alive, by a clock that does not step. The workers
    of other nodes delete theirs. Those that no worker deletes for a day are of a node that is gone.
    """
    mine, expires = REGISTRATION.c.node == node, REGISTRATION.c.expires
    expired = ~mine & (expires <= now - GONE_SECONDS)
    if not is_alive:
        expired |= mine & (expires <= now)
    connection.execute(delete(REGISTRATION).where(expired))


def show_online(connection: Connection) -> None:
    """Let the list of extensions say who is registered. Only what is different is a change."""
    registered = EXTENSION.c.id.in_(select(REGISTRATION.c.extension_id))
    differs = or_(registered & (EXTENSION.c.online == 0), ~registered & (EXTENSION.c.online == 1))
    changed = connection.execute(select(EXTENSION.c.id, EXTENSION.c.online).where(differs)).all()
    if not changed:
        return
    change = begin_change(connection)
    for id_, online in changed:
        connection.execute(update(EXTENSION).where(EXTENSION.c.id == id_).values(online=1 - online))
        change.log("extension", id_)


def save_trunks(connection: Connection, states: Iterable[TrunkStatus]) -> None:
    """Write down how trunks are."""
    put(connection, TRUNK_STATE, [{n: getattr(state, n) for n in TrunkStatus.__slots__} for state in states])


@dataclass(frozen=True, slots=True)
class Traffic:
    """Calls under way, and how many of the trunks that are switched on can take calls."""

    calls: int
    trunks_up: int
    trunks: int


def count_traffic(connection: Connection) -> Traffic:
    """Count live calls, registered phones and trunks, as last reported by the calls processes."""
    trunk = OBJECTS["trunk"]
    is_on = (trunk.c.id == TRUNK_STATE.c.trunk_id) & (trunk.c.enable == 1)
    up = select(func.count(distinct(TRUNK_STATE.c.trunk_id))).where(is_on, TRUNK_STATE.c.state == "up")
    calls = select(func.count()).select_from(CALL).where(CALL.c.ended.is_(None))
    trunks = select(func.count()).select_from(trunk).where(trunk.c.enable == 1)
    counts = (calls.scalar_subquery(), up.scalar_subquery(), trunks.scalar_subquery())
    return Traffic(*connection.execute(select(*counts)).one())


def list_trunks(connection: Connection) -> list[TrunkStatus]:
    """Return the last reported states of trunks."""
    rows = connection.execute(select(TRUNK_STATE).order_by(TRUNK_STATE.c.trunk_id, TRUNK_STATE.c.node))
    return [TrunkStatus(row.trunk_id, row.state, row.detail, row.since, row.node, row.answer) for row in rows]
