"""Destinations of calls: a type, and a prefix and value whose meaning depends on the type.

P-Series: query-information-of-an-ivr (types, prefix), add-an-ivr (keys). In the API a destination is three
names with a common stem: `press1_dest`, `press1_dest_prefix`, `press1_dest_value`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from openivr.resources.errors import Problem, shorten
from openivr.resources.fields import (
    MISSING,
    Body,
    Field,
    Find,
    IntegerField,
    InvalidValue,
    Names,
    Reference,
    Schema,
    flag,
    fold_text,
    whole,
)
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinkField, find_link

Value = dict[str, Any]
PARTS = {"dest": "", "prefix": "_prefix", "value": "_value"}  # key in the value -> ending of the API name
NOWHERE: Value = {"dest": "", "prefix": "", "value": ""}

TARGETS = {"extension": "extension", "ext_vm": "extension", "ivr": "ivr", "ring_group": "ring_group"}
BARE = ("", "end_call", "dial_by_name", "disabled")  # take neither prefix nor value
PLAYS = ("play_greeting", "play_prompt")  # prefix: how often, value: name of the prompt
OUTSIDE = "external_num"  # prefix and value together are the number
MAX_PLAYS = 5
OPT_OUT = "allow_out_record"  # in a configuration file, the list of keys that have it

PIN_LIST = "pin_list_id"  # in the value of a key
KEYS_OF_PERIOD = {"closed": "keys_closed", "holiday": "keys_holiday"}  # in a configuration file
TIMED_KEYS = "keys_timezone"  # in a configuration file: the calendars of keys that have one of their own
PIN_KEYS = "keys_pin_list"  # in a configuration file: the PIN lists of keys that ask for a PIN
KEYS_IN_FILES = (OPT_OUT, *KEYS_OF_PERIOD.values(), TIMED_KEYS, PIN_KEYS)  # beside the destinations

MENU_TYPES = (*BARE[:3], *TARGETS, OUTSIDE, *PLAYS)
UNSERVED = ("call_flow", "queue", "group_vm", "conference", "fax_to_email", "outroute")


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationField(Field):
    """One destination. `stems` are its spellings in the API. All are written, any is read."""

    stems: tuple[str, ...]
    types: tuple[str, ...] = MENU_TYPES
    unserved: tuple[str, ...] = UNSERVED
    default: Any = field(default_factory=lambda: dict(NOWHERE))
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def read(self, body: Body, stored: Any, problems: list[Problem]) -> Value:
        before = self.default if stored is MISSING else stored
        stem = next((stem for stem in self.stems if any(stem + e in body for e in PARTS.values())), None)
        if stem is None:
            if self.required and stored is MISSING:
                problems.append(Problem(self.stems[0], ProblemCode.REQUIRED))
            return dict(before)
        sent = dict.fromkeys(PARTS, MISSING)
        try:
            for part, ending in PARTS.items():
                sent[part] = self.pick(body, ending, before[part])
            part = "dest"
            kind = self.read_type(before["dest"] if sent["dest"] is MISSING else sent["dest"])
            kept = before if kind == before["dest"] else NOWHERE
            after = {"dest": kind}
            for part in ("prefix", "value"):
                raw = kept[part] if sent[part] is MISSING else sent[part]
                after[part] = read_part(kind, part, raw)
            part = "value"
            check_whole(after)
        except InvalidValue as bad:
            given = None if sent[part] is MISSING else shorten(sent[part])
            problems.append(Problem(stem + PARTS[part], bad.code, bad.params, given))
            return dict(before)
        return after

    def pick(self, body: Body, ending: str, before: str) -> Any:
        """Return the value sent under any spelling. If spellings differ, return the one that is a change."""
        sent = [body[stem + ending] for stem in self.stems if stem + ending in body]
        changed = [raw for raw in sent if raw != before]
        if any(raw != changed[0] for raw in changed):
            raise InvalidValue(ProblemCode.TWO_SPELLINGS)
        return (changed or sent or [MISSING])[0]

    def read_type(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise InvalidValue(ProblemCode.NOT_TEXT)
        if raw in self.unserved:
            raise InvalidValue(ProblemCode.UNSERVED, choice=raw)
        if raw not in self.types:
            raise InvalidValue(ProblemCode.CHOICE, choices=self.types)
        return raw

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        for stem in self.stems:
            for part, ending in PARTS.items():
                yield stem + ending, value[part]

    def references(self, value: Any) -> Iterator[Reference]:
        name = self.stems[0] + PARTS["value"]
        if value["dest"] in TARGETS:
            yield Reference(name, TARGETS[value["dest"]], int(value["value"]))
        elif value["dest"] in PLAYS:
            yield Reference(name, "custom_prompt", value["value"])

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        if value["dest"]:
            yield self.name, as_words(value, names)

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        if self.name not in entry:
            return {}
        value = from_words(str(entry[self.name]), find)
        return {self.stems[0] + ending: value[part] for part, ending in PARTS.items()}

    def schema(self) -> dict[str, Schema]:
        kinds: Schema = {"type": "string", "enum": list(self.types)}
        text: Schema = {"type": "string", "maxLength": 127}
        return {
            stem + ending: kinds if part == "dest" else text
            for stem in self.stems
            for part, ending in PARTS.items()
        }


def read_part(kind: str, part: str, raw: Any) -> str:
    """The prefix or value of a destination of this kind, in its one canonical spelling."""
    raw = str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw
    if not isinstance(raw, str):
        raise InvalidValue(ProblemCode.NOT_TEXT)
    text = fold_text(raw)
    if kind in BARE or (kind in TARGETS and part == "prefix"):
        if text:
            raise InvalidValue(ProblemCode.NOT_EMPTY, destination=kind or "no destination")
        return ""
    if kind == OUTSIDE:
        return text
    if part == "prefix" or kind in TARGETS:
        return str(whole(require(text)))
    return require(text)


def require(text: str) -> str:
    if not text:
        raise InvalidValue(ProblemCode.REQUIRED_FOR_DESTINATION)
    return text


def check_whole(value: Value) -> None:
    """Check prefix and value together."""
    if value["dest"] == OUTSIDE and not re.fullmatch(r"\+?[0-9]{1,15}", value["prefix"] + value["value"]):
        raise InvalidValue(ProblemCode.NOT_NUMBER)
    if value["dest"] in PLAYS and not 1 <= int(value["prefix"]) <= MAX_PLAYS:
        raise InvalidValue(ProblemCode.PLAYS, high=MAX_PLAYS)


def as_words(value: Value, names: Names) -> str:
    """A destination for people to read: "extension 1000", "play_prompt 2 hours.wav", "external_num 9 555"."""
    kind, text = value["dest"], value["value"]
    if kind in TARGETS:
        text = names(TARGETS[kind], int(text))[1]
    return " ".join(word for word in (kind, value["prefix"], text) if word)


def from_words(words: str, find: Find) -> Value:
    """Parse the text of `as_words`. Raises Bad if it names something that does not exist."""
    kind, _, text = words.partition(" ")
    if kind in TARGETS:
        link = find_link(f"{TARGETS[kind]} {text}", find)
        return {"dest": kind, "prefix": "", "value": str(link["id"])}
    first, space, rest = text.partition(" ")
    return {"dest": kind, "prefix": first if space else "", "value": rest if space else first}


SIGNS = {"#": "hash", "*": "star"}  # of keys, as people write them
KEY_SIGNS = {"hash": "hash (or '#')", "star": "star (or '*')"}


def as_key(text: str) -> str:
    """Return the name of a key in a file, which may be a sign."""
    return SIGNS.get(text, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCondition:
    """Fields of a key for other periods than open hours. Spellings are those of the key itself."""

    periods: dict[str, DestinationField]  # key in the value -> destination in that period
    enabled: tuple[IntegerField, ...]  # the condition of this key alone
    timezone: tuple[LinkField, ...]  # its calendar

    def read(self, body: Body, kept: Value, problems: list[Problem]) -> Value:
        """Return the part of the key's value that differs from the default."""
        value: Value = {}
        for period, field_ in self.periods.items():
            destination = field_.read(body, kept.get(period, NOWHERE), problems)
            if destination["dest"]:
                value[period] = destination
        for name, spellings in (("timed", self.enabled), ("timezone_id", self.timezone)):
            before = kept.get(name, 0)
            sent = [spelling.read(body, before, problems) for spelling in spellings]
            after = next((number for number in sent if number != before), before)
            if after:
                value[name] = after
        return value

    def serialize(self, value: Value, names: Names) -> Iterator[tuple[str, Any]]:
        """Yield the fields of a key that has a condition."""
        if not any(name in value for name in (*self.periods, "timed", "timezone_id")):
            return
        for period, field_ in self.periods.items():
            yield from field_.serialize(value.get(period, NOWHERE), names)
        for switch in self.enabled:
            yield switch.name, value.get("timed", 0)
        for link in self.timezone:
            yield link.name, value.get("timezone_id", 0)

    def references(self, value: Value) -> Iterator[Reference]:
        for period, field_ in self.periods.items():
            if period in value:
                yield from field_.references(value[period])
        yield from self.timezone[0].references(value.get("timezone_id", 0))

    def schema(self) -> dict[str, Schema]:
        fields: tuple[Field, ...] = (*self.periods.values(), *self.enabled, *self.timezone)
        return {name: schema for field_ in fields for name, schema in field_.schema().items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys(Field):
    """Several destinations kept together, with the right to opt out of recording by each.

    The value maps a key's name to its destination and has only those that are set. Beside the destination it
    has those of other periods ("closed", "holiday"), "timed", "timezone_id" and "pin_list_id".
    """

    keys: dict[str, DestinationField]
    opt_outs: dict[str, tuple[str, ...]]  # key -> spellings of its allow_out_record name
    conditions: dict[str, KeyCondition] = field(default_factory=dict)
    pins: dict[str, LinkField] = field(default_factory=dict)  # key -> the PIN list that it asks for
    default: Any = field(default_factory=dict)
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def read(self, body: Body, stored: Any, problems: list[Problem]) -> dict[str, Value]:
        before: dict[str, Value] = {} if stored is MISSING else stored
        after = {}
        for key, destination in self.keys.items():
            kept = before.get(key, {})
            value = destination.read(body, {**NOWHERE, **kept}, problems)
            value = {part: value[part] for part in PARTS}
            value["allow_out_record"] = self.read_opt_out(key, body, kept, problems)
            value |= self.conditions[key].read(body, kept, problems)
            if key in self.pins and (id_ := self.pins[key].read(body, kept.get(PIN_LIST, 0), problems)):
                value[PIN_LIST] = id_
            if value["dest"] or len(value) > len(NOWHERE) + 1 or value["allow_out_record"]:
                after[key] = value
        return after

    def value_of(self, name: str, value: dict[str, Value]) -> Any:
        """Return the value of a field that this one is made of, by its name. Raises KeyError."""
        if name in self.keys:
            kept = value.get(name, NOWHERE)
            return {part: kept[part] for part in PARTS}
        for key, condition in self.conditions.items():
            kept = value.get(key, {})
            for period, field_ in condition.periods.items():
                if name == field_.name:
                    return kept.get(period, dict(NOWHERE))
            if name == condition.enabled[0].name:
                return kept.get("timed", 0)
            if name == condition.timezone[0].name:
                return kept.get("timezone_id", 0)
        for key, link in self.pins.items():
            if name == link.name:
                return value.get(key, {}).get(PIN_LIST, 0)
        raise KeyError(name)

    def read_opt_out(self, key: str, body: Body, kept: Value, problems: list[Problem]) -> int:
        before: int = kept.get("allow_out_record", 0)
        for name in self.opt_outs[key]:
            value: int = flag(name).read(body, before, problems)
            if value != before:
                return value
        return before

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        for key, destination in self.keys.items():
            yield from destination.serialize(value.get(key, NOWHERE), names)
        for key, spellings in self.opt_outs.items():
            for name in spellings:
                yield name, value.get(key, {}).get("allow_out_record", 0)
        for key, condition in self.conditions.items():
            yield from condition.serialize(value.get(key, {}), names)
        for key, link in self.pins.items():
            if PIN_LIST in value.get(key, {}):
                yield link.name, value[key][PIN_LIST]

    def references(self, value: Any) -> Iterator[Reference]:
        for key, one in value.items():
            yield from self.keys[key].references(one)
            yield from self.conditions[key].references(one)
            if key in self.pins:
                yield from self.pins[key].references(one.get(PIN_LIST, 0))

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        words = {key: as_words(one, names) for key, one in value.items() if one["dest"]}
        if words:
            yield self.name, words
        opted = [key for key, one in value.items() if one["allow_out_record"]]
        if opted:
            yield OPT_OUT, opted
        for period, name in KEYS_OF_PERIOD.items():
            words = {key: as_words(one[period], names) for key, one in value.items() if period in one}
            if words:
                yield name, words
        calendars = {key: one.get("timezone_id", 0) for key, one in value.items() if one.get("timed")}
        if calendars:
            yield (
                TIMED_KEYS,
                {key: names("timezone", id_).name if id_ else "" for key, id_ in calendars.items()},
            )

        pins = {key: names("pin_list", one[PIN_LIST]).name for key, one in value.items() if PIN_LIST in one}
        if pins:
            yield PIN_KEYS, pins

    def load_pins(self, entry: Body, find: Find) -> dict[str, Any]:
        """Return the PIN lists of keys as part of a body."""
        named = self.read_keys(entry, PIN_KEYS)
        body: dict[str, Any] = {}
        for key, link in self.pins.items() if PIN_KEYS in entry else ():
            body |= link.load({link.name: named.get(key, "")}, find)
        return body

    def load_conditions(self, entry: Body, find: Find) -> dict[str, Any]:
        """Return the destinations of other periods and the calendars of keys as part of a body."""
        body: dict[str, Any] = {}
        for period, name in KEYS_OF_PERIOD.items():
            for key, text in self.read_keys(entry, name).items():
                field_ = self.conditions[key].periods[period]
                body |= field_.load({field_.name: text}, find)
        if TIMED_KEYS in entry:
            timed = self.read_keys(entry, TIMED_KEYS)
            for key, condition in self.conditions.items():
                body[condition.enabled[0].name] = int(key in timed)
                link = condition.timezone[0]
                body |= link.load({link.name: timed.get(key, "")}, find)
        return body

    def read_keys(self, entry: Body, name: str) -> dict[str, Any]:
        """Return a mapping of a file whose keys are those of the keypad."""
        words = entry.get(name, {})
        if not isinstance(words, dict):
            raise InvalidValue(ProblemCode.NOT_KEYS)
        named = {as_key(str(key)): text for key, text in words.items()}
        for key in named:
            if key not in self.keys:
                choices = tuple(KEY_SIGNS.get(name, name) for name in self.keys)
                raise InvalidValue(ProblemCode.UNKNOWN_KEY, key=key, choices=choices)
        return named

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        words, opted = entry.get(self.name, {}), entry.get(OPT_OUT, [])
        if not isinstance(words, dict) or not isinstance(opted, list):
            raise InvalidValue(ProblemCode.NOT_KEYS)
        body: dict[str, Any] = {}
        for written, text in words.items():
            key = as_key(str(written))
            try:
                body |= self.load_key(key, text, body, find)
            except InvalidValue as bad:
                bad.part = key
                raise
        body |= self.load_conditions(entry, find) | self.load_pins(entry, find)
        named = {as_key(str(key)) for key in opted}
        flags = {self.opt_outs[key][0]: int(key in named) for key in self.keys} if OPT_OUT in entry else {}
        return body | flags

    def load_key(self, key: str, text: Any, body: Body, find: Find) -> dict[str, Any]:
        """Return the destination of one key. `body` has those before it."""
        if key not in self.keys:
            choices = tuple(KEY_SIGNS.get(name, name) for name in self.keys)
            raise InvalidValue(ProblemCode.UNKNOWN_KEY, key=key, choices=choices)
        loaded = self.keys[key].load({key: text}, find)
        if loaded.keys() & body.keys():
            raise InvalidValue(ProblemCode.NAMED_TWICE)
        return loaded

    def schema(self) -> dict[str, Schema]:
        flags = {name: flag(name).schema()[name] for names in self.opt_outs.values() for name in names}
        stems = {n: s for destination in self.keys.values() for n, s in destination.schema().items()}
        conditions = {n: s for one in self.conditions.values() for n, s in one.schema().items()}
        pins = {n: s for link in self.pins.values() for n, s in link.schema().items()}
        return stems | flags | conditions | pins
