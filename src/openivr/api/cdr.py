"""Call detail records, v1.0 and v2.0: lists of routing stages, lists of calls, and one call.

P-Series: query-cdr-list, search-specific-cdr, query-cdr-list-v2, query-cdr-detail-v2. What a row holds and
leaves out is that of a live system.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from openivr.api.display_time import DisplayFormat
from openivr.api.endpoint import V2, ApiRequest, Endpoint
from openivr.api.query import MAX_ID, MAX_PAGE, MAX_ROWS, Query, read_choice, read_integer, read_one
from openivr.api.responses import NOT_FOUND, ApiError, bad_parameters, succeed
from openivr.resources.errors import NotFound, Problem, shorten
from openivr.resources.fields import fold_text
from openivr.resources.problem_codes import ProblemCode
from openivr.store.cdr import call_remarks, cdr_lists
from openivr.store.cdr.cdr_index import (
    NOTHING,
    AnyOf,
    Filter,
    HasId,
    HasPart,
    HasText,
    IndexOrder,
    IsBetween,
)
from openivr.store.cdr.cdr_lists import CdrQuery
from openivr.store.cdr.routing_stages import DISPOSITIONS, STATUSES, name_recording, number_call
from openivr.store.config import resources

SORTS = {
    "id": "id",
    "uid": "uid",
    "time": "started",
    **{name: name for name in ("duration", "ring_duration", "talk_duration", "disposition")},
    **{name: name for name in ("src_trunk", "dst_trunk", "call_type", "did_number", "dod_number")},
    "src_addr": "id",  # no record has the address of the caller
}
CALL_SORTS = {
    "uid": "uid",
    "time": "started",
    **{name: name for name in ("call_type", "last_status")},
    **{name: name for name in ("call_duration", "routing_duration", "handling_duration")},
}
ORDERS = ("asc", "desc")
UNSERVED = ("segments", "disconnected_by")  # conditions of v2.0 that no record answers
PREFIXES = {  # by kind of stage
    "ivr": "IVR",
    "ring_group": "Ring Group",
    "ext_vm": "Voicemail",
    "mailbox": "Voicemail",
    "play_greeting": "Play Prompt",
    "play_prompt": "Play Prompt",
}
OUTSIDE = "External Number"  # whose number is hidden
IN_BRACKETS = re.compile(r".*<([^<>]*)>")
MAX_TEXT = 127


async def list_rows(request: ApiRequest) -> bytes:
    """Routing stages of calls that are over, those of a call with the same `uid` and `call_id`."""
    query, service = drop_empty(request.query), request.service
    groups = await read_group(request, query)
    filters = (*read_filters(query, service.display, groups), *await read_remark(request, query))
    wanted = CdrQuery(filters, *read_order(query, SORTS))
    await service.cdr.build(service.database.read, service.cdr.rows)
    return await service.database.read(answer_rows, service.cdr.list_rows, wanted, row_of, service.display)


async def list_calls(request: ApiRequest) -> bytes:
    """Calls that are over, one row each (v2.0)."""
    query, service = drop_empty(request.query), request.service
    wanted = CdrQuery(read_call_filters(query, service.display), *read_order(query, CALL_SORTS, "time"))
    await service.cdr.build(service.database.read, service.cdr.calls)
    return await service.database.read(answer_rows, service.cdr.list_calls, wanted, call_row, service.display)


def answer_rows(
    connection: Connection,
    read: Callable[[Connection, CdrQuery], tuple[int, list[Any]]],
    wanted: CdrQuery,
    show: Callable[[Any, DisplayFormat], dict[str, Any]],
    display: DisplayFormat,
) -> bytes:
    """Answer a page in the thread of a reader: ten thousand rows would hold up the other requests."""
    total, rows = read(connection, wanted)
    return succeed(total_number=total, data=[show(row, display) for row in rows])


async def get_call(request: ApiRequest) -> bytes:
    """One call with its stages (v2.0). 60001 if no call has this `uid`."""
    uid = read_one(drop_empty(request.query), "uid")
    if uid is None:
        raise bad_parameters(Problem("uid", ProblemCode.REQUIRED))
    found = await request.service.database.read(find_call, uid)
    if found is None:
        raise ApiError(NOT_FOUND)
    whole, stages, remark = found
    display = request.service.display
    basic = call_row(whole, display)
    basic.pop("queues")
    timeline = [stage_of(stage, display) for stage in stages]
    notes = {"remark": remark, "disposition_code_list": []} if remark else {}
    return succeed(data={"basic": basic, "call_notes": notes, "timeline": timeline})


def find_call(connection: Connection, uid: str) -> tuple[Any, list[Any], str] | None:
    """Return a call, its stages and the remark about it; None if no call has this id."""
    found = cdr_lists.find_call(connection, uid)
    if found is None:
        return None
    whole, record, stages = found
    remarks = call_remarks.list_remarks(connection, record.id)
    return whole, stages, remarks[-1].remark if remarks else ""


# Queries


def drop_empty(query: Query) -> Query:
    """Return a query without empty parameters: a blank page is the first, a blank size the largest."""
    return {name: values for name, values in query.items() if values != [""]}


def read_order(query: Query, sorts: Mapping[str, str], default: str = "id") -> tuple[IndexOrder, int, int]:
    """Return order, offset and size of a page."""
    number = read_integer(query, "page", 1, MAX_PAGE) or 1
    size = read_integer(query, "page_size", 1, MAX_ROWS) or MAX_ROWS
    sort = read_choice(query, "sort_by", (default, *sorts))
    order = IndexOrder(sorts[sort], read_choice(query, "order_by", ORDERS) == "desc")
    return order, (number - 1) * size, size


async def read_group(request: ApiRequest, query: Query) -> tuple[str, ...] | None:
    """Return the numbers of the members of `extension_group`, None where no group is named."""
    id_ = read_integer(query, "extension_group", 0, MAX_ID)
    if id_ is None:
        return None
    try:
        return await request.service.database.read(resources.list_members, id_)
    except NotFound as error:
        problem = Problem(
            "extension_group", ProblemCode.MISSING_OBJECT, {"kind": "ext_group", "key": id_}, str(id_)
        )
        raise bad_parameters(problem) from error


async def read_remark(request: ApiRequest, query: Query) -> tuple[Filter, ...]:
    """Return the condition of `call_note_remark`, a part of the remark about a call."""
    part = read_text(query, "call_note_remark")
    if part is None:
        return ()
    return (HasId(await request.service.database.read(call_remarks.find_rows, fold_text(part))),)


def read_filters(query: Query, display: DisplayFormat, group: tuple[str, ...] | None) -> tuple[Filter, ...]:
    """Return the conditions of a list of routing stages."""
    is_part = read_choice(query, "enable_fuzzy_search", ("0", "1")) == "1"
    filters: list[Filter] = [
        *read_span(query, display, "start_time", "end_time"),
        *read_numbers(query, ("call_from", "call_to"), is_part=is_part),
    ]
    if group is not None:
        filters.append(AnyOf((HasText("call_from", group), HasText("call_to", group))))
    if "status" in query:
        filters.append(HasText("disposition", (read_choice(query, "status", DISPOSITIONS),)))
    did = read_text(query, "did")
    if did is not None:
        number, colon, trunk = did.partition(":")
        filters.append(HasText("did_number", (number,)))
        filters += [HasText("src_trunk", (trunk,))] if colon else []
    if read_choice(query, "from", ("new", "legacy")) == "legacy":
        filters.append(NOTHING)
    for name in ("disposition_code_list", "pin_code"):  # of which no record has one
        filters += [NOTHING] if read_text(query, name) is not None else []
    return tuple(filters)


def read_call_filters(query: Query, display: DisplayFormat) -> tuple[Filter, ...]:
    """Return the conditions of a list of calls (v2.0). Raises 40002 for those that no record answers."""
    for name in UNSERVED:
        if name in query:
            raise bad_parameters(Problem(name, ProblemCode.UNSERVED, {"choice": ""}, shorten(query[name][0])))
    filters: list[Filter] = [
        *read_span(query, display, "time_begin", "time_end"),
        *read_numbers(query, ("call_from", "call_to"), is_part=False),
    ]
    if "last_status" in query:
        filters.append(HasText("last_status", (read_choice(query, "last_status", STATUSES),)))
    duration = read_integer(query, "routing_duration", 0, 10**9)
    if duration is not None:
        filters.append(IsBetween("routing_duration", duration, None))
    if read_text(query, "queue_list") is not None:
        filters.append(NOTHING)  # there are no queues
    return tuple(filters)


def read_span(query: Query, display: DisplayFormat, first: str, last: str) -> Iterator[Filter]:
    """Yield the condition of a span of time, whose ends are both included."""
    low, high = read_time(query, first, display), read_time(query, last, display)
    if low is not None or high is not None:
        yield IsBetween("started", low, high)


def read_time(query: Query, name: str, display: DisplayFormat) -> int | None:
    """Return a time in Unix seconds, None if it is missing. Raises 40002 for another format."""
    text = read_one(query, name)
    if text is None:
        return None
    seconds = display.read(text)
    if seconds is None:
        form = f"{display.date} {display.time}"
        raise bad_parameters(Problem(name, ProblemCode.NOT_TIME, {"form": form}, shorten(text)))
    return seconds


def read_numbers(query: Query, names: Iterable[str], *, is_part: bool) -> Iterator[Filter]:
    """Yield the conditions for numbers: "1000", or "Ada Byron<1000>" as rows show it."""
    for name in names:
        text = read_text(query, name)
        if text is None:
            continue
        match = IN_BRACKETS.fullmatch(text)
        number = match[1] if match else text
        yield HasPart((name,), number) if is_part else HasText(name, (number,))


def read_text(query: Query, name: str) -> str | None:
    """Return a text of at most MAX_TEXT characters, None if it is missing."""
    text = read_one(query, name)
    if text is not None and len(text) > MAX_TEXT:
        raise bad_parameters(Problem(name, ProblemCode.TOO_LONG, {"high": MAX_TEXT}, shorten(text)))
    return text


# Rows


def row_of(row: Any, display: DisplayFormat) -> dict[str, Any]:
    """Return a row of v1.0. What is empty is left out, but for `did` and `pin_code`."""
    shown = {
        "id": row.id,
        "time": display.show(row.started),
        "call_from": show_party(row.call_from, row.call_from_name),
        "call_to": show_target(row),
        "timestamp": row.started,
        "uid": row.uid,
        "src_trunk": row.src_trunk,
        "dst_trunk": row.dst_trunk,
        "duration": row.duration,
        "ring_duration": row.ring_duration,
        "talk_duration": row.talk_duration,
        "disposition": row.disposition,
        "call_type": row.call_type,
        "did_number": row.did_number,
        "dod_number": row.dod_number,
        "record_file": recording_name(row) if row.is_recorded and row.recording else "",
        "call_from_number": row.call_from,
        "call_from_name": row.call_from_name,
        "call_to_number": row.call_to,
        "call_to_name": row.call_to_name,
        "call_id": number_call(row.call_id, row.call_started // 1000),
    }
    kept = {name: value for name, value in shown.items() if value or name in ALWAYS}
    return kept | {"did": row.did_number, "new_id": new_id(row), "pin_code": ""}


ALWAYS = frozenset(("call_from", "call_to", "call_from_number", "call_to_number"))


def call_row(row: Any, display: DisplayFormat) -> dict[str, Any]:
    """Return a row of v2.0."""
    return {
        "id": row.id,
        "uid": row.uid,
        "time": display.show(row.started),
        "call_type": row.call_type,
        "call_from": show_party(row.call_from, row.call_from_name),
        "call_from_name": row.call_from_name,
        "call_from_number": row.call_from,
        "call_to": show_target(row),
        "call_to_name": row.call_to_name,
        "call_to_number": row.call_to,
        "last_status": row.last_status,
        "call_duration": row.call_duration,
        "routing_duration": row.routing_duration,
        "handling_duration": row.handling_duration,
        "queues": [],
    }


def stage_of(row: Any, display: DisplayFormat) -> dict[str, Any]:
    """Return a stage of the timeline of a call (v2.0)."""
    return {
        "leg": row.leg,
        "time": display.show(row.started),
        "status": row.disposition,
        "call_from": show_party(row.call_from, row.call_from_name),
        "call_to": show_target(row),
        "call_duration": row.duration,
        "ring_duration": row.ring_duration,
        "talk_duration": row.talk_duration,
        "hold_duration": 0,
    }


def show_party(number: str, name: str) -> str:
    """Return a number with its name as the P-Series writes them: "Ada Byron<1000>"."""
    return f"{name}<{number}>" if name and number else name or number


def show_target(row: Any) -> str:
    """Return what a stage led to: "IVR Welcome<6200>"."""
    shown = show_party(row.call_to, row.call_to_name)
    if row.to_kind == "external_num":
        return shown or OUTSIDE
    prefix = PREFIXES.get(row.to_kind, "")
    if prefix and not row.call_to_name and row.call_to:
        return f"{prefix}<{row.call_to}>"
    return f"{prefix} {shown}".strip()


def new_id(row: Any) -> str:
    """Return the id of a row in the form of newer systems: "67C67519-D30000CD"."""
    return f"{row.started & 0xFFFFFFFF:08X}-{row.id & 0xFFFFFFFF:08X}"


def recording_name(row: Any) -> str:
    """Return the vendor's name of a recording: "20220412173331-1649756009.12-2002-2005-Internal.wav"."""
    return name_recording(row, row.call_started)


# Endpoints

TEXT = {"type": "string", "maxLength": MAX_TEXT}
TIME = {"type": "string", "description": "in the display format, year first, or Unix seconds"}
PAGE = {
    "page": {"type": "integer", "minimum": 1, "maximum": MAX_PAGE},
    "page_size": {"type": "integer", "minimum": 1, "maximum": MAX_ROWS},
}
ROWS = {
    "total_number": {"type": "integer"},
    "data": {"type": "array", "items": {"type": "object"}},
}


def page_parameters(sorts: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    return {
        **PAGE,
        "sort_by": {"type": "string", "enum": list(sorts)},
        "order_by": {"type": "string", "enum": list(ORDERS)},
    }


FILTERS: dict[str, Mapping[str, Any]] = {
    "start_time": TIME,
    "end_time": TIME,
    "call_from": TEXT,
    "call_to": TEXT,
    "extension_group": {"type": "integer", "minimum": 0, "maximum": MAX_ID},
    "status": {"type": "string", "enum": list(DISPOSITIONS)},
    "enable_fuzzy_search": {"type": "string", "enum": ["0", "1"]},
    "did": TEXT,
    "disposition_code_list": TEXT,
    "call_note_remark": TEXT,
    "pin_code": TEXT,
    "from": {"type": "string", "enum": ["new", "legacy"]},
}
CALL_FILTERS: dict[str, Mapping[str, Any]] = {
    "time_begin": TIME,
    "time_end": TIME,
    "call_from": TEXT,
    "call_to": TEXT,
    "last_status": {"type": "string", "enum": list(STATUSES)},
    "routing_duration": {"type": "integer", "minimum": 0, "maximum": 10**9},
    "queue_list": TEXT,
}


def endpoints() -> Iterator[Endpoint]:
    for action, stages, calls in (
        ("list", "routing stages of all calls", "all calls"),
        (
            "search",
            "routing stages by time, numbers, group and outcome",
            "calls by time, numbers and outcome",
        ),
    ):
        yield Endpoint(
            path=f"cdr/{action}",
            method="GET",
            handle=list_rows,
            summary=f"Call records: {stages}",
            parameters=page_parameters(SORTS) | FILTERS,
            data=ROWS,
        )
        yield Endpoint(
            path=f"cdr/{action}",
            version=V2,
            method="GET",
            handle=list_calls,
            summary=f"Call records: {calls}",
            parameters=page_parameters(CALL_SORTS) | CALL_FILTERS,
            data=ROWS,
        )
    yield Endpoint(
        path="cdr/detail",
        version=V2,
        method="GET",
        handle=get_call,
        summary="Call records: one call with its stages",
        parameters={"uid": TEXT},
        required=("uid",),
        data={"data": {"type": "object"}},
    )
