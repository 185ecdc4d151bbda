"""Holidays from outside: `holidays/import` for files, and national holidays by country and region.

The P-Series has an import of files, whose form its pages do not show. National holidays are ours.
"""

import time
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.hours.switch import ID, MAX_ID, read_id
from openivr.api.responses import succeed
from openivr.api.uploads.file_import import (
    ANSWER,
    ASK,
    CHECK,
    COUNT,
    FILE,
    FORCE,
    OBJECT_ID,
    count_actions,
    read_check,
    read_form,
    refuse_source,
)
from openivr.data_import import holiday_merging as merging
from openivr.data_import.errors import MAX_BYTES, ImportFailed
from openivr.hours.calendar import Calendar
from openivr.resources.errors import Invalid, Problem
from openivr.resources.fields import Body
from openivr.resources.problem_codes import ProblemCode
from openivr.store.config.ivr_snapshot import load_calendars

MAX_TEXT = 20


async def import_file(request: ApiRequest) -> bytes:
    """Import the holidays of a file, or say what that would change (`is_check`: ask)."""
    from openivr.data_import import holiday_files as files  # takes a while, and most servers never need it

    data, fields = await read_form(request, MAX_BYTES, ("is_check", "timezone_id"))
    timezone_id, is_check = read_options(fields)
    database = request.service.database
    calendar = await database.read(find_calendar, timezone_id)
    years = coming_years(calendar, time.time())
    try:
        bodies = await database.run_in_thread(lambda: files.read_file(data, years, calendar.clock))
    except ImportFailed as error:
        raise refuse_source("file", error) from error
    return await answer(request, bodies, timezone_id, is_check)


async def import_national(request: ApiRequest) -> bytes:
    """Import national holidays of this year and the next, or say what that would change."""
    from openivr.data_import import national

    fields = await request.json()
    timezone_id, is_check = read_options(fields)
    texts = {name: fields.get(name, "") for name in ("country", "region", "language")}
    problems = [
        Problem(name, ProblemCode.NOT_TEXT)
        for name, text in texts.items()
        if not isinstance(text, str) or len(text) > MAX_TEXT
    ]
    if not problems and not texts["country"]:
        problems.append(Problem("country", ProblemCode.REQUIRED))
    if problems:
        raise Invalid(*problems)
    database = request.service.database
    calendar = await database.read(find_calendar, timezone_id)
    years = coming_years(calendar, time.time())
    try:
        bodies = await database.run_in_thread(
            lambda: national.read_national(texts["country"], texts["region"], years, texts["language"])
        )
    except ImportFailed as error:
        raise refuse_source(error.code.value.removeprefix("unknown_"), error) from error
    return await answer(request, bodies, timezone_id, is_check)


async def list_countries(request: ApiRequest) -> bytes:
    """List the countries whose holidays are known, with their regions and languages."""
    countries = await request.service.database.run_in_thread(describe_countries)
    return succeed(total_number=len(countries), data=countries)


def describe_countries() -> list[dict[str, Any]]:
    """Return the countries for an answer."""
    from openivr.data_import import national

    return [
        {"country": code, "regions": list(regions), "languages": list(national.list_languages(code))}
        for code, regions in national.list_countries().items()
    ]


def read_options(fields: Body) -> tuple[int, str]:
    """Return the calendar and `is_check`. Raises Invalid."""
    problems: list[Problem] = []
    timezone_id = read_id(dict(fields), problems)
    if not problems and not 0 <= timezone_id <= MAX_ID:
        problems.append(Problem("timezone_id", ProblemCode.RANGE, {"low": 0, "high": MAX_ID}))
    is_check = read_check(fields.get("is_check", FORCE), problems)
    if problems:
        raise Invalid(*problems)
    return timezone_id, is_check


def find_calendar(connection: Connection, timezone_id: int) -> Calendar:
    """Return a calendar, 0 for the default one. Raises Invalid."""
    calendar = load_calendars(connection).get(timezone_id)
    if calendar is None:
        about: dict[str, str | int] = {"kind": "timezone", "key": timezone_id}
        raise Invalid(Problem("timezone_id", ProblemCode.MISSING_OBJECT, about, str(timezone_id)))
    return calendar


def coming_years(calendar: Calendar, now: float) -> tuple[int, int]:
    """Return this year and the next, by the clocks of a calendar."""
    year = datetime.fromtimestamp(now, calendar.clock).year
    return year, year + 1


async def answer(request: ApiRequest, bodies: list[Body], timezone_id: int, is_check: str) -> bytes:
    """Preview or import holidays, and describe what is done with each."""
    database = request.service.database
    if is_check == ASK:
        merged = await database.read(merging.preview, bodies, timezone_id)
    else:
        merged = await database.change_config(merging.carry_out, bodies, timezone_id)
    return succeed(**count_actions(merged), data=[describe(row) for row in merged])


def describe(row: merging.MergedHoliday) -> dict[str, Any]:
    """Return a holiday of an import: what is done with it, its fields, and the stored dates."""
    fields = {name: row.fields.get(name, "") for name in ("name", "type", "date", "time_period")}
    return {
        "action": row.action.value,
        **fields,
        "id": row.id,
        "old_date": row.old["date"] if row.old else "",
        "problem": row.problem,
    }


TEXT = {"type": "string", "maxLength": MAX_TEXT}
ENDPOINTS = (
    Endpoint(
        path="holidays/import",
        method="POST",
        handle=import_file,
        summary="Holiday: import an iCalendar or CSV file, or preview that",
        body={
            "type": "object",
            "properties": {
                "file": FILE,
                "timezone_id": OBJECT_ID,
                "is_check": CHECK,
            },
            "required": ["file"],
        },
        media_type="multipart/form-data",
        data=ANSWER,
    ),
    Endpoint(
        path="holidays/import_national",
        method="POST",
        handle=import_national,
        summary="Holiday: import the national holidays of a country or region, or preview that",
        body={
            "type": "object",
            "properties": {
                "country": TEXT,
                "region": TEXT,
                "language": TEXT,
                "timezone_id": ID,
                "is_check": CHECK,
            },
            "required": ["country"],
        },
        data=ANSWER,
    ),
    Endpoint(
        path="holidays/countries",
        method="GET",
        handle=list_countries,
        summary="Holiday: the countries and regions whose national holidays are known",
        data={"total_number": COUNT, "data": {"type": "array", "items": {"type": "object"}}},
    ),
)
