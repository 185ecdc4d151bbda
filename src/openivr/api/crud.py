"""The endpoints that every kind of object has: list, search, get, query, create, update, delete."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from openivr.api.endpoint import ApiRequest, Endpoint
from openivr.api.query import MAX_SEARCH, read_body_id, read_id, read_ids, read_page, read_search
from openivr.api.responses import NOT_FOUND, ApiError, list_rows, succeed
from openivr.resources import ResourceType
from openivr.store.caches.encoded_list import EncodedList
from openivr.store.caches.list_snapshot import ENCODE
from openivr.store.config import resources

ALL = ("list", "search", "get", "query", "create", "update", "delete")
Schema = dict[str, Any]


async def list_objects(kind: ResourceType, request: ApiRequest) -> bytes:
    page = read_page(request.query, kind)
    snapshot = await request.service.live.current()
    index: EncodedList = snapshot.lists[kind.name]
    return list_rows(index.total, index.page(page))


async def search_objects(kind: ResourceType, request: ApiRequest) -> bytes:
    page = read_page(request.query, kind)
    text = read_search(request.query)
    total, rows = await request.service.database.read(resources.search, kind, text, page)
    return list_rows(total, [ENCODE(row) for row in rows])


async def get_object(kind: ResourceType, request: ApiRequest) -> bytes:
    data = await request.service.database.read(resources.fetch_row, kind, read_id(request.query))
    return succeed(data=data)


async def query_objects(kind: ResourceType, request: ApiRequest) -> bytes:
    data = await request.service.database.read(resources.fetch_rows, kind, read_ids(request.query))
    if not data:
        raise ApiError(NOT_FOUND)
    return succeed(data=data)


async def create_object(kind: ResourceType, request: ApiRequest) -> bytes:
    return succeed(
        id=await request.service.database.change_config(resources.create, kind, await request.json())
    )


async def update_object(kind: ResourceType, request: ApiRequest) -> bytes:
    body = await request.json()
    await request.service.database.change_config(resources.update, kind, read_body_id(body), body)
    return succeed()


async def delete_object(kind: ResourceType, request: ApiRequest) -> bytes:
    await request.service.database.change_config(resources.delete, kind, read_id(request.query))
    return succeed()


def endpoints(kind: ResourceType, names: tuple[str, ...] = ALL) -> Iterator[Endpoint]:
    """The named endpoints of a kind, under each of its paths."""
    handlers = {
        "list": list_objects,
        "search": search_objects,
        "get": get_object,
        "query": query_objects,
        "create": create_object,
        "update": update_object,
        "delete": delete_object,
    }
    for path in kind.paths:
        for name in names:
            yield Endpoint(
                path=f"{path}/{name}",
                method="POST" if name in {"create", "update"} else "GET",
                handle=partial(handlers[name], kind),
                summary=f"{kind.title}: {name}",
                **describe(kind, name),
            )


def describe(kind: ResourceType, name: str) -> dict[str, Any]:
    """Return the OpenAPI description of an endpoint."""
    id_: Schema = {"type": "integer", "minimum": 0, "maximum": 10**18}
    shown: Schema = {"type": "object", "properties": {"id": id_}, "required": ["id"]}
    rows: Schema = {"type": "array", "items": shown}
    match name:
        case "list":
            return {"parameters": paging(kind), "data": {"total_number": id_, "data": rows}}
        case "search":
            text = {
                "type": "string",
                "minLength": 1,
                "maxLength": MAX_SEARCH,
                "pattern": "^[^\\x00-\\x1f\\x7f]+$",
            }
            parameters = {**paging(kind), "search_value": text}
            return {"parameters": parameters, "data": {"total_number": id_, "data": rows}}
        case "get":
            return {"parameters": {"id": id_}, "required": ("id",), "data": {"data": shown}}
        case "query":
            ids = {"type": "string", "pattern": "^[0-9]{1,18}(,[0-9]{1,18})*$"}
            return {"parameters": {"ids": ids}, "required": ("ids",), "data": {"data": rows}}
        case "create":
            return {"body": body_schema(kind, needed(kind)), "data": {"id": id_}}
        case "update":
            body = body_schema(kind, ["id"])
            return {"body": {**body, "properties": {"id": id_, **body["properties"]}}}
    return {"parameters": {"id": id_}, "required": ("id",)}


def needed(kind: ResourceType) -> list[str]:
    return [next(iter(field.schema())) for field in kind.fields if field.required]


def body_schema(kind: ResourceType, required: list[str]) -> Schema:
    return {"type": "object", "properties": kind.schema(), "required": required}


def paging(kind: ResourceType) -> dict[str, Schema]:
    return {
        "page": {"type": "integer", "minimum": 1, "maximum": 10**12, "default": 1},
        "page_size": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 10_000},
        "sort_by": {"type": "string", "enum": ["id", *kind.sorts], "default": "id"},
        "order_by": {"type": "string", "enum": ["asc", "desc"], "default": "asc"},
    }
