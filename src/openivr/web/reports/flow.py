"""Table of the ways that callers took."""

from openivr.ivr.model import DestinationKind
from openivr.store.cdr.call_records import CallFilter
from openivr.web.calls.labels import say_reason
from openivr.web.messages import t
from openivr.web.reports import flows
from openivr.web.reports.table import (
    ReportFacts,
    ReportTable,
    TableCell,
    TableRow,
    heads,
    name_destination,
    number,
    percent,
)
from openivr.web.reports.times import say_outcome


def flow(facts: ReportFacts) -> ReportTable:
    """The ways of callers from menu to menu and to the end of the call."""
    ways = flows.find_ways(facts.report.journeys)
    rows = tuple(
        TableRow(
            (
                TableCell(name_source(facts, way.source), kind=source_kind(way.source)),
                TableCell(
                    name_target(facts, way.target), plain=end_code(way.target), kind=target_kind(way.target)
                ),
                number(way.calls, link_way(facts, way)),
            ),
            {
                "source": place_id(way.source),
                "target": place_id(way.target),
                "source-kind": source_kind(way.source),
                "target-kind": target_kind(way.target),
            },
        )
        for way in ways
    )
    lost = sum(
        way.calls
        for way in ways
        if isinstance(way.target, flows.FlowEnd) and way.target.outcome == flows.GAVE_UP
    )
    total = sum(journey.calls for journey in facts.report.journeys)
    about = t("sheet.flow_about", lost=f"{lost:,}", share=percent(lost, total), count=total)
    return ReportTable("ways", heads("from", "to", "calls"), rows, about)


def link_way(facts: ReportFacts, way: flows.Flow) -> str:
    """The URL of the calls that went this way, "" for ways that are drawn together."""
    if way.source is None or way.target in (flows.OTHER, flows.FURTHER):
        return ""
    if not isinstance(way.target, flows.FlowEnd):
        return facts.link_in(CallFilter(path=way.target))
    end = way.target
    wanted = CallFilter(
        outcome=end.outcome, reason=end.reason, path=way.source, is_whole_path=True, noted=end.noted
    )
    return facts.link_in(wanted)


def place_id(place: flows.Path | flows.FlowEnd | None) -> str:
    if isinstance(place, flows.FlowEnd):
        return f"end {place.outcome} {place.reason} {place.kind} {place.target}"
    return "others" if place is None else "/".join(("menus", *place))


def source_kind(path: flows.Path | None) -> str:
    return DestinationKind.IVR.value if path or path is None else "nowhere"


def target_kind(place: flows.Place) -> str:
    if not isinstance(place, flows.FlowEnd):
        return DestinationKind.IVR.value
    if place.kind:
        return place.kind
    return DestinationKind.END_CALL.value if place.outcome in {"menu", "missed", "refused"} else "nowhere"


def name_source(facts: ReportFacts, path: flows.Path | None) -> str:
    if path is None:
        return t("sheet.other_menus")
    return facts.menus.get(path[-1], path[-1]) if path else t("sheet.no_menu")


def end_code(place: flows.Place) -> str:
    """The code for how calls ended that reached nobody, for files. "" for places that have names."""
    if not isinstance(place, flows.FlowEnd) or place.kind or place in (flows.OTHER, flows.FURTHER):
        return ""
    return place.reason or place.outcome


def name_target(facts: ReportFacts, place: flows.Place) -> str:
    if not isinstance(place, flows.FlowEnd):
        return facts.menus.get(place[-1], place[-1])
    if place.kind:
        return name_destination(facts, place.kind, place.target)
    if place.outcome == flows.GAVE_UP and place.reason:
        why = say_reason(place.reason)
        return why[:1].upper() + why[1:]
    if place in (flows.OTHER, flows.FURTHER):
        return t(f"sheet.{place.outcome}")
    return say_outcome(place.outcome)
