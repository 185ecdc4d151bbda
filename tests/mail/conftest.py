"""An office with a mailbox that wants mail, and a database of each sort."""

import io
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from openivr.mail.courier import Courier
from openivr.resources.mail_server import MailServer
from openivr.store.cdr import voicemail
from openivr.store.cdr.voicemail import VoicemailMessage
from openivr.store.database import Database
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_queue import Mail
from openivr.store.mail.mail_server import save_mail_server
from openivr.store.mail.voicemail_mail import request_mail
from tests.mail.smtp_server import make_certificate
from tests.store.bodies import create, extension
from tests.store.conftest import database, open_database

__all__ = ["database", "open_database"]

START = 1_796_000_000_000  # Unix ms
SERVER = MailServer(
    server="127.0.0.1",
    port=25,
    security="none",
    user="",
    password="",
    sender="pbx@example.com",
    url="",
    audio_format="wav",
)


@pytest.fixture(scope="session")
def sound() -> bytes:
    """Two seconds of a message."""
    file = io.BytesIO()
    tone = (8000 * np.sin(np.arange(16_000) / 3)).astype(np.int16)
    soundfile.write(file, tone, 8000, format="WAV", subtype="PCM_16")
    return file.getvalue()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of localhost, and the context of a server that has it."""
    path, key = make_certificate(tmp_path_factory.mktemp("mail-certificate"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return path, context


@dataclass
class Office:
    """A database with extension 1000, whose mail is sent by a courier at a time that the test sets."""

    database: Database
    sound: bytes
    now: int = START

    def set_server(self, port: int = 0, **fields: object) -> None:
        server = replace(SERVER, port=port or SERVER.port, **fields)  # type: ignore[arg-type]
        with self.database.writing() as connection:
            save_mail_server(connection, server)

    def leave(self, id_: str, owner: int = 1, caller: str = "0301234567") -> None:
        """Let a caller leave a message."""
        message = VoicemailMessage(id_, owner, f"call-{id_}", caller, self.now, 2000)
        with self.database.writing() as connection:
            voicemail.save(connection, message, self.sound)
            request_mail(connection, message, self.now)

    def courier(self, node: str = "node") -> Courier:
        return Courier(self.database, node, lambda: self.now, lambda: 0.5)

    def send(self) -> None:
        """Send all mail that is due now."""
        courier = self.courier()
        while courier.send_due():
            pass

    def mails(self) -> dict[str, Mail]:
        """The queue by the ids of messages."""
        with self.database.reading() as connection:
            mails = mail_queue.list_mail(connection, 1000)
        return {mail.id.removeprefix("voicemail-"): mail for mail in mails}

    def messages(self) -> dict[str, bool]:
        """The messages in the mailbox: True if they count as heard."""
        with self.database.reading() as connection:
            return {message.id: bool(message.heard) for message in voicemail.list_messages(connection)[1]}


MakeOffice = Callable[..., Office]


@pytest.fixture
def make_office(database: Database, sound: bytes) -> MakeOffice:
    def make(notify: str = "with_attachment", after: str = "no", email: str = "sam@example.com") -> Office:
        body = extension(email_addr=email, new_vm_notify=notify, after_vm_notify=after)
        assert create(database, "extension", body) == 1
        return Office(database, sound)

    return make
