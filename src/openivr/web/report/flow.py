"""Where callers went and where they gave up."""

from openivr.menu.model import Kind
from openivr.store.calls import Wanted
from openivr.web.call_words import say_reason
from openivr.web.report import ways
from openivr.web.report.sheet import Cell, Facts, Row, Sheet, heads, name_destination, number, percent
from openivr.web.report.times import say_outcome
from openivr.web.words import say


def flow(facts: Facts) -> Sheet:
    """Where callers went, from menu to menu and to the end."""
    found = ways.find_ways(facts.report.journeys)
    rows = tuple(
        Row(
            (
                Cell(name_source(facts, way.source), kind=source_kind(way.source)),
                Cell(name_target(facts, way.target), kind=target_kind(way.target)),
                number(way.calls, link_way(facts, way)),
            ),
            {
                "source": place_id(way.source),
                "target": place_id(way.target),
                "source-kind": source_kind(way.source),
                "target-kind": target_kind(way.target),
            },
        )
        for way in found
    )
    lost = sum(
        way.calls for way in found if isinstance(way.target, ways.End) and way.target.outcome == ways.GAVE_UP
    )
    total = sum(one.calls for one in facts.report.journeys)
    about = say("sheet.flow_about", lost=f"{lost:,}", share=percent(lost, total), count=total)
    return Sheet("ways", heads("from", "to", "calls"), rows, about)


def link_way(facts: Facts, way: ways.Way) -> str:
    """The calls that went this way; none for what is drawn together."""
    if way.source is None or way.target in (ways.OTHER, ways.FURTHER):
        return ""
    if not isinstance(way.target, ways.End):
        return facts.link_in(Wanted(path=way.target))
    end = way.target
    wanted = Wanted(
        outcome=end.outcome, reason=end.reason, path=way.source, is_whole_path=True, noted=end.noted
    )
    return facts.link_in(wanted)


def place_id(place: ways.Path | ways.End | None) -> str:
    if isinstance(place, ways.End):
        return f"end {place.outcome} {place.reason} {place.kind} {place.target}"
    return "others" if place is None else "/".join(("menus", *place))


def source_kind(path: ways.Path | None) -> str:
    return Kind.IVR.value if path or path is None else "nowhere"


def target_kind(place: ways.Place) -> str:
    if not isinstance(place, ways.End):
        return Kind.IVR.value
    if place.kind:
        return place.kind
    return Kind.END_CALL.value if place.outcome in {"menu", "missed", "refused"} else "nowhere"


def name_source(facts: Facts, path: ways.Path | None) -> str:
    if path is None:
        return say("sheet.other_menus")
    return facts.menus.get(path[-1], path[-1]) if path else say("sheet.no_menu")


def name_target(facts: Facts, place: ways.Place) -> str:
    if not isinstance(place, ways.End):
        return facts.menus.get(place[-1], place[-1])
    if place.kind:
        return name_destination(facts, place.kind, place.target)
    if place.outcome == ways.GAVE_UP and place.reason:
        why = say_reason(place.reason)
        return why[:1].upper() + why[1:]
    if place in (ways.OTHER, ways.FURTHER):
        return say(f"sheet.{place.outcome}")
    return say_outcome(place.outcome)
