"""Export and import of the whole configuration as a document.

A document has a list of entries for each kind. An entry has the fields that differ from their defaults, and
names its references by number or name. An import first makes a plan with all changes and all errors.
Executing the plan is one transaction.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert, select, update

from openivr.resources import KINDS, ResourceType, mail_server
from openivr.resources.destination import KEYS_IN_FILES, Keys
from openivr.resources.errors import Invalid
from openivr.resources.fields import InvalidValue, whole
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.problem_words import predicate
from openivr.resources.prompt import file_type
from openivr.resources.reference_fields import LinkField, LinksField
from openivr.resources.resource_type import Values
from openivr.sounds.convert import ConvertedAudio, NotAudio, convert
from openivr.store.config import prompts, resources, scenarios
from openivr.store.database import ConfigTransaction
from openivr.store.mail.mail_server import find_mail_server
from openivr.store.tables import ALLOWED_ADDRESS, API_CLIENT, COUNTER, OBJECTS, REVISION

FORMAT = 1
MAIL_SERVER = "mail_server"  # the section of a file
KEYS = "keys"  # the field of menus whose parts have names
Step = Callable[[], None]  # called for every object done, to move a progress bar


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """An object as a file describes it, with the line it starts on and those of its fields.

    `lines` also has those of a field's parts: "keys.3", and "dial_ext_list.2" for the second item.
    """

    fields: Mapping[str, Any]
    line: int = 0
    lines: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DocumentError:
    """Something that cannot be read in, and the line that it stands on."""

    line: int
    text: str


T = TypeVar("T")


def number_off(rows: Iterable[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    """Make equal labels of different objects distinct: "Christmas", "Christmas 2" ..."""
    seen: Counter[str] = Counter()
    for label, row in rows:
        seen[label] += 1
        yield (label if seen[label] == 1 else f"{label} {seen[label]}"), row


@dataclass(slots=True)
class PlannedChange:
    """One object of a plan: `old` is None for a new one, `new` for one that goes."""

    kind: ResourceType
    id: int
    old: Values | None
    new: Values | None = None
    audio: tuple[bytes, ConvertedAudio] | None = None

    @property
    def label(self) -> str:
        return self.kind.label(self.new or self.old or {})

    @property
    def changed(self) -> list[str]:
        """The fields that an update changes."""
        if self.old is None or self.new is None:
            return []
        names = [name for name, value in self.new.items() if value != self.old[name]]
        return [*names, "audio"] if self.audio else names

    @property
    def action(self) -> str:
        """ "create", "update", "delete", or nothing where all is as it should be."""
        if self.new is None:
            return "delete"
        if self.old is None:
            return "create"
        return "update" if self.changed else ""


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Changes of an import, and the errors that prevent it."""

    items: list[PlannedChange]
    mistakes: list[DocumentError]
    scenarios: list[DocumentEntry] | None = None  # None leaves them
    keeps_others: bool = False

    @property
    def actions(self) -> list[PlannedChange]:
        return [item for item in self.items if item.action]


def export(connection: Connection, *, with_audio: bool = True, step: Step = lambda: None) -> dict[str, Any]:
    """The configuration as plain lists and dicts, in an order that never varies."""
    document: dict[str, Any] = {"openivr": FORMAT}
    names = resources.namer(connection)
    for kind in KINDS.values():
        entries = []
        for id_, values in resources.fetch_all(connection, kind):
            entry: dict[str, Any] = {"id": id_}
            for one in kind.fields:
                entry.update(one.dump(values[one.name], names))
            if kind.name == "custom_prompt" and with_audio:
                entry["audio"] = prompts.audio(connection, id_)[1]
            entries.append(entry)
            step()
        if entries:
            document[kind.name] = entries
    server = find_mail_server(connection)
    if server is not None:
        document[MAIL_SERVER] = {name: getattr(server, name) for name in mail_server.NAMES}
    document["scenario"] = [dict(stored.document) for stored in scenarios.find_all(connection)]
    clients = connection.execute(select(API_CLIENT).order_by(API_CLIENT.c.id))
    document["api_client"] = [{str(name): row[name] for name in row} for row in clients.mappings()]
    addresses = select(ALLOWED_ADDRESS.c.network).order_by(ALLOWED_ADDRESS.c.network)
    document["allowed_address"] = list(connection.execute(addresses).scalars())
    return document


def make_plan(  # noqa: PLR0913 - the last three say how
    connection: Connection,
    document: Mapping[str, list[DocumentEntry]],
    tests: list[DocumentEntry] | None = None,
    *,
    keeps_others: bool = False,
    is_partial: bool = False,
    step: Step = lambda: None,
) -> ImportPlan:
    """Compare a document with the database. `keeps_others` leaves alone what the document does not have.

    With `is_partial` an entry changes only the fields that it names. Else fields that it leaves out get their
    defaults, as in an export. `tests` are valid scenarios with the number of their menu and a name.
    """
    planner = ImportPlanner(connection, keeps_others, is_partial=is_partial)
    for kind in KINDS.values():
        planner.match(kind, document.get(kind.name, []))
    for item, entry in planner.entries:
        planner.read(item, entry)
        step()
    planner.check_unique()
    planner.check_scenarios(tests or [])
    mistakes = sorted(planner.mistakes, key=lambda mistake: mistake.line)
    return ImportPlan(planner.items, mistakes, tests, keeps_others)


class ImportPlanner:
    """Builds the items of a plan: first which object each entry is, then what it says."""

    def __init__(self, connection: Connection, keeps_others: bool, *, is_partial: bool) -> None:
        self.connection, self.keeps_others, self.is_partial = connection, keeps_others, is_partial
        self.items: list[PlannedChange] = []
        self.entries: list[tuple[PlannedChange, DocumentEntry]] = []
        self.mistakes: list[DocumentError] = []
        self.ids: dict[tuple[str, str], int] = {}  # (kind, number or name) -> id, as it will be

    def match(self, kind: ResourceType, entries: Iterable[DocumentEntry]) -> None:
        """Find the object of each entry: by id, else by number or name, else a new one."""
        existing = dict(resources.fetch_all(self.connection, kind))
        labels = dict(number_off((kind.label(values), id_) for id_, values in existing.items()))
        counter = select(COUNTER.c.last).where(COUNTER.c.kind == kind.name)
        last = self.connection.execute(counter).scalar_one()
        taken: set[int] = set()
        names = [(self.label_of(kind, entry), entry) for entry in entries]
        for label, entry in number_off(names) if kind.may_share_labels else names:
            id_ = self.read_id(entry, labels.get(label))
            if id_ is None:
                id_ = last = max(last, *taken, 0) + 1
            if id_ in taken or (kind.name, label) in self.ids:
                self.mistake(entry, "id", f"is the second {kind.name} {label} with id {id_}")
                continue
            taken.add(id_)
            self.ids[kind.name, label] = id_
            self.entries.append((PlannedChange(kind, id_, existing.get(id_)), entry))
        for id_ in existing.keys() - taken:
            self.leave(PlannedChange(kind, id_, existing[id_]))

    def label_of(self, kind: ResourceType, entry: DocumentEntry) -> str:
        """Return the number, the name or the description of an entry."""
        if not kind.describe:
            return str(entry.fields.get("number") or entry.fields.get("name"))
        blank = {one.name: one.default for one in kind.fields}
        links = {one.name: one.default for one in kind.fields if isinstance(one, LinkField | LinksField)}
        try:
            return kind.describe(kind.parse({**blank, **entry.fields, **links}))
        except Invalid:
            return ""  # what is wrong with it is reported when it is read

    def read_id(self, entry: DocumentEntry, matched: int | None) -> int | None:
        """The entry's own id, else that of the object which it matches."""
        try:
            id_ = whole(entry.fields.get("id", matched or 0))
        except InvalidValue as bad:
            self.mistake(entry, "id", str(bad))
            return matched
        if not 0 <= id_ < 2**31:
            self.mistake(entry, "id", "is out of range")
        return id_ or None

    def leave(self, item: PlannedChange) -> None:
        """An object that the document does not have."""
        if self.keeps_others:
            item.new = item.old
            self.ids.setdefault((item.kind.name, item.label), item.id)
        self.items.append(item)

    def mistake(self, entry: DocumentEntry, name: str, text: str) -> None:
        field_name, _, part = name.partition(".")
        line = entry.lines.get(name) or entry.lines.get(field_name) or entry.line
        shown = field_name if part.isdigit() and field_name != KEYS else name
        self.mistakes.append(DocumentError(line, f"{shown} {text}"))

    def read(self, item: PlannedChange, entry: DocumentEntry) -> None:
        """Turn an entry into the values that the object will have."""
        self.items.append(item)
        body: dict[str, Any] = {}
        for one in item.kind.fields:
            try:
                body |= one.load(entry.fields, lambda kind, key: self.ids.get((kind, key)))
            except InvalidValue as bad:
                self.mistake(entry, f"{one.name}.{bad.part}" if bad.part else one.name, str(bad))
        known = {"id", "audio", *KEYS_IN_FILES}
        known |= {name for one in item.kind.fields for name in (one.name, *one.former_names)}
        for name in entry.fields.keys() - known:
            self.mistake(entry, name, f"is not a field of {item.kind.name}")
        try:
            item.new = item.kind.parse(body, item.old, is_whole=not self.is_partial)
        except Invalid as error:
            for problem in error.problems:
                name = self.field_of(item.kind, problem.field)
                row = problem.params.get("row")
                self.mistake(entry, f"{name}.{row}" if row else name, problem.text)
        for reference in item.kind.references(item.new) if item.new else ():
            if isinstance(reference.key, str) and (reference.kind, reference.key) not in self.ids:
                name = self.field_of(item.kind, reference.field)
                self.mistake(entry, name, f"names the prompt {reference.key}, which does not exist")
        if item.kind.name == "custom_prompt":
            self.read_audio(item, entry)

    def field_of(self, kind: ResourceType, api_name: str) -> str:
        """Return the name that a file has for a field of the API, with the key for those of keys."""
        for one in kind.fields:
            if isinstance(one, Keys):
                for key, destination in one.keys.items():
                    if api_name in destination.schema():
                        return f"{one.name}.{key}"
            if api_name in one.schema():
                return one.name
        return api_name

    def read_audio(self, item: PlannedChange, entry: DocumentEntry) -> None:
        data = entry.fields.get("audio")
        if data is None:
            if item.old is None:
                self.mistake(entry, "audio", "is required for a new prompt")
            else:
                self.set_derived(item, item.old)
            return
        is_kept = item.old is None or item.new is None or item.new["keep_level"] == item.old["keep_level"]
        if item.old is not None and is_kept and prompts.audio(self.connection, item.id)[1] == data:
            self.set_derived(item, item.old)
            return
        try:
            form = file_type(str(entry.fields.get("name")))
            keeps_level = bool(item.new and item.new["keep_level"])
            item.audio = (data, convert(data, form, keeps_level=keeps_level))
            facts = {"duration": item.audio[1].seconds, "loudness": item.audio[1].loudness}
            self.set_derived(item, {"format": form, "size": len(data), **facts})
        except NotAudio as error:
            self.mistake(entry, "audio", predicate(ProblemCode(error.fault), error.params))
        except (KeyError, TypeError) as error:
            self.mistake(entry, "audio", str(error))

    def set_derived(self, item: PlannedChange, facts: Mapping[str, Any]) -> None:
        """Set the facts that follow from a prompt's audio, whatever the file says of them."""
        if item.new is not None:
            item.new |= {name: facts[name] for name in ("format", "size", "duration", "loudness")}

    def check_unique(self) -> None:
        """One number, one owner, over everything that will be there."""
        lines = {id(item): entry for item, entry in self.entries}
        owners: dict[tuple[str, str, str], PlannedChange] = {}
        for item in self.items:
            for name in ("number", *item.kind.unique):
                value = (item.new or {}).get(name)
                scope = "" if name == "number" else item.kind.name
                if value and (owner := owners.setdefault((scope, name, value), item)) is not item:
                    entry = lines.get(id(item)) or lines.get(id(owner)) or DocumentEntry({})
                    self.mistake(entry, name, f"{value} is used by {owner.kind.name} {owner.label} too")

    def check_scenarios(self, entries: Iterable[DocumentEntry]) -> None:
        """Each belongs to a menu that will be there, and has a name of its own among that menu's."""
        menus = {(item.new or {}).get("number") for item in self.items if item.kind.name == "ivr"}
        seen: set[tuple[str, str]] = set()
        for entry in entries:
            field = scenarios.menu_field(entry.fields)
            number, name = entry.fields.get(field, ""), entry.fields[scenarios.TITLE]
            if not number:
                self.mistake(entry, field, "is needed: the number of the menu that it is stored with")
            elif number not in menus:
                self.mistake(entry, field, f"{number} is not the number of a menu")
            if problem := scenarios.find_problem(name):
                self.mistake(entry, problem.field, problem.text)
            if (number, name) in seen:
                self.mistake(entry, scenarios.TITLE, f"is the second of menu {number} with this name")
            seen.add((number, name))


def carry_out(change: ConfigTransaction, plan: ImportPlan, step: Step = lambda: None) -> None:
    """Do what a plan without mistakes says."""
    connection = change.connection
    for item in plan.actions:
        if item.old is not None:
            resources.release(connection, item.kind, item.id)
        if item.new is None:
            table = OBJECTS[item.kind.name]
            connection.execute(delete(table).where(table.c.id == item.id))
            change.log(item.kind.name, item.id)
            if item.old is not None:
                resources.report_change(change, item.kind, item.id, item.old, "DELETE")
    for item in plan.actions:
        if item.new is not None:
            resources.write_row(change, item.kind, item.id, item.new, is_new=item.old is None)
            if item.audio:
                prompts.put_audio(connection, item.id, item.audio[0], item.audio[1].wav)
        step()
    for item in plan.actions:
        if item.new is not None:
            targets = resources.resolve(connection, item.kind, item.id, item.new)
            resources.write_references(connection, item.kind, item.id, targets)
    raise_counters(connection, plan)
    if plan.scenarios is not None:
        documents = (entry.fields for entry in plan.scenarios)
        scenarios.bring_in(connection, documents, keeps_others=plan.keeps_others)


def raise_counters(connection: Connection, plan: ImportPlan) -> None:
    for kind in KINDS.values():
        highest = max((item.id for item in plan.items if item.kind is kind), default=0)
        lower = (COUNTER.c.kind == kind.name) & (COUNTER.c.last < highest)
        connection.execute(update(COUNTER).where(lower).values(last=highest))


def replace_access(
    connection: Connection, clients: list[dict[str, Any]] | None, addresses: list[str] | None
) -> None:
    """Replace the API clients and the allow list. None keeps the present ones."""
    if clients is not None:
        kept = [client["id"] for client in clients]
        connection.execute(delete(API_CLIENT).where(API_CLIENT.c.id.not_in(kept)))
        present = set(connection.execute(select(API_CLIENT.c.id)).scalars())
        for client in clients:
            if client["id"] in present:
                connection.execute(update(API_CLIENT).where(API_CLIENT.c.id == client["id"]).values(client))
            else:
                connection.execute(insert(API_CLIENT).values(client))
    if addresses is not None:
        connection.execute(delete(ALLOWED_ADDRESS))
        for network in addresses:
            connection.execute(insert(ALLOWED_ADDRESS).values(network=network))
    connection.execute(REVISION.update().values(auth=REVISION.c.auth + 1))
