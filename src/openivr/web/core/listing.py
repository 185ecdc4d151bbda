"""Lists with the API's paging, sorting and search, in the address of the page and with the API's names."""

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
LONGEST = 127  # characters of a search: no name is longer
MOST_PAGE = 10**9


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list, and the addresses of the others."""

    path: str
    sort: str
    order: str
    text: str
    page: int
    size: int
    total: int
    rows: tuple[Any, ...]
    asked: Mapping[str, str] = field(default_factory=dict)  # what else the address says

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def previous(self) -> str:
        return self.address(page=self.page - 1) if self.page > 1 else ""

    @property
    def next(self) -> str:
        return self.address(page=self.page + 1) if self.last < self.total and self.rows else ""

    def with_rows(self, total: int, rows: Sequence[Any]) -> "Listing":
        """The same with what was found."""
        return replace(self, total=total, rows=tuple(rows))

    def order_of(self, sort: str) -> str:
        """ "asc" or "desc" where the list is sorted by this, else ""."""
        return self.order if sort == self.sort else ""

    def sorted_by(self, sort: str) -> str:
        """The list from its start in this order, or in the opposite one where it is sorted so already."""
        order = "desc" if self.order_of(sort) == "asc" else "asc"
        return self.address(sort_by=sort, order_by=order, page=1)

    def address(self, **changes: object) -> str:
        values: dict[str, object] = {
            "page": self.page,
            "page_size": self.size,
            "sort_by": self.sort,
            "order_by": self.order,
            "search_value": self.text,
            **self.asked,
        }
        return f"{self.path}?{urlencode({name: v for name, v in (values | changes).items() if v != ''})}"


async def read(visit: PageRequest, kind: ResourceType, path: str, default: str = "") -> Listing:
    """The page that the address asks for; what it asks wrongly is as if it had not asked.

    The list is sorted by `default` where the address names no order, else by the first of its orders.
    """
    sort = choose(visit.query("sort_by"), ("id", *kind.sorts), default or kind.sorts[0])
    order = choose(visit.query("order_by"), ("asc", "desc"), "asc")
    number = whole(visit.query("page"), 1, MOST_PAGE)
    size = whole(visit.query("page_size"), SIZES[0], SIZES[-1])
    text = CONTROL.sub("", visit.query("search_value")).strip()[:LONGEST]
    page = ListQuery((number - 1) * size, size, sort, order == "desc")
    if text:
        total, rows = await visit.database.read(resources.search, kind, text, page)
    else:
        index: EncodedList = (await visit.site.live.current()).lists[kind.name]
        pieces = SEPARATOR.join(index.page(page)) if page.offset < index.total else b""
        total, rows = index.total, [DECODE(row) for row in pieces.split(SEPARATOR) if row]
    return Listing(path, sort, order, text, number, size, total, tuple(rows))


def choose(text: str, values: tuple[str, ...], default: str) -> str:
    return text if text in values else default


def whole(text: str, default: int, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        return default
    return min(max(int(text), 1), most)
