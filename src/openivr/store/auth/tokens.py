"""Access and refresh tokens, and what wrong logins lead to.

P-Series: get-access-token, refresh-access-token, revoke-access-token. Every function is one step of a
transaction, takes the time as an argument and returns what happened: a refused login is a change too.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from openivr.resources.errors import NotFound
from openivr.resources.secret import fingerprint, random_text
from openivr.store.tables import API_CLIENT, BLOCKED_ADDRESS, LOGIN_FAILURE, TOKEN


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """Life times and limits. Times are in seconds."""

    access_life: int = 1800
    refresh_life: int = 86_400
    max_tokens: int = 8  # access tokens that one client may have at a time
    grace: int = 60  # that an access token lives on after its refresh
    failures: int = 5  # wrong logins of one address within `window` ...
    window: int = 600
    block: int = 600  # ... lock it out for so long


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A fresh pair of tokens: the only moment at which they are known in clear."""

    access: str
    refresh: str


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token for people to see: never the token itself. Times in Unix seconds."""

    id: int
    client_id: str
    access_expires: int
    refresh_expires: int


@dataclass(frozen=True, slots=True)
class TooManyTokens:
    """The client has as many live tokens as it may."""


@dataclass(frozen=True, slots=True)
class UnknownToken:
    """A refresh token that is not (or no longer) good."""


# Where an address logs in. Each counts on its own: a script with an old secret must not lock out the
# administrator beside it, nor may a client's owner guess the admin's password and be forgiven by the API.
API, ADMIN = "api", "admin"


def blocked_until(connection: Connection, address: str, now: int, login_kind: str = API) -> int | None:
    """When the address may try again, or None where it may now."""
    is_ours = (BLOCKED_ADDRESS.c.address == address) & (BLOCKED_ADDRESS.c.door == login_kind)
    until = connection.execute(select(BLOCKED_ADDRESS.c.until).where(is_ours)).scalar()
    return until if until is not None and until > now else None


WAIT = 0  # instead of the end of a lock-out: as many logins are being checked as may be wrong


def reserve(
    connection: Connection, policy: TokenPolicy, address: str, now: int, login_kind: str = API
) -> int | None:
    """Count a login as failed before it is checked, so that no more are checked at once than may fail.

    Return the end of a lock-out, WAIT, or None if the password may be checked now.
    """
    until = blocked_until(connection, address, now, login_kind)
    if until is not None:
        return until
    connection.execute(delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.time <= now - policy.window))
    if count_failures(connection, address, login_kind) >= policy.failures:
        return WAIT
    connection.execute(insert(LOGIN_FAILURE).values(address=address, door=login_kind, time=now))
    return None


def count_failures(connection: Connection, address: str, login_kind: str) -> int:
    is_ours = (LOGIN_FAILURE.c.address == address) & (LOGIN_FAILURE.c.door == login_kind)
    count = select(func.count()).select_from(LOGIN_FAILURE).where(is_ours)
    return connection.execute(count).scalar_one()


def fail(
    connection: Connection, policy: TokenPolicy, address: str, now: int, login_kind: str = API
) -> int | None:
    """Leave a reserved login counted as failed. If it locks the address out, return when that ends."""
    if count_failures(connection, address, login_kind) < policy.failures:
        return None
    forgive(connection, address, login_kind)
    blocked = insert(BLOCKED_ADDRESS).values(address=address, door=login_kind, until=now + policy.block)
    connection.execute(blocked)
    return now + policy.block


def forgive(connection: Connection, address: str, login_kind: str = API) -> None:
    """Forget the wrong logins of an address."""
    for table in (LOGIN_FAILURE, BLOCKED_ADDRESS):
        connection.execute(delete(table).where(table.c.address == address, table.c.door == login_kind))


def issue(connection: Connection, policy: TokenPolicy, client_id: str, now: int) -> TokenPair | TooManyTokens:
    """Issue a new pair to a client. Other pairs stay valid."""
    connection.execute(delete(TOKEN).where(TOKEN.c.refresh_expires <= now))
    if count_live(connection, client_id, now) >= policy.max_tokens:
        return TooManyTokens()
    return add(connection, policy, client_id, random_text(), now)


def make_room(connection: Connection, policy: TokenPolicy, client_id: str, now: int) -> None:
    """End the oldest tokens of a client, so that one more may be issued."""
    live = select(TOKEN.c.family).where(is_live(client_id, now)).order_by(TOKEN.c.id.desc())
    for family in connection.execute(live.offset(policy.max_tokens - 1)).scalars().all():
        end_family(connection, family)


def refresh(
    connection: Connection, policy: TokenPolicy, token: str, now: int
) -> TokenPair | TooManyTokens | UnknownToken:
    """Exchange a refresh token, which ends at once, for a new pair. If used twice, its whole family ends."""
    row = connection.execute(select(TOKEN).where(TOKEN.c.refresh_hash == fingerprint(token))).first()
    if row is None or row.refresh_expires <= now:
        return UnknownToken()
    if row.refreshed:
        end_family(connection, row.family)
        return UnknownToken()
    others = count_live(connection, row.client_id, now) - (row.access_expires > now)
    if others >= policy.max_tokens:
        return TooManyTokens()
    ends = min(row.access_expires, now + policy.grace)
    connection.execute(update(TOKEN).where(TOKEN.c.id == row.id).values(refreshed=1, access_expires=ends))
    return add(connection, policy, row.client_id, row.family, now)


def revoke(connection: Connection, access_hash: str) -> None:
    """End an access token and everything that came from the same login."""
    family = connection.execute(select(TOKEN.c.family).where(TOKEN.c.access_hash == access_hash)).scalar()
    if family is not None:
        end_family(connection, family)


def add(connection: Connection, policy: TokenPolicy, client_id: str, family: str, now: int) -> TokenPair:
    pair = TokenPair(random_text(), random_text())
    row = {
        "client_id": client_id,
        "family": family,
        "access_hash": fingerprint(pair.access),
        "access_expires": now + policy.access_life,
        "refresh_hash": fingerprint(pair.refresh),
        "refresh_expires": now + policy.refresh_life,
        "refreshed": 0,
    }
    connection.execute(insert(TOKEN).values(row))
    return pair


def find_successor(connection: Connection, access_hash: str, now: int) -> str | None:
    """Return the access token that came by refreshing from this one and is good; None if there is none."""
    family = select(TOKEN.c.family).where(TOKEN.c.access_hash == access_hash).scalar_subquery()
    good = (TOKEN.c.family == family) & (TOKEN.c.access_expires > now) & (TOKEN.c.refreshed == 0)
    query = select(TOKEN.c.access_hash).where(good).order_by(TOKEN.c.id.desc()).limit(1)
    return connection.execute(query).scalar()


def end_family(connection: Connection, family: str) -> None:
    connection.execute(delete(TOKEN).where(TOKEN.c.family == family))


def end_all(connection: Connection, client_id: str, now: int) -> int:
    """End all tokens of a client. Return the number of access tokens that were good."""
    count = count_live(connection, client_id, now)
    connection.execute(delete(TOKEN).where(TOKEN.c.client_id == client_id))
    return count


def is_live(client_id: str, now: int) -> ColumnElement[bool]:
    return (TOKEN.c.client_id == client_id) & (TOKEN.c.access_expires > now) & (TOKEN.c.refreshed == 0)


def count_live(connection: Connection, client_id: str, now: int) -> int:
    count = select(func.count()).select_from(TOKEN).where(is_live(client_id, now))
    return connection.execute(count).scalar_one()


def list_live(connection: Connection, now: int) -> list[LiveToken]:
    """Every good access token, in the order of their issue."""
    columns = (TOKEN.c.id, TOKEN.c.client_id, TOKEN.c.access_expires, TOKEN.c.refresh_expires)
    good = (TOKEN.c.access_expires > now) & (TOKEN.c.refreshed == 0)
    rows = connection.execute(select(*columns).where(good).order_by(TOKEN.c.id))
    return [LiveToken(*row) for row in rows]


def end(connection: Connection, id_: int) -> None:
    """End a token known by its row's id, and everything that came from the same login."""
    family = connection.execute(select(TOKEN.c.family).where(TOKEN.c.id == id_)).scalar()
    if family is None:
        raise NotFound(f"token {id_}")
    end_family(connection, family)


def live_tokens(connection: Connection, now: int) -> dict[str, int]:
    """Every good access token by its fingerprint, with the time at which it ends."""
    columns = (TOKEN.c.access_hash, TOKEN.c.access_expires)
    rows = connection.execute(select(*columns).where(TOKEN.c.access_expires > now))
    return {row.access_hash: row.access_expires for row in rows}


def find_client_name(connection: Connection, fingerprint: str) -> str:
    """Return the name of the client with this access token, "" if there is none."""
    named = select(API_CLIENT.c.name).join(TOKEN, TOKEN.c.client_id == API_CLIENT.c.id)
    return str(connection.execute(named.where(TOKEN.c.access_hash == fingerprint)).scalar() or "")
