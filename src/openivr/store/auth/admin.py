"""The administrator of the web admin, and the sessions of signed-in browsers.

Stored are the Argon2id hash of a password, and the fingerprint of the secret in a session cookie. Every
function is one step of a transaction and takes the time, in Unix seconds, as an argument.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from openivr.resources.errors import NotFound
from openivr.resources.secret import fingerprint, hash_password, random_text
from openivr.store.tables import ADMIN, ADMIN_SESSION

FIRST_NAME = "admin"
SEEN_STEP = 60  # seconds within which a further request of a session is not worth a write


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """Life times of sessions, in seconds."""

    idle: int = 3600  # without a request
    life: int = 43_200  # in all


@dataclass(frozen=True, slots=True)
class LoginSession:
    """A signed-in browser. `must_change` until the first password has been replaced."""

    key: str  # the fingerprint
    admin: str
    must_change: bool
    seen: int


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """A session for people to see: when it began and when it was used last, in Unix seconds."""

    key: str
    created: int
    seen: int


@dataclass(frozen=True, slots=True)
class Administrator:
    """An administrator with the hash of the password."""

    name: str
    password_hash: str
    must_change: bool


def add_first(connection: Connection, now: int) -> str | None:
    """Create the administrator if there is none. Return its first password, or None."""
    if connection.execute(select(ADMIN.c.name)).first():
        return None
    return make(connection, FIRST_NAME, now)


def make(connection: Connection, name: str, now: int) -> str:
    """A new administrator with a random password that has to be changed."""
    password = random_text(16)
    row = {"name": name, "password_hash": hash_password(password), "must_change": 1, "changed": now}
    connection.execute(insert(ADMIN).values(row))
    return password


def reset(connection: Connection, name: str, now: int) -> str:
    """Set a random temporary password and end all sessions of the administrator. Return the password."""
    find(connection, name)
    password = random_text(16)
    put_password(connection, name, hash_password(password), now, must_change=True)
    sign_out_everywhere(connection, name)
    return password


def find(connection: Connection, name: str) -> Administrator:
    """An administrator, or NotFound."""
    wanted = select(ADMIN.c.name, ADMIN.c.password_hash, ADMIN.c.must_change).where(ADMIN.c.name == name)
    row = connection.execute(wanted).first() if "\0" not in name else None
    if row is None:
        raise NotFound(f"administrator {name}")
    return Administrator(row.name, row.password_hash, bool(row.must_change))


def put_password(
    connection: Connection, name: str, password_hash: str, now: int, *, must_change: bool = False
) -> None:
    """Replace an administrator's password."""
    values = {"password_hash": password_hash, "must_change": int(must_change), "changed": now}
    connection.execute(update(ADMIN).where(ADMIN.c.name == name).values(values))


def sign_in(connection: Connection, name: str, now: int) -> str:
    """A new session: the secret for its cookie, known only now."""
    secret = random_text()
    row = {"id": fingerprint(secret), "admin": name, "created": now, "seen": now}
    connection.execute(insert(ADMIN_SESSION).values(row))
    return secret


def find_session(connection: Connection, policy: SessionPolicy, secret: str, now: int) -> LoginSession | None:
    """The session of a cookie, while it lasts."""
    joined = ADMIN_SESSION.join(ADMIN, ADMIN.c.name == ADMIN_SESSION.c.admin)
    columns = (ADMIN_SESSION.c.id, ADMIN.c.name, ADMIN.c.must_change, ADMIN_SESSION.c.seen)
    lasting = (ADMIN_SESSION.c.seen > now - policy.idle) & (ADMIN_SESSION.c.created > now - policy.life)
    own = ADMIN_SESSION.c.id == fingerprint(secret)
    row = connection.execute(select(*columns).select_from(joined).where(own, lasting)).first()
    return LoginSession(row.id, row.name, bool(row.must_change), row.seen) if row else None


def note_seen(connection: Connection, policy: SessionPolicy, session: LoginSession, now: int) -> None:
    """Keep a session from going idle, and forget those that have ended."""
    connection.execute(update(ADMIN_SESSION).where(ADMIN_SESSION.c.id == session.key).values(seen=now))
    over = (ADMIN_SESSION.c.seen <= now - policy.idle) | (ADMIN_SESSION.c.created <= now - policy.life)
    connection.execute(delete(ADMIN_SESSION).where(over))


def list_sessions(connection: Connection, policy: SessionPolicy, name: str, now: int) -> list[SessionTimes]:
    """An administrator's sessions that last, the one that was used last first."""
    columns = (ADMIN_SESSION.c.id, ADMIN_SESSION.c.created, ADMIN_SESSION.c.seen)
    lasting = (ADMIN_SESSION.c.seen > now - policy.idle) & (ADMIN_SESSION.c.created > now - policy.life)
    wanted = select(*columns).where(ADMIN_SESSION.c.admin == name, lasting)
    rows = connection.execute(wanted.order_by(ADMIN_SESSION.c.seen.desc(), ADMIN_SESSION.c.id))
    return [SessionTimes(*row) for row in rows]


def end_session(connection: Connection, name: str, key: str) -> None:
    """End one session of an administrator, or NotFound."""
    own = (ADMIN_SESSION.c.admin == name) & (ADMIN_SESSION.c.id == key)
    if "\0" in key or not connection.execute(delete(ADMIN_SESSION).where(own)).rowcount:
        raise NotFound("session")


def sign_out(connection: Connection, session: LoginSession) -> None:
    """End one session."""
    connection.execute(delete(ADMIN_SESSION).where(ADMIN_SESSION.c.id == session.key))


def sign_out_everywhere(connection: Connection, name: str) -> None:
    """End every session of an administrator."""
    connection.execute(delete(ADMIN_SESSION).where(ADMIN_SESSION.c.admin == name))
