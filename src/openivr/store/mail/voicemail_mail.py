"""Mail about voicemail messages: whether an extension wants one, and what it says."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from openivr.store.cdr import voicemail
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_queue import Mail
from openivr.store.mail.mail_server import find_mail_server
from openivr.store.tables import CALL, OBJECTS

EXTENSION = OBJECTS["extension"]
NO = "no"  # of `new_vm_notify` and `after_vm_notify`


@dataclass(frozen=True, slots=True)
class MailedVoicemail:
    """A message as its mail describes it. `created` is in Unix milliseconds."""

    id: str
    call_id: str
    owner: str  # name and number, "" if the extension is gone
    caller: str
    caller_name: str
    created: int
    milliseconds: int


def request_mail(connection: Connection, message: VoicemailMessage, now: int) -> None:
    """Put a mail about a new message into the queue if its owner wants one and there is a mail server."""
    wanted = select(EXTENSION.c.email_addr, EXTENSION.c.new_vm_notify, EXTENSION.c.after_vm_notify)
    row = connection.execute(wanted.where(EXTENSION.c.id == message.extension_id)).first()
    if row is None or row.new_vm_notify == NO or not row.email_addr:
        return
    server = find_mail_server(connection)
    if server is None:
        return
    mail = Mail(
        id=f"voicemail-{message.id}",
        message_id=make_message_id(message.id, server.sender),
        recipient=row.email_addr,
        created=now,
        voicemail_id=message.id,
        extension_id=message.extension_id,
        to_list=(row.email_addr,),
        has_audio=int(row.new_vm_notify == "with_attachment"),
        after=row.after_vm_notify,
    )
    mail_queue.add(connection, [mail])


def make_message_id(unique: str, sender: str) -> str:
    """Return a Message-ID (RFC 5322 §3.6.4). `unique` is a hexadecimal number."""
    return f"<{unique}.voicemail@{sender.rpartition('@')[2]}>"


def describe_voicemail(connection: Connection, id_: str) -> MailedVoicemail | None:
    """Return what a mail says about a message, None if it was deleted."""
    message = voicemail.find_message(connection, id_)
    if message is None:
        return None
    call = connection.execute(select(CALL.c.caller_name).where(CALL.c.id == message.call_id)).scalar()
    columns = select(EXTENSION.c.first_name, EXTENSION.c.last_name, EXTENSION.c.number)
    owner = connection.execute(columns.where(EXTENSION.c.id == message.extension_id)).first()
    return MailedVoicemail(
        message.id,
        message.call_id,
        " ".join(filter(None, owner)) if owner else "",
        message.caller,
        call or "",
        message.created,
        message.milliseconds,
    )


def finish_voicemail(connection: Connection, mail: Mail) -> None:
    """Do what the owner wants done with a message whose mail was sent."""
    if mail.after == "mark_as_read":
        voicemail.mark_heard(connection, [mail.voicemail_id])
    elif mail.after == "delete":
        voicemail.delete_message(connection, mail.voicemail_id)
