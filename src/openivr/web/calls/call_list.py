"""Lists of calls: the live ones, and past ones by a filter in the query."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args
from urllib.parse import urlencode

from sqlalchemy import Connection

from openivr.cdr.journal.entries import CallOutcome
from openivr.ivr.commands import HIDDEN
from openivr.ivr.former_words import SLUGS
from openivr.ivr.model import DestinationKind
from openivr.ivr.state import IvrState
from openivr.resources import KINDS
from openivr.resources.errors import NotFound
from openivr.resources.fields import CONTROL
from openivr.resources.ivr import IVR
from openivr.resources.order import ListQuery
from openivr.store.cdr import call_records
from openivr.store.cdr.call_records import CallFilter, CallRecord, Order
from openivr.store.cdr.cdr_lists import CdrLists
from openivr.store.config import resources
from openivr.store.runtime import liveness
from openivr.store.runtime.liveness import Nodes
from openivr.web.calls.drilldown import narrow as narrow_part
from openivr.web.calls.drilldown import read_part, say_part
from openivr.web.calls.labels import PERIODS, REASONS
from openivr.web.calls.timeline import Find, NoteContext, finder
from openivr.web.core.listing import MAX_PAGE, MAX_SEARCH, SIZES, Listing, choose, read_number
from openivr.web.core.request import PageRequest
from openivr.web.messages import t, t_code
from openivr.web.resources.autocomplete import narrow

PATH = "/calls"
MAX_LIVE = 100  # calls under way that are shown
MAX_TRUNKS = 200  # and groups, that the filter offers
QUICK = (1, 7, 30)  # days up to today
NOBODY = -1  # the id of a menu that there is not
Sort = Literal["started", "caller", "called"]
SORTS: tuple[Sort, ...] = get_args(Sort)


@dataclass(frozen=True, slots=True)
class CallListRequest:
    """The filter as the query and its form have it. Invalid parts are left out."""

    since: str = ""  # a day, 2026-05-01
    until: str = ""  # the last day
    number: str = ""  # a part of the caller's or the called number
    menu: str = ""  # its number, its name may follow
    source: str = ""  # trunk-1, or extension-1
    outcome: str = ""
    reason: str = ""  # its code
    period: str = ""  # of the office, or NO_PERIOD
    did: str = ""  # the number that was called over a trunk
    group: str = ""  # id of an extension group whose members called or were rung
    part: str = ""  # the calls behind a number of a report, as `call_part` writes them

    @property
    def is_any(self) -> bool:
        """True if the filter matches every call."""
        return self == CallListRequest()

    @property
    def is_detailed(self) -> bool:
        """True if the filter has more than a number and days."""
        return any((self.menu, self.source, self.outcome, self.reason, self.period, self.did, self.group))

    @property
    def parameters(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class LiveCalls:
    """A live call with the place of its caller and its stage in words."""

    record: CallRecord
    place: NoteContext
    stage: str
    is_silent: bool


@dataclass(frozen=True, slots=True)
class CallsPage:
    """Everything that the page shows."""

    live: tuple[LiveCalls, ...]
    count: int  # of calls under way
    nodes: Nodes
    version: str  # changes with every event of a live call
    filter_: CallListRequest
    listing: Listing
    trunks: tuple[tuple[str, str], ...]  # the filter's choices, with their names
    groups: tuple[tuple[str, str], ...]
    part: str  # what the calls behind a number of a report have in common, in words
    first: tuple[str, str]  # number and name of a menu that could be called; "" where there is none

    @property
    def is_empty(self) -> bool:
        """True if there has never been a call."""
        return self.filter_.is_any and not self.listing.total and not self.count

    @property
    def is_newest(self) -> bool:
        """True if calls that end now belong at the top of this page."""
        return self.listing.page == 1 and self.listing.order_of("started") == "desc"


def read_filter(request: PageRequest) -> CallListRequest:
    """Read the filter from the query."""
    given = {
        name: CONTROL.sub("", request.query(name)).strip()[:MAX_SEARCH] for name in asdict(CallListRequest())
    }
    return CallListRequest(
        since=given["since"] if read_day(given["since"]) is not None else "",
        until=given["until"] if read_day(given["until"], 1) is not None else "",
        number=given["number"].replace(" ", ""),
        menu=given["menu"],
        source=given["source"] if read_source(given["source"]) else "",
        outcome=choose(given["outcome"], tuple(CallOutcome), ""),
        reason=choose(SLUGS.get(given["reason"], given["reason"]), REASONS, ""),
        period=choose(given["period"], PERIODS, ""),
        did=given["did"].replace(" ", ""),
        group=given["group"] if read_number(given["group"], 0, MAX_PAGE) else "",
        part=request.query("part") if read_part(request.query("part")) else "",
    )


def read_day(text: str, later: int = 0) -> int | None:
    """The start of a day by the server's clock in Unix ms, or of a day `later`. None for an invalid day."""
    try:
        day = datetime.strptime(text, "%Y-%m-%d") + timedelta(days=later)
        return int(day.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None


def read_source(text: str) -> tuple[str, int] | None:
    """Read "trunk-1" or "extension-1" as kind and id, None if it is neither."""
    kind, _, id_ = text.partition("-")
    is_known = kind in ("trunk", "extension") and id_.isascii() and id_.isdigit() and len(id_) < 10
    return (kind, int(id_)) if is_known else None


def make_wanted(connection: Connection, filter_: CallListRequest) -> CallFilter:
    """The filter of past calls for the store."""
    wanted = CallFilter(
        since=read_day(filter_.since),
        until=read_day(filter_.until, 1),
        number=filter_.number,
        menu=find_menu(connection, filter_.menu) if filter_.menu else None,
        source=read_source(filter_.source),
        outcome=filter_.outcome,
        reason=filter_.reason,
        period=filter_.period,
        is_live=False,
        did=filter_.did,
        extensions=find_members(connection, int(filter_.group)) if filter_.group else None,
    )
    return narrow_part(wanted, read_part(filter_.part))


def find_members(connection: Connection, group: int) -> tuple[str, ...]:
    """The numbers of the extensions of a group, none of one that was deleted."""
    try:
        return resources.list_members(connection, group)
    except NotFound:
        return ()


def list_groups(connection: Connection) -> Iterator[tuple[str, str]]:
    """The extension groups that the filter offers."""
    _, rows = resources.search(connection, KINDS["ext_group"], "", ListQuery(0, MAX_TRUNKS, "name"))
    return ((str(row["id"]), row["name"]) for row in rows)


def find_menu(connection: Connection, text: str) -> int:
    """The id of the menu with this number, or of the only one with this name, else NOBODY."""
    number = narrow(text)
    menu_id = resources.find_named(connection, IVR, number)
    if menu_id is not None:
        return menu_id
    total, rows = resources.search(connection, IVR, number, ListQuery(0, 1, "number"))
    return int(rows[0]["id"]) if total == 1 else NOBODY


async def read(request: PageRequest, now: int) -> CallsPage:
    """The page that the query asks for."""
    filter_ = read_filter(request)
    sort = choose(request.query("sort_by"), SORTS, "started")
    order = choose(request.query("order_by"), ("asc", "desc"), "desc" if sort == "started" else "asc")
    number = read_number(request.query("page"), 1, MAX_PAGE)
    size = read_number(request.query("page_size"), SIZES[0], SIZES[-1])
    listing = Listing(PATH, sort, order, "", number, size, 0, (), filter_.parameters)
    calls = request.app.calls
    if filter_.number:
        await calls.build(request.database.read, calls.rows)
    return await request.database.read(load, calls, filter_, listing, now)


def load(
    connection: Connection, calls: CdrLists, filter_: CallListRequest, listing: Listing, now: int
) -> CallsPage:
    nodes = liveness.read_nodes(connection, now)
    count, live = liveness.list_live(connection, MAX_LIVE)
    sort: Sort = next(name for name in SORTS if name == listing.sort)
    offset, order = (listing.page - 1) * listing.size, Order(sort, listing.order == "desc")
    wanted = make_wanted(connection, filter_)
    if wanted.number:
        wanted = replace(wanted, numbers=calls.find_numbers(connection, wanted.number))
    total, rows = call_records.list_calls(connection, wanted, offset, listing.size, order)
    filled = listing.with_rows(total, rows)
    is_empty = filter_.is_any and not total and not count
    part = read_part(filter_.part)
    return CallsPage(
        live=tuple(show_live(connection, live, nodes)),
        count=count,
        nodes=nodes,
        version=liveness.read_version(connection, now),
        filter_=filter_,
        listing=filled,
        trunks=tuple(list_sources(connection, filter_)),
        groups=tuple(list_groups(connection)),
        part=say_part(part, finder(connection)) if part else "",
        first=find_first(connection) if is_empty else ("", ""),
    )


def show_live(connection: Connection, records: list[CallRecord], nodes: Nodes) -> list[LiveCalls]:
    """Live calls with the places of their callers."""
    find = finder(connection)
    return [LiveCalls(record, *find_place(record, find), nodes.is_silent(record.node)) for record in records]


def find_place(record: CallRecord, find: Find) -> tuple[NoteContext, str]:
    """The place of a caller and the stage of the call. A party that rings or talks comes before a menu."""
    ringing = [leg for leg in record.legs if leg and not leg.get("ended")]
    for leg in sorted(ringing, key=lambda leg: not leg.get("answered")):
        is_shown = leg["kind"] != DestinationKind.EXTERNAL or leg["number"] == record.called
        place = find(leg["kind"], leg["target"], leg["number"] if is_shown else HIDDEN)
        stage = t("stage.connected") if leg.get("answered") else t("stage.rings", count=len(ringing))
        return place, stage
    stage = t_code("stage", record.stage or IvrState.NEW.value)
    if record.menu:
        return find(DestinationKind.IVR, record.menu, record.path.rpartition(" ")[2]), stage
    return NoteContext("nowhere", record.called), stage


def list_sources(connection: Connection, filter_: CallListRequest) -> Iterator[tuple[str, str]]:
    """The sources that the filter offers: all trunks, and the chosen one."""
    _, rows = resources.search(connection, KINDS["trunk"], "", ListQuery(0, MAX_TRUNKS, "name"))
    offered = {f"trunk-{row['id']}": row["name"] for row in rows}
    chosen = read_source(filter_.source)
    if chosen and filter_.source not in offered:
        yield filter_.source, finder(connection)(chosen[0], chosen[1], str(chosen[1])).text
    yield from offered.items()


def find_first(connection: Connection) -> tuple[str, str]:
    """The number and the name of a menu to call first, "" if there is none."""
    _, rows = resources.search(connection, IVR, "", ListQuery(0, 1, "number"))
    return (rows[0]["number"], rows[0]["name"]) if rows else ("", "")


def quick_ways(filter_: CallListRequest, today: datetime) -> Iterator[tuple[str, str, bool]]:
    """Filters for a few days up to today: label, URL, and whether it is the current one."""
    others = {
        name: value for name, value in filter_.parameters.items() if name not in ("since", "until", "part")
    }
    for days in QUICK:
        since = (today - timedelta(days=days - 1)).strftime("%Y-%m-%d")
        label = t("calls.today") if days == 1 else t("calls.days", count=days)
        chosen = (filter_.since, filter_.until) == (since, "")
        yield label, f"{PATH}?{urlencode({'since': since} | others)}", chosen
    yield t("calls.all"), f"{PATH}?{urlencode(others)}", not (filter_.since or filter_.until)
