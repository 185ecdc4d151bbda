"""The page of the mail server: its settings, a test, and the newest mail."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.clock import lifetime
from openivr.mail.attempt import AttemptResult, Outcome
from openivr.mail.trial import try_mail_server
from openivr.resources.errors import Invalid, NotFound, Problem
from openivr.resources.fields import ChoiceField
from openivr.resources.mail_server import ADDRESS, FIELDS, MailServer, read_mail_server
from openivr.store.mail import mail_queue
from openivr.store.mail.mail_server import find_mail_server, save_mail_server
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.problems import problem_text
from openivr.web.messages import t

PATH = "/settings/mail"
KIND = "mail_server"
REFUSED = 422
ONE_TEST = asyncio.Lock()  # a test of a worker at a time: each holds a connection


async def mail_page(request: PageRequest) -> Response:
    return await render(request)


async def render(  # noqa: PLR0913 - what the page may show beside the settings
    request: PageRequest,
    *,
    body: Mapping[str, Any] | None = None,
    problems: tuple[Problem, ...] = (),
    recipient: str = "",
    recipient_problem: str = "",
    outcome: Outcome | None = None,
) -> Response:
    """The page, with what was typed and is wrong with it, or with the result of a test."""
    server, mails, counts = await request.database.read(load)
    shown = body if body is not None else show(server)
    texts = {
        field.name: problem_text(KIND, field, problem, shown)
        for field in FIELDS
        for problem in problems
        if problem.field == field.name
    }
    return request.render(
        "settings/mail.html",
        status=REFUSED if problems or recipient_problem else 200,
        where="/settings",
        fields=FIELDS,
        choices={field.name: field.values for field in FIELDS if isinstance(field, ChoiceField)},
        body=shown,
        problems=texts,
        server=server,
        mails=mails,
        counts=counts,
        recipient=recipient,
        recipient_problem=recipient_problem,
        outcome=outcome,
        is_sent=outcome is not None and outcome.result is AttemptResult.SENT,
    )


def load(connection: Connection) -> tuple[MailServer | None, list[mail_queue.Mail], dict[str, int]]:
    mails, counts = mail_queue.list_mail(connection), mail_queue.count_states(connection)
    return find_mail_server(connection), mails, counts


def show(server: MailServer | None) -> dict[str, Any]:
    """Return the fields of the form. The password is not shown."""
    values = {field.name: getattr(server, field.name) if server else field.default for field in FIELDS}
    return values | {"password": ""}


async def save(request: PageRequest) -> Response:
    """Save the mail server, and try all mail that waits."""
    body = {field.name: request.form_text(field.name).strip() for field in FIELDS}
    if not body["password"]:
        del body["password"]  # which keeps it
    if not body["user"]:
        body["password"] = ""
    try:
        await request.database.write(replace, body)
    except Invalid as error:
        return await render(request, body={**body, "password": ""}, problems=error.problems)
    return request.redirect(PATH, [t("mail.saved")])


def replace(connection: Connection, body: Mapping[str, Any]) -> None:
    server = read_mail_server(body, find_mail_server(connection))
    save_mail_server(connection, server)
    mail_queue.try_now(connection)


async def remove(request: PageRequest) -> Response:
    """Forget the mail server: no mail is sent any longer."""
    await request.database.write(save_mail_server, None)
    return request.redirect(PATH, [t("mail.removed")])


async def test(request: PageRequest) -> Response:
    """Send a mail at once, and show what the mail server answers."""
    recipient = request.form_text("recipient").strip()
    server = await request.database.read(find_mail_server)
    if server is None:
        return request.redirect(PATH)
    if not re.fullmatch(ADDRESS, recipient):
        return await render(request, recipient=recipient, recipient_problem=t("mail.no_address"))
    async with ONE_TEST:
        outcome = await try_mail_server(server, recipient)
    return await render(request, recipient=recipient, outcome=outcome)


async def send_again(request: PageRequest) -> Response:
    """Try a mail for another day that was given up."""
    id_, now = request.form_text("mail"), int(lifetime.now() * 1000)
    if not await request.database.write(mail_queue.send_again, id_, now):
        raise NotFound(f"mail {id_}")
    return request.redirect(PATH, [t("mail.again_soon")])


ROUTES = (
    PageRoute(path=PATH, handle=mail_page),
    PageRoute(path=PATH, handle=save, method="POST"),
    PageRoute(path=f"{PATH}/remove", handle=remove, method="POST"),
    PageRoute(path=f"{PATH}/test", handle=test, method="POST"),
    PageRoute(path=f"{PATH}/again", handle=send_again, method="POST"),
)
