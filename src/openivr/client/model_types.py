"""Base types of `models`, and answers that are not objects.

Lists ignore unknown fields. Whole objects keep them in `extra`. The three names of a destination become one
`Destination`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import msgspec

R = TypeVar("R")
Body = dict[str, Any]
PARTS = {"dest": "", "prefix": "_prefix", "value": "_value"}  # of a destination -> ending of its API name
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

    `allow_out_record` (0 or 1) is the caller's right to opt out of recording by this key.
    """

    dest: str = ""
    prefix: str = ""
    value: str = ""
    allow_out_record: int = 0


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

    id: int
    sent: tuple[str, ...] = ()
    extra: Body = {}

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


def as_item(one: Any) -> Any:
    return {"value": one.value, "type": one.type} if isinstance(one, Link) else dict(one)


def spread(stem: str, destination: Destination) -> Iterator[tuple[str, str]]:
    for part, ending in PARTS.items():
        yield stem + ending, getattr(destination, part)


def take(raw: Body, stem: str) -> Body:
    """The destination of a stem, its names removed from `raw`."""
    return {part: raw.pop(stem + ending, None) for part, ending in PARTS.items()}


class KeyNames(NamedTuple):
    """The spellings of a key in the API: of its destination, and of its right to opt out of recording."""

    stems: tuple[str, ...]
    opt_outs: tuple[str, ...]


class WithKeys(Detail, frozen=True, kw_only=True):
    """An object with destinations by key. `keys` has those that lead somewhere.

    Keys are "0" to "9", "hash", "star", "timeout" and "invalid". Every spelling of a key is read and written.
    """

    key_names: ClassVar[Mapping[str, KeyNames]] = {}

    @classmethod
    def gather(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        rest, keys = dict(raw), {}
        for key, names in cls.key_names.items():
            found = [take(rest, stem) for stem in names.stems]
            flags = [rest.pop(name, None) for name in names.opt_outs]
            chosen: Body = next((value for value in found if value["dest"]), {})
            flag = next((value for value in flags if str(value) not in {"0", "", "None", "False"}), None)
            if chosen or flag:
                keys[key] = {**chosen, "allow_out_record": flag}
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
            destination = keys.get(key, Destination())
            for stem in names.stems:
                yield from spread(stem, destination)
            for name in names.opt_outs:
                yield name, destination.allow_out_record


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
