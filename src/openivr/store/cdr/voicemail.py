"""Messages in mailboxes: their sound and what is known of them. Times are Unix milliseconds."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select, update

from openivr.resources.secret import matches
from openivr.store.cdr.call_records import put
from openivr.store.tables import OBJECTS, VOICEMAIL

EXTENSION = OBJECTS["extension"]
MAX_DELETED = 100  # messages at a time


@dataclass(frozen=True, slots=True)
class VoicemailMessage:
    """A message without its audio."""

    id: str
    extension_id: int
    call_id: str
    caller: str
    created: int
    milliseconds: int
    heard: int = 0


NAMES = tuple(VoicemailMessage.__slots__)


def save(connection: Connection, message: VoicemailMessage, audio: bytes) -> None:
    """Put a message into its mailbox. `audio` is wav, 8 kHz, mono, 16 bit."""
    put(connection, VOICEMAIL, [{name: getattr(message, name) for name in NAMES} | {"audio": audio}])


def list_messages(
    connection: Connection, extension: int | None = None, offset: int = 0, limit: int = 100
) -> tuple[int, list[VoicemailMessage]]:
    """Return the number of messages, in one mailbox or in all, and a page of them, newest first."""
    query = select(*(VOICEMAIL.c[name] for name in NAMES))
    count = select(func.count()).select_from(VOICEMAIL)
    if extension is not None:
        query = query.where(VOICEMAIL.c.extension_id == extension)
        count = count.where(VOICEMAIL.c.extension_id == extension)
    page = query.order_by(VOICEMAIL.c.created.desc(), VOICEMAIL.c.id).offset(offset).limit(limit)
    return connection.execute(count).scalar_one(), [
        VoicemailMessage(*row) for row in connection.execute(page)
    ]


def messages_of(connection: Connection, call: str) -> list[VoicemailMessage]:
    """The messages that were left in a call, oldest first."""
    query = select(*(VOICEMAIL.c[name] for name in NAMES)).where(VOICEMAIL.c.call_id == call)
    rows = connection.execute(query.order_by(VOICEMAIL.c.created, VOICEMAIL.c.id))
    return [VoicemailMessage(*row) for row in rows]


def find_message(connection: Connection, id_: str) -> VoicemailMessage | None:
    """Return a message, None if it does not exist."""
    query = select(*(VOICEMAIL.c[name] for name in NAMES)).where(VOICEMAIL.c.id == id_)
    row = connection.execute(query).first()
    return None if row is None else VoicemailMessage(*row)


def mark(connection: Connection, id_: str, *, is_heard: bool) -> None:
    """Mark a message as heard by its owner, or as new again."""
    connection.execute(update(VOICEMAIL).where(VOICEMAIL.c.id == id_).values(heard=int(is_heard)))


def audio_of(connection: Connection, id_: str) -> bytes | None:
    """Return the audio of a message. None if it does not exist."""
    return connection.execute(select(VOICEMAIL.c.audio).where(VOICEMAIL.c.id == id_)).scalar()


def mark_heard(connection: Connection, ids: Iterable[str]) -> None:
    """Note that the owner has listened to messages."""
    connection.execute(update(VOICEMAIL).where(VOICEMAIL.c.id.in_(list(ids))).values(heard=1))


def delete_message(connection: Connection, id_: str) -> bool:
    """Delete a message. Return False if it was not there."""
    return connection.execute(delete(VOICEMAIL).where(VOICEMAIL.c.id == id_)).rowcount > 0


def count_messages(connection: Connection, extension: int) -> int:
    """Return how many messages the mailbox of an extension holds."""
    query = select(func.count()).select_from(VOICEMAIL).where(VOICEMAIL.c.extension_id == extension)
    return connection.execute(query).scalar_one()


def delete_old(connection: Connection, before: int) -> int:
    """Delete some of the messages from before a time, and return how many. 0: none are left."""
    old = select(VOICEMAIL.c.id).where(VOICEMAIL.c.created < before).limit(MAX_DELETED)
    ids = list(connection.execute(old).scalars())
    connection.execute(delete(VOICEMAIL).where(VOICEMAIL.c.id.in_(ids)))
    return len(ids)


def open_mailbox(connection: Connection, number: str, pin: str) -> list[VoicemailMessage] | None:
    """Return the messages of an extension, newest first, or None after the same time for a wrong PIN.

    An extension without a PIN, without a mailbox or without existence costs one Argon2 check too.
    """
    wanted = select(EXTENSION.c.id, EXTENSION.c.vm_pin, EXTENSION.c.enb_vm).where(
        EXTENSION.c.number == number
    )
    row = connection.execute(wanted).first()
    is_right = matches((row.vm_pin or None) if row else None, pin)
    if row is None or not (is_right and row.enb_vm):
        return None
    return list_messages(connection, row.id)[1]
