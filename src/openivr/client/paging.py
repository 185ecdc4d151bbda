"""Reading a list page by page without taking the pages on trust."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from openivr.client.errors import ListChanged, PagesIgnored
from openivr.client.model_types import Page, Row

R = TypeVar("R", bound=Row)
PAGE_SIZE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Page and order of a list (P-Series: query-ivr-list). None is the server's default."""

    page: int | None = None
    page_size: int | None = None
    sort_by: str | None = None
    order_by: str | None = None
    search_value: str | None = None

    def parameters(self) -> dict[str, str]:
        named = {name: getattr(self, name) for name in self.__slots__}
        return {name: str(value) for name, value in named.items() if value is not None}


class Pages(Generic[R]):
    """Says which page to ask for next (`next`), and is given each page that came (`take`)."""

    def __init__(
        self, page_size: int = PAGE_SIZE, *, sort_by: str, order_by: str, search: str | None
    ) -> None:
        if page_size < 1:
            raise ValueError("a page has at least one row")
        self.size, self.sort, self.order, self.search = page_size, sort_by, order_by, search
        self.page = 0
        self.total: int | None = None
        self.first: tuple[int, ...] = ()  # the ids of page 1
        self.seen: set[int] = set()
        self.is_done = False

    def next(self) -> Query | None:
        """The next page to ask for, None after the last."""
        if self.is_done:
            return None
        self.page += 1
        return Query(
            page=self.page,
            page_size=self.size,
            sort_by=self.sort,
            order_by=self.order,
            search_value=self.search,
        )

    def take(self, page: Page[R]) -> Sequence[R]:
        """Return the rows of a page. Raises ListChanged or PagesIgnored if they are inconsistent."""
        ids = tuple(row.id for row in page.data)
        if self.page == 1:
            self.total, self.first = page.total_number, ids
        elif page.total_number != self.total:
            raise ListChanged(f"there were {self.total} rows and now there are {page.total_number}")
        elif ids and ids == self.first:
            raise PagesIgnored(f"page {self.page} is page 1 again")
        self.check_new(ids)
        self.seen.update(ids)
        self.is_done = self.is_last(len(ids))
        return page.data

    def check_new(self, ids: Sequence[int]) -> None:
        if len(set(ids)) < len(ids):
            raise ListChanged(f"page {self.page} has a row twice")
        again = self.seen.intersection(ids)
        if again:
            raise ListChanged(f"row {min(again)} came again on page {self.page}")

    def is_last(self, count: int) -> bool:
        """Return True if a page of so many rows is the last one. Raises ListChanged if rows are missing.

        A server that ignores the page size sends everything at once, which is welcome.
        """
        if self.total is None:
            return count != self.size
        if len(self.seen) > self.total or (len(self.seen) < self.total and count < self.size):
            raise ListChanged(f"{len(self.seen)} of {self.total} rows came")
        return len(self.seen) == self.total
