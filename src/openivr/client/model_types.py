"""Base types of `models`, and answers that are not objects.

Lists ignore unknown fields. Whole objects keep them in `extra`. The three names of a destination become one
`Destination`.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec

R = TypeVar("R")
Body = dict[str, Any]
PARTS = {"dest": "", "prefix": "_prefix", "value": "_value"}  # of a destination -> ending of its API name
PERIODS = ("outoffice_time_dest", "holiday_dest")  # of a key: its destinations in other periods
CONDITION = ("enb_time_condition", "timezone_id")  # of a key: its own condition
OWN = ("id", "sent", "extra")  # fields of details that are no fields of the API's body


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of an object in a list."""

    id: int


class Page(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """One page of a list. `total_number` is None if the server returns none."""

    total_number: int | None = None
    data: tuple[R, ...] = ()


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """Destination of a call: a type, and a prefix and value whose meaning depends on it. "" is none.

    The others are fields of a key, named as the API names them after `press1_`. `allow_out_record` (0 or 1)
    is the caller's right to opt out of recording by this key. `pin_list_id` is the PIN list that the key
    asks for, 0 for none. `outoffice_time_dest` and `holiday_dest` are its destinations outside of business
    hours and on holidays, `enb_time_condition` (0 or 1) and `timezone_id` its own condition and calendar.
    None does not send a field, which keeps what is there.
    """

    dest: str = ""
    prefix: str = ""
    value: str = ""
    allow_out_record: int = 0
    pin_list_id: int | None = None
    outoffice_time_dest: "Destination | None" = None
    holiday_dest: "Destination | None" = None
    enb_time_condition: int | None = None
    timezone_id: int | None = None

    def of_period(self, name: str) -> "Destination | None":
        """Return the destination in another period, by its name in `PERIODS`."""
        return self.holiday_dest if name == "holiday_dest" else self.outoffice_time_dest


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a list of other objects: id (`value`) and type, name (`text`) and number (`text2`)."""

    value: str
    type: str = ""
    text: str = ""
    text2: str = ""

    @classmethod
    def gather(cls, raw: Any) -> Any:
        """Items also come as {"id": 7} and as plain ids."""
        if not isinstance(raw, dict):
            return {"value": raw}
        return {"value": raw.get("id"), **raw}


class Option(Link, frozen=True, kw_only=True):
    """One choice of system/get_menuoptions. `item` has its subordinate choices."""

    item: tuple[Any, ...] = ()


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    """An object whole, as the server has it.

    `sent` are the fields that the server did send, `extra` what it sent and this class does not know.
    """

    secret_names: ClassVar[tuple[str, ...]] = ()  # fields that are sent but never answered
    id: int
    sent: tuple[str, ...] = ()
    extra: Body = {}

    @classmethod
    def to_body(cls, given: Mapping[str, Any]) -> Body:
        """Return fields that a program names as the API takes them: destinations and links spread out.

        Raises TypeError for a name that the API does not have, with the nearest one that it has.
        """
        body: Body = {}
        known = cls.api_names()
        for name, value in given.items():
            if name == "keys" and "keys" in cls.__struct_fields__:
                body |= cls.spread_keys(value)
            elif name not in known and not isinstance(value, Destination):
                raise TypeError(explain_name(name, [*known, *cls.__struct_fields__], cls.__name__))
            elif isinstance(value, Destination):
                body |= cls.spread_known(name, value)
            elif isinstance(value, list | tuple):
                body[name] = [as_item(one) if isinstance(one, Link) else one for one in value]
            else:
                body[name] = value
        return body

    @classmethod
    def spread_known(cls, stem: str, value: Destination) -> Body:
        if stem not in cls.api_names():
            raise TypeError(explain_name(stem, cls.__struct_fields__, cls.__name__))
        return dict(spread(stem, value))

    @classmethod
    def spread_keys(cls, _keys: Any) -> Body:
        raise TypeError(f"{cls.__name__} has no keys")

    @classmethod
    def api_names(cls) -> frozenset[str]:
        """Return the names that a body of create and update may have."""
        names = {name for name in cls.__struct_fields__ if name not in {*OWN, "keys"}}
        stems = [name for name, kind in cls.__annotations__.items() if kind is Destination]
        parts = {stem + ending for stem in stems for ending in PARTS.values()}
        return frozenset({*names, *parts, *cls.secret_names})

    @classmethod
    def gather(cls, raw: Any) -> Any:
        """The object's fields as this class has them, the others in `extra`."""
        if not isinstance(raw, dict):
            return raw
        known = {name: raw[name] for name in raw if name in cls.__struct_fields__ and name not in OWN}
        extra = {name: raw[name] for name in raw if name not in known and name != "id"}
        return {**known, "id": raw.get("id"), "sent": list(known), "extra": extra}

    def body(self) -> Body:
        """The object as create and update take it: without id, `extra`, and what the server did not send."""
        return dict(self.fields())

    def fields(self) -> Iterator[tuple[str, Any]]:
        for name in self.sent or [name for name in self.__struct_fields__ if name not in OWN]:
            value = getattr(self, name)
            if isinstance(value, Destination):
                yield from spread(name, value)
            elif isinstance(value, tuple):
                yield name, [as_item(one) for one in value]
            else:
                yield name, value


def explain_name(name: str, known: Iterable[str], where: str) -> str:
    nearest = difflib.get_close_matches(name, known, 1, 0.5)
    advice = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"{where} has no field {name}{advice} Fields of other servers go into more={{...}}"


def as_item(one: Any) -> Any:
    return {"value": one.value, "type": one.type} if isinstance(one, Link) else dict(one)


def spread(stem: str, destination: Destination) -> Iterator[tuple[str, str]]:
    for part, ending in PARTS.items():
        yield stem + ending, getattr(destination, part)


def as_destination(value: Any) -> Destination:
    """Return a destination that may be written as a dict, those of its periods too."""
    if isinstance(value, Destination):
        return value
    periods = {name: as_destination(value[name]) for name in PERIODS if value.get(name) is not None}
    return Destination(**{**value, **periods})


def take(raw: Body, stem: str) -> Body:
    """The destination of a stem, its names removed from `raw`."""
    return {part: raw.pop(stem + ending, None) for part, ending in PARTS.items()}


class KeyNames(NamedTuple):
    """The names of a key in the API: of its destination, its right to opt out of recording, its PIN list.

    Those of its time condition follow from its destination's: `press1_holiday_dest` from `press1_dest`.
    """

    stems: tuple[str, ...]
    opt_outs: tuple[str, ...]
    pin_list: str = ""

    def spellings(self, name: str) -> tuple[str, ...]:
        """Return the API's names of a field in `PERIODS` or `CONDITION`."""
        return tuple(stem.removesuffix("dest") + name for stem in self.stems)

    def all_names(self) -> set[str]:
        """Return every name that the key has in a body."""
        stems = [*self.stems, *(spelling for name in PERIODS for spelling in self.spellings(name))]
        conditions = {spelling for name in CONDITION for spelling in self.spellings(name)}
        parts = {stem + ending for stem in stems for ending in PARTS.values()}
        return {*parts, *conditions, *self.opt_outs, self.pin_list} - {""}

    def spread(self, key: Destination) -> Iterator[tuple[str, Any]]:
        """Yield the fields of a key as a body has them."""
        for stem in self.stems:
            yield from spread(stem, key)
        for spelling in self.opt_outs:
            yield spelling, key.allow_out_record
        if self.pin_list and key.pin_list_id is not None:
            yield self.pin_list, key.pin_list_id
        for name in PERIODS:
            destination = key.of_period(name)
            for stem in self.spellings(name) if destination else ():
                yield from spread(stem, destination or Destination())
        for name, value in zip(CONDITION, (key.enb_time_condition, key.timezone_id), strict=True):
            yield from ((spelling, value) for spelling in self.spellings(name) if value is not None)

    def take(self, raw: Body) -> Body:
        """Return the fields of a key, their names removed from `raw`. {} if none of them says anything."""
        key = choose([take(raw, stem) for stem in self.stems])
        key["allow_out_record"] = pick([raw.pop(name, None) for name in self.opt_outs])
        key["pin_list_id"] = raw.pop(self.pin_list, None)
        is_set = bool(key.get("dest") or key["allow_out_record"] or key["pin_list_id"])
        for name in PERIODS:
            key[name] = choose([take(raw, stem) for stem in self.spellings(name)]) or None
            is_set = is_set or bool(key[name] and key[name]["dest"])
        for name in CONDITION:
            sent = [raw.pop(spelling, None) for spelling in self.spellings(name)]
            said = pick(sent)
            key[name] = sent[0] if said is None else said
            is_set = is_set or said is not None
        return key if is_set else {}


def choose(spellings: list[Body]) -> Body:
    """Return the destination of the first spelling that leads somewhere, else one that was sent, else {}."""
    sent = [value for value in spellings if value["dest"] is not None]
    return next((value for value in sent if value["dest"]), sent[0] if sent else {})


def pick(spellings: list[Any]) -> Any:
    """Return the value of the first spelling that says something, else None."""
    return next((value for value in spellings if str(value) not in {"0", "", "None", "False"}), None)


class WithKeys(Detail, frozen=True, kw_only=True):
    """An object with destinations by key. `keys` has those that lead somewhere.

    Keys are "0" to "9", "hash", "star", "timeout" and "invalid". Every spelling of a key is read and written.
    """

    key_names: ClassVar[Mapping[str, KeyNames]] = {}

    @classmethod
    def api_names(cls) -> frozenset[str]:
        """Return the names that a body of create and update may have, in every spelling."""
        names = set(super().api_names())
        for key in cls.key_names.values():
            names |= key.all_names()
        return frozenset(names)

    @classmethod
    def spread_keys(cls, keys: Any) -> Body:
        """Return the fields of these keys, and of no others. A key is a Destination, or a dict like one."""
        if not isinstance(keys, Mapping):
            raise TypeError("keys must map keys to destinations")
        body: Body = {}
        for key, value in keys.items():
            if key not in cls.key_names:
                raise TypeError(explain_name(str(key), cls.key_names, "keys"))
            body |= cls.key_names[key].spread(as_destination(value))
        return body

    @classmethod
    def gather(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        rest, keys = dict(raw), {}
        for key, names in cls.key_names.items():
            if found := names.take(rest):
                keys[key] = found
        has_keys = any(name not in rest for name in raw)
        return super().gather({**rest, "keys": keys} if has_keys else rest)

    def fields(self) -> Iterator[tuple[str, Any]]:
        for name, value in super().fields():
            if name == "keys":
                yield from self.key_fields(value)
            else:
                yield name, value

    def key_fields(self, keys: Mapping[str, Destination]) -> Iterator[tuple[str, Any]]:
        for key, names in self.key_names.items():
            yield from names.spread(keys.get(key, Destination()))


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One device of an extension, and if it is registered."""

    status: int = 0
    ext_dev_type: str = ""


class WithDestination(Detail, frozen=True, kw_only=True):
    """An object with destinations outside of `keys`."""

    @classmethod
    def gather(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        rest = dict(raw)
        for name in [name for name, kind in cls.__annotations__.items() if kind is Destination]:
            if name in raw:
                rest[name] = take(rest, name)
        return super().gather(rest)


class Uploaded(msgspec.Struct, frozen=True, kw_only=True):
    """Result of an upload. `exist_type` is "" if there was no prompt with that name."""

    id: int = 0
    exist_type: str = ""


class Information(msgspec.Struct, frozen=True, kw_only=True):
    """Information about the server (P-Series: query-pbx-information). `up_time` is in seconds."""

    device_name: str = ""
    model_name: str = ""
    sn: str = ""
    firmware_version: str = ""
    system_time: str = ""
    up_time: int = 0
    system_date_format: str = ""
    system_time_format: str = ""
    timestamp: int = 0
