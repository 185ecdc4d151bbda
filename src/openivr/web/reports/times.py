"""Tables of when calls came, in which periods of the office, and how they ended."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from openivr.store.cdr.call_records import NO_PERIOD, CallFilter
from openivr.store.cdr.reports import Span
from openivr.web.calls.labels import PERIODS, say_period
from openivr.web.messages import t
from openivr.web.reports.period import Period, show_offset
from openivr.web.reports.table import (
    ReportFacts,
    ReportTable,
    TableCell,
    TableHead,
    TableRow,
    heads,
    number,
    percent,
)

FEW_DAYS = 8  # of fewer days each hour has a bar of its own
# In the order of a bar, from the ground up. `journal.entries.Outcome` has more.
OUTCOMES = ("connected", "message", "menu", "missed", "refused", "interrupted")


def days(facts: ReportFacts) -> ReportTable:
    """Calls by day and outcome."""
    counts: Counter[tuple[str, str]] = Counter()
    for hour in facts.report.hours:
        counts[str(facts.period.local(hour.start).date()), hour.outcome] += hour.calls
    shown = used(facts)
    rows = []
    for day in facts.period.days:
        name = t("sheet.date", weekday=t(f"sheet.day_{day.weekday()}"), day=day.day, month=month(day.month))
        label = f"{day.day} {month(day.month)}"
        span = facts.period.day(day)
        cells = [outcome_cell(facts, counts[str(day), outcome], outcome, span) for outcome in shown]
        whole = number(add(cells), facts.link_in(CallFilter(), span))
        rows.append(TableRow((TableCell(name, plain=str(day)), *cells, whole), {"label": label}))
    return ReportTable("days", titles("day", shown), tuple(rows), busiest(rows, "day"))


def hours(facts: ReportFacts) -> ReportTable:
    """Calls by each hour of the period and outcome."""
    counts: Counter[tuple[int, str]] = Counter()
    for hour in facts.report.hours:
        counts[hour.start, hour.outcome] += hour.calls
    shown = used(facts)
    starts = list(facts.period.hours())
    rows = []
    for start, until in zip(starts, (*starts[1:], facts.period.span.until), strict=True):
        local = facts.period.local(start)
        weekday = t(f"sheet.day_{local.weekday()}")
        text = t(
            "sheet.hour_of_day",
            weekday=weekday,
            day=local.day,
            month=month(local.month),
            hour=f"{local:%H:%M}",
        )
        span = Span(max(start, facts.period.span.since), until)
        cells = [outcome_cell(facts, counts[start, outcome], outcome, span) for outcome in shown]
        whole = number(add(cells), facts.link_in(CallFilter(), span))
        plain = f"{local:%Y-%m-%dT%H:%M}{show_offset(facts.period.offset(start))}"
        rows.append(TableRow((TableCell(text, plain=plain), *cells, whole), label_hour(facts.period, local)))
    return ReportTable("hours", titles("hour", shown), tuple(rows), busiest(rows, "hour"))


def label_hour(period: Period, local: datetime) -> dict[str, str]:
    """The label of an hour's bar. Over several days, only midnight has one: the day."""
    if len(period.days) == 1:
        return {"label": f"{local:%H}"}
    weekday = t(f"sheet.day_{local.weekday()}")
    return {"label": f"{weekday} {local.day}"} | ({"major": ""} if local.hour == 0 else {})


def clock(facts: ReportFacts) -> ReportTable:
    """Calls by hour of the day and outcome, all days together."""
    counts: Counter[tuple[int, str]] = Counter()
    for hour in facts.report.hours:
        counts[facts.period.local(hour.start).hour, hour.outcome] += hour.calls
    shown = used(facts)
    rows = []
    for name in range(24):
        cells = [number(counts[name, outcome]) for outcome in shown]
        whole = number(add(cells))
        rows.append(TableRow((TableCell(f"{name:02}:00"), *cells, whole), {"label": f"{name:02}"}))
    return ReportTable("clock", titles("hour", shown), tuple(rows), busiest(rows, "hour"))


def week(facts: ReportFacts) -> ReportTable:
    """Calls by day of the week and hour of the day."""
    counts: Counter[tuple[int, int]] = Counter()
    for hour in facts.report.hours:
        local = facts.period.local(hour.start)
        counts[local.weekday(), local.hour] += hour.calls
    titled = (TableHead(t("sheet.weekday")), *(TableHead(f"{name:02}") for name in range(24)))
    rows = tuple(
        TableRow((TableCell(t(f"sheet.day_{day}")), *(number(counts[day, name]) for name in range(24))))
        for day in range(7)
    )
    (top, at), most = max(counts.items(), key=lambda item: (item[1], item[0]), default=((0, 0), 0))
    about = t("sheet.busiest_week", day=t(f"sheet.weekday_{top}"), hour=f"{at:02}:00", count=most)
    return ReportTable("week", titled, rows, about)


def total(facts: ReportFacts) -> TableCell:
    """All calls."""
    return number(sum(hour.calls for hour in facts.report.hours), facts.link_in(CallFilter()))


def used(facts: ReportFacts) -> list[str]:
    """The outcomes that there are."""
    present = {hour.outcome for hour in facts.report.hours}
    return [outcome for outcome in OUTCOMES if outcome in present]


def add(cells: Sequence[TableCell]) -> int:
    return sum(cell.value or 0 for cell in cells)


def outcome_cell(facts: ReportFacts, count: int, outcome: str, span: Span | None = None) -> TableCell:
    """Calls with an outcome."""
    return number(count, facts.link_in(CallFilter(outcome=outcome), span))


def titles(first: str, outcomes: Sequence[str]) -> tuple[TableHead, ...]:
    named = (TableHead(say_outcome(outcome), outcome) for outcome in outcomes)
    return (TableHead(t(f"sheet.{first}")), *named, TableHead(t("sheet.calls")))


def say_outcome(outcome: str) -> str:
    """The outcome of calls in words."""
    return t(f"result.{outcome}")


def busiest(rows: Sequence[TableRow], what: str) -> str:
    """The sentence about the row with the most calls."""
    top = max(rows, key=lambda row: row.cells[-1].value or 0)
    calls = add([row.cells[-1] for row in rows])
    return t(f"sheet.busiest_{what}", when=top.cells[0].text, most=top.cells[-1].text, count=calls)


def month(number_of_month: int) -> str:
    return t(f"sheet.month_{number_of_month}")


def outcomes(facts: ReportFacts) -> ReportTable:
    """Calls by outcome."""
    counts: Counter[str] = Counter()
    for hour in facts.report.hours:
        counts[hour.outcome] += hour.calls
    rows = tuple(
        TableRow(
            (
                TableCell(say_outcome(outcome), plain=outcome),
                outcome_cell(facts, counts[outcome], outcome),
                TableCell(percent(counts[outcome], counts.total())),
            ),
            {"series": outcome},
        )
        for outcome in used(facts)
    )
    about = ", ".join(f"{row.cells[0].text}: {row.cells[2].text}" for row in rows)
    return ReportTable("outcomes", heads("outcome", "calls", "share"), rows, about)


def periods(facts: ReportFacts) -> ReportTable:
    """Calls by period of the office and outcome. Only periods that have calls are listed."""
    counts: Counter[tuple[str, str]] = Counter()
    for hour in facts.report.hours:
        counts[hour.period or NO_PERIOD, hour.outcome] += hour.calls
    shown, present = used(facts), {period for period, _ in counts}
    rows = []
    for period in (period for period in PERIODS if period in present):
        cells = [
            number(counts[period, outcome], facts.link_in(CallFilter(outcome=outcome, period=period)))
            for outcome in shown
        ]
        whole = number(add(cells), facts.link_in(CallFilter(period=period)))
        name = say_period(period)
        rows.append(TableRow((TableCell(name, plain=period), *cells, whole), {"label": name}))
    return ReportTable(
        "periods", titles("period", shown), tuple(rows), busiest(rows, "period") if rows else ""
    )


def has_periods(facts: ReportFacts) -> bool:
    """Return True if a call depended on a period of the office."""
    return any(hour.period for hour in facts.report.hours)
