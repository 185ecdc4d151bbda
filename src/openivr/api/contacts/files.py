"""Contacts from files and as files: `company_contact/import` and `company_contact/export`. Ours."""

from typing import Any

from sqlalchemy import Connection

from openivr.api.endpoint import ApiRequest, Endpoint, UploadedFile
from openivr.api.query import read_choice
from openivr.api.responses import succeed
from openivr.api.uploads.file_import import (
    ANSWER,
    ASK,
    CHECK,
    FILE,
    FORCE,
    OBJECT_ID,
    count_actions,
    read_check,
    read_form,
    refuse_source,
)
from openivr.data_import import contact_merging
from openivr.data_import.errors import MAX_CONTACT_BYTES, ImportFailed
from openivr.resources.contact import PHONEBOOK
from openivr.resources.errors import Invalid, Problem
from openivr.resources.fields import InvalidValue, whole
from openivr.resources.problem_codes import ProblemCode
from openivr.store.config import contacts, resources

CSV, VCARD = FORMATS = ("csv", "vcf")
MEDIA_TYPES = {CSV: "text/csv; charset=utf-8", VCARD: "text/vcard; charset=utf-8"}


async def import_file(request: ApiRequest) -> bytes:
    """Import the contacts of a file, or say what that would change (`is_check`: ask)."""
    from openivr.data_import import contact_files  # takes a while, and most servers never need it

    data, fields = await read_form(request, MAX_CONTACT_BYTES, ("is_check", "phonebook_id"))
    phonebook, is_check = read_options(fields)
    database = request.service.database
    await database.read(check_phonebook, phonebook)
    try:
        bodies = await database.run_in_thread(contact_files.read_file, data)
    except ImportFailed as error:
        raise refuse_source("file", error) from error
    if is_check == ASK:
        merged = await database.read(contact_merging.preview, bodies, phonebook)
    else:
        merged = await database.change_config(contact_merging.carry_out, bodies, phonebook)
    return succeed(**count_actions(merged), data=[describe(row) for row in merged])


def read_options(fields: dict[str, Any]) -> tuple[int, str]:
    """Return the phonebook (0: none) and `is_check`. Raises Invalid."""
    problems: list[Problem] = []
    phonebook = 0
    try:
        phonebook = whole(fields.get("phonebook_id") or 0)
    except InvalidValue as bad:
        problems.append(Problem("phonebook_id", bad.code, bad.params, str(fields["phonebook_id"])[:100]))
    is_check = read_check(fields.get("is_check") or FORCE, problems)
    if problems:
        raise Invalid(*problems)
    return phonebook, is_check


def check_phonebook(connection: Connection, id_: int) -> None:
    """Raise Invalid for a phonebook that does not exist. 0 is none."""
    if id_ and not resources.fetch_many(connection, PHONEBOOK, [id_]):
        about: dict[str, str | int] = {"kind": PHONEBOOK.name, "key": id_}
        raise Invalid(Problem("phonebook_id", ProblemCode.MISSING_OBJECT, about, str(id_)))


def describe(row: contact_merging.MergedContact) -> dict[str, Any]:
    """Return a contact of an import, and what is done with it."""
    return {
        "action": row.action.value,
        "id": row.id,
        "contact_name": row.name,
        "number_list": row.fields["number_list"],
        "problem": row.problem,
    }


async def export_file(request: ApiRequest) -> UploadedFile:
    """All contacts as a CSV or vCard file, which `import` reads."""
    from openivr.data_import import contact_files

    format_ = read_choice(request.query, "format", FORMATS)
    rows = await request.service.database.read(contacts.fetch_all)
    content = await request.service.database.run_in_thread(contact_files.write_file, rows, format_)
    return UploadedFile(f"contacts.{format_}", MEDIA_TYPES[format_], content)


ENDPOINTS = (
    Endpoint(
        path="company_contact/import",
        method="POST",
        handle=import_file,
        summary="Contact: import a vCard or CSV file, or preview that",
        body={
            "type": "object",
            "properties": {
                "file": FILE,
                "phonebook_id": OBJECT_ID,
                "is_check": CHECK,
            },
            "required": ["file"],
        },
        media_type="multipart/form-data",
        data=ANSWER,
    ),
    Endpoint(
        path="company_contact/export",
        method="GET",
        handle=export_file,
        summary="Contact: all contacts as a CSV or vCard file",
        parameters={"format": {"type": "string", "enum": list(FORMATS), "default": CSV}},
        file_types=tuple(MEDIA_TYPES.values()),
    ),
)
