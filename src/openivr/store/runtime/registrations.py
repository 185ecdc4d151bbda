"""Which phones are registered, and how the trunks are: what a calls process knows, for others and for itself
when it starts again."""

from collections.abc import Iterable, Mapping
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


def unbind(connection: Connection, extension: int, contact: str) -> dict[str, Any] | None:
    """Forget a registration, and return its binding; None if it was not there."""
    one = (REGISTRATION.c.extension_id == extension) & (REGISTRATION.c.contact == contact)
    deleted = connection.execute(delete(REGISTRATION).where(one).returning(REGISTRATION.c.data)).first()
    return None if deleted is None else deleted.data


def is_registered(connection: Connection, extension: int) -> bool:
    """Return True if a phone of the extension is registered."""
    query = select(REGISTRATION.c.contact).where(REGISTRATION.c.extension_id == extension).limit(1)
    return connection.execute(query).first() is not None


def extension_number(connection: Connection, extension: int) -> str:
    """Return the number of an extension, "" if there is none with this id."""
    return connection.execute(select(EXTENSION.c.number).where(EXTENSION.c.id == extension)).scalar() or ""


def find_trunk_state(connection: Connection, trunk: int, node: str) -> tuple[str, str] | None:
    """Return state and detail of a trunk as a node last reported them, None if it has not."""
    columns = (TRUNK_STATE.c.state, TRUNK_STATE.c.detail)
    query = select(*columns).where(TRUNK_STATE.c.trunk_id == trunk, TRUNK_STATE.c.node == node)
    row = connection.execute(query).first()
    return None if row is None else (row.state, row.detail)


def find_trunk(connection: Connection, trunk: int) -> Mapping[str, Any] | None:
    """Return name, type and address of a trunk, None if it is gone."""
    table = OBJECTS["trunk"]
    columns = (table.c.name, table.c.type, table.c.hostname, table.c.port)
    row = connection.execute(select(*columns).where(table.c.id == trunk)).first()
    return None if row is None else dict(row._mapping)


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


def show_online(connection: Connection) -> list[tuple[str, bool]]:
    """Write into the list of extensions which are registered. Return what changed, by number."""
    registered = EXTENSION.c.id.in_(select(REGISTRATION.c.extension_id))
    differs = or_(registered & (EXTENSION.c.online == 0), ~registered & (EXTENSION.c.online == 1))
    columns = (EXTENSION.c.id, EXTENSION.c.number, EXTENSION.c.online)
    changed = connection.execute(select(*columns).where(differs)).all()
    if not changed:
        return []
    change = begin_change(connection)
    for id_, _, online in changed:
        connection.execute(update(EXTENSION).where(EXTENSION.c.id == id_).values(online=1 - online))
        change.log("extension", id_)
    return [(number, not online) for _, number, online in changed]


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
