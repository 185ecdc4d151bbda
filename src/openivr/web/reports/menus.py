"""Tables of what happened in menus: keys, time-outs, and wrong keys."""

from collections import Counter
from collections.abc import Iterable, Iterator

from openivr.ivr.commands import Topic
from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallFilter, NoteFilter
from openivr.store.cdr.reports import MenuAction
from openivr.web.calls.drilldown import say_refusal
from openivr.web.messages import t
from openivr.web.reports.table import (
    ReportFacts,
    ReportTable,
    TableCell,
    TableHead,
    TableRow,
    heads,
    name_destination,
    number,
)

MAX_MENUS, MAX_KEYS = 6, 10  # whose keys are drawn, and how many of each


def keys(facts: ReportFacts) -> ReportTable:
    """The keys pressed in each menu and where they led, the busiest menu first."""
    pressed: dict[int, list[MenuAction]] = {}
    for act in acts_of(facts, Topic.CHOSE):
        pressed.setdefault(act.menu, []).append(act)
    busy = sorted(pressed.values(), key=count, reverse=True)
    rows = [
        row_of_key(facts, act, is_drawn=place < MAX_MENUS and nth < MAX_KEYS)
        for place, acts in enumerate(busy)
        for nth, act in enumerate(sorted(acts, key=lambda act: -act.count))
    ]
    about = t("sheet.keys_about", count=sum(map(count, busy)))
    return ReportTable("keys", heads("menu", "key", "leads", "times"), tuple(rows), about)


def row_of_key(facts: ReportFacts, act: MenuAction, *, is_drawn: bool) -> TableRow:
    cells = (
        TableCell(name_destination(facts, DestinationKind.IVR, act.menu)),
        TableCell(act.input),
        TableCell(name_destination(facts, act.kind, act.target), kind=act.kind),
        number(act.count, facts.link_in(CallFilter(noted=noted(act)))),
    )
    return TableRow(cells, {"menu": str(act.menu)} if is_drawn else {})


def count(acts: Iterable[MenuAction]) -> int:
    return sum(act.count for act in acts)


def trouble(facts: ReportFacts) -> ReportTable:
    """Time-outs and wrong keys by menu, the worst first."""
    counts: Counter[tuple[int, str]] = Counter()
    for topic in (Topic.ENTERED, Topic.TIMED_OUT, Topic.INVALID):
        for act in acts_of(facts, topic):
            counts[act.menu, topic] += act.count
    menus = sorted({menu for menu, _ in counts}, key=lambda menu: (-troubled(counts, menu), menu))
    rows = []
    for place, menu in enumerate(menus):
        cells = (
            number(counts[menu, topic], facts.link_in(CallFilter(noted=NoteFilter((topic,), menu))))
            for topic in (Topic.ENTERED, Topic.TIMED_OUT, Topic.INVALID)
        )
        drawn = {"menu": str(menu)} if place < 2 * MAX_MENUS and troubled(counts, menu) else {}
        rows.append(TableRow((TableCell(name_destination(facts, DestinationKind.IVR, menu)), *cells), drawn))
    titled = (
        *heads("menu", "entered"),
        TableHead(t("sheet.timed_out"), "timed_out"),
        TableHead(t("sheet.invalid"), "invalid"),
    )
    silent = sum(act.count for act in acts_of(facts, Topic.TIMED_OUT))
    about = t(
        "sheet.trouble_about", silent=silent, count=sum(act.count for act in acts_of(facts, Topic.INVALID))
    )
    return ReportTable("trouble", titled, tuple(rows), about)


def troubled(counts: Counter[tuple[int, str]], menu: int) -> int:
    return counts[menu, Topic.TIMED_OUT] + counts[menu, Topic.INVALID]


def wrong(facts: ReportFacts) -> ReportTable:
    """The refused inputs by menu, the most frequent first."""
    acts = sorted(acts_of(facts, Topic.INVALID), key=lambda act: -act.count)
    rows = tuple(
        TableRow(
            (
                TableCell(name_destination(facts, DestinationKind.IVR, act.menu)),
                TableCell(act.input),
                TableCell(say_refusal(act.detail), plain=act.detail),
                number(act.count, facts.link_in(CallFilter(noted=noted(act)))),
            )
        )
        for act in acts
    )
    return ReportTable("wrong", heads("menu", "typed", "why", "times"), rows)


def acts_of(facts: ReportFacts, topic: Topic) -> Iterator[MenuAction]:
    return (act for act in facts.report.acts if act.topic == topic)


def noted(act: MenuAction) -> NoteFilter:
    return NoteFilter((act.topic,), act.menu, act.input, act.kind, act.target, act.detail)
