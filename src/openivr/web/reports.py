"""Reports: plots of the calls of some days, their numbers as tables and as files.

The page comes at once and asks for its numbers then; without script it leads to the page that has them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.objects.errors import NotFound
from openivr.store import reports
from openivr.store.calls import Wanted
from openivr.store.reports import Report, Span
from openivr.web.call_list import PATH as CALLS
from openivr.web.call_part import write_part
from openivr.web.call_words import slug
from openivr.web.report import flow, menus, times
from openivr.web.report.period import Period, read_period
from openivr.web.report.sheet import Facts, Sheet
from openivr.web.spreadsheet import MARK, MEDIA_TYPE, make_csv
from openivr.web.view import View, Visit, now

PATH = "/reports"
SHEETS: Mapping[str, Callable[[Facts], Sheet]] = {
    "days": times.days,
    "hours": times.hours,
    "week": times.week,
    "outcomes": times.outcomes,
    "ways": flow.flow,
    "keys": menus.keys,
    "trouble": menus.trouble,
    "wrong": menus.wrong,
}
Named = Mapping[tuple[str, int], str]


async def show(visit: Visit) -> Response:
    """The page without its numbers."""
    return visit.page("reports/page.html", where=PATH, period=choose_period(visit))


async def show_plots(visit: Visit) -> Response:
    """The page with its numbers."""
    period = choose_period(visit)
    report, names, has_calls = await visit.database.read(load, period)
    facts = Facts(report, period, names, partial(calls_address, period))
    sheets = await visit.database.work(make_sheets, facts) if report.hours else {}
    return visit.page(
        "reports/plots.html",
        where=PATH,
        period=period,
        sheets=sheets,
        total=times.total(facts),
        has_calls=has_calls,
    )


def make_sheets(facts: Facts) -> Mapping[str, Sheet]:
    """The sheets that the page shows: of many days the hours of the clock, and not each of them."""
    shown = {name: make(facts) for name, make in SHEETS.items() if name != "hours"}
    is_short = len(facts.period.days) < times.FEW_DAYS
    return shown | {"hours": times.hours(facts) if is_short else times.clock(facts)}


async def send_sheet(visit: Visit) -> Response:
    """One table as CSV, whole."""
    name = visit.request.path_params["name"]
    if name not in SHEETS:
        raise NotFound(name)
    period = choose_period(visit)
    report, names, _ = await visit.database.read(load, period)
    facts = Facts(report, period, names, partial(calls_address, period))
    sheet = await visit.database.work(SHEETS[name], facts)
    file = f"openivr-{name}-{period.first}-{period.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{file}"'}
    return Response(MARK + make_csv(sheet.lines), media_type=MEDIA_TYPE, headers=headers)


def choose_period(visit: Visit) -> Period:
    return read_period(visit.query("range"), visit.query("from"), visit.query("to"), now())


def load(connection: Connection, period: Period) -> tuple[Report, Named, bool]:
    report = reports.read_report(connection, period.span, period.zone)
    return report, reports.read_names(connection, report), bool(report.hours) or reports.has_calls(connection)


def calls_address(period: Period, wanted: Wanted) -> str:
    """Where those calls of the period are listed: whole days as days, which people can read and change."""
    first, last, is_whole = name_days(period, wanted.since, wanted.until)
    if is_whole:
        wanted = replace(wanted, since=None, until=None)
    asked = {"since": first, "until": last, "outcome": wanted.outcome, "reason": slug(wanted.reason)}
    asked["part"] = write_part(wanted)
    return f"{CALLS}?{urlencode({name: value for name, value in asked.items() if value})}"


@lru_cache(64)
def name_days(period: Period, since: int | None, until: int | None) -> tuple[str, str, bool]:
    """The first and the last day of a part of the period, and whether it is all of these days."""
    span = Span(since or 0, until or 0)
    first, last = (period.local(at).date() for at in (span.since, span.until - 1))
    return str(first), str(last), Span(period.day(first).since, period.day(last).until) == span


VIEWS = (
    View(path=PATH, handle=show),
    View(path=PATH + "/plots", handle=show_plots),
    View(path=PATH + "/{name}.csv", handle=send_sheet),
)
