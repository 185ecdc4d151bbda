"""Adapts objects of a PBX to entries for an import: ids become numbers and names, values are made to fit.

Present values of this server stay where the PBX has none, or has one that is not supported here: a key that
leads to a queue there keeps the destination that was set here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from openivr.client.model_types import Destination, Detail, Link
from openivr.client.models import Announcement, BusinessHour, Holiday, Ivr
from openivr.ivr.analysis.words import text_of_remark
from openivr.ivr.import_remark import ImportRemark, ImportRemarkCode
from openivr.resources import KINDS, ResourceType
from openivr.resources.destination import (
    KEYS_IN_FILES,
    PARTS,
    PLAYS,
    TARGETS,
    DestinationField,
    Keys,
    as_words,
)
from openivr.resources.errors import Invalid, Problem
from openivr.resources.fields import MISSING, Field, InvalidValue, ResourceName, StoredForm
from openivr.resources.hours import HOURS_FIELDS, describe_hours
from openivr.resources.import_remarks import store_remark
from openivr.resources.pin_list import MASK, PinsField
from openivr.resources.presence import PresenceField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinkField, LinksField, PromptsField
from openivr.yeastar_import import fields
from openivr.yeastar_import.menu_keys import KeyAdapter
from openivr.yeastar_import.presence import adapt_presence
from openivr.yeastar_import.prompts import Stored, adapt_prompts
from openivr.yeastar_import.remarks import Remark, lost, title
from openivr.yeastar_import.source import Source
from openivr.yeastar_import.type_rules import FALLBACKS, RULES

Fields = dict[str, Any]
Local = Mapping[str, Mapping[str, Fields]]
PROBLEMS = {
    ProblemCode.NOT_NUMBER: ImportRemarkCode.NUMBER_INVALID,
    ProblemCode.PLAYS: ImportRemarkCode.PLAYS_INVALID,
}


@dataclass(slots=True)
class Adaptation:
    """Entries by kind and label, and what there is to say about them."""

    entries: dict[str, dict[str, Fields]] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)


def adapt(source: Source, local: Local, stored: Stored) -> Adaptation:
    """Return the entries of everything that can be imported.

    `local` has the entries of this server, by type and label. `stored` finds a prompt's recording here.
    """
    prompts, remarks = adapt_prompts(source, local.get("custom_prompt", {}), stored)
    skipped: set[tuple[str, int]] = set()
    while True:
        adapter = Adapter(source, local, skipped, prompts.keys())
        found = adapter.adapt()
        if adapter.skipped == skipped:
            found.entries["custom_prompt"] = prompts
            found.remarks += remarks
            return found
        skipped = adapter.skipped  # what points to these has to be seen anew


class Adapter:
    """One pass over a source, without the objects that are skipped."""

    def __init__(
        self, source: Source, local: Local, skipped: set[tuple[str, int]], prompts: Iterable[str]
    ) -> None:
        self.source, self.local, self.skipped = source, local, set(skipped)
        self.result = Adaptation(remarks=list(source.remarks))
        self.prompts = {"default", *prompts, *local.get("custom_prompt", {})}
        self.labels = {
            (kind, id_): label_of(detail)
            for kind, details in source.objects.items()
            for id_, detail in details.items()
            if (kind, id_) not in skipped
        }

    def adapt(self) -> Adaptation:
        for kind in KINDS.values():
            self.result.entries[kind.name] = {}
            for id_, detail in self.source.objects.get(kind.name, {}).items():
                if kind.name != "custom_prompt":
                    self.add(kind, id_, detail)
        return self.result

    def add(self, kind: ResourceType, id_: int, detail: Detail) -> None:
        """Adapt one object, or skip it with a reason."""
        label, remarks = label_of(detail), len(self.result.remarks)
        about = f"{title(kind.name)} {label}"
        if label in self.result.entries[kind.name]:
            problem = "is there twice; the first one came over"
        else:
            entry = self.entry(kind, detail, self.local.get(kind.name, {}).get(label, {}), about)
            problem = self.lacks_calendar(detail) or find_problem(kind, entry)
            if not problem:
                self.result.entries[kind.name][label] = entry
                return
        del self.result.remarks[remarks:]
        self.result.remarks.append(lost(about, f"did not come over: {problem}"))
        self.skipped.add((kind.name, id_))

    def lacks_calendar(self, detail: Detail) -> str:
        """Return why an object that is a part of a calendar cannot be kept; "" if it can."""
        if not isinstance(detail, BusinessHour | Holiday | Announcement) or not detail.timezone_id:
            return ""
        return "" if ("timezone", detail.timezone_id) in self.labels else "its calendar is not here"

    def entry(self, kind: ResourceType, detail: Detail, here: Fields, about: str) -> Fields:
        """The object's fields as an entry has them."""
        entry: Fields = {**FALLBACKS.get(kind.name, {}), **here}
        for name in ("id", "import_remarks"):
            entry.pop(name, None)
        notes: list[ImportRemark] = []
        for one in kind.fields:
            if one.name in detail.sent and not isinstance(one, Keys):
                value = getattr(detail, one.name)
                found = self.field(one, value, here, about, notes)
                if found is MISSING:
                    entry.pop(one.name, None)
                else:
                    entry[one.name] = found
        if isinstance(detail, Ivr):
            self.finish_ivr(detail, entry, here, about, notes)
        kept = " (kept as a remark)" if isinstance(detail, Ivr) else ""
        self.result.remarks += [lost(about, text_of_remark(note).removesuffix(".") + kept) for note in notes]
        self.result.remarks += RULES[kind.name](entry, detail, here, about) if kind.name in RULES else []
        self.result.remarks += [
            lost(about, f"{one} is not known here") for one in fields.unknown(detail.extra)
        ]
        return entry

    def field(self, one: Field, value: Any, here: Fields, about: str, notes: list[ImportRemark]) -> Any:
        match one:
            case LinksField():
                return list(dict.fromkeys(self.links(one, value, notes)))
            case DestinationField():
                words = self.destination(one, value, one.name, notes)
                return words or here.get(one.name, MISSING)
            case PresenceField():
                adapt = partial(self.forward, notes)
                return adapt_presence(value, about, adapt, self.result.remarks)
            case LinkField():
                return self.link(one, value, here, notes)
            case PinsField() if MASK in value:  # from a server that does not answer its PINs
                return here.get(one.name, MISSING)
            case PromptsField():
                return ",".join(self.prompt_names(one, value, notes))
        plain = list(map(dict, value)) if isinstance(value, tuple) else value
        found, remarks = fields.fit(one, plain, about)
        self.result.remarks += remarks
        return found

    def links(self, one: LinksField, links: tuple[Link, ...], notes: list[ImportRemark]) -> Iterator[str]:
        """Return the members of a list by number or name."""
        for link in links:
            kind = link.type if link.type in (*one.kinds, *one.unserved) else one.kinds[0]
            label = self.labels.get((kind, as_id(link.value)))
            if label is not None:
                yield f"{kind} {label}"
                continue
            params = {"field": one.name, "type": kind, "name": link.text or link.value}
            notes.append(ImportRemark(ImportRemarkCode.MEMBER_MISSING, params))

    def link(self, one: LinkField, id_: int, here: Fields, notes: list[ImportRemark]) -> str:
        """Return the label of an object, "" for none. If it is not here, keep the present one, or note it."""
        label = self.labels.get((one.kind, id_), "")
        if label or not id_:
            return label
        present = str(here.get(one.name, ""))
        if not present:
            params = {"field": one.name, "type": one.kind, "name": str(id_)}
            notes.append(ImportRemark(ImportRemarkCode.MEMBER_MISSING, params))
        return present

    def destination(
        self, one: DestinationField, to: Destination, input_: str, notes: list[ImportRemark]
    ) -> str:
        """Return a destination in an entry's words. If it cannot be kept, return "" and note the reason."""
        code, params = self.find_loss(one, to)
        if code is not None:
            notes.append(ImportRemark(code, {"input": input_, **params}))
            return ""
        if to.dest in TARGETS:
            return f"{to.dest} {self.labels[TARGETS[to.dest], as_id(to.value)]}"
        return as_words(read_whole(one, to), lambda _kind, _id: ResourceName("", ""))

    def forward(self, notes: list[ImportRemark], one: DestinationField, to: Destination, input_: str) -> str:
        """Return where an extension forwards calls in an entry's words, "" with a note if it is lost."""
        return self.destination(one, to, input_, notes)

    def find_loss(
        self, one: DestinationField, to: Destination
    ) -> tuple[ImportRemarkCode | None, dict[str, str]]:
        """Return why a destination cannot be kept, with the parameters but the input; None if it can."""
        params = {"type": to.dest, "name": to.value}
        if to.dest in one.unserved or to.dest not in one.types:
            params["name"] = self.source.names.get(to.dest, {}).get(to.value, to.value)
            return ImportRemarkCode.DESTINATION_UNSERVED, params
        if to.dest in TARGETS:
            is_here = (TARGETS[to.dest], as_id(to.value)) in self.labels
            return (None if is_here else ImportRemarkCode.DESTINATION_MISSING), params
        if to.dest in PLAYS and to.value not in self.prompts:
            return ImportRemarkCode.KEY_PROMPT_MISSING, {"prompt": to.value}
        try:
            read_whole(one, to)
        except InvalidValue as bad:
            params["name"] = f"{to.prefix} {to.value}".strip()
            high = {"high": str(bad.params["high"])} if bad.code is ProblemCode.PLAYS else {}
            return PROBLEMS.get(bad.code, ImportRemarkCode.DESTINATION_INVALID), params | high
        return None, {}

    def prompt_names(self, one: PromptsField, value: str, notes: list[ImportRemark]) -> Iterator[str]:
        names = [name.strip() for name in value.split(",") if name.strip()]
        for name in names[: one.most]:
            if name in self.prompts:
                yield name
            else:
                notes.append(ImportRemark(ImportRemarkCode.PROMPT_MISSING, {"prompt": name}))

    def finish_ivr(
        self, ivr: Ivr, entry: Fields, here: Fields, about: str, notes: list[ImportRemark]
    ) -> None:
        """Add the keys to the entry, and the remarks."""
        if "keys" in ivr.sent:
            keys = KeyAdapter(ivr, here, self.labels, self.destination, notes)
            for name in KEYS_IN_FILES:
                entry.pop(name, None)
            entry |= keys.fields()
            if keys.left_out:
                inputs = ", ".join(keys.left_out)
                self.result.remarks.append(
                    lost(about, f"inputs are left out without their calendar: {inputs}")
                )
        if notes:
            entry["import_remarks"] = [store_remark(note) for note in notes]


def read_whole(one: DestinationField, to: Destination) -> Fields:
    """Return the destination as a request would set it. Raises Bad with the reason if that is impossible."""
    problems: list[Problem] = []
    sent = {one.stems[0] + ending: getattr(to, part) for part, ending in PARTS.items()}
    value = one.read(sent, MISSING, problems)
    if problems:
        raise InvalidValue(problems[0].code, **problems[0].params)
    return value


def label_of(detail: Detail) -> str:
    """Return the label of an object, which also identifies it here: its number, else its name."""
    if isinstance(detail, BusinessHour):
        hours = {name: getattr(detail, name) for name in HOURS_FIELDS}
        return f"{describe_hours(hours)} in time zone {detail.timezone_id}"
    if isinstance(detail, Holiday) and detail.timezone_id:
        return f"{detail.name} in time zone {detail.timezone_id}"
    return str(getattr(detail, "number", "") or getattr(detail, "name", ""))


def as_id(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def is_unread(field: Field) -> bool:
    """Return True for a secret that no PBX answers."""
    return field.hidden and not isinstance(field, PinsField)


def find_problem(kind: ResourceType, entry: Fields) -> str:
    """Return why an entry cannot be imported; "" if it can."""
    body: Fields = {one.name: StoredForm("-") for one in kind.fields if is_unread(one)}
    try:
        for one in kind.fields:
            body |= {} if is_unread(one) else one.load(entry, lambda _kind, _key: 1)
        kind.parse(unlisted(kind, body))
    except InvalidValue as bad:
        return str(bad)
    except Invalid as error:
        return str(error)
    return ""


def unlisted(kind: ResourceType, body: Fields) -> Fields:
    """The body with one item in each list of others: all of them have the same stand-in for an id."""
    lists = {one.name for one in kind.fields if isinstance(one, LinksField)}
    return {name: value[:1] if name in lists else value for name, value in body.items()}
