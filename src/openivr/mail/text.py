"""The text of a mail, from what the queue has. A mail has the same headers at every attempt."""

import re
import time
import unicodedata
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from openivr.resources.mail_server import MailServer
from openivr.store.mail.mail_queue import Mail
from openivr.store.mail.voicemail_mail import MailedVoicemail

SENDER = "OpenIVR"  # the name beside the address
MAX_NAME = 60  # characters of a caller's name
INVISIBLE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")  # categories of Unicode
MEDIA_TYPES = {"mp3": ("audio", "mpeg"), "wav": ("audio", "wav")}
WHAT_NOW = {
    "mark_as_read": "The message was marked as heard.",
    "delete": "The message was deleted from the mailbox.",
}


def write_mail(mail: Mail, server: MailServer) -> EmailMessage:
    """Return a mail with its headers, without text."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(SENDER, addr_spec=server.sender)
    for name, addresses in (("To", mail.to_list), ("Cc", mail.cc_list)):
        if addresses:
            message[name] = ", ".join(addresses)
    message["Date"] = format_datetime(datetime.fromtimestamp(mail.created / 1000).astimezone())
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nothing answers it by itself
    return message


def write_text(mail: Mail, server: MailServer) -> bytes:
    """Return a mail of the API as bytes."""
    message = write_mail(mail, server)
    message["Subject"] = mail.subject
    message.set_content(mail.body)
    return message.as_bytes()


def write_voicemail(
    mail: Mail, server: MailServer, voicemail: MailedVoicemail, audio: bytes | None, *, code: str
) -> bytes:
    """Return a mail about a voicemail message as bytes. `code` is dialled to listen to messages.

    `audio` is attached, in the server's format for audio.
    """
    message = write_mail(mail, server)
    caller = name_caller(voicemail.caller_name, voicemail.caller)
    length = show_length(voicemail.milliseconds)
    message["Subject"] = f"New voicemail from {caller}, {length}"
    message.set_content("\n".join(sentences(mail, server, voicemail, length, code)) + "\n")
    if audio is not None:
        main, sub = MEDIA_TYPES[server.audio_format]
        stamp = time.strftime("%Y-%m-%d-%H%M", time.localtime(voicemail.created / 1000))
        name = f"voicemail-{stamp}.{server.audio_format}"
        message.add_attachment(audio, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def sentences(
    mail: Mail, server: MailServer, voicemail: MailedVoicemail, length: str, code: str
) -> list[str]:
    """Return the lines of a mail about a message."""
    when = time.strftime("%A, %d %B %Y, %H:%M (%Z)", time.localtime(voicemail.created / 1000))
    lines = [
        f"There is a new voicemail message for {show(voicemail.owner)}.",
        "",
        f"From:    {name_caller(voicemail.caller_name, voicemail.caller)}",
        f"When:    {when}",
        f"Length:  {length}",
        "",
    ]
    if mail.has_audio:
        lines.append("The message is attached.")
    if mail.after != "delete":
        lines.append(f"To listen by phone, dial {code}.")
        if server.url:
            lines.append(f"To listen in the browser, open {server.url.rstrip('/')}/calls/{voicemail.call_id}")
    if mail.after in WHAT_NOW:
        lines.append(WHAT_NOW[mail.after])
    return lines


def name_caller(name: str, number: str) -> str:
    """Return a caller for people. Both are what a stranger's phone sent."""
    name, number = show(name)[:MAX_NAME], show(number)[:MAX_NAME]
    if not number:
        return name or "a withheld number"
    return number if name in ("", number) else f"{name} ({number})"


def show(text: str) -> str:
    """Return a text in one line, without characters that nobody sees."""
    visible = "".join(" " if unicodedata.category(char) in INVISIBLE else char for char in text)
    return re.sub(r"\s+", " ", visible).strip()


def show_length(milliseconds: int) -> str:
    """Return a duration such as 1:05, in minutes and seconds."""
    seconds = max(1, round(milliseconds / 1000))
    return f"{seconds // 60}:{seconds % 60:02}"
