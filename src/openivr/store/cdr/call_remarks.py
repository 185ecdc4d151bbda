"""Remarks that administrators and programs note about a call: the present one, and those before it."""

import time
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from openivr.resources.fields import InvalidValue, clean_text
from openivr.resources.problem_codes import ProblemCode
from openivr.store.cdr.routing_stages import make_uid, number_call
from openivr.store.sql_functions import position
from openivr.store.tables import CALL, CALL_REMARK, CDR_CALL, CDR_ROW

MAX_REMARK = 1000


@dataclass(frozen=True, slots=True)
class CallRemark:
    """A remark about a call. `update_entry` is "in_call", or "cdr" for one after the call.

    `author` is the administrator, "" for a client of the API. `at` is in Unix milliseconds.
    """

    remark: str
    update_entry: str
    author: str
    at: int


@dataclass(frozen=True, slots=True)
class NamedCall:
    """A call with the ids that the API has for it."""

    id: str
    uid: str
    number: str
    is_live: bool


def read_remark(raw: object) -> str:
    """Return the text of a remark, which may have several lines. Raises InvalidValue."""
    if not isinstance(raw, str):
        raise InvalidValue(ProblemCode.NOT_TEXT)
    text = "\n".join(clean_text(line) for line in raw.splitlines()).strip("\n")
    if len(text) > MAX_REMARK:
        raise InvalidValue(ProblemCode.TOO_LONG, high=MAX_REMARK)
    return text


def find_named(connection: Connection, uid: str) -> NamedCall | None:
    """Return the call with an id of the API, also while it is under way."""
    ended = select(CDR_CALL.c.call_id, CALL.c.started).join(CALL, CALL.c.id == CDR_CALL.c.call_id)
    row = connection.execute(ended.where(CDR_CALL.c.uid == uid)).first()
    if row is not None:
        return NamedCall(row.call_id, uid, number_call(row.call_id, row.started // 1000), is_live=False)
    for row in connection.execute(select(CALL.c.id, CALL.c.started).where(CALL.c.ended.is_(None))):
        if make_uid(row.id, row.started, time.localtime) == uid:
            return NamedCall(row.id, uid, number_call(row.id, row.started // 1000), is_live=True)
    return None


def list_remarks(connection: Connection, call_id: str) -> list[CallRemark]:
    """Return the remarks of a call, the one that holds last."""
    query = select(CALL_REMARK).where(CALL_REMARK.c.call_id == call_id).order_by(CALL_REMARK.c.id)
    return [CallRemark(row.remark, row.update_entry, row.author, row.at) for row in connection.execute(query)]


def add_remark(connection: Connection, call_id: str, remark: CallRemark) -> None:
    """Note a remark. One that says the same as the one before it is not kept."""
    known = list_remarks(connection, call_id)
    if remark.remark == (known[-1].remark if known else ""):
        return
    values = {"remark": remark.remark, "update_entry": remark.update_entry}
    values |= {"author": remark.author, "call_id": call_id}
    connection.execute(insert(CALL_REMARK).values(at=remark.at, **values))


def find_rows(connection: Connection, part: str) -> tuple[int, ...]:
    """Return the ids of the routing stages of calls whose remark contains a text."""
    newest = select(func.max(CALL_REMARK.c.id)).group_by(CALL_REMARK.c.call_id)
    noted = select(CALL_REMARK.c.call_id).where(
        CALL_REMARK.c.id.in_(newest), position(CALL_REMARK.c.remark, part) > 0
    )
    rows = select(CDR_ROW.c.id).where(CDR_ROW.c.call_id.in_(noted)).order_by(CDR_ROW.c.id)
    return tuple(connection.execute(rows).scalars())
