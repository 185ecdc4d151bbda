"""Remarks about calls: `callnotes/get` and `callnotes/update` (get-call-notes, update-call-notes-for-a-call).

The id of a note is the `uid` of its call, its `group_id` the `call_id`: a call has one note. There are no
disposition codes.
"""

import time
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from openivr.api.cdr import TEXT, drop_empty, read_text
from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import read_text as read_body_text
from openivr.api.responses import bad_parameters, succeed
from openivr.resources.errors import NotFound, Problem, shorten
from openivr.resources.fields import InvalidValue
from openivr.resources.problem_codes import ProblemCode
from openivr.store.cdr import call_remarks
from openivr.store.cdr.call_remarks import CallRemark, NamedCall

ENTRIES = ("in_call", "cdr")
SPELLINGS = {"in-call": "in_call"}  # of the vendor's example
AGENTS = "queue_agent"  # the wrap-up time of a queue: there are no queues


async def get(request: ApiRequest) -> bytes:
    """The remark of a call (`current`), and those before it (`history`), the newest first."""
    query = drop_empty(request.query)
    call, remarks = await request.service.database.read(
        load, read_text(query, "id"), read_text(query, "group_id")
    )
    shown = [show(call, remark) for remark in reversed(remarks)]
    return succeed(history=shown[1:], current=shown[0] if shown else {})


def load(connection: Connection, uid: str | None, group: str | None) -> tuple[NamedCall, list[CallRemark]]:
    call = find(connection, uid, group)
    return call, call_remarks.list_remarks(connection, call.id)


def find(connection: Connection, uid: str | None, group: str | None) -> NamedCall:
    """Return the call of a note. Raises 40002 without an id, 60001 if there is no such call."""
    if uid is None:
        raise bad_parameters(Problem("id", ProblemCode.REQUIRED))
    call = call_remarks.find_named(connection, uid.replace("-", ""))
    if call is None or group not in (None, call.number):
        raise NotFound(f"call {uid}")
    return call


def show(call: NamedCall, remark: CallRemark) -> dict[str, Any]:
    return {
        "id": call.uid,
        "group_id": call.number,
        "disposition_code_list": [],
        "remark": remark.remark,
        "agent_name": remark.author,
        "registration_time": remark.at // 1000,
        "update_entry": remark.update_entry,
    }


async def update(request: ApiRequest) -> bytes:
    """Note a remark about a call, live or over, in the place of the one before it."""
    body = await request.json()
    uid, group = read_body_text(body, "id"), body.get("group_id")
    entry = read_body_text(body, "update_entry")
    entry = SPELLINGS.get(entry, entry)
    if entry == AGENTS:
        raise bad_parameters(Problem("update_entry", ProblemCode.UNSERVED, {"choice": entry}, entry))
    if entry not in ENTRIES:
        raise bad_parameters(
            Problem("update_entry", ProblemCode.CHOICE, {"choices": ENTRIES}, shorten(entry))
        )
    if body.get("disposition_code_ids"):
        codes = shorten(str(body["disposition_code_ids"]))
        raise bad_parameters(Problem("disposition_code_ids", ProblemCode.UNSERVED, {"choice": codes}, codes))
    try:
        remark = call_remarks.read_remark(body.get("remark", ""))
    except InvalidValue as bad:
        problem = Problem("remark", bad.code, bad.params, shorten(body["remark"]))
        raise bad_parameters(problem) from bad
    noted = CallRemark(remark, entry, "", time.time_ns() // 1_000_000)
    await request.service.database.write(note, uid, str(group) if group else None, noted)
    return succeed()


def note(connection: Connection, uid: str, group: str | None, remark: CallRemark) -> None:
    call_remarks.add_remark(connection, find(connection, uid, group).id, remark)


def endpoints() -> Iterator[Endpoint]:
    note_schema = {"type": "object"}
    yield Endpoint(
        path="callnotes/get",
        method="GET",
        handle=get,
        summary="Call notes: the remark about a call, and those before it",
        parameters={"id": TEXT, "group_id": TEXT},
        required=("id",),
        data={"history": {"type": "array", "items": note_schema}, "current": note_schema},
    )
    yield Endpoint(
        path="callnotes/update",
        method="POST",
        handle=update,
        summary="Call notes: note a remark about a call",
        body={
            "type": "object",
            "properties": {
                "id": TEXT,
                "group_id": TEXT,
                "remark": {"type": "string", "maxLength": call_remarks.MAX_REMARK},
                "update_entry": {"type": "string", "enum": list(ENTRIES)},
            },
            "required": ["id", "update_entry"],
        },
    )
