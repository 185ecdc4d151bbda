"""A mail server for tests (aiosmtpd) in a thread. It keeps what it takes, and refuses what it is asked to."""

import asyncio
import gc
import ssl
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "office@example.com", "a secret of the mail server"
Answers = Callable[[str, str], str]  # (command, its argument) -> an answer, "" to go on


def accept(_command: str, _argument: str) -> str:
    return ""


@dataclass
class MailHost:
    """What the server has taken.

    `answers` may refuse a command. "drop" ends the connection, "drop after" takes the mail before.
    """

    port: int = 0
    answers: Answers = accept
    taken: list[tuple[str, EmailMessage]] = field(default_factory=list)
    connections: int = 0
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, count: int) -> None:
        """Wait until so many mails have arrived."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.taken) >= count, 60)

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, _envelope: Envelope, host: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = host
        refusal = self.answers("EHLO", host)
        return [refusal] if refusal else responses

    async def handle_MAIL(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self.answers("MAIL", address)
        if not refusal:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return refusal or "250 sender ok"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        refusal = self.answers("RCPT", address)
        if not refusal:
            envelope.rcpt_tos.append(address)
        return refusal or "250 recipient ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        message = message_from_bytes(content_of(envelope), policy=policy.default)
        answer = self.answers("DATA", str(message["Message-ID"]))
        if answer in ("", "drop after"):
            with self.arrived:
                self.taken.extend((recipient, message) for recipient in envelope.rcpt_tos)
                self.arrived.notify_all()
        if answer.startswith("drop"):
            abort(server)
        return answer or "250 2.0.0 queued as 4711"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        is_right = (data.login.decode(), data.password.decode()) == (USER, PASSWORD)
        return AuthResult(
            success=is_right, handled=False, message=None if is_right else "535 5.7.8 No such user"
        )


def content_of(envelope: Envelope) -> bytes:
    assert isinstance(envelope.content, bytes)
    return envelope.content


def abort(server: SMTP) -> None:
    """End a connection without a word."""
    if isinstance(server.transport, asyncio.Transport):
        server.transport.abort()


@contextmanager
def mail_host(
    context: ssl.SSLContext | None = None, *, is_tls: bool = False, has_login: bool = False, port: int = 0
) -> Iterator[MailHost]:
    """Run a mail server on a port of 127.0.0.1: open, with STARTTLS, or over TLS."""
    host = MailHost()
    loop = asyncio.new_event_loop()
    options: dict[str, Any] = {"authenticator": host.authenticate, "auth_required": has_login, "loop": loop}
    if context and not is_tls:
        options |= {"tls_context": context, "require_starttls": True}
    if is_tls:
        options["auth_require_tls"] = False  # aiosmtpd does not see that the connection is encrypted

    protocols: list[SMTP] = []

    def make() -> SMTP:
        protocols.append(SMTP(host, hostname="mail.example.com", **options))
        return protocols[-1]

    server = loop.run_until_complete(
        loop.create_server(make, "127.0.0.1", port, ssl=context if is_tls else None)
    )
    host.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        loop.run_until_complete(end_connections(protocols))
        loop.close()
        with warnings.catch_warnings():
            # aiosmtpd forgets the connection of a handshake that fails.
            warnings.simplefilter("ignore", ResourceWarning)
            protocols.clear()
            gc.collect()


async def end_connections(protocols: list[SMTP]) -> None:
    """Close what is open, and let every task see it."""
    for protocol in protocols:
        abort(protocol)
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of localhost that signs itself, and its key."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        [*command, *names, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    return certificate, key
