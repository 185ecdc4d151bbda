"""Sends the mail of the queue, one after another, in a process of its own.

It may be killed at any moment. What it had is taken up at its next start; a mail whose text was being sent is
then sent again with the same Message-ID, because the server does not say whether it arrived.
"""

import asyncio
import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError

from openivr.clock import lifetime
from openivr.ivr.model import IvrSnapshot
from openivr.mail.attempt import AttemptResult, Outcome, after_attempt
from openivr.mail.smtp import CannotConnect, SmtpConnection, connect
from openivr.mail.text import write_text, write_voicemail
from openivr.resources.mail_server import MailServer
from openivr.store.availability import is_unavailable
from openivr.store.cdr import voicemail
from openivr.store.database import Database
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_queue import Mail
from openivr.store.mail.mail_server import find_mail_server
from openivr.store.mail.voicemail_mail import describe_voicemail, finish_voicemail

log = structlog.get_logger(__name__)
POLL_SECONDS = 1.0  # between two looks at the queue
TIDY_SECONDS = 600.0  # between two deletions of old mail
STOP_SECONDS = 0.2  # between two looks whether to stop, while mail is sent
FINISH_SECONDS = 8.0  # for a text that is being sent when the server stops
CODE = IvrSnapshot().voicemail_code


def now_ms() -> int:
    """Return the time of the queue, which does not step."""
    return int(lifetime.now() * 1000)


class Courier:
    """Sends mail for a node. `now` returns Unix milliseconds, `spread` a random number: see `retry`."""

    def __init__(
        self,
        database: Database,
        node: str,
        now: Callable[[], int] = now_ms,
        spread: Callable[[], float] = random.random,
    ) -> None:
        self.database, self.now, self.spread = database, now, spread
        self._owner = f"{node}:"
        self._is_sending = False

    def run(self, wait_for_stop: Callable[[float], bool]) -> None:
        """Work until `wait_for_stop(seconds)` returns True."""
        has_started = False
        tidied = time.monotonic()
        wait = 0.0
        while not wait_for_stop(wait):
            wait = POLL_SECONDS
            try:
                if not has_started:
                    self.take_up()
                    has_started = True
                while self.send_due(wait_for_stop) and not wait_for_stop(0.0):
                    pass
                if time.monotonic() - tidied > TIDY_SECONDS:
                    tidied = time.monotonic()
                    self.tidy()
            except DBAPIError as error:
                if not is_unavailable(error):
                    raise
                log.error("mail waits: database unavailable", error=str(error.orig))
                wait = 5 * POLL_SECONDS

    def take_up(self) -> None:
        """Give back what this node's courier had when it was killed."""
        with self.database.writing() as connection:
            mail_queue.give_back(connection, self._owner)

    def tidy(self) -> None:
        """Delete old mail, a bounded number a turn."""
        with self.database.writing() as connection:
            mail_queue.delete_old(connection, self.now())

    def send_due(self, wait_for_stop: Callable[[float], bool] = lambda _: False) -> int:
        """Send some of the mail that is due. Return how much of it was tried."""
        with self.database.reading() as connection:
            server = find_mail_server(connection)
            if server is None or not mail_queue.has_due(connection, self.now()):
                return 0
        lease = self._owner + secrets.token_hex(8)
        with self.database.writing() as connection:
            mails = mail_queue.take(connection, lease, self.now())
        try:
            asyncio.run(self._send_until_stop(server, mails, wait_for_stop))
        finally:
            with self.database.writing() as connection:
                mail_queue.give_back(connection, lease)
        return len(mails)

    async def _send_until_stop(
        self, server: MailServer, mails: list[Mail], wait_for_stop: Callable[[float], bool]
    ) -> None:
        """Send mails, but when the server stops, only finish a text that is being sent."""
        sending = asyncio.ensure_future(self._send_all(server, mails))
        while not sending.done():
            await asyncio.wait((sending,), timeout=STOP_SECONDS)
            if not sending.done() and wait_for_stop(0.0):
                if self._is_sending:
                    await asyncio.wait((sending,), timeout=FINISH_SECONDS)
                sending.cancel()
                await asyncio.wait((sending,))
        if not sending.cancelled():
            sending.result()

    async def _send_all(self, server: MailServer, mails: list[Mail]) -> None:
        try:
            smtp = await connect(server)
        except CannotConnect as error:
            self._save(mails, Outcome(AttemptResult.POSTPONED, str(error)))
            return
        try:
            for mail in mails:
                if smtp.is_open:
                    await self._send(smtp, server, mail)
        except asyncio.CancelledError:
            smtp.abort()
            raise
        await smtp.close()

    async def _send(self, smtp: SmtpConnection, server: MailServer, mail: Mail) -> None:
        if mail.is_sending:
            log.warning("mail may be sent twice: the process was killed as it was sent", mail=mail.id)
        try:
            text = self._write(mail, server)
        except (
            ValueError,
            RuntimeError,
        ) as error:  # of the headers and of soundfile; others must still go out
            self._save([mail], Outcome(AttemptResult.REFUSED, f"the mail cannot be written: {error}"))
            return
        if text is None:
            self._save([mail], Outcome(AttemptResult.OBSOLETE))
            return
        try:
            outcome = await smtp.send(mail.recipient, text, lambda: self._begin(mail))
        finally:
            self._is_sending = False
        if outcome is not None:
            self._save([mail], outcome)

    def _write(self, mail: Mail, server: MailServer) -> bytes | None:
        """Return the text of a mail. None if the message that it is about was deleted."""
        if not mail.voicemail_id:
            return write_text(mail, server)
        with self.database.reading() as connection:
            described = describe_voicemail(connection, mail.voicemail_id)
            audio = voicemail.audio_of(connection, mail.voicemail_id)
        if described is None or audio is None:
            return None
        attached = convert(audio, server.audio_format) if mail.has_audio else None
        return write_voicemail(mail, server, described, attached, code=CODE)

    def _begin(self, mail: Mail) -> bool:
        with self.database.writing() as connection:
            self._is_sending = mail_queue.begin_sending(connection, mail, self.now())
        return self._is_sending

    def _save(self, mails: Iterable[Mail], outcome: Outcome) -> None:
        """Save the outcome of mails, and do what their owners want done with messages that were mailed."""
        with self.database.writing() as connection:
            for mail in mails:
                after = after_attempt(mail, outcome, self.now(), self.spread())
                if mail_queue.save_outcome(connection, after) and outcome.result is AttemptResult.SENT:
                    finish_voicemail(connection, mail)
                log.info(
                    "mail",
                    mail=mail.id,
                    result=outcome.result.name.lower(),
                    state=after.state,
                    failures=after.failures,
                    answer=after.answer,
                )


def convert(audio: bytes, form: str) -> bytes:
    """Return the audio of a message, which is wav, in the format for mail."""
    if form == "wav":
        return audio
    from openivr.sounds.mp3 import write_mp3  # here: numpy takes memory, and most servers send no mail

    with tempfile.TemporaryDirectory(prefix="openivr-mail-") as folder:
        source, target = Path(folder) / "message.wav", Path(folder) / "message.mp3"
        source.write_bytes(audio)
        write_mp3(source, target)
        return target.read_bytes()
