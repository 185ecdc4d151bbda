"""Call records: one row a call, kept up to date while it is under way, and its notes beside it.

Times are Unix milliseconds.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, Literal, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Row,
    Select,
    Table,
    bindparam,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from openivr.ivr.commands import Note, Topic
from openivr.ivr.model import DestinationKind
from openivr.store.sql_functions import position
from openivr.store.tables import CALL, CALL_MENU, CALL_NOTE, CDR_ROW

Described = dict[str, Any]
T = TypeVar("T")
NO_PERIOD = "none"  # a filter's word for calls that depended on no period
AHEAD = 500  # records that are looked for beyond a page: where there are fewer, nothing needs to be counted


@dataclass(slots=True)
class CallRecord:
    """A call record without its notes. The fields are the columns of `tables.CALL`."""

    id: str
    node: str = ""
    run: str = ""
    sequence: int = 0
    revision: int = 0
    started: int = 0
    answered: int | None = None
    ended: int | None = None
    updated: int = 0
    stage: str = ""
    caller: str = ""
    caller_name: str = ""
    called: str = ""
    source_kind: str = ""
    source_id: int = 0
    source: str = ""
    menu: int = 0
    path: str = ""
    keys: str = ""
    outcome: str = ""
    reason: str = ""
    legs: list[Described] = field(default_factory=list)
    input: Described = field(default_factory=dict)
    media: Described = field(default_factory=dict)
    events: list[Described] = field(default_factory=list)
    recording: str = ""
    diverted_by: str = ""
    period: str = ""  # the first that the call depended on
    holding: str = ""  # members that hold the call, with spaces between: -1 for the caller, or the leg

    @property
    def duration(self) -> int:
        """Milliseconds from start to end, or to the last event so far. Never negative.

        The times of older records may be those of a wall clock that went back.
        """
        return max(0, (self.ended or self.updated) - self.started)

    @property
    def is_live(self) -> bool:
        """Return True if the call is live, as far as is known."""
        return self.ended is None


NAMES = tuple(one.name for one in fields(CallRecord))


def is_among_ids(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that a column is one of the parameter `ids`."""
    return column.in_(bindparam("ids", expanding=True))


BY_IDS = select(CALL).where(is_among_ids(CALL.c.id))


@dataclass(frozen=True, slots=True)
class CallNote:
    """A note of the menu core with its time. What is private is hidden in it already."""

    at: int
    note: Note


@dataclass(frozen=True, slots=True)
class NoteFilter:
    """Conditions that one note of a call must meet. None is no condition."""

    topics: tuple[str, ...]
    menu: int | None = None
    input: str | None = None
    kind: str | None = None
    target: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Conditions for a list of calls. None and "" are no condition. `menu` is a menu on the path of the call.

    `path` has the numbers of the first menus of the call, or, with `is_whole_path`, of all its menus.
    """

    since: int | None = None
    until: int | None = None  # exclusive
    number: str = ""  # a part of the caller's or the called number
    numbers: tuple[str, ...] | None = None  # all that have this part, if they are known
    caller: str = ""
    called: str = ""
    menu: int | None = None
    outcome: str = ""
    reason: str = ""
    period: str = ""  # a `PeriodKind`, or NO_PERIOD
    source: tuple[str, int] | None = None  # what it came in by: ("trunk", id) or ("extension", id)
    is_live: bool | None = None
    path: tuple[str, ...] = ()
    is_whole_path: bool = False
    noted: NoteFilter | None = None
    did: str = ""  # called over a trunk
    trunk: str = ""  # name of the trunk, with `did`
    extensions: tuple[str, ...] | None = None  # numbers, one of which called or was rung

    @property
    def is_by_menu(self) -> bool:
        """Return True if the stored menus of ended calls answer this filter."""
        return self.menu is not None and self.is_live is False

    @property
    def needs_rows(self) -> bool:
        """Return True if the filter needs more than menus and time."""
        texts = (self.number, self.caller, self.called, self.outcome, self.reason, self.period)
        others = (self.source, self.path, self.is_whole_path, self.noted)
        parties = (self.numbers is not None, self.did, self.extensions is not None)
        return not self.is_by_menu or any((*texts, *others, *parties))


@dataclass(frozen=True, slots=True)
class Order:
    """Order of a list. Equal calls are ordered by time."""

    sort: Literal["started", "caller", "called"] = "started"
    is_descending: bool = True


NEWEST = Order()
LISTED = tuple(name for name in NAMES if name not in {"legs", "input", "media", "events"})


def restrict(query: Select[Any], wanted: CallFilter) -> Select[Any]:
    """Narrow a query of CALL down to the calls that are wanted."""
    if wanted.since is not None:
        query = query.where(CALL.c.started >= wanted.since)
    if wanted.until is not None:
        query = query.where(CALL.c.started < wanted.until)
    if wanted.numbers is not None:
        query = query.where(CALL.c.caller.in_(wanted.numbers) | CALL.c.called.in_(wanted.numbers))
    elif wanted.number:
        has = [position(column, wanted.number) > 0 for column in (CALL.c.caller, CALL.c.called)]
        query = query.where(has[0] | has[1])
    texts = {"caller": wanted.caller, "called": wanted.called}
    texts |= {"outcome": wanted.outcome, "reason": wanted.reason}
    for name, text in texts.items():
        if text:
            query = query.where(CALL.c[name] == text)
    if wanted.period:
        query = query.where(CALL.c.period == ("" if wanted.period == NO_PERIOD else wanted.period))
    if wanted.source:
        query = query.where(CALL.c.source_kind == wanted.source[0], CALL.c.source_id == wanted.source[1])
    query = query.where(*has_parties(wanted))
    if wanted.is_live is not None:
        query = query.where(CALL.c.ended.is_(None) if wanted.is_live else CALL.c.ended.is_not(None))
    if wanted.menu is not None and not wanted.is_by_menu:
        been = select(CALL_NOTE.c.call_id).where(
            CALL_NOTE.c.ivr == wanted.menu, CALL_NOTE.c.topic == "entered", CALL_NOTE.c.call_id == CALL.c.id
        )
        query = query.where(been.exists())
    if wanted.path or wanted.is_whole_path:
        query = query.where(went(wanted))
    return query if wanted.noted is None else query.where(has_note(wanted.noted))


def has_parties(wanted: CallFilter) -> Iterator[ColumnElement[bool]]:
    """Return the conditions of a called number and of extensions, which are those of the API's rows."""
    if wanted.did:
        yield (CALL.c.source_kind == "trunk") & (CALL.c.called == wanted.did)
    if wanted.did and wanted.trunk:
        yield CALL.c.source == wanted.trunk
    if wanted.extensions is not None:  # live calls have no routing stages yet
        stages = select(CDR_ROW.c.call_id).where(CDR_ROW.c.call_to.in_(wanted.extensions))
        yield CALL.c.caller.in_(wanted.extensions) | CALL.c.id.in_(stages)


def went(wanted: CallFilter) -> ColumnElement[bool]:
    """Return the condition that a call took a path."""
    path = " ".join(wanted.path)
    if wanted.is_whole_path:
        return CALL.c.path == path
    return (CALL.c.path == path) | CALL.c.path.startswith(f"{path} ", autoescape=True)


def has_note(noted: NoteFilter) -> ColumnElement[bool]:
    """Return the condition that a call has a note."""
    note = select(CALL_NOTE.c.call_id).where(
        CALL_NOTE.c.call_id == CALL.c.id, CALL_NOTE.c.topic.in_(noted.topics)
    )
    for name, value in (
        ("ivr", noted.menu),
        ("input", noted.input),
        ("kind", noted.kind),
        ("target", noted.target),
        ("detail", noted.detail),
    ):
        if value is not None:
            note = note.where(CALL_NOTE.c[name] == value)
    return note.exists()


def find_ids(wanted: CallFilter) -> Select[Any]:
    """The ids and times of the calls that are wanted, in no order, by the narrowest of tables."""
    if not wanted.is_by_menu:
        return restrict(select(CALL.c.id, CALL.c.started), wanted)
    been = CALL_MENU.c
    source = CALL_MENU.join(CALL, CALL.c.id == been.call_id) if wanted.needs_rows else CALL_MENU
    query = select(been.call_id.label("id"), been.started).select_from(source)
    query = query.where(been.menu == wanted.menu)
    if wanted.needs_rows:
        return restrict(query, wanted)
    if wanted.since is not None:
        query = query.where(been.started >= wanted.since)
    return query if wanted.until is None else query.where(been.started < wanted.until)


def list_calls(
    connection: Connection,
    wanted: CallFilter,
    offset: int = 0,
    limit: int = 50,
    order: Order = NEWEST,
) -> tuple[int, list[CallRecord]]:
    """Return the number of matching calls, and one page of them without legs, events and media."""
    query = find_ids(wanted)
    id_, started = query.selected_columns
    columns = [started, id_]
    if order.sort != "started":
        query = query if not wanted.is_by_menu or wanted.needs_rows else query.join(CALL, CALL.c.id == id_)
        columns = [CALL.c[order.sort], *columns]
    ordered = query.order_by(*(column.desc() if order.is_descending else column for column in columns))
    found = list(connection.execute(ordered.offset(offset).limit(limit + AHEAD)).scalars())
    if len(found) < limit + AHEAD and (found or not offset):
        total = offset + len(found)
    else:
        total = connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    return total, load_listed(connection, found[:limit])


def walk_calls(
    connection: Connection, wanted: CallFilter, before: tuple[int, str] | None, limit: int
) -> list[CallRecord]:
    """The next calls that are wanted, newest first: those before the time and id of the last one known."""
    query = find_ids(wanted)
    id_, started = query.selected_columns
    if before is not None:
        query = query.where(tuple_(started, id_) < before)
    found = connection.execute(query.order_by(started.desc(), id_.desc()).limit(limit)).scalars()
    return load_listed(connection, list(found))


def load_listed(connection: Connection, ids: Sequence[str]) -> list[CallRecord]:
    """Load the listed fields of calls, in the given order, without those that were deleted meanwhile."""
    found: dict[str, CallRecord] = {}
    for part in batches(ids, 500):
        listed = select(*(CALL.c[name] for name in LISTED)).where(CALL.c.id.in_(part))
        found |= {row.id: as_record(row) for row in connection.execute(listed)}
    return [found[id_] for id_ in ids if id_ in found]


def find_call(connection: Connection, id_: str) -> CallRecord | None:
    """A call by its id, or by the beginning of its id where only one begins so."""
    whole = load(connection, [id_])
    if whole or not id_:
        return whole.get(id_)
    begins = CALL.c.id.startswith(id_, autoescape=True)
    rows = connection.execute(select(CALL).where(begins).limit(2)).all()
    return as_record(rows[0]) if len(rows) == 1 else None


def notes_of(connection: Connection, id_: str) -> list[CallNote]:
    """The notes of a call, in order."""
    wanted = select(CALL_NOTE).where(CALL_NOTE.c.call_id == id_).order_by(CALL_NOTE.c.place)
    return [as_note(row) for row in connection.execute(wanted)]


def load(connection: Connection, ids: Collection[str]) -> dict[str, CallRecord]:
    """Those of the calls that there are records of."""
    found: dict[str, CallRecord] = {}
    for part in batches(list(ids), 500):
        found |= {row.id: as_record(row) for row in connection.execute(BY_IDS, {"ids": part})}
    return found


def load_open(connection: Connection, node: str, run: str) -> list[CallRecord]:
    """Load live calls of this node from earlier runs. No process will end them."""
    wanted = select(CALL).where(CALL.c.node == node, CALL.c.run != run, CALL.c.ended.is_(None))
    return [as_record(row) for row in connection.execute(wanted)]


def load_live(connection: Connection, node: str) -> list[CallRecord]:
    """Load the live calls of a node."""
    wanted = select(CALL).where(CALL.c.node == node, CALL.c.ended.is_(None))
    return [as_record(row) for row in connection.execute(wanted)]


def recent_outside(connection: Connection, since: int) -> list[tuple[int, str, int]]:
    """Calls that were placed outside since a time: the route, who called, and when."""
    wanted = select(CALL.c.caller, CALL.c.legs).where(CALL.c.updated >= since)
    return [
        (leg["target"], row.caller, leg["began"])
        for row in connection.execute(wanted)
        for leg in row.legs
        if leg.get("kind") == DestinationKind.EXTERNAL and leg["began"] >= since
    ]


def last_over_trunk(connection: Connection, trunk_id: int) -> tuple[int, str, str] | None:
    """Return when the newest call over a trunk started, its called number and the trunk's name then.

    None if there was none.
    """
    wanted = (
        select(CALL.c.started, CALL.c.called, CALL.c.source)
        .where(CALL.c.source_kind == "trunk", CALL.c.source_id == trunk_id)
        .order_by(CALL.c.started.desc())
        .limit(1)
    )
    row = connection.execute(wanted).first()
    return (row.started, row.called, row.source) if row else None


def save(connection: Connection, records: Iterable[CallRecord]) -> None:
    """Write whole records, new or known."""
    put(connection, CALL, [{name: getattr(record, name) for name in NAMES} for record in records])


def save_notes(connection: Connection, notes: Iterable[tuple[str, int, CallNote]]) -> None:
    """Write notes by call and place. Existing ones stay."""
    rows = [{"call_id": call, "place": place} | note_row(one) for call, place, one in notes]
    put(connection, CALL_NOTE, rows)


def save_menus(connection: Connection, ended: Sequence[str]) -> None:
    """Keep beside these calls, which are over, the menus that they went through by their notes."""
    statement = insert_menus(connection.dialect.name)
    for part in batches(ended, 500):
        connection.execute(statement, {"ids": part})


@cache  # making a statement costs more than running it
def insert_menus(dialect: str) -> Insert:
    """Return the statement that writes the menus of the calls `ids`."""
    entered = (CALL_NOTE.c.topic == Topic.ENTERED) & (CALL_NOTE.c.ivr > 0) & is_among_ids(CALL.c.id)
    been = select(CALL.c.id, CALL_NOTE.c.ivr, CALL.c.started).distinct()
    been = been.select_from(CALL.join(CALL_NOTE, CALL_NOTE.c.call_id == CALL.c.id)).where(entered)
    statement = insert_of(dialect)(CALL_MENU).from_select(["call_id", "menu", "started"], been)
    inserting: Insert = statement.on_conflict_do_nothing()
    return inserting


def note_row(one: CallNote) -> Described:
    note = one.note
    return {
        "at": one.at,
        "topic": note.topic.value,
        "ivr": note.ivr,
        "input": note.input,
        "kind": note.kind.value if note.kind else "",
        "target": note.target,
        "number": note.number,
        "trunk": note.trunk,
        "detail": note.detail,
        "detail_limit": note.limit,
    }


def as_note(row: Row[Any]) -> CallNote:
    kind = DestinationKind(row.kind) if row.kind else None
    topic = Topic(row.topic)
    facts = (row.ivr, row.input, kind, row.target, row.number, row.trunk, row.detail)
    return CallNote(row.at, Note(topic, *facts, limit=row.detail_limit))


def as_record(row: Row[Any]) -> CallRecord:
    return CallRecord(**row._mapping)


def put(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, or put them in the place of those with the same key."""
    if rows:
        connection.execute(upsert(connection.dialect.name, table, tuple(rows[0])), list(rows))


@cache
def upsert(dialect: str, table: Table, names: tuple[str, ...]) -> Insert:
    """Return the statement that inserts rows with these columns, or changes those with the same key."""
    statement = insert_of(dialect)(table)
    keys = [column.name for column in table.primary_key]
    others = {name: statement.excluded[name] for name in names if name not in keys}
    upserting: Insert = statement.on_conflict_do_update(index_elements=keys, set_=others)
    return upserting


def insert_of(dialect: str) -> Callable[[Table], Any]:
    """Return the `insert` of a dialect, which knows ON CONFLICT."""
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Parts of so many: databases limit the parameters of a query."""
    return (items[start : start + size] for start in range(0, len(items), size))


def forget_recordings(connection: Connection, node: str, files: Sequence[str]) -> None:
    """Note that a node has deleted these recordings."""
    for part in batches(files, 500):
        deleted = (CALL.c.node == node) & CALL.c.recording.in_(part)
        connection.execute(update(CALL).where(deleted).values(recording=""))


def find_newest(connection: Connection) -> int:
    """Return the time of the newest call in Unix milliseconds, 0 if there is none."""
    return connection.execute(select(func.max(CALL.c.started))).scalar() or 0
