"""Mail of API clients: `system/sendemail` (P-Series: send-an-email)."""

import re
import secrets
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import read_text
from openivr.api.responses import LIMIT, NOT_FOUND, ApiError, bad_parameters, succeed
from openivr.clock import lifetime
from openivr.resources.errors import Problem, shorten
from openivr.resources.fields import InvalidValue, TextField, whole
from openivr.resources.mail_server import ADDRESS
from openivr.resources.problem_codes import ProblemCode
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_queue import Mail, MailState
from openivr.store.mail.mail_server import find_mail_server

SERVERS = ("follow_system", "ys", "custom")  # one mail server is all that there is here
FIELDS = ("recipient", "cc", "bcc")
MAX_RECIPIENTS = 50
MAX_BODY = 100_000  # characters
MAX_WAITING = 1000  # mails in the queue, beyond which clients have to wait
SUBJECT = TextField(name="subject", high=255)


async def send_email(request: ApiRequest) -> bytes:
    """Put a mail into the queue. 60001 without a mail server, 60002 while too much mail waits."""
    body = await request.json()
    server = read_text(body, "email_server")
    if server not in SERVERS:
        raise bad_parameters(
            Problem("email_server", ProblemCode.CHOICE, {"choices": SERVERS}, shorten(server))
        )
    refuse_files(body)
    lists = {name: read_addresses(body, name) for name in FIELDS}
    recipients = list(dict.fromkeys(address for name in FIELDS for address in lists[name]))
    if not recipients:
        raise bad_parameters(Problem("recipient", ProblemCode.REQUIRED))
    if len(recipients) > MAX_RECIPIENTS:
        raise bad_parameters(Problem("recipient", ProblemCode.TOO_MANY_ITEMS, {"high": MAX_RECIPIENTS}))
    try:
        subject = SUBJECT.parse(body.get("subject", ""))
    except InvalidValue as bad:
        raise bad_parameters(Problem("subject", bad.code, bad.params)) from bad
    text = body.get("body", "")
    if not isinstance(text, str) or not is_text(text):
        raise bad_parameters(Problem("body", ProblemCode.NOT_TEXT))
    if len(text) > MAX_BODY:
        raise bad_parameters(Problem("body", ProblemCode.TOO_LONG, {"high": MAX_BODY}))
    await request.service.database.write(queue_mail, lists, recipients, subject, text)
    return succeed()


def is_text(text: str) -> bool:
    """Return True if a text can be stored and sent."""
    return "\0" not in text and not re.search("[\ud800-\udfff]", text)


def refuse_files(body: dict[str, Any]) -> None:
    """Refuse files of this machine, which no client may read."""
    if body.get("attachments"):
        raise bad_parameters(Problem("attachments", ProblemCode.UNSERVED, {"choice": "a file"}))
    try:
        forces = whole(body.get("force_attach", 0))
    except InvalidValue as bad:
        raise bad_parameters(Problem("force_attach", bad.code, bad.params)) from bad
    if forces:
        raise bad_parameters(Problem("force_attach", ProblemCode.UNSERVED, {"choice": "1"}, "1"))


def read_addresses(body: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return the addresses of a list. Raises 40002."""
    raw = body.get(name, [])
    raw = [raw] if isinstance(raw, str) and raw else raw or []
    if not isinstance(raw, list):
        raise bad_parameters(Problem(name, ProblemCode.NOT_ARRAY))
    for address in raw:
        if not isinstance(address, str) or not re.fullmatch(ADDRESS, address.strip()):
            raise bad_parameters(Problem(name, ProblemCode.CHARACTERS, {}, shorten(address)))
    return tuple(address.strip() for address in raw)


def queue_mail(
    connection: Connection, lists: dict[str, tuple[str, ...]], recipients: list[str], subject: str, text: str
) -> None:
    """Write a mail for each recipient. All have the same headers, which do not name those of `bcc`."""
    server = find_mail_server(connection)
    if server is None:
        raise ApiError(NOT_FOUND)
    if mail_queue.count_states(connection).get(MailState.WAITING, 0) + len(recipients) > MAX_WAITING:
        raise ApiError(LIMIT)
    unique = secrets.token_hex(16)
    mails = [
        Mail(
            id=f"api-{unique}-{place}",
            message_id=f"<{unique}.api@{server.sender.rpartition('@')[2]}>",
            recipient=recipient,
            created=int(lifetime.now() * 1000),
            to_list=lists["recipient"],
            cc_list=lists["cc"],
            subject=subject,
            body=text,
        )
        for place, recipient in enumerate(recipients)
    ]
    mail_queue.add(connection, mails)


def endpoints() -> Iterator[Endpoint]:
    address = {"type": "string", "pattern": f"^{ADDRESS}$"}
    addresses = {"type": "array", "items": address, "maxItems": MAX_RECIPIENTS}
    yield Endpoint(
        path="system/sendemail",
        method="POST",
        handle=send_email,
        summary="System: send a mail",
        body={
            "type": "object",
            "properties": {
                "email_server": {"type": "string", "enum": list(SERVERS)},
                **dict.fromkeys(FIELDS, addresses),
                **SUBJECT.schema(),
                "body": {"type": "string", "maxLength": MAX_BODY},
                "attachments": {"type": "array", "items": {"type": "string"}, "maxItems": 0},
                "force_attach": {"type": "integer", "enum": [0]},
            },
            "required": ["email_server"],
        },
    )
