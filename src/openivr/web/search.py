"""Search for a number or a name in all resource types."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.resources import KINDS, ResourceType
from openivr.resources.fields import CONTROL
from openivr.resources.order import ListQuery
from openivr.resources.resource_type import Row
from openivr.store.config import resources
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.core.urls import RESOURCE_URLS, resource_url

FEW = 6  # of each kind
MAX_LENGTH = 127
NAMES = ("name", "caller_id_name", "contact_name")  # of rows


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A resource that matches."""

    kind: str
    number: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one type. `more` is the URL of all of them, "" if these are all."""

    kind: str
    rows: tuple[SearchHit, ...]
    more: str


async def search_page(request: PageRequest) -> Response:
    text = CONTROL.sub("", request.query("text")).strip()[:MAX_LENGTH]
    groups = await request.database.read(find_all, text) if text else []
    return request.render("search.html", text=text, groups=groups)


def find_all(connection: Connection, text: str) -> list[Group]:
    """The first hits of every type."""
    return [
        group
        for kind in KINDS.values()
        if kind.name in RESOURCE_URLS
        for group in find(connection, kind, text)
    ]


def find(connection: Connection, kind: ResourceType, text: str) -> Iterator[Group]:
    total, rows = resources.search(connection, kind, text, ListQuery(0, FEW, kind.sorts[0]))
    if rows:
        place = RESOURCE_URLS[kind.name]
        more = f"{place.list}?{urlencode({'search_value': text})}" if total > len(rows) else ""
        yield Group(kind.name, tuple(make_hit(kind, row) for row in rows), more)


def make_hit(kind: ResourceType, row: Row) -> SearchHit:
    name = next((row[field] for field in NAMES if row.get(field)), "")
    if not name and "number" not in row:
        name = kind.names(row).name
    url = resource_url(kind.name, row["id"])
    return SearchHit(kind.name, str(row.get("number", "")), str(name), url)


ROUTES = (PageRoute(path="/search", handle=search_page),)
