"""System information, capacity and menu options (P-Series: query-pbx-information, get-menu-options)."""

import platform
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

import openivr
from openivr.api.cdr import PAGE, ROWS, drop_empty
from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import MAX_PAGE, MAX_ROWS, read_choice, read_integer, read_one
from openivr.api.responses import NOT_FOUND, ApiError, bad_parameters, succeed
from openivr.resources import KINDS
from openivr.resources.errors import Problem
from openivr.resources.presence import STATUSES
from openivr.resources.problem_codes import ProblemCode
from openivr.store.config import resources
from openivr.store.system import count, serial_number

# Menus of the original -> the kind that fills them; None where this server has nothing of the sort.
MENUS: Mapping[str, str | None] = {
    "extension": "extension",
    "ext_group": "ext_group",
    "trunk": "trunk",
    "ivr": "ivr",
    "ring_group": "ring_group",
    "custom_prompt": "custom_prompt",
    "paging_custom_prompt": "custom_prompt",
    "outbound_route": "outbound_route",
    "inbound_route": "inbound_route",
    "pinset": "pin_list",
    **dict.fromkeys(
        (
            "fxs",
            "org_list",
            "role",
            "phonebook",
            "group_vm",
            "call_flow",
            "queue",
            "queue_agent",
            "conference",
            "system_prompt",
            "disposition_code",
            "message_channel",
            "message_queue",
            "trunk_did_id",
        )
    ),
}
MAX_EXTENSIONS = 10_000_000 - 1  # numbers have at most seven digits


async def information(request: ApiRequest) -> bytes:
    now, display = time.time(), request.service.display
    return succeed(
        data={
            "device_name": platform.node(),
            "model_name": "OpenIVR",
            "sn": await request.service.database.read(serial_number),
            "firmware_version": openivr.__version__,
            "system_time": display.show(int(now)),
            "up_time": int(time.monotonic() - request.service.started),
            "system_date_format": display.date,
            "system_time_format": display.time,
            "timestamp": int(now),
        }
    )


async def capacity(request: ApiRequest) -> bytes:
    used = await request.service.database.read(count, "extension")
    return succeed(data={"max_extension": MAX_EXTENSIONS, "used_extension": used})


async def menu_options(request: ApiRequest) -> bytes:
    menu = read_one(request.query, "menu")
    if menu is None:
        raise bad_parameters(Problem("menu", ProblemCode.REQUIRED))
    read_choice(request.query, "menu", tuple(MENUS))
    if menu == "queue_agent":
        if read_integer(request.query, "id", 0, 10**18) is None:
            raise bad_parameters(Problem("id", ProblemCode.REQUIRED_FOR_MENU))
        raise ApiError(NOT_FOUND)  # of a queue, and there is none
    kind = MENUS[menu]
    return succeed(data=[] if kind is None else await request.service.database.read(options, kind))


def options(connection: Connection, name: str) -> list[dict[str, Any]]:
    kind = KINDS[name]
    rows = []
    for id_, values in resources.fetch_all(connection, kind):
        text, number = kind.names(values)
        rows.append({"text": text, "text2": number, "value": str(id_), "type": values.get("type", name)})
    return rows


async def list_queues(request: ApiRequest) -> bytes:
    """No queue. A P-Series has its rows under `queue_list`, and not under `data`."""
    read_page(request)
    return succeed(total_number=0, queue_list=[])


async def list_presence(request: ApiRequest) -> bytes:
    """The presence statuses that an extension can have. The vendor's page is not public."""
    first, last = read_page(request)
    rows = [{"id": place, "name": name} for place, name in enumerate(STATUSES, 1)]
    return succeed(total_number=len(rows), data=rows[first:last])


def read_page(request: ApiRequest) -> tuple[int, int]:
    """Return the first row of a page and the one after its last."""
    query = drop_empty(request.query)
    number = read_integer(query, "page", 1, MAX_PAGE) or 1
    size = read_integer(query, "page_size", 1, MAX_ROWS) or MAX_ROWS
    return (number - 1) * size, number * size


MENU = {"type": "string", "enum": list(MENUS)}
OBJECT = {"data": {"type": "object"}}

ENDPOINTS = (
    Endpoint(
        path="system/information",
        method="GET",
        handle=information,
        summary="System: what this server is, and its time",
        data=OBJECT,
    ),
    Endpoint(
        path="system/capacity",
        method="GET",
        handle=capacity,
        summary="System: how many extensions there may be and are",
        data=OBJECT,
    ),
    Endpoint(
        path="system/get_menuoptions",
        method="GET",
        handle=menu_options,
        summary="System: what a form may choose from, for one kind of object",
        parameters={"menu": MENU, "id": {"type": "integer", "minimum": 0, "maximum": 10**18}},
        required=("menu",),
        data={"data": {"type": "array", "items": {"type": "object"}}},
    ),
    Endpoint(
        path="queue/list",
        method="GET",
        handle=list_queues,
        summary="Queues: there are none",
        parameters=PAGE,
        data={"total_number": {"type": "integer"}, "queue_list": {"type": "array"}},
    ),
    Endpoint(
        path="presence_status/list",
        method="GET",
        handle=list_presence,
        summary="Presence: the statuses of extensions",
        parameters=PAGE,
        data=ROWS,
    ),
)
