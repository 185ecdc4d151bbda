"""Lists with paging, sorting and search. The query parameters are those of the API."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from openivr.resources import ResourceType
from openivr.resources.fields import CONTROL
from openivr.resources.order import ListQuery
from openivr.store.caches.encoded_list import DECODE, SEPARATOR, EncodedList
from openivr.store.config import resources
from openivr.web.core.request import PageRequest

SIZES = (20, 50, 100, 500)
MAX_SEARCH = 127  # characters: no name is longer
MAX_PAGE = 10**9


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, with the URLs of the others."""

    path: str
    sort: str
    order: str
    text: str
    page: int
    size: int
    total: int
    rows: tuple[Any, ...]
    filters: Mapping[str, str] = field(default_factory=dict)  # further query parameters

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def previous(self) -> str:
        return self.url(page=self.page - 1) if self.page > 1 else ""

    @property
    def next(self) -> str:
        return self.url(page=self.page + 1) if self.last < self.total and self.rows else ""

    def with_rows(self, total: int, rows: Sequence[Any]) -> "Listing":
        """The same list with its rows."""
        return replace(self, total=total, rows=tuple(rows))

    def order_of(self, sort: str) -> str:
        """ "asc" or "desc" if the list is sorted by this, else ""."""
        return self.order if sort == self.sort else ""

    def sort_url(self, sort: str) -> str:
        """The URL of the list in this order, or in the opposite one if it has this order already."""
        order = "desc" if self.order_of(sort) == "asc" else "asc"
        return self.url(sort_by=sort, order_by=order, page=1)

    def url(self, **changes: object) -> str:
        values: dict[str, object] = {
            "page": self.page,
            "page_size": self.size,
            "sort_by": self.sort,
            "order_by": self.order,
            "search_value": self.text,
            **self.filters,
        }
        return f"{self.path}?{urlencode({name: v for name, v in (values | changes).items() if v != ''})}"


async def read(request: PageRequest, kind: ResourceType, path: str, default: str = "") -> Listing:
    """The page that the query parameters ask for. Invalid ones are ignored.

    Without an order the list is sorted by `default`, else by the first of its orders.
    """
    sort = choose(request.query("sort_by"), ("id", *kind.sorts), default or kind.sorts[0])
    order = choose(request.query("order_by"), ("asc", "desc"), "asc")
    number = read_number(request.query("page"), 1, MAX_PAGE)
    size = read_number(request.query("page_size"), SIZES[0], SIZES[-1])
    text = CONTROL.sub("", request.query("search_value")).strip()[:MAX_SEARCH]
    page = ListQuery((number - 1) * size, size, sort, order == "desc")
    if text or kind.is_large:
        total, rows = await request.database.read(resources.search, kind, text, page)
    else:
        index: EncodedList = (await request.app.live.current()).lists[kind.name]
        pieces = SEPARATOR.join(index.page(page)) if page.offset < index.total else b""
        total, rows = index.total, [DECODE(row) for row in pieces.split(SEPARATOR) if row]
    return Listing(path, sort, order, text, number, size, total, tuple(rows))


def choose(text: str, values: tuple[str, ...], default: str) -> str:
    return text if text in values else default


def read_number(text: str, default: int, limit: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return default
    return min(max(int(text), 1), limit)
