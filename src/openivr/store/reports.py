"""Numbers about calls: how many, when, which keys, and where callers go. Times are Unix milliseconds."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Select, cast, func, select

from openivr.menu.commands import Topic
from openivr.store.tables import CALL, CALL_NOTE

HOUR, DAY = 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` up to, and not including, `until`."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class Period:
    """How many calls with one outcome began in an hour or a day, and how long they took together."""

    start: int
    outcome: str  # "" for those under way
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How often a key or number was typed in a menu, and what it led to; `kind` "" where it led nowhere."""

    menu: int
    input: str
    kind: str
    target: int
    count: int
    why: str = ""  # of what was refused


@dataclass(frozen=True, slots=True)
class Flow:
    """How many times callers went from a menu to somewhere, and for which reason.

    `topic` is "chose" or "timed out" with the kind and target that came of it, or "ended" with the reason.
    """

    menu: int
    topic: str
    kind: str
    target: int
    detail: str
    count: int


@dataclass(frozen=True, slots=True)
class MenuUse:
    """What happened in a menu."""

    menu: int
    entered: int = 0
    chose: int = 0
    timed_out: int = 0
    invalid: int = 0
    ended: int = 0  # calls that ended in it


def calls_by_period(
    connection: Connection, span: Span, length: int = HOUR, zone: int = 0, menu: int | None = None
) -> list[Period]:
    """Calls by hour or day (`length`) and outcome, in time order. `zone` is the offset from UTC, in ms."""
    start = ((CALL.c.started + zone) // length) * length - zone
    lasted = func.sum(func.coalesce(CALL.c.ended, CALL.c.updated) - CALL.c.started) // 1000
    query = select(start.label("start"), CALL.c.outcome, func.count(), cast(lasted, Integer))
    query = query.where(CALL.c.started >= span.since, CALL.c.started < span.until)
    if menu is not None:
        visited = select(CALL_NOTE.c.call_id).where(
            CALL_NOTE.c.topic == Topic.ENTERED, CALL_NOTE.c.ivr == menu
        )
        query = query.where(CALL.c.id.in_(visited))
    rows = connection.execute(query.group_by("start", CALL.c.outcome).order_by("start", CALL.c.outcome))
    return [Period(*row) for row in rows]


def keys_by_menu(connection: Connection, span: Span, menu: int | None = None) -> list[KeyUse]:
    """Input that led somewhere, by menu, the most frequent first. Outside numbers count as one."""
    columns = (CALL_NOTE.c.ivr, CALL_NOTE.c.input, CALL_NOTE.c.kind, CALL_NOTE.c.target)
    count = func.count().label("count")
    query = notes(select(*columns, count), span, [Topic.CHOSE], menu).group_by(*columns)
    rows = connection.execute(query.order_by(CALL_NOTE.c.ivr, count.desc(), CALL_NOTE.c.input))
    return [KeyUse(*row) for row in rows]


def invalid_keys(connection: Connection, span: Span, menu: int | None = None) -> list[KeyUse]:
    """Input that was refused, by menu, with the reason, the most frequent first."""
    columns = (CALL_NOTE.c.ivr, CALL_NOTE.c.input, CALL_NOTE.c.detail)
    count = func.count().label("count")
    query = notes(select(*columns, count), span, [Topic.INVALID], menu).group_by(*columns)
    rows = connection.execute(query.order_by(CALL_NOTE.c.ivr, count.desc(), CALL_NOTE.c.input))
    return [KeyUse(ivr, typed, "", 0, times, why) for ivr, typed, why, times in rows]


def menus_used(connection: Connection, span: Span) -> list[MenuUse]:
    """How often each menu was entered, left by a key, timed out, refused input, and ended a call."""
    columns = (CALL_NOTE.c.ivr, CALL_NOTE.c.topic)
    topics = [Topic.ENTERED, Topic.CHOSE, Topic.TIMED_OUT, Topic.INVALID, Topic.ENDED]
    query = notes(select(*columns, func.count()), span, topics).group_by(*columns).order_by(CALL_NOTE.c.ivr)
    found: dict[int, dict[str, int]] = {}
    for ivr, topic, count in connection.execute(query):
        found.setdefault(ivr, {})[topic.replace(" ", "_")] = count
    return [MenuUse(ivr, **counts) for ivr, counts in found.items() if ivr]


def flows(connection: Connection, span: Span) -> list[Flow]:
    """Where callers went from each menu, and how often."""
    ended = CALL_NOTE.c.topic == Topic.ENDED
    detail = func.max(CALL_NOTE.c.detail).label("detail")
    columns = (CALL_NOTE.c.ivr, CALL_NOTE.c.topic, CALL_NOTE.c.kind, CALL_NOTE.c.target)
    found = []
    for wanted, grouped in ((~ended, columns), (ended, (*columns, CALL_NOTE.c.detail))):
        topics = [Topic.CHOSE, Topic.TIMED_OUT, Topic.ENDED]
        query = notes(select(*columns, detail, func.count()), span, topics).where(wanted).group_by(*grouped)
        found += [Flow(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda flow: (flow.menu, -flow.count, flow.topic, flow.kind, flow.target))


def notes(query: Select[Any], span: Span, topics: list[Topic], menu: int | None = None) -> Select[Any]:
    """Narrow a query of CALL_NOTE down; without a menu, to those that were made in any."""
    query = query.where(
        CALL_NOTE.c.topic.in_(topics), CALL_NOTE.c.at >= span.since, CALL_NOTE.c.at < span.until
    )
    return query.where(CALL_NOTE.c.ivr == menu if menu is not None else CALL_NOTE.c.ivr > 0)
