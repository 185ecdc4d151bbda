"""Types of fields that point to other objects, by id or by name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from openivr.resources.fields import (
    Body,
    Field,
    Find,
    InvalidValue,
    Names,
    Reference,
    Schema,
    fold_text,
    whole,
)
from openivr.resources.problem_codes import ProblemCode


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptsField(Field):
    """Names of custom prompts, comma separated, as sent. `default` is the built-in greeting."""

    most: int = 1
    builtin: tuple[str, ...] = ()

    def parse(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise InvalidValue(ProblemCode.NOT_TEXT)
        names = [fold_text(name) for name in raw.split(",")] if raw else []
        if len(names) > self.most:
            raise InvalidValue(ProblemCode.TOO_MANY_PROMPTS, high=self.most)
        if not all(names):
            raise InvalidValue(ProblemCode.EMPTY_NAME)
        return ",".join(names)

    def references(self, value: Any) -> Iterator[Reference]:
        for name in value.split(","):
            if name and name not in self.builtin:
                yield Reference(self.name, "custom_prompt", name)

    def schema(self) -> dict[str, Schema]:
        return {self.name: {"type": "string"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinksField(Field):
    """An ordered list of other objects, of the given `kinds` (the first one where an item does not say).

    Items are read as {"value": "7", "type": "extension"}, {"id": 7} or plain 7, and shown with the name
    (`text`) and number (`text2`) that the object has now (P-Series: add-an-ivr, add-a-ring-group).
    """

    kinds: tuple[str, ...]
    unserved: tuple[str, ...] = ()
    most: int = 10_000
    default: Any = field(default_factory=list)
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def parse(self, raw: Any) -> list[dict[str, Any]]:
        if not isinstance(raw, list):
            raise InvalidValue(ProblemCode.NOT_ARRAY)
        if len(raw) > self.most:
            raise InvalidValue(ProblemCode.TOO_MANY_ITEMS, high=self.most)
        links = [self.parse_item(item) for item in raw]
        if len({(link["type"], link["id"]) for link in links}) != len(links):
            raise InvalidValue(ProblemCode.NAMED_TWICE)
        return links

    def parse_item(self, item: Any) -> dict[str, Any]:
        kind = self.kinds[0]
        if isinstance(item, dict):
            kind, item = item.get("type", kind), item.get("value", item.get("id"))
        if kind in self.unserved:
            raise InvalidValue(ProblemCode.UNSERVED, choice=kind)
        if kind not in self.kinds:
            raise InvalidValue(ProblemCode.ITEM_TYPE, choices=self.kinds)
        return {"type": kind, "id": whole(item)}

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        yield self.name, [self.serialize_item(link, names) for link in value]

    def serialize_item(self, link: Mapping[str, Any], names: Names) -> dict[str, Any]:
        text, text2 = names(link["type"], link["id"])
        return {"text": text, "text2": text2, "value": str(link["id"]), "type": link["type"]}

    def references(self, value: Any) -> Iterator[Reference]:
        return (Reference(self.name, link["type"], link["id"]) for link in value)

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        if value:
            yield self.name, [f"{link['type']} {names(link['type'], link['id'])[1]}" for link in value]

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        if self.name not in entry:
            return {}
        if not isinstance(entry[self.name], list):
            raise InvalidValue(ProblemCode.NOT_LIST)
        links = []
        for place, item in enumerate(entry[self.name], 1):
            try:
                links.append(find_link(item, find))
            except InvalidValue as bad:
                bad.part = str(place)
                raise
        return {self.name: links}

    def schema(self) -> dict[str, Schema]:
        item = {
            "type": "object",
            "properties": {
                "value": {"type": ["string", "integer"], "description": "id of the object"},
                "type": {"type": "string", "enum": list(self.kinds)},
                "text": {"type": "string", "description": "name; ignored when sent"},
                "text2": {"type": "string", "description": "number; ignored when sent"},
            },
            "required": ["value"],
        }
        return {self.name: {"type": "array", "items": item, "maxItems": self.most}}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkField(Field):
    """One other object, by its id. 0 is none, or what the server takes for it. Files have its name."""

    kind: str
    default: Any = 0
    stored: ClassVar[Literal["text", "integer", "json"]] = "integer"

    def parse(self, raw: Any) -> int:
        id_ = 0 if raw == "" else whole(raw)
        if id_ < 0:
            raise InvalidValue(ProblemCode.MISSING_OBJECT, kind=self.kind, key=id_)
        return id_

    def references(self, value: Any) -> Iterator[Reference]:
        if value:
            yield Reference(self.name, self.kind, value)

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        if value:
            yield self.name, names(self.kind, value).name

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        if self.name not in entry:
            return {}
        name = str(entry[self.name])
        id_ = find(self.kind, name) if name else 0
        if id_ is None:
            raise InvalidValue(ProblemCode.MISSING_NAMED, name=name)
        return {self.name: id_}

    def schema(self) -> dict[str, Schema]:
        return {self.name: {"type": "integer", "minimum": 0}}


def find_link(item: Any, find: Find) -> dict[str, Any]:
    """Return the id of a link in a file, such as "extension 1000"."""
    kind, _, key = str(item).partition(" ")
    id_ = find(kind, key)
    if id_ is None:
        raise InvalidValue(ProblemCode.MISSING_NAMED, name=str(item))
    return {"type": kind, "id": id_}
