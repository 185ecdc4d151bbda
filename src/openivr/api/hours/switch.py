"""The present period of a calendar, and the switch by hand. The P-Series has these in its web pages alone."""

import time
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import read_integer
from openivr.api.responses import NOT_FOUND, ApiError, succeed
from openivr.hours.calendar import Calendar, ManualSwitch, PeriodKind
from openivr.hours.period import PeriodDecision, next_changes, period
from openivr.resources.errors import Invalid, Problem
from openivr.resources.fields import CONTROL, InvalidValue, whole
from openivr.resources.problem_codes import ProblemCode
from openivr.store.auth import tokens
from openivr.store.config import hours_switch
from openivr.store.config.ivr_snapshot import load_calendars
from openivr.store.database import ConfigTransaction

log = structlog.get_logger(__name__)
SHOWN = 7  # changes
AUTO, NEXT_CHANGE = "auto", "next_change"
MAX_NOTE = 127
MAX_ID = 2**31 - 1


async def show_status(request: ApiRequest) -> bytes:
    id_ = read_integer(request.query, "timezone_id", 0, MAX_ID) or 0
    data = await request.service.database.read(find_status, id_, int(time.time()))
    if data is None:
        raise ApiError(NOT_FOUND)
    return succeed(data=data)


def find_status(connection: Connection, id_: int, now: int) -> dict[str, Any] | None:
    """Describe the period of a calendar now, and its next changes. None: there is no such calendar."""
    calendar = load_calendars(connection).get(id_)
    return describe(calendar, now) if calendar else None


def describe(calendar: Calendar, now: int) -> dict[str, Any]:
    """Return the present period and the next changes for an answer. Times are Unix seconds."""
    decision = period(now, calendar)
    changes = next_changes(now, calendar, SHOWN)
    switch = decision.switch
    return {
        "timezone_id": calendar.id,
        "timezone": calendar.zone,
        **describe_period(decision),
        "until": changes[0].at if changes else None,
        "next_changes": [{"at": change.at, **describe_period(change.decision)} for change in changes],
        "switch": {"until": switch.until, "note": switch.note, "by": switch.by, "at": switch.at}
        if switch
        else None,
    }


def describe_period(decision: PeriodDecision) -> dict[str, str]:
    """Return a period, its reason and the holiday."""
    return {"period": decision.period.value, "reason": decision.reason.value, "holiday": decision.name}


async def switch(request: ApiRequest) -> bytes:
    body = await request.json()
    now = int(time.time())
    by = await request.service.database.read(tokens.find_client_name, request.token)
    data = await request.service.database.change_config(change_switch, body, by, now)
    return succeed(data=data)


def change_switch(change: ConfigTransaction, body: dict[str, Any], by: str, now: int) -> dict[str, Any]:
    """Switch a calendar as a body says. Raises Invalid, and then nothing has changed."""
    problems: list[Problem] = []
    id_ = read_id(body, problems)
    calendars = load_calendars(change.connection)
    if id_ not in calendars:
        about: dict[str, str | int] = {"kind": "timezone", "key": id_}
        problems.append(Problem("timezone_id", ProblemCode.MISSING_OBJECT, about, str(id_)))
    wanted: Any = body.get("period")
    choices = (*hours_switch.PERIODS, AUTO)
    if wanted not in choices:
        if "period" in body:
            problems.append(Problem("period", ProblemCode.CHOICE, {"choices": choices}))
        else:
            problems.append(Problem("period", ProblemCode.REQUIRED))
    note = body.get("note", "")
    if not isinstance(note, str) or len(note) > MAX_NOTE or CONTROL.search(note):
        problems.append(Problem("note", ProblemCode.CHARACTERS))
    until = read_until(body.get("until", ""), calendars.get(id_, calendars[0]), now, problems)
    if problems:
        raise Invalid(*problems)
    if wanted == AUTO:
        hours_switch.take_back(change, id_, by)
    else:
        asked = ManualSwitch(PeriodKind(wanted), until, note, by, now)
        is_until_change = body.get("until") == NEXT_CHANGE
        hours_switch.set_switch(change, calendars[id_], id_, asked, is_until_change=is_until_change)
    return describe(load_calendars(change.connection)[id_], now)


def read_id(body: dict[str, Any], problems: list[Problem]) -> int:
    try:
        return whole(body.get("timezone_id", 0))
    except InvalidValue as bad:
        problems.append(Problem("timezone_id", bad.code, bad.params))
        return 0


def read_until(raw: Any, calendar: Calendar, now: int, problems: list[Problem]) -> int | None:
    """Read the end of a switch: Unix seconds, a local time in ISO 8601, "next_change", or "" for none."""
    if raw in ("", None, NEXT_CHANGE):
        return None
    try:
        moment = whole(raw) if isinstance(raw, int) else read_local(str(raw), calendar)
    except (InvalidValue, ValueError, OverflowError):
        problems.append(Problem("until", ProblemCode.DATE_FORMAT_ISO, {"part": str(raw)[:40]}))
        return None
    if moment <= now:
        problems.append(Problem("until", ProblemCode.OVER, {"part": str(raw)[:40]}))
    return moment


def read_local(text: str, calendar: Calendar) -> int:
    """Read a time of the calendar's zone, dates with "-" or "/". Raises ValueError."""
    moment = datetime.fromisoformat(text.replace("/", "-"))
    return int((moment if moment.tzinfo else moment.replace(tzinfo=calendar.clock)).timestamp())


ID = {"type": "integer", "minimum": 0, "maximum": MAX_ID}
ENDPOINTS = (
    Endpoint(
        path="businesshour/status",
        method="GET",
        handle=show_status,
        summary="Business hour: the present period of a calendar, why, and the next changes",
        parameters={"timezone_id": ID},
        data={"data": {"type": "object"}},
    ),
    Endpoint(
        path="businesshour/switch",
        method="POST",
        handle=switch,
        summary="Business hour: open, close or declare a holiday by hand, or follow the calendar again",
        body={
            "type": "object",
            "properties": {
                "timezone_id": ID,
                "period": {"type": "string", "enum": [*hours_switch.PERIODS, AUTO]},
                "until": {"type": ["string", "integer"]},
                "note": {"type": "string", "maxLength": MAX_NOTE},
            },
            "required": ["period"],
        },
        data={"data": {"type": "object"}},
    ),
)
