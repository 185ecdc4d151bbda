"""A list in memory: every row encoded once for each order that it can be asked for.

Rows stand one behind the other in chunks of text, so a page is a slice of memory at any depth. All of it is
immutable. A change makes one chunk and the list of chunks anew and shares the rest, so it is cheap at any
size, and who holds an index keeps one revision.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import msgspec

from openivr.resources.order import ListQuery
from openivr.resources.resource_type import ORDERS, Row

Key = tuple[Any, ...]
KeyOf = Callable[[Row], Key]
CHUNK = 500
SEPARATOR = b",\n"  # JSON has no newline within a row, so a text splits into its rows again
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


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows as one text, each with a separator behind it. `starts` tells where each begins, and the end."""

    text: bytes
    starts: "array[int]"

    @classmethod
    def of(cls, rows: list[bytes]) -> "Chunk":
        starts = array("I", accumulate((len(row) + len(SEPARATOR) for row in rows), initial=0))
        return cls(SEPARATOR.join((*rows, b"")), starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def span(self, first: int, last: int) -> bytes:
        """The rows from one position up to another, with separators between them."""
        return self.text[self.starts[first] : self.starts[last] - len(SEPARATOR)]

    def row(self, at: int) -> bytes:
        return self.span(at, at + 1)

    def rows(self, first: int, last: int) -> list[bytes]:
        """The same rows one by one."""
        return self.span(first, last).split(SEPARATOR) if first < last else []


def split(rows: Iterable[bytes], size: int) -> Iterator[Chunk]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, size)):
        yield Chunk.of(chunk)


@dataclass(frozen=True, slots=True)
class Rows:
    """Encoded rows in one order. `fences` are the keys of each chunk's first row, `starts` its position."""

    key: KeyOf
    chunks: tuple[Chunk, ...]
    fences: tuple[Key, ...]
    starts: "array[int]"
    total: int

    @classmethod
    def build(cls, key: KeyOf, rows: Iterable[bytes]) -> "Rows":
        """From rows that are in order already."""
        chunks = tuple(split(rows, CHUNK))
        return cls.of(key, chunks, tuple(key(DECODE(chunk.row(0))) for chunk in chunks))

    @classmethod
    def of(cls, key: KeyOf, chunks: tuple[Chunk, ...], fences: tuple[Key, ...]) -> "Rows":
        *starts, total = accumulate([len(chunk.starts) - 1 for chunk in chunks], initial=0)
        return cls(key, chunks, fences, array("L", starts), total)

    def locate(self, position: int) -> int:
        """The chunk that a position is in. Chunks are alike in size, so a guess is hardly ever far off."""
        starts = self.starts
        at = position * len(starts) // self.total
        while starts[at] > position:
            at -= 1
        while at + 1 < len(starts) and starts[at + 1] <= position:
            at += 1
        return at

    def page(self, offset: int, limit: int) -> list[bytes]:
        """Up to `limit` rows from position `offset`, in pieces of one or more rows."""
        pieces: list[bytes] = []
        limit = min(limit, self.total - offset)
        while limit > 0:
            at = self.locate(offset)
            chunk, first = self.chunks[at], offset - self.starts[at]
            count = min(limit, len(chunk.starts) - 1 - first)
            pieces.append(chunk.span(first, first + count))
            offset += count
            limit -= count
        return pieces

    def page_descending(self, offset: int, limit: int) -> list[bytes]:
        """The same of the mirrored order, a piece a row."""
        stop = self.total - offset
        pieces = self.page(max(stop - limit, 0), min(limit, stop))
        rows = SEPARATOR.join(pieces).split(SEPARATOR) if pieces else []
        rows.reverse()
        return rows

    def place(self, key: Key) -> tuple[int, int]:
        """The chunk and the position in it at which a row with this key stands or would stand."""
        at = max(bisect_right(self.fences, key) - 1, 0)
        if not self.chunks:
            return at, 0
        chunk = self.chunks[at]
        return at, bisect_left(range(len(chunk)), key, key=lambda i: self.key(DECODE(chunk.row(i))))

    def find(self, key: Key) -> bytes | None:
        at, position = self.place(key)
        if not self.chunks or position == len(self.chunks[at]):
            return None
        row = self.chunks[at].row(position)
        return row if self.key(DECODE(row)) == key else None

    def rows(self, at: int) -> list[bytes]:
        """A chunk's rows one by one."""
        return self.chunks[at].rows(0, len(self.chunks[at])) if self.chunks else []

    def insert(self, row: bytes) -> "Rows":
        at, position = self.place(self.key(DECODE(row)))
        rows = self.rows(at)
        rows.insert(position, row)
        return self.replace(at, rows)

    def remove(self, key: Key) -> "Rows":
        at, position = self.place(key)
        rows = self.rows(at)
        del rows[position]
        return self.replace(at, rows)

    def replace(self, at: int, rows: list[bytes]) -> "Rows":
        """With other rows in a chunk: two chunks where they are too many, none where there are none."""
        parts = tuple(split(rows, CHUNK if len(rows) == 2 * CHUNK else 2 * CHUNK))
        fences = tuple(self.key(DECODE(part.row(0))) for part in parts)
        return Rows.of(
            self.key,
            (*self.chunks[:at], *parts, *self.chunks[at + 1 :]),
            (*self.fences[:at], *fences, *self.fences[at + 1 :]),
        )


@dataclass(frozen=True, slots=True)
class EncodedList:
    """One kind's list in all its orders."""

    orders: dict[str, Rows]

    @classmethod
    def build(
        cls, sorts: Iterable[str], rows: dict[int, bytes], ordered: Callable[[str], Iterator[int]]
    ) -> "EncodedList":
        """From the encoded rows by ascending id and, for each further sort, the ids in its order."""
        orders = {"id": Rows.build(by_id, rows.values())}
        for sort in sorts:
            orders[sort] = Rows.build(key_of(sort), (rows[id_] for id_ in ordered(sort)))
        return cls(orders)

    @property
    def total(self) -> int:
        return self.orders["id"].total

    def page(self, page: ListQuery) -> list[bytes]:
        rows = self.orders[page.sort]
        slice_of = rows.page_descending if page.is_descending else rows.page
        return slice_of(page.offset, page.limit)

    def change(self, id_: int, row: bytes | None) -> "EncodedList":
        """With this row for the id, or without the id."""
        old = self.orders["id"].find((id_,))
        orders = dict(self.orders)
        for sort, rows in orders.items():
            kept = rows.remove(rows.key(DECODE(old))) if old else rows
            orders[sort] = kept.insert(row) if row else kept
        return EncodedList(orders)
