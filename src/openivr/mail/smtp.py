"""A connection to the mail server (RFC 5321), with STARTTLS (RFC 3207) and AUTH (RFC 4954).

All waits are limited.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from openivr.mail.attempt import AttemptResult, Outcome, judge
from openivr.resources.mail_server import ADDRESS, MailServer

OPEN_SECONDS = 30.0  # to connect, encrypt and log in
ANSWER_SECONDS = 30.0  # for the answer to a command
SEND_SECONDS = 120.0  # for a whole mail
HOST_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class CannotConnect(Exception):
    """There is no usable connection to the mail server. The message is for the administrator."""


class SmtpConnection:
    """An open connection. Open it with `connect`, and close it."""

    def __init__(self, smtp: SMTP, sender: str) -> None:
        self._smtp, self._sender = smtp, sender

    @property
    def is_open(self) -> bool:
        """Return True while another mail can be sent."""
        return self._smtp.is_connected

    async def send(self, recipient: str, text: bytes, begin: Callable[[], bool]) -> Outcome | None:
        """Send a mail. `begin` is called before its text is sent, and may still prevent that: None."""
        if not re.fullmatch(ADDRESS, recipient):
            return Outcome(AttemptResult.REFUSED, f"mail cannot be sent to the address {recipient!r}")
        has_begun = False
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._smtp.mail(self._sender, options=self._size_option(text))
                await self._smtp.rcpt(recipient)
                if not begin():
                    await self._smtp.rset()
                    return None
                has_begun = True
                response = await self._smtp.data(text)
                return Outcome(AttemptResult.SENT, f"{response.code} {response.message}")
        except SMTPResponseException as error:
            await self._reset()
            return judge(error.code, error.message)
        except (SMTPException, OSError, TimeoutError) as error:
            self._smtp.close()
            return Outcome(AttemptResult.UNCLEAR if has_begun else AttemptResult.POSTPONED, describe(error))

    def _size_option(self, text: bytes) -> list[str]:
        """Announce the size, so that a mail that is too large is refused before it is sent (RFC 1870)."""
        return [f"size={len(text)}"] if self._smtp.supports_extension("size") else []

    async def _reset(self) -> None:
        """Make the connection ready for the next mail, or close it."""
        try:
            await self._smtp.rset()
        except (SMTPException, OSError, TimeoutError):
            self._smtp.close()

    def abort(self) -> None:
        """Close the connection without a goodbye."""
        self._smtp.close()

    async def close(self) -> None:
        """Say goodbye, and close the connection."""
        try:
            async with asyncio.timeout(5):
                await self._smtp.quit()
        except (SMTPException, OSError, TimeoutError):
            pass
        finally:
            self._smtp.close()


async def connect(server: MailServer) -> SmtpConnection:
    """Connect to the mail server, encrypt and log in. Raises CannotConnect."""
    is_encrypted = server.security != "none"
    smtp = SMTP(
        hostname=server.server.strip("[]"),
        port=server.port,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=ssl.create_default_context() if is_encrypted else None,
        local_hostname=own_name(),
        timeout=ANSWER_SECONDS,
    )
    step = f"{server.server} port {server.port}"
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await smtp.connect()
            if server.user:
                step = f"login as {server.user}"
                await smtp.login(server.user, server.password)
            return SmtpConnection(smtp, server.sender)
    except (SMTPException, OSError, TimeoutError, ValueError) as error:
        await SmtpConnection(smtp, server.sender).close()
        raise CannotConnect(f"{step}: {describe(error)}") from error


def own_name() -> str:
    """Return the name that this machine introduces itself by."""
    name = socket.gethostname()
    return name if HOST_NAME.fullmatch(name) else "localhost"


def describe(error: BaseException) -> str:
    """Return what prevented an answer, or the answer."""
    if isinstance(error, SMTPResponseException):
        return f"{error.code} {error.message}"
    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not trusted: {cause.verify_message}"
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "no answer in time"
    reason = causes[-1]
    text = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return text or str(error) or type(reason).__name__
