"""Contacts from files and as files: looked at first, then merged with the stored ones."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection
from starlette.datastructures import UploadFile
from starlette.responses import Response

from openivr.data_import import contact_merging
from openivr.data_import.contact_merging import MergedContact
from openivr.data_import.errors import MAX_CONTACT_BYTES, ImportFailed
from openivr.data_import.merge_action import MergeAction
from openivr.download.content_disposition import attachment
from openivr.download.csv_export import MEDIA_TYPE
from openivr.resources.contact import COMPANY_CONTACT, PHONEBOOK
from openivr.resources.errors import NotFound
from openivr.resources.fields import Body
from openivr.resources.resource_type import Values
from openivr.store.config import contacts, resources
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.messages import t
from openivr.web.resources.views import RESOURCE_VIEWS

VIEW = RESOURCE_VIEWS[COMPANY_CONTACT.name]
PATH = f"{VIEW.path}/import"
REFUSED = 422  # HTTP status
CHANGES = (MergeAction.NEW, MergeAction.CHANGED)
MEDIA_TYPES = {"csv": MEDIA_TYPE, "vcf": "text/vcard; charset=utf-8"}
MAX_CONTACTS = 5_000  # of a file
MAX_SHOWN = 200  # rows of a preview, those with problems first
MAX_BODY = 4 * MAX_CONTACT_BYTES  # of a form: a file, or the contacts that were looked at


@dataclass(slots=True)
class ContactForm:
    """The form as it was filled in, and what is wrong with it by field."""

    phonebook: int = 0
    problems: dict[str, str] = field(default_factory=dict)


async def import_page(request: PageRequest) -> Response:
    """The form: a file, and a phonebook for its contacts."""
    return await render(request, ContactForm())


async def render(
    request: PageRequest, form: ContactForm, rows: list[MergedContact] | None = None
) -> Response:
    phonebooks = await request.database.read(list_phonebooks)
    changes = [row.fields for row in rows or () if row.action in CHANGES]
    shown = sorted(rows or (), key=lambda row: row.action is not MergeAction.REFUSED)[:MAX_SHOWN]
    siblings = [view for view in RESOURCE_VIEWS.values() if view.where == VIEW.where]
    return request.render(
        "objects/import.html",
        status=REFUSED if form.problems else 200,
        where=VIEW.where,
        view=VIEW,
        siblings=siblings,
        path=PATH,
        form=form,
        phonebooks=phonebooks,
        rows=None if rows is None else shown,
        more=len(rows or ()) - len(shown),
        counts=count(rows or []),
        bodies=msgspec.json.encode(changes).decode(),
        count=len(changes),
    )


def list_phonebooks(connection: Connection) -> list[tuple[int, str]]:
    """Return the ids and names of the phonebooks."""
    return [(id_, values["name"]) for id_, values in resources.fetch_all(connection, PHONEBOOK)]


async def submit(request: PageRequest) -> Response:
    """Show what an import would do, or carry out what was shown."""
    text = request.form_text("phonebook")
    form = ContactForm(int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0)
    if "bodies" in request.form:
        return await carry_out(request, form)
    file = request.form.get("file")
    data = await file.read() if isinstance(file, UploadFile) and file.filename else b""
    if not data:
        form.problems["file"] = t("contacts.nothing")
        return await render(request, form)
    try:
        bodies = await request.database.run_in_thread(read_file, data)
        rows = await request.database.read(contact_merging.preview, bodies, form.phonebook)
    except ImportFailed as error:
        form.problems["file"] = t(f"problem.{error.code}", label=t("contacts.file"), part=error.part)
        return await render(request, form)
    except NotFound:
        form.problems["file"] = t("contacts.no_phonebook")
        return await render(request, form)
    return await render(request, form, rows)


def read_file(data: bytes) -> list[Body]:
    """Read a vCard or CSV file. Raises ImportFailed."""
    from openivr.data_import import contact_files  # takes a while, and most servers never need it

    return contact_files.read_file(data)


async def carry_out(request: PageRequest, form: ContactForm) -> Response:
    """Import the contacts that were shown. They are compared again with what is stored now."""
    try:
        bodies = msgspec.json.decode(request.form_text("bodies"), type=list[dict[str, Any]])
        if not all(isinstance(body.get("number_list"), list) for body in bodies):
            raise msgspec.ValidationError
        bodies = bodies[:MAX_CONTACTS]
        rows = await request.database.change_config(contact_merging.carry_out, bodies, form.phonebook)
    except (msgspec.MsgspecError, NotFound):
        form.problems["file"] = t("contacts.unreadable")
        return await render(request, form)
    done = count(rows)
    return request.redirect(VIEW.path, [t("contacts.done", count=done["new"], changed=done["changed"])])


def count(rows: list[MergedContact]) -> dict[str, int]:
    """Count the contacts by what is done with them."""
    return {action.value: sum(row.action is action for row in rows) for action in MergeAction}


async def export_file(format_: str, request: PageRequest) -> Response:
    """All contacts as a file."""
    rows = await request.database.read(contacts.fetch_all)
    content = await request.database.run_in_thread(write_file, rows, format_)
    headers = {"Content-Disposition": attachment(f"contacts.{format_}")}
    return Response(content, media_type=MEDIA_TYPES[format_], headers=headers)


def write_file(rows: list[Values], format_: str) -> bytes:
    from openivr.data_import import contact_files

    return contact_files.write_file(rows, format_)


ROUTES = (
    PageRoute(path=PATH, handle=import_page),
    PageRoute(path=PATH, handle=submit, method="POST", max_body=MAX_BODY),
    *(
        PageRoute(path=f"{VIEW.path}/contacts.{format_}", handle=partial(export_file, format_))
        for format_ in MEDIA_TYPES
    ),
)
