"""The queue of mail. Times are Unix milliseconds.

A mail is written in the transaction of what it reports. It has one recipient, so that it was sent or was not.
A worker has mail for some minutes (the lease). If it dies, its next start or another node takes it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum, unique
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from openivr.store.tables import MAIL

LEASE_MS = 600_000
MAX_TAKEN = 20  # at a time
SENT_KEPT_MS = 7 * 86_400_000  # that mail is listed after it was sent
FAILED_KEPT_MS = 30 * 86_400_000
MAX_DELETED = 1000  # a turn
RESTORED = "restored from a backup: it may have been sent since"


@unique
class MailState(StrEnum):
    """What became of a mail."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    OBSOLETE = "obsolete"  # the message that it is about was deleted before


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one recipient. The fields are the columns of `store.tables.MAIL`."""

    id: str
    message_id: str
    recipient: str
    created: int
    voicemail_id: str = ""
    extension_id: int = 0
    to_list: tuple[str, ...] = ()
    cc_list: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""
    has_audio: int = 0
    after: str = "no"
    state: str = MailState.WAITING
    failures: int = 0
    next_attempt: int = 0
    lease: str = ""
    lease_until: int = 0
    is_sending: int = 0
    answer: str = ""
    ended: int | None = None


ORDER = (MAIL.c.next_attempt, MAIL.c.created, MAIL.c.id)
COLUMNS = [MAIL.c[name] for name in Mail.__slots__]


def read_mail(row: RowMapping) -> Mail:
    lists = {name: tuple(row[name]) for name in ("to_list", "cc_list")}
    return Mail(**{str(name): value for name, value in row.items()} | lists)


def write_mail(mail: Mail) -> dict[str, Any]:
    """Return the columns of a mail."""
    return asdict(mail) | {"to_list": list(mail.to_list), "cc_list": list(mail.cc_list)}


def add(connection: Connection, mails: Iterable[Mail]) -> None:
    """Put mail into the queue. A mail that is there already stays as it is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    rows = [write_mail(mail) for mail in mails]
    if rows:
        connection.execute(dialect.insert(MAIL).on_conflict_do_nothing(), rows)


def is_due(now: int) -> ColumnElement[bool]:
    return and_(MAIL.c.state == MailState.WAITING, MAIL.c.next_attempt <= now, MAIL.c.lease_until <= now)


def has_due(connection: Connection, now: int) -> bool:
    """Return True if there is mail to send now."""
    return connection.execute(select(MAIL.c.id).where(is_due(now)).limit(1)).first() is not None


def take(connection: Connection, lease: str, now: int) -> list[Mail]:
    """Take mail that is due. Other workers leave it alone for LEASE_MS, or until it is given back."""
    due = select(MAIL.c.id).where(is_due(now)).order_by(*ORDER).limit(MAX_TAKEN)
    ids = list(connection.execute(due).scalars())
    # Two nodes may have read the same ids. The second one waits for the first here, and then finds its lease.
    taken = update(MAIL).where(MAIL.c.id.in_(ids), is_due(now))
    rows = connection.execute(taken.values(lease=lease, lease_until=now + LEASE_MS).returning(*COLUMNS))
    return sorted(
        map(read_mail, rows.mappings()), key=lambda mail: (mail.next_attempt, mail.created, mail.id)
    )


def begin_sending(connection: Connection, mail: Mail, now: int) -> bool:
    """Note that the text of a mail is sent from now on. Return False if this worker does not have it."""
    is_ours = and_(MAIL.c.id == mail.id, MAIL.c.lease == mail.lease, MAIL.c.state == MailState.WAITING)
    values = {"is_sending": 1, "lease_until": now + LEASE_MS}
    return connection.execute(update(MAIL).where(is_ours).values(values)).rowcount > 0


def save_outcome(connection: Connection, mail: Mail) -> bool:
    """Save what became of a mail, and give it back. Return False if this worker does not have it."""
    is_ours = and_(MAIL.c.id == mail.id, MAIL.c.lease == mail.lease)
    values = write_mail(mail) | {"lease": "", "lease_until": 0}
    return connection.execute(update(MAIL).where(is_ours).values(values)).rowcount > 0


def give_back(connection: Connection, owner: str) -> None:
    """Give back all mail that a worker has, or all that the workers of a node had: its leases begin so."""
    is_theirs = and_(MAIL.c.lease != "", MAIL.c.lease.startswith(owner, autoescape=True))
    connection.execute(update(MAIL).where(is_theirs).values(lease="", lease_until=0))


def send_again(connection: Connection, id_: str, now: int) -> bool:
    """Let a mail that was given up be tried for another day. Return False if there is no such mail."""
    is_given_up = and_(MAIL.c.id == id_, MAIL.c.state == MailState.FAILED)
    values = {"state": MailState.WAITING, "created": now, "failures": 0, "next_attempt": now, "ended": None}
    return connection.execute(update(MAIL).where(is_given_up).values(values)).rowcount > 0


def try_now(connection: Connection) -> None:
    """Try all mail that waits at once, because the mail server has changed."""
    is_waiting = MAIL.c.state == MailState.WAITING
    connection.execute(update(MAIL).where(is_waiting).values(next_attempt=0))


def give_up_restored(connection: Connection, now: int) -> None:
    """Give up all mail that waited when a backup was made."""
    values = {"state": MailState.FAILED, "ended": now, "answer": RESTORED, "lease": "", "lease_until": 0}
    connection.execute(update(MAIL).where(MAIL.c.state == MailState.WAITING).values(values))


def count_states(connection: Connection) -> dict[str, int]:
    """Return the number of mails in each state that has some."""
    rows = connection.execute(select(MAIL.c.state, func.count()).group_by(MAIL.c.state))
    return {state: count for state, count in rows}  # noqa: C416 - a Row is no pair to mypy


def list_mail(connection: Connection, limit: int = 50) -> list[Mail]:
    """Return the newest mail."""
    newest = select(*COLUMNS).order_by(MAIL.c.created.desc(), MAIL.c.id).limit(limit)
    return [read_mail(row) for row in connection.execute(newest).mappings()]


def delete_old(connection: Connection, now: int) -> int:
    """Delete some of the mail that ended long ago. Return how many were deleted."""
    is_sent = and_(MAIL.c.state != MailState.FAILED, MAIL.c.ended < now - SENT_KEPT_MS)
    is_old = or_(is_sent, MAIL.c.ended < now - FAILED_KEPT_MS)
    ids = list(connection.execute(select(MAIL.c.id).where(is_old).limit(MAX_DELETED)).scalars())
    connection.execute(delete(MAIL).where(MAIL.c.id.in_(ids)))
    return len(ids)
