"""The effects of the period of a moment: destinations of routes and keys, and announcements before them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from openivr.hours.calendar import PeriodKind
from openivr.hours.period import PeriodDecision, PeriodReason, period
from openivr.ivr.commands import Note, Topic
from openivr.ivr.events import CallArrived
from openivr.ivr.model import ByPeriod, Destination, Ivr, IvrSnapshot


def decide_period(snapshot: IvrSnapshot, calendar: int, moment: float) -> PeriodDecision | None:
    """Return the period of a calendar at a moment. None: the moment is unknown, or there is no calendar."""
    known = snapshot.calendars.get(calendar) or snapshot.calendars.get(0)
    return period(moment, known) if known and moment else None


def lead(normal: Destination | None, by: ByPeriod, decision: PeriodDecision | None) -> Destination | None:
    """Return the destination in a period. Breaks and unknown periods lead where open hours do."""
    if decision is None or decision.period in (PeriodKind.OPEN, PeriodKind.BREAK):
        return by.open or normal
    if decision.period is PeriodKind.HOLIDAY and by.holiday:
        return by.holiday
    return by.closed


def in_period(snapshot: IvrSnapshot, ivr: Ivr, moment: float) -> Ivr:
    """Return a menu with the keys and destinations that it has at a moment. The policy stays."""
    if not ivr.by_period:
        return ivr
    decisions: dict[int, PeriodDecision | None] = {}

    def decide(calendar: int) -> PeriodDecision | None:
        if calendar not in decisions:
            decisions[calendar] = decide_period(snapshot, calendar, moment)
        return decisions[calendar]

    return _led(ivr, decide)


def in_kind(ivr: Ivr, kind: PeriodKind) -> Ivr:
    """Return a menu as it is while all calendars have this kind of period. Nothing in it depends on time."""
    if not ivr.by_period:
        return ivr
    decision = PeriodDecision(kind, PeriodReason.OUTSIDE)
    return replace(_led(ivr, lambda _calendar: decision), by_period={})


def _led(ivr: Ivr, decide: Callable[[int], PeriodDecision | None]) -> Ivr:
    """Return a menu with the destinations of the periods that its calendars have."""
    known: Mapping[str, Destination | None] = {**ivr.keys, "timeout": ivr.timeout, "invalid": ivr.invalid}
    led = dict(known)
    for key, by in ivr.by_period.items():
        led[key] = lead(known.get(key), by, decide(by.calendar))
    timeout, invalid = led.pop("timeout"), led.pop("invalid")
    keys = {key: destination for key, destination in led.items() if destination}
    return replace(ivr, keys=keys, timeout=timeout, invalid=invalid)


def announcements(decision: PeriodDecision | None) -> tuple[str, ...]:
    """Return the prompts that are played before the call goes on."""
    holiday = decision.holiday if decision else None
    return (holiday.prompt,) if holiday and holiday.prompt else ()


def announced(snapshot: IvrSnapshot, *, ivr: int = 0, route: int = 0, moment: float) -> tuple[str, ...]:
    """Return the prompts of announcements that are played before a menu or an inbound route at a moment."""
    if not snapshot.announcements:  # as usual: nothing is built then
        return ()
    return tuple(
        row.prompt
        for row in snapshot.announcements.values()
        if row.holds(moment) and (ivr in row.ivr_ids or route in row.inbound_route_ids)
    )


def with_period(
    arrival: CallArrived, decision: PeriodDecision | None, prompts: tuple[str, ...] = ()
) -> CallArrived:
    """Return the arrival of a call that a route led by a period. `prompts` are the route's announcements."""
    if decision is None:
        return replace(arrival, announcements=prompts) if prompts else arrival
    period = f"{decision.period} {decision.reason}"
    prompts += announcements(decision)
    return replace(arrival, announcements=prompts, period=period, holiday=decision.name)


def note_period(decision: PeriodDecision, ivr: int = 0) -> Note:
    """Return the line of the call record: the period, the reason and the holiday."""
    return Note(Topic.PERIOD, ivr, number=decision.name, detail=f"{decision.period} {decision.reason}")
