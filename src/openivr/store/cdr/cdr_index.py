"""Index of call detail records in memory, a column at a time: counts, filters, sorts and pages of millions.

A database counts and skips rows one after the other, which takes too long for the last page of a large list.
Arrays of numbers do it in milliseconds. Each worker keeps its own index, made when it is first asked for. It
follows the database before every answer: rows are only ever added, with growing ids, and all that is deleted
lies behind a horizon.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Table, select

from openivr.store.tables import CDR_STATE

Numbers = NDArray[np.int64]
Mask = NDArray[np.bool_]
BATCH = 20_000  # rows that are read at a time
MAX_RESULTS = 8  # lists that are kept, so that their next pages cost nothing
MAX_KEPT = 64  # results of searches for a part of a text
MAX_FOLLOWED = 100_000  # rows that one transaction takes over
WIDE = frozenset(("ended", "started", "uid"))  # columns that need 64 bits
RAISED_MS = 3_600_000  # by which the horizon goes back if records are kept for longer than before
SPARE = 4096  # rows by which full columns grow at least
FEW = 8  # of all rows one in so many, below which the rows of a filter are sorted by themselves
SHORT = 2  # characters of a part that is searched for byte by byte


class IndexChanged(Exception):
    """The data were replaced while the index was read: look again."""


class Texts:
    """The different values of a text column, numbered in the order in which they came."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.values: list[str] = []
        self._joined, self._starts = b"", np.zeros(1, np.int64)
        self._found: dict[str, Mask] = {}
        self._ranks: tuple[int, NDArray[np.int32]] = (0, np.zeros(0, np.int32))

    def encode(self, text: str) -> int:
        """Return the code of a value, which is known from then on."""
        code = self.codes.get(text)
        if code is None:
            code = self.codes[text] = len(self.values)
            self.values.append(text)
        return code

    def ranks(self) -> NDArray[np.int32]:
        """Return for each code its place in the order of the values."""
        count = len(self.values)
        if self._ranks[0] != count:
            ranks = np.empty(count, np.int32)
            ranks[sorted(range(count), key=self.values.__getitem__)] = np.arange(count)
            self._ranks = (count, ranks)
        return self._ranks[1]

    def find_part(self, part: str) -> Mask:
        """Return which values contain a text, case-sensitively."""
        count = len(self.values)
        known = self._found.get(part)
        if known is not None and len(known) == count:
            return known
        self.prepare()
        found = find_lines(self._joined, self._starts, part.encode())
        if len(self._found) >= MAX_KEPT:
            self._found.pop(next(iter(self._found)), None)
        self._found[part] = found
        return found

    def prepare(self) -> None:
        """Put all values into one text, a line for each, so that parts of them are found quickly."""
        done, count = len(self._starts) - 1, len(self.values)
        if done < count:
            encoded = [value.encode() for value in self.values[done:count]]
            lengths = np.fromiter((len(value) + 1 for value in encoded), np.int64, len(encoded))
            self._starts = np.concatenate((self._starts, self._starts[-1] + np.cumsum(lengths)))
            self._joined += b"".join(value + b"\n" for value in encoded)


def find_lines(joined: bytes, starts: Numbers, part: bytes) -> Mask:
    """Return which lines contain a part. `starts` are those of the lines, and the end."""
    lines = len(starts) - 1
    found = np.zeros(lines, np.bool_)
    if not part:
        found[:] = True
    elif b"\n" not in part and len(part) <= SHORT and lines:
        data = np.frombuffer(joined, np.uint8)
        is_here = np.zeros(len(data), np.bool_)
        is_here[: len(data) - len(part) + 1] = data[: len(data) - len(part) + 1] == part[0]
        for at, byte in enumerate(part[1:], 1):
            is_here[:-at] &= data[at:] == byte
        found[:] = np.logical_or.reduceat(is_here, starts[:-1])
    elif b"\n" not in part:
        places = np.fromiter(walk_places(joined, part), np.int64)
        found[np.searchsorted(starts, places, "right") - 1] = True
    return found


def walk_places(joined: bytes, part: bytes) -> Iterator[int]:
    """Yield the first place of a part in each line that has it."""
    place = joined.find(part)
    while place >= 0:
        yield place
        place = joined.find(part, joined.find(b"\n", place))


@dataclass(slots=True)
class Ordering:
    """The rows in the order of one column, as far as they were sorted: `keys` ascend, `rows` go with them."""

    rows: NDArray[np.int32]
    keys: NDArray[Any]
    texts: int = 0  # values of the column when it was sorted


@dataclass(frozen=True, slots=True)
class IndexLayout:
    """What an index holds of a table: columns of numbers, and of texts.

    `converted` are columns that become numbers. `last` is the column of CDR_STATE with the last id.
    """

    table: Table
    numbers: tuple[str, ...]
    texts: tuple[str, ...]
    last: str
    converted: Mapping[str, Callable[[Any], int]] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        return ("id", *self.numbers, *self.converted, *self.texts)


@dataclass(frozen=True, slots=True)
class IndexPage:
    """The total of the rows that were wanted, and the ids of a page of them."""

    total: int
    ids: list[int]


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """An order by a column, then by id. The descending order is the exact mirror of the ascending one."""

    sort: str = "id"
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Columns of chosen rows; those of texts hold codes, which are places in `texts`."""

    columns: Mapping[str, NDArray[Any]]
    texts: Mapping[str, Sequence[str]]


class Filter(Hashable, Protocol):
    """A condition for rows."""

    def check(self, index: "CdrIndex", count: int) -> Mask:
        """Return which of the first `count` rows of an index meet it."""
        ...


class CdrIndex:
    """Index of one table. `layout.numbers` must have `ended`, and the ids are kept beside them."""

    def __init__(self, layout: IndexLayout) -> None:
        self.layout = layout
        self.lock = threading.Lock()
        self._reset()

    def _reset(self) -> None:
        self.count = self.last = self.epoch = self.horizon = 0
        self.columns: dict[str, NDArray[Any]] = {
            name: np.zeros(0, np.int64 if name in WIDE else np.int32) for name in self.layout.names
        }
        self.texts = {name: Texts() for name in self.layout.texts}
        self._orderings: dict[str, Ordering] = {}
        self._results: dict[Hashable, tuple[tuple[int, int], NDArray[Any] | None]] = {}  # last used last

    def column(self, name: str, count: int) -> NDArray[Any]:
        """Return the first values of a column: numbers, or the codes of texts."""
        return self.columns[name][:count]

    def page(
        self,
        connection: Connection,
        filters: Sequence[Filter],
        order: IndexOrder,
        offset: int,
        limit: int,
    ) -> IndexPage:
        """Return a page of the rows that pass all filters."""
        with self.lock:
            count = self.follow(connection)
            rows = self._chosen(tuple(filters), order.sort, count)
            total = count if rows is None else len(rows)
            first, last = min(offset, total), min(offset + limit, total)
            if order.is_descending:
                first, last = total - last, total - first
            part: NDArray[Any] = np.arange(first, last) if rows is None else rows[first:last]
            ids = self.columns["id"][part]
            return IndexPage(total, [int(id_) for id_ in (ids[::-1] if order.is_descending else ids)])

    def select(self, connection: Connection, filters: Sequence[Filter], names: Sequence[str]) -> Selection:
        """Return some columns of the rows that pass all filters, and the texts behind codes."""
        with self.lock:
            count = self.follow(connection)
            mask = self._mask(filters, count)
            chosen = slice(count) if mask is None else np.flatnonzero(mask)
            columns = {name: self.columns[name][:count][chosen] for name in names}
            texts = {name: self.texts[name].values for name in names if name in self.texts}
            return Selection(columns, texts)

    def find_texts(self, connection: Connection, name: str, part: str) -> list[str]:
        """Return the different texts of a column that contain a text."""
        with self.lock:
            self.follow(connection)
            texts = self.texts[name]
            return [texts.values[code] for code in np.flatnonzero(texts.find_part(part))]

    def _chosen(self, filters: tuple[Filter, ...], sort: str, count: int) -> NDArray[Any] | None:
        """Return the rows that pass all filters in an order; None for all of them in that of their ids."""
        key = (filters, sort)
        known = self._results.pop(key, None)
        if known is None or known[0] != (count, self.horizon):
            known = ((count, self.horizon), self._sorted(self._mask(filters, count), sort, count))
        self._results[key] = known
        if len(self._results) > MAX_RESULTS:
            del self._results[next(iter(self._results))]
        return known[1]

    def _sorted(self, mask: Mask | None, sort: str, count: int) -> NDArray[Any] | None:
        """Return the rows of a mask in an order. A few are sorted, of many the order of all is kept."""
        if mask is None:
            return self._order(sort, count)
        rows = np.flatnonzero(mask).astype(np.int32)
        if sort == "id":
            return rows
        if len(rows) < count // FEW:
            keys = self._keys(sort, rows)
            return rows[np.argsort(keys, kind="stable")]
        order = self._order(sort, count)
        return None if order is None else order[mask[order]]

    def _mask(self, filters: Sequence[Filter], count: int) -> Mask | None:
        """Return which rows pass all filters, None if there is no condition."""
        ended = self.column("ended", count)
        mask = None if int(ended.min(initial=self.horizon)) >= self.horizon else ended >= self.horizon
        for one in filters:
            part = one.check(self, count)
            mask = part if mask is None else mask & part
        return mask

    # Sorting

    def _order(self, sort: str, count: int) -> NDArray[np.int32] | None:
        """Return the rows in the order of a column, None for that of their ids."""
        if sort == "id":
            return None
        known = self._orderings.get(sort)
        texts = len(self.texts[sort].values) if sort in self.texts else 0
        if known is None or known.texts != texts:
            keys = self._keys(sort, slice(0, count))
            rows = np.argsort(keys, kind="stable").astype(np.int32)
            self._orderings[sort] = Ordering(rows, keys[rows], texts)
        elif len(known.rows) < count:
            start = len(known.rows)
            keys = self._keys(sort, slice(start, count))
            added = np.argsort(keys, kind="stable")
            places = np.searchsorted(known.keys, keys[added], "right")
            known.rows = np.insert(known.rows, places, (added + start).astype(np.int32))
            known.keys = np.insert(known.keys, places, keys[added])
        return self._orderings[sort].rows

    def _keys(self, sort: str, rows: slice | NDArray[np.int32]) -> NDArray[Any]:
        values = self.columns[sort][rows]
        return self.texts[sort].ranks()[values] if sort in self.texts else values

    # Following the database

    def follow_some(self, connection: Connection, most: int = MAX_FOLLOWED) -> bool:
        """Take over at most so many rows that were added. Return True if none are left."""
        with self.lock:
            state = self._read_state(connection)
            last: int = getattr(state, self.layout.last)
            self._load(connection, last, most)
            for texts in self.texts.values():
                texts.prepare()
            return self.last >= last

    def follow(self, connection: Connection) -> int:
        """Take over all rows that were added. Return the number of rows that the connection sees."""
        state = self._read_state(connection)
        last: int = getattr(state, self.layout.last)
        self._load(connection, last)
        if last == self.last:
            return self.count
        return int(np.searchsorted(self.column("id", self.count), last, "right"))

    def _read_state(self, connection: Connection) -> Row[Any]:
        """Read how far the table is, and begin from the start if its data were replaced."""
        state = connection.execute(select(CDR_STATE)).one()
        if state.epoch < self.epoch:
            raise IndexChanged  # this connection sees what was there before
        if state.epoch > self.epoch or state.horizon < self.horizon - RAISED_MS:
            self._reset()
        self.epoch, self.horizon = state.epoch, max(state.horizon, self.horizon)
        return state

    def _load(self, connection: Connection, last: int, most: int | None = None) -> None:
        table, names = self.layout.table, self.layout.names
        query = select(*(table.c[name] for name in names)).order_by(table.c.id).limit(BATCH)
        until = None if most is None else self.count + most
        while self.last < last and (until is None or self.count < until):
            rows = connection.execute(query.where(table.c.id > self.last, table.c.id <= last)).all()
            self._append(rows)
            self.last = rows[-1].id if len(rows) == BATCH else last

    def _append(self, rows: Sequence[Row[Any]]) -> None:
        if not rows:
            return
        size = self.count + len(rows)
        for name, values in zip(self.layout.names, zip(*rows, strict=True), strict=True):
            column = self.columns[name]
            if len(column) < size:
                grown = np.zeros(max(size, len(column) * 5 // 4, len(column) + SPARE), column.dtype)
                grown[: self.count] = column[: self.count]
                self.columns[name] = column = grown
            column[self.count : size] = self._encode(name, values)
        self.count = size

    def _encode(self, name: str, values: Iterable[Any]) -> Sequence[int]:
        if name in self.texts:
            encode = self.texts[name].encode
            return [encode(value) for value in values]
        convert = self.layout.converted.get(name)
        return list(values) if convert is None else [convert(value) for value in values]


@dataclass(frozen=True, slots=True)
class HasText:
    """Rows whose text is one of these."""

    name: str
    texts: tuple[str, ...]

    def check(self, index: CdrIndex, count: int) -> Mask:
        codes = index.texts[self.name].codes
        return is_one_of(
            index.column(self.name, count), [codes[text] for text in self.texts if text in codes]
        )


@dataclass(frozen=True, slots=True)
class HasPart:
    """Rows in which one of some texts contains a text."""

    names: tuple[str, ...]
    part: str

    def check(self, index: CdrIndex, count: int) -> Mask:
        mask = np.zeros(count, np.bool_)
        for name in self.names:
            mask |= index.texts[name].find_part(self.part)[index.column(name, count)]
        return mask


@dataclass(frozen=True, slots=True)
class IsBetween:
    """Rows whose number is from `low` to `high`, both included. None is no limit."""

    name: str
    low: int | None
    high: int | None

    def check(self, index: CdrIndex, count: int) -> Mask:
        column = index.column(self.name, count)
        mask: Mask = np.ones(count, np.bool_) if self.low is None else column >= self.low
        if self.high is not None:
            mask &= column <= self.high
        return mask


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Rows that pass one of some filters; without filters none."""

    filters: tuple[Filter, ...] = ()

    def check(self, index: CdrIndex, count: int) -> Mask:
        mask = np.zeros(count, np.bool_)
        for part in self.filters:
            mask |= part.check(index, count)
        return mask


@dataclass(frozen=True, slots=True)
class HasId:
    """Rows with one of these ids."""

    ids: tuple[int, ...]

    def check(self, index: "CdrIndex", count: int) -> Mask:
        return np.isin(index.column("id", count), self.ids)


NOTHING = AnyOf()


def is_one_of(column: NDArray[Any], codes: Sequence[int]) -> Mask:
    """Return where a column has one of some codes."""
    if len(codes) == 1:
        same: Mask = np.equal(column, codes[0])
        return same
    known = np.zeros(int(column.max(initial=0)) + 1, np.bool_)
    known[[code for code in codes if code < len(known)]] = True
    mask: Mask = known[column]
    return mask
