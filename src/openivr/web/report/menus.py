"""What happened in the menus: keys, time-outs, and what was typed wrongly."""

from collections import Counter
from collections.abc import Iterable, Iterator

from openivr.menu.commands import Topic
from openivr.menu.model import Kind
from openivr.store.calls import Noted, Wanted
from openivr.store.reports import Act
from openivr.web.call_part import say_refusal
from openivr.web.report.sheet import Cell, Facts, Head, Row, Sheet, heads, name_destination, number
from openivr.web.words import say

MOST_MENUS, MOST_KEYS = 6, 10  # whose keys are drawn, and how many of each


def keys(facts: Facts) -> Sheet:
    """What was pressed in each menu, the busiest menu first, and where that led."""
    pressed: dict[int, list[Act]] = {}
    for act in acts_of(facts, Topic.CHOSE):
        pressed.setdefault(act.menu, []).append(act)
    busy = sorted(pressed.values(), key=count, reverse=True)
    rows = [
        row_of_key(facts, act, is_drawn=place < MOST_MENUS and nth < MOST_KEYS)
        for place, acts in enumerate(busy)
        for nth, act in enumerate(sorted(acts, key=lambda act: -act.count))
    ]
    about = say("sheet.keys_about", count=sum(map(count, busy)))
    return Sheet("keys", heads("menu", "key", "leads", "times"), tuple(rows), about)


def row_of_key(facts: Facts, act: Act, *, is_drawn: bool) -> Row:
    cells = (
        Cell(name_destination(facts, Kind.IVR, act.menu)),
        Cell(act.input),
        Cell(name_destination(facts, act.kind, act.target), kind=act.kind),
        number(act.count, facts.link_in(Wanted(noted=noted(act)))),
    )
    return Row(cells, {"menu": str(act.menu)} if is_drawn else {})


def count(acts: Iterable[Act]) -> int:
    return sum(act.count for act in acts)


def trouble(facts: Facts) -> Sheet:
    """Time-outs and invalid keys by menu, that with most of them first."""
    counts: Counter[tuple[int, str]] = Counter()
    for topic in (Topic.ENTERED, Topic.TIMED_OUT, Topic.INVALID):
        for act in acts_of(facts, topic):
            counts[act.menu, topic] += act.count
    menus = sorted({menu for menu, _ in counts}, key=lambda menu: (-troubled(counts, menu), menu))
    rows = []
    for place, menu in enumerate(menus):
        cells = (
            number(counts[menu, topic], facts.link_in(Wanted(noted=Noted((topic,), menu))))
            for topic in (Topic.ENTERED, Topic.TIMED_OUT, Topic.INVALID)
        )
        drawn = {"menu": str(menu)} if place < 2 * MOST_MENUS and troubled(counts, menu) else {}
        rows.append(Row((Cell(name_destination(facts, Kind.IVR, menu)), *cells), drawn))
    titled = (
        *heads("menu", "entered"),
        Head(say("sheet.timed_out"), "timed_out"),
        Head(say("sheet.invalid"), "invalid"),
    )
    silent = sum(act.count for act in acts_of(facts, Topic.TIMED_OUT))
    about = say(
        "sheet.trouble_about", silent=silent, count=sum(act.count for act in acts_of(facts, Topic.INVALID))
    )
    return Sheet("trouble", titled, tuple(rows), about)


def troubled(counts: Counter[tuple[int, str]], menu: int) -> int:
    return counts[menu, Topic.TIMED_OUT] + counts[menu, Topic.INVALID]


def wrong(facts: Facts) -> Sheet:
    """What was typed and refused, by menu, the most frequent first."""
    acts = sorted(acts_of(facts, Topic.INVALID), key=lambda act: -act.count)
    rows = tuple(
        Row(
            (
                Cell(name_destination(facts, Kind.IVR, act.menu)),
                Cell(act.input),
                Cell(say_refusal(act.detail)),
                number(act.count, facts.link_in(Wanted(noted=noted(act)))),
            )
        )
        for act in acts
    )
    return Sheet("wrong", heads("menu", "typed", "why", "times"), rows)


def acts_of(facts: Facts, topic: Topic) -> Iterator[Act]:
    return (act for act in facts.report.acts if act.topic == topic)


def noted(act: Act) -> Noted:
    return Noted((act.topic,), act.menu, act.input, act.kind, act.target, act.detail)
