"""The page to import holidays: from a file or of a country, looked at first and then merged."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from starlette.datastructures import UploadFile
from starlette.responses import Response

from openivr.data_import import holiday_merging as merging
from openivr.data_import.errors import MAX_BYTES, ImportFailed
from openivr.data_import.holiday_merging import MergedHoliday
from openivr.data_import.merge_action import MergeAction
from openivr.hours.calendar import Calendar
from openivr.resources.errors import Invalid
from openivr.resources.fields import Body
from openivr.resources.problem_codes import ProblemCode
from openivr.store.config.ivr_snapshot import load_calendars
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.hours.calendars import DEFAULT, find, others, read_id
from openivr.web.messages import t

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

PATH = "/hours/import"
FIELDS = {ProblemCode.UNKNOWN_COUNTRY: "country", ProblemCode.UNKNOWN_REGION: "region"}  # with the problem
REFUSED = 422  # HTTP status
CHANGES = (MergeAction.NEW, MergeAction.CHANGED)
MAX_TEXT = 20
MAX_ROWS = 2000
MAX_BODY = 4 * MAX_BYTES  # of a form: a file, or the holidays that were looked at


@dataclass(slots=True)
class ImportForm:
    """The form as it was filled in, and what is wrong with it by field."""

    country: str = ""
    region: str = ""
    problems: dict[str, str] = field(default_factory=dict)


async def import_page(request: PageRequest) -> Response:
    """The form: a file, or a country and its region."""
    return await render(request, read_id(request.query("calendar")), ImportForm())


async def render(
    request: PageRequest, id_: int, form: ImportForm, rows: list[MergedHoliday] | None = None
) -> Response:
    calendars = await request.database.read(load_calendars)
    calendar = find(calendars, id_)
    changes = [row for row in rows or () if row.action in CHANGES]
    return request.render(
        "hours/import.html",
        status=REFUSED if form.problems else 200,
        where="/hours",
        calendar_id=id_,
        calendar=calendar,
        calendars=others(calendars),
        form=form,
        years=coming_years(calendar),
        rows=rows,
        bodies=msgspec.json.encode([row.fields for row in changes]).decode(),
        count=len(changes),
    )


def coming_years(calendar: Calendar) -> tuple[int, int]:
    """Return this year and the next, by the clocks of a calendar."""
    year = datetime.fromtimestamp(time.time(), calendar.clock).year
    return year, year + 1


async def submit(request: PageRequest) -> Response:
    """Show what an import would do, or carry out what was shown."""
    id_ = read_id(request.form_text("calendar"))
    if "bodies" in request.form:
        return await carry_out(request, id_)
    calendar = find(await request.database.read(load_calendars), id_)
    form = ImportForm(
        request.form_text("country").strip()[:MAX_TEXT], request.form_text("region").strip()[:MAX_TEXT]
    )
    file = request.form.get("file")
    data = await file.read() if isinstance(file, UploadFile) and file.filename else b""
    if not data and not form.country:
        form.problems["file"] = t("import.nothing")
        return await render(request, id_, form)
    years = coming_years(calendar)
    try:
        if data:
            bodies = await request.database.run_in_thread(read_file, data, years, calendar.clock)
        else:
            bodies = await request.database.run_in_thread(read_national, form, years)
    except ImportFailed as error:
        name = FIELDS.get(error.code, "file")
        form.problems[name] = t(f"problem.{error.code}", label=t(f"import.{name}"), part=error.part)
        return await render(request, id_, form)
    rows = await request.database.read(merging.preview, bodies, id_)
    return await render(request, id_, form, rows)


def read_file(data: bytes, years: tuple[int, int], zone: "ZoneInfo") -> list[Body]:
    """Read an iCalendar or CSV file. Raises ImportFailed."""
    from openivr.data_import import holiday_files as files  # takes a while, and most servers never need it

    return files.read_file(data, years, zone)


def read_national(form: ImportForm, years: tuple[int, int]) -> list[Body]:
    """Return the national holidays of a country. Raises ImportFailed."""
    from openivr.data_import import national  # takes a while, and most servers never need it

    return national.read_national(form.country, form.region, years)


async def carry_out(request: PageRequest, id_: int) -> Response:
    """Import the holidays that were shown. They are compared again with what is stored now."""
    find(await request.database.read(load_calendars), id_)
    try:
        bodies = msgspec.json.decode(request.form_text("bodies"), type=list[dict[str, str | int]])
        rows = await request.database.change_config(merging.carry_out, bodies[:MAX_ROWS], id_)
    except (msgspec.MsgspecError, Invalid):
        form = ImportForm(problems={"file": t("import.unreadable")})
        return await render(request, id_, form)
    done = count(rows)
    path = f"/hours?calendar={id_}" if id_ != DEFAULT else "/hours"
    return request.redirect(path, [t("import.done", count=done["new"], changed=done["changed"])])


def count(rows: list[MergedHoliday]) -> Mapping[str, int]:
    """Count the holidays by what was done with them."""
    return {action.value: sum(row.action is action for row in rows) for action in MergeAction}


ROUTES = (
    PageRoute(path=PATH, handle=import_page),
    PageRoute(path=PATH, handle=submit, method="POST", max_body=MAX_BODY),
)
