"""Reports: `call_report/list`, `download` and `detail`, of both versions.

P-Series: query-call-report-list. The shapes of the reports of menus and of extensions are those that clients
read; those of the others are ours, with the same names.
"""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import Connection

from openivr.api.cdr import PAGE, TEXT, TIME, drop_empty, read_time, show_party
from openivr.api.display_time import DisplayFormat
from openivr.api.endpoint import VERSIONS, ApiRequest, Endpoint, UploadedFile
from openivr.api.query import MAX_ID, MAX_PAGE, MAX_ROWS, Query, read_choice, read_integer, read_one
from openivr.api.responses import bad_parameters, succeed
from openivr.api.signed_address import sign
from openivr.download.csv_export import MARK, MEDIA_TYPE, make_csv
from openivr.resources import KINDS
from openivr.resources.errors import Problem, shorten
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import Values
from openivr.store.cdr import call_reports, reports
from openivr.store.cdr.call_reports import MenuEntry, Totals
from openivr.store.cdr.reports import Span
from openivr.store.cdr.routing_stages import CALL_TYPES
from openivr.store.config import resources

MAX_ID_TEXT = 5000  # characters of all lists of ids in an address
MAX_SECONDS = 1098 * 86_400  # three years
KEYS = (*(str(digit) for digit in range(10)), "*", "#")
KEY_NAMES = {key: f"press_{ {'*': 'star', '#': 'hash'}.get(key, key) }" for key in KEYS}
COUNTS = {
    "ANSWERED": "answered_calls",
    "NO ANSWER": "no_answer_calls",
    "BUSY": "busy_calls",
    "FAILED": "failed_calls",
    "VOICEMAIL": "voicemail_calls",
    "ABANDONED": "abandoned_calls",
}
REFUSED = (  # types of the page whose numbers no record holds
    *("extcallactivity", "trunkdiddodactivity", "aisttusage", "queueavgwaittalktime", "queueperformance"),
    *("queueperformanceactivity", "queuecallbackssummary", "queuecallbacksactivity", "queuesatisfaction"),
    *("queuesatisfactiondetail", "queueagentlogintime", "queueagentpausetime", "queueagentmisscalls"),
    *(
        "queueagentperformance",
        "queueagentinoutcalls",
        "extcallbilling",
        "extcallbillingdetails",
        "qosreport",
    ),
)
ID_LISTS = ("ivr_id_list", "ext_id_list", "ring_group_id_list", "trunk_id_list")
TARGETS = {"ivr": "IVR", "extension": "Extension", "ext_vm": "Voicemail", "ring_group": "Ring Group"}
TARGETS |= {"external_num": "External Number", "end_call": "Hang Up", "dial_by_name": "Dial by Name"}
TARGETS |= {"play_greeting": "Play Prompt", "play_prompt": "Play Prompt"}


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """A span in Unix seconds, whose ends are included."""

    since: int
    until: int

    @property
    def span(self) -> Span:
        """The same in Unix milliseconds."""
        return Span(self.since * 1000, (self.until + 1) * 1000)


Maker = Callable[[ApiRequest, Query, ReportPeriod], Awaitable[tuple[str, list[dict[str, Any]]]]]


async def list_report(request: ApiRequest) -> bytes:
    """The report of a `type` over a period, one row for each object of its list of ids."""
    query = drop_empty(request.query)
    name, rows = await make_report(request, query)
    first, last = read_part(query)
    return succeed(total_number=len(rows), **{name: rows[first:last]})


async def make_report(request: ApiRequest, query: Query) -> tuple[str, list[dict[str, Any]]]:
    """Return the name and the rows of a report. Raises 40002."""
    kind = read_type(query, tuple(REPORTS))
    for given in filter(query.__contains__, ID_LISTS):  # also those that this type does not need
        read_id_list(query, given)
    read_choice(query, "communication_type", ("", *CALL_TYPES))
    return await REPORTS[kind](request, query, read_period(query, request.service.display))


async def download(request: ApiRequest) -> bytes:
    """The address of a report as a CSV file, good for 30 minutes. It is made when it is fetched."""
    query, display = drop_empty(request.query), request.service.display
    await make_report(request, query)  # for what is wrong with the query
    period = read_period(query, display)
    texts = {name: query[name][0] for name in ID_LISTS if name in query}
    if sum(map(len, texts.values())) > MAX_ID_TEXT:
        name = max(texts, key=lambda name: len(texts[name]))
        limit = {"high": MAX_ID_TEXT}
        raise bad_parameters(Problem(name, ProblemCode.TOO_LONG, limit, shorten(texts[name])))
    kept = {name: query[name][0] for name in ("type", "communication_type", *ID_LISTS) if name in query}
    wanted = {**kept, "start_time": str(period.since), "end_time": str(period.until)}
    id_ = urlsafe_b64encode(msgspec.json.encode(wanted)).decode().rstrip("=")
    address = await sign(request, "CallReport", id_, "csv")
    return succeed(file=name_file(kept["type"], period), download_resource_url=address)


def name_file(kind: str, period: ReportPeriod) -> str:
    first, last = (time.strftime("%Y%m%d", time.localtime(at)) for at in (period.since, period.until))
    return f"CallReport-{kind}-{first}-{last}.csv"


async def make_file(request: ApiRequest, id_: str) -> UploadedFile:
    """Return the report of a signed address."""
    wanted = msgspec.json.decode(urlsafe_b64decode(id_ + "=" * (-len(id_) % 4)), type=dict[str, str])
    query = {name: [value] for name, value in wanted.items()}
    _, rows = await make_report(request, query)
    flat = [flatten(row) for row in rows]
    lines = [list(flat[0]), *(list(row.values()) for row in flat)] if flat else []
    file = name_file(wanted["type"], read_period(query, request.service.display))
    return UploadedFile(file, MEDIA_TYPE, (MARK + make_csv(lines)).encode())


def flatten(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row whose counters are columns of their own."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


async def detail(request: ApiRequest) -> bytes:
    """List the keys that callers pressed in a menu (`type=ivr`), one row for each entry."""
    query, display = drop_empty(request.query), request.service.display
    read_type(query, ("ivr",))
    number = read_one(query, "ivr_num")
    if number is None:
        raise bad_parameters(Problem("ivr_num", ProblemCode.REQUIRED))
    period = read_period(query, display)
    since = read_time(query, "detail_time_begin", display)
    until = read_time(query, "detail_time_end", display)
    narrowed = ReportPeriod(
        period.since if since is None else max(since, period.since),
        period.until if until is None else min(until, period.until),
    )
    read = request.service.database.read
    total, rows = await read(list_presses, number, narrowed, display, read_part(query))
    return succeed(total_number=total, ivr_report_detail=rows)


# Queries


def read_type(query: Query, served: tuple[str, ...]) -> str:
    """Return the type of a report. Raises 40002 for those that are not served."""
    kind = read_one(query, "type")
    if kind is None:
        raise bad_parameters(Problem("type", ProblemCode.REQUIRED))
    if kind in served:
        return kind
    if kind in REFUSED or kind in REPORTS:
        raise bad_parameters(Problem("type", ProblemCode.UNSERVED, {"choice": kind}, kind))
    raise bad_parameters(Problem("type", ProblemCode.CHOICE, {"choices": served}, shorten(kind)))


def read_period(query: Query, display: DisplayFormat) -> ReportPeriod:
    """Return the period of a report, at most three years."""
    since, until = read_time(query, "start_time", display), read_time(query, "end_time", display)
    problems = [
        Problem(name, ProblemCode.REQUIRED)
        for name, value in (("start_time", since), ("end_time", until))
        if value is None
    ]
    if since is None or until is None:
        raise bad_parameters(*problems)
    if until - since > MAX_SECONDS or until < since:
        limits = {"low": since, "high": since + MAX_SECONDS}
        raise bad_parameters(Problem("end_time", ProblemCode.RANGE, limits, shorten(query["end_time"][0])))
    return ReportPeriod(since, until)


def read_part(query: Query) -> tuple[int, int]:
    """Return the first row of a page, and the one after its last."""
    number = read_integer(query, "page", 1, MAX_PAGE) or 1
    size = read_integer(query, "page_size", 1, MAX_ROWS) or MAX_ROWS
    return (number - 1) * size, number * size


def read_id_list(query: Query, name: str) -> list[int]:
    """Return the ids that a report must name, comma separated."""
    text = read_one(query, name)
    if text is None:
        raise bad_parameters(Problem(name, ProblemCode.REQUIRED))
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > MAX_ROWS or not all(p.isascii() and p.isdigit() and int(p[:19]) <= MAX_ID for p in parts):
        raise bad_parameters(Problem(name, ProblemCode.NOT_IDS, value=shorten(text)))
    return list(dict.fromkeys(map(int, parts)))


async def read_objects(request: ApiRequest, kind: str, ids: Sequence[int]) -> list[tuple[int, Values]]:
    """Return the named objects that exist, in the order of the ids."""
    found = await request.service.database.read(resources.fetch_many, KINDS[kind], ids)
    return [(id_, found[id_]) for id_ in ids if id_ in found]


# Reports


async def report_menus(
    request: ApiRequest, query: Query, period: ReportPeriod
) -> tuple[str, list[dict[str, Any]]]:
    """Keys pressed in each menu."""
    menus = await read_objects(request, "ivr", read_id_list(query, "ivr_id_list"))
    acts = await request.service.database.read(reports.count_acts, period.span)
    counts: dict[int, dict[str, int]] = {id_: dict.fromkeys(PRESS_NAMES, 0) for id_, _ in menus}
    for act in acts:
        name = press_name(act.topic, act.input)
        if act.menu in counts and name:
            counts[act.menu][name] += act.count
    rows = [
        {"ivr_name": menu["name"], "ivr_num": menu["number"], "press_count": counts[id_]}
        for id_, menu in menus
    ]
    return "ivr_list", rows


PRESS_NAMES = (*KEY_NAMES.values(), "press_invalid", "press_timeout")


def press_name(topic: str, typed: str) -> str:
    """Return the counter of an entry in a menu, "" for a number that was dialled."""
    if topic == "chose":
        return KEY_NAMES.get(typed, "")
    return {"invalid": "press_invalid", "timed_out": "press_timeout"}.get(topic, "")


async def report_extensions(
    request: ApiRequest, query: Query, period: ReportPeriod
) -> tuple[str, list[dict[str, Any]]]:
    """Calls that came to each extension and that it made."""
    people = await read_objects(request, "extension", read_id_list(query, "ext_id_list"))
    call_type = read_choice(query, "communication_type", ("", *CALL_TYPES)) or None
    lists = request.service.cdr
    await lists.build(request.service.database.read, lists.rows)
    await lists.build(request.service.database.read, lists.calls)
    numbers = [person["number"] for _, person in people]
    span = call_reports.period(period.since, period.until)
    totals = await request.service.database.read(
        call_reports.count_extensions, lists, numbers, span, call_type
    )
    rows = []
    for _, person in people:
        name = f"{person['first_name']} {person['last_name']}".strip()
        head = {"ext_num": person["number"], "ext_name": name}
        rows.append(head | show_totals(totals[person["number"]]))
    return "ext_call_statistics_list", rows


async def report_ring_groups(
    request: ApiRequest, query: Query, period: ReportPeriod
) -> tuple[str, list[dict[str, Any]]]:
    """Calls that came to each ring group."""
    groups = await read_objects(request, "ring_group", read_id_list(query, "ring_group_id_list"))
    lists = request.service.cdr
    await lists.build(request.service.database.read, lists.rows)
    numbers = [group["number"] for _, group in groups]
    span = call_reports.period(period.since, period.until)
    totals = await request.service.database.read(
        call_reports.count_stages, lists, "ring_group", numbers, span
    )
    rows = [
        {"ring_group_num": group["number"], "ring_group_name": group["name"]}
        | show_totals(totals[group["number"]])
        for _, group in groups
    ]
    return "ring_group_statistics_list", rows


async def report_trunks(
    request: ApiRequest, query: Query, period: ReportPeriod
) -> tuple[str, list[dict[str, Any]]]:
    """Calls over each trunk, in and out."""
    trunks = await read_objects(request, "trunk", read_id_list(query, "trunk_id_list"))
    names = [trunk["name"] for _, trunk in trunks]
    lists, database = request.service.cdr, request.service.database
    await lists.build(request.service.database.read, lists.rows)
    span = call_reports.period(period.since, period.until)
    inbound = await database.read(call_reports.count_trunks, lists, names, span, "src_trunk")
    outbound = await database.read(call_reports.count_trunks, lists, names, span, "dst_trunk")
    rows = []
    for name in names:
        came, went = inbound[name], outbound[name]
        rows.append(
            {
                "trunk_name": name,
                "inbound_calls": came.count,
                "inbound_talking_time": came.talked,
                "outbound_calls": went.count,
                "outbound_talking_time": went.talked,
                "total_call_count": came.count + went.count,
            }
        )
    return "trunk_activity_list", rows


async def report_missed(
    request: ApiRequest, query: Query, period: ReportPeriod
) -> tuple[str, list[dict[str, Any]]]:
    """Callers from outside who were missed and not called back."""
    lists, display = request.service.cdr, request.service.display
    await lists.build(request.service.database.read, lists.calls)
    span = call_reports.period(period.since, period.until)
    missed = await request.service.database.read(call_reports.find_missed, lists, span)
    rows = [
        {
            "call_from": one.number,
            "miss_call_count": one.count,
            "first_time": display.show(one.first),
            "last_time": display.show(one.last),
        }
        for one in missed
    ]
    return "unreturn_miss_call_list", rows


def show_totals(totals: Totals) -> dict[str, int]:
    """Return the totals by the names of the API. Nothing is known of calls on hold."""
    counts = {name: totals.calls.get(status, 0) for status, name in COUNTS.items()}
    return counts | {
        "total_call_count": totals.count,
        "total_holding_time": 0,
        "total_talking_time": totals.talked,
    }


REPORTS: dict[str, Maker] = {
    "ivr": report_menus,
    "extcallstatistics": report_extensions,
    "ringgroupstatistics": report_ring_groups,
    "trunkactivity": report_trunks,
    "unreturnmisscall": report_missed,
}


@dataclass(slots=True)
class ShownNames:
    """Numbers and names of what entries led to, read once for each kind."""

    connection: Connection
    known: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)

    def find(self, kind: str, target: int) -> tuple[str, str]:
        stored = {"ext_vm": "extension"}.get(kind, kind)
        if stored not in ("ivr", "extension", "ring_group") or not target:
            return "", ""
        if (stored, target) not in self.known:
            found = resources.fetch_many(self.connection, KINDS[stored], [target]).get(target)
            names = KINDS[stored].names(found) if found else None
            name = "" if names is None or names.name == names.number else names.name
            self.known[stored, target] = (names.number if names else "", name)
        return self.known[stored, target]


def list_presses(
    connection: Connection,
    number: str,
    period: ReportPeriod,
    display: DisplayFormat,
    part: tuple[int, int],
) -> tuple[int, list[dict[str, Any]]]:
    """Return the number of entries in a menu, and a part of them. A menu that does not exist has none."""
    menu = resources.find_named(connection, KINDS["ivr"], number)
    if menu is None or period.until < period.since:
        return 0, []
    names = ShownNames(connection)
    first, last = part
    total, entries = call_reports.list_entries(connection, menu, period.span, first, last - first)
    return total, [
        show_entry(entry, id_, number, names, display) for id_, entry in enumerate(entries, first + 1)
    ]


def show_entry(
    entry: MenuEntry, id_: int, number: str, names: ShownNames, display: DisplayFormat
) -> dict[str, Any]:
    note = entry.note
    press = press_name(note.topic, note.input)
    to_number, to_name = names.find(note.kind, note.target)
    return {
        "id": id_,
        "time": display.show(note.at // 1000),
        "call_from": show_party(note.caller, note.caller_name),
        "press": note.input or press.removeprefix("press_"),
        "destination": show_party(to_number, to_name),
        "call_to": to_number,
        "opr_duration": entry.waited // 1000,
        "ivr_num": number,
        "destination_type": TARGETS.get(note.kind, ""),
    }


def endpoints() -> Iterator[Endpoint]:
    ids = {"type": "string", "pattern": r"^\d{1,18}(,\d{1,18})*$"}
    listed: dict[str, Mapping[str, Any]] = {
        "type": {"type": "string", "enum": list(REPORTS)},
        "start_time": TIME,
        "end_time": TIME,
        "communication_type": {"type": "string", "enum": list(CALL_TYPES)},
        **dict.fromkeys(ID_LISTS, ids),
        **PAGE,
    }
    narrow: dict[str, Mapping[str, Any]] = {
        "type": {"type": "string", "enum": ["ivr"]},
        "ivr_num": TEXT,
        **dict.fromkeys(("start_time", "end_time", "detail_time_begin", "detail_time_end"), TIME),
        **PAGE,
    }
    total = {"total_number": {"type": "integer"}}
    for version in VERSIONS:
        yield Endpoint(
            path="call_report/list",
            version=version,
            method="GET",
            handle=list_report,
            summary="Reports: numbers of a period by menu, extension, ring group or trunk",
            parameters=listed,
            required=("type", "start_time", "end_time"),
            data=total,
        )
        yield Endpoint(
            path="call_report/download",
            version=version,
            method="GET",
            handle=download,
            summary="Reports: an address for a report as a CSV file, good for 30 minutes",
            parameters=listed,
            required=("type", "start_time", "end_time"),
            data={"file": {"type": "string"}, "download_resource_url": {"type": "string"}},
        )
        yield Endpoint(
            path="call_report/detail",
            version=version,
            method="GET",
            handle=detail,
            summary="Reports: what callers pressed in a menu",
            parameters=narrow,
            required=("type", "ivr_num", "start_time", "end_time"),
            data=total | {"ivr_report_detail": {"type": "array", "items": {"type": "object"}}},
        )
