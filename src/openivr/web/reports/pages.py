"""Pages of reports: plots of the calls of some days, with their numbers as tables and CSV files.

The page comes at once and asks for its numbers by script. Without script it links to the page that has them.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.download.content_disposition import attachment
from openivr.download.csv_export import MARK, MEDIA_TYPE, make_csv
from openivr.resources.errors import NotFound
from openivr.store.cdr import reports
from openivr.store.cdr.call_records import CallFilter
from openivr.store.cdr.reports import CallReport, Span
from openivr.web.calls.call_list import PATH as CALLS
from openivr.web.calls.drilldown import write_part
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.reports import flow, menus, times
from openivr.web.reports.period import Period, read_period
from openivr.web.reports.table import ReportFacts, ReportTable

PATH = "/reports"
SHEETS: Mapping[str, Callable[[ReportFacts], ReportTable]] = {
    "days": times.days,
    "hours": times.hours,
    "week": times.week,
    "outcomes": times.outcomes,
    "periods": times.periods,
    "ways": flow.flow,
    "keys": menus.keys,
    "trouble": menus.trouble,
    "wrong": menus.wrong,
}
Named = Mapping[tuple[str, int], str]


async def report_page(request: PageRequest) -> Response:
    """The page without its numbers."""
    return request.render("reports/page.html", where=PATH, period=choose_period(request))


async def plots_page(request: PageRequest) -> Response:
    """The page with its numbers."""
    period = choose_period(request)
    report, names, has_calls = await request.database.read(load, period)
    facts = ReportFacts(report, period, names, partial(calls_url, period))
    sheets = await request.database.run_in_thread(make_sheets, facts) if report.hours else {}
    return request.render(
        "reports/plots.html",
        where=PATH,
        period=period,
        sheets=sheets,
        total=times.total(facts),
        has_calls=has_calls,
    )


def make_sheets(facts: ReportFacts) -> Mapping[str, ReportTable]:
    """The tables that the page shows. A long period has the hours of the clock instead of every hour.

    Calls are split by the period of the office if any depended on it.
    """
    hidden = {"hours"} if times.has_periods(facts) else {"hours", "periods"}
    shown = {name: make(facts) for name, make in SHEETS.items() if name not in hidden}
    is_short = len(facts.period.days) < times.FEW_DAYS
    return shown | {"hours": times.hours(facts) if is_short else times.clock(facts)}


async def send_csv(request: PageRequest) -> Response:
    """Send a whole table as CSV."""
    name = request.http.path_params["name"]
    if name not in SHEETS:
        raise NotFound(name)
    period = choose_period(request)
    report, names, _ = await request.database.read(load, period)
    facts = ReportFacts(report, period, names, partial(calls_url, period))
    sheet = await request.database.run_in_thread(SHEETS[name], facts)
    file = f"openivr-{name}-{period.first}-{period.last}.csv"
    headers = {"Content-Disposition": attachment(file)}
    return Response(MARK + make_csv(sheet.lines), media_type=MEDIA_TYPE, headers=headers)


def choose_period(request: PageRequest) -> Period:
    return read_period(request.query("range"), request.query("from"), request.query("to"), int(time.time()))


def load(connection: Connection, period: Period) -> tuple[CallReport, Named, bool]:
    report = reports.read_report(connection, period.span, period.zone)
    return report, reports.read_names(connection, report), bool(report.hours) or reports.has_calls(connection)


def calls_url(period: Period, wanted: CallFilter) -> str:
    """The URL of the list with those calls. Whole days are given as days, which can be read and changed."""
    first, last, is_whole = name_days(period, wanted.since, wanted.until)
    if is_whole:
        wanted = replace(wanted, since=None, until=None)
    query = {"since": first, "until": last, "outcome": wanted.outcome, "reason": wanted.reason}
    query["period"] = wanted.period
    query["part"] = write_part(wanted)
    return f"{CALLS}?{urlencode({name: value for name, value in query.items() if value})}"


@lru_cache(64)
def name_days(period: Period, since: int | None, until: int | None) -> tuple[str, str, bool]:
    """The first and the last day of a part of the period, and whether it is all of these days."""
    span = Span(since or 0, until or 0)
    first, last = (period.local(at).date() for at in (span.since, span.until - 1))
    return str(first), str(last), Span(period.day(first).since, period.day(last).until) == span


ROUTES = (
    PageRoute(path=PATH, handle=report_page),
    PageRoute(path=PATH + "/plots", handle=plots_page),
    PageRoute(path=PATH + "/{name}.csv", handle=send_csv),
)
