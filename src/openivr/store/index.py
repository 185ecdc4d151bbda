"""A list in memory: every row encoded once, in every order that it can be asked for.

All of it is immutable. A change copies one chunk of rows and the list of chunks, and shares the rest, so a
page is a slice at any depth, a change is cheap at any size, and who holds an index keeps one revision.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import msgspec

from openivr.objects.kind import ORDERS, Row
from openivr.objects.order import Page

Key = tuple[Any, ...]
KeyOf = Callable[[Row], Key]
CHUNK = 1000
DECODE: Callable[[bytes], Row] = msgspec.json.Decoder(dict[str, Any]).decode


def by_id(row: Row) -> Key:
    return (row["id"],)


def key_of(sort: str) -> KeyOf:
    """The total order of a list: the sort key, then the id."""
    if sort == "id":
        return by_id
    if sort not in ORDERS:
        return lambda row: (row[sort], row["id"])
    order = ORDERS[sort]
    return lambda row: (order(row[sort]), row["id"])


def split(rows: Iterable[bytes], size: int) -> Iterator[tuple[bytes, ...]]:
    remaining = iter(rows)
    while chunk := tuple(islice(remaining, size)):
        yield chunk


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows in one order. `fences` are the keys of each chunk's first row, `starts` its position."""

    key: KeyOf
    chunks: tuple[tuple[bytes, ...], ...]
    fences: tuple[Key, ...]
    starts: tuple[int, ...]
    total: int

    @classmethod
    def build(cls, key: KeyOf, rows: Iterable[bytes]) -> "Rows":
        """From rows that are in order already."""
        chunks = tuple(split(rows, CHUNK))
        return cls.of(key, chunks, tuple(key(DECODE(chunk[0])) for chunk in chunks))

    @classmethod
    def of(cls, key: KeyOf, chunks: tuple[tuple[bytes, ...], ...], fences: tuple[Key, ...]) -> "Rows":
        *starts, total = accumulate(map(len, chunks), initial=0)
        return cls(key, chunks, fences, tuple(starts), total)

    def page(self, offset: int, limit: int) -> list[bytes]:
        """Up to `limit` rows from position `offset`."""
        at = bisect_right(self.starts, offset) - 1
        found: list[bytes] = []
        while limit > 0 and 0 <= at < len(self.chunks):
            start = offset - self.starts[at] if not found else 0
            part = self.chunks[at][start : start + limit]
            found += part
            limit -= len(part)
            at += 1
        return found

    def page_descending(self, offset: int, limit: int) -> list[bytes]:
        """The same of the mirrored order."""
        stop = max(self.total - offset, 0)
        start = max(stop - limit, 0)
        found = self.page(start, stop - start)
        found.reverse()
        return found

    def place(self, key: Key) -> tuple[int, int]:
        """The chunk and the position in it at which a row with this key stands or would stand."""
        at = max(bisect_right(self.fences, key) - 1, 0)
        chunk = self.chunks[at] if self.chunks else ()
        return at, bisect_left(chunk, key, key=lambda row: self.key(DECODE(row)))

    def find(self, key: Key) -> bytes | None:
        at, position = self.place(key)
        if not self.chunks or position == len(self.chunks[at]):
            return None
        row = self.chunks[at][position]
        return row if self.key(DECODE(row)) == key else None

    def insert(self, row: bytes) -> "Rows":
        at, position = self.place(self.key(DECODE(row)))
        chunk = self.chunks[at] if self.chunks else ()
        return self.replace(at, (*chunk[:position], row, *chunk[position:]))

    def remove(self, key: Key) -> "Rows":
        at, position = self.place(key)
        chunk = self.chunks[at]
        return self.replace(at, (*chunk[:position], *chunk[position + 1 :]))

    def replace(self, at: int, chunk: tuple[bytes, ...]) -> "Rows":
        """With another chunk in the place of one: two where it grew too large, none where it is empty."""
        parts = tuple(split(chunk, CHUNK if len(chunk) == 2 * CHUNK else 2 * CHUNK))
        fences = tuple(self.key(DECODE(part[0])) for part in parts)
        return Rows.of(
            self.key,
            (*self.chunks[:at], *parts, *self.chunks[at + 1 :]),
            (*self.fences[:at], *fences, *self.fences[at + 1 :]),
        )


@dataclass(frozen=True, slots=True)
class Index:
    """One kind's list in all its orders."""

    orders: dict[str, Rows]

    @classmethod
    def build(
        cls, sorts: Iterable[str], rows: dict[int, bytes], ordered: Callable[[str], Iterator[int]]
    ) -> "Index":
        """From the encoded rows by ascending id and, for each further sort, the ids in its order."""
        orders = {"id": Rows.build(by_id, rows.values())}
        for sort in sorts:
            orders[sort] = Rows.build(key_of(sort), (rows[ident] for ident in ordered(sort)))
        return cls(orders)

    @property
    def total(self) -> int:
        return self.orders["id"].total

    def page(self, page: Page) -> list[bytes]:
        rows = self.orders[page.sort]
        slice_of = rows.page_descending if page.is_descending else rows.page
        return slice_of(page.offset, page.limit)

    def change(self, ident: int, row: bytes | None) -> "Index":
        """With this row for the id, or without the id."""
        old = self.orders["id"].find((ident,))
        orders = dict(self.orders)
        for sort, rows in orders.items():
            kept = rows.remove(rows.key(DECODE(old))) if old else rows
            orders[sort] = kept.insert(row) if row else kept
        return Index(orders)
