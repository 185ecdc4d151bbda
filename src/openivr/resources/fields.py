"""Types of fields of resources.

A field parses its part of a request body into a value that can be stored, serializes that value for the
API, and returns its references. Simple fields have one name in the API, composite ones (see `destination`)
several. Values are plain JSON: strings, integers, lists and dicts.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from openivr.resources.errors import Problem, shorten
from openivr.resources.problem_codes import Params, ProblemCode
from openivr.resources.problem_words import predicate

Body = Mapping[str, Any]
Schema = dict[str, Any]
Names = Callable[[str, int], "ResourceName"]  # (kind, id) -> its name and number
Find = Callable[[str, str], int | None]  # (kind, number or name) -> id
MISSING: Any = object()

CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
INTEGER = re.compile(r"-?[0-9]{1,18}", re.ASCII)


# Unicode categories that nobody sees in a text: control, format (bidi, zero width), surrogates, separators.
INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
FILLERS = re.compile("[\u034f\u115f\u1160\u2800\u3164\uffa0]")  # as empty, though letters or signs to Unicode


def clean_text(raw: str) -> str:
    """Return a text in its one spelling: NFC, without space around it.

    Raises InvalidValue if it has characters that nobody sees.
    """
    if not raw.isascii() and any(unicodedata.category(char) in INVISIBLE for char in raw):
        raise InvalidValue(ProblemCode.CONTROL_CHARACTERS)
    if CONTROL.search(raw) or FILLERS.search(raw):
        raise InvalidValue(ProblemCode.CONTROL_CHARACTERS)
    return fold_text(raw)


def fold_text(raw: str) -> str:
    """Return a text as it is compared and searched: NFC, without space around it."""
    return unicodedata.normalize("NFC", raw).strip()


class ResourceName(NamedTuple):
    """The name and the number of a resource. If its type lacks one of them, both are the same."""

    name: str
    number: str

    @property
    def display_name(self) -> str:
        """Return the resource as people name it: "1000 Ada Byron", or only its name."""
        return self.name if self.name == self.number else f"{self.number} {self.name}"


class InvalidValue(Exception):
    """A value cannot be read. `code` and `params` say what is wrong with it.

    `part` is the key or the place (from 1) of the part of the value that is meant, "" for the whole value.
    """

    part = ""

    def __init__(self, code: ProblemCode, **params: str | int | tuple[str, ...]) -> None:
        super().__init__(predicate(code, params))
        self.code = code
        self.params: Params = params


@dataclass(frozen=True, slots=True)
class Reference:
    """`field` (its API name) points to an object of `kind`: by id, or by name for prompts."""

    field: str
    kind: str
    key: int | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A value with one name in the API. `name` is also its column and its key in YAML."""

    name: str
    required: bool = False
    default: Any = ""
    hidden: bool = False  # never shown, and never repeated in an error
    confidential: bool = False  # shown to who may read the object, but never repeated in an error
    is_kept: bool = False  # stays as it is where a configuration file leaves it out
    former_names: tuple[str, ...] = ()  # in configuration files of former releases
    stored: ClassVar[Literal["text", "integer", "json"]] = "text"

    def parse(self, raw: Any) -> Any:
        """The value to store, or Bad."""
        raise NotImplementedError

    def read(self, body: Body, stored: Any, problems: list[Problem]) -> Any:
        """The value after this request: as sent, else as stored (MISSING on create), else the default."""
        if self.name not in body:
            if stored is not MISSING:
                return stored
            if self.required:
                problems.append(Problem(self.name, ProblemCode.REQUIRED))
            return self.default
        try:
            return self.parse(body[self.name])
        except InvalidValue as bad:
            value = None if self.hidden or self.confidential else shorten(body[self.name])
            problems.append(Problem(self.name, bad.code, bad.params, value))
            return self.default

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        """API names and values, in the API's order."""
        if not self.hidden:
            yield self.name, value

    def references(self, value: Any) -> Iterator[Reference]:
        """Return the references in a value."""
        return iter(())

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        """Return the field for a configuration file. A default value is left out."""
        if self.required or value != self.default:
            yield self.name, value

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        """Return the field of a configuration file as part of a request body. Raises Bad."""
        return {self.name: entry[self.name]} if self.name in entry else {}

    def schema(self) -> dict[str, Schema]:
        """JSON Schema of each API name."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class TextField(Field):
    """A string of `low` to `high` characters, wholly matching `pattern` where there is one.

    The characters in `forbidden` are refused with a reason of their own.
    """

    low: int = 0
    high: int = 127
    pattern: str | None = None
    mismatch: ProblemCode = ProblemCode.CHARACTERS  # where the pattern does not fit
    forbidden: str = ""

    def parse(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise InvalidValue(ProblemCode.NOT_TEXT)
        text = clean_text(raw)
        if self.low and raw and not text:
            raise InvalidValue(ProblemCode.BLANK)
        if not self.low <= len(text) <= self.high:
            raise InvalidValue(ProblemCode.LENGTH, low=self.low, high=self.high)
        if any(char in text for char in self.forbidden):
            raise InvalidValue(ProblemCode.FORBIDDEN_CHARACTERS, characters=" ".join(self.forbidden))
        if text and self.pattern and not re.fullmatch(self.pattern, text):
            raise InvalidValue(self.mismatch)
        return text

    def schema(self) -> dict[str, Schema]:
        limits: Schema = {"type": "string", "minLength": self.low, "maxLength": self.high}
        if self.pattern:
            optional = "" if self.low else "|"
            limits["pattern"] = f"^({self.pattern}{optional})$"
        return {self.name: limits}


def number(name: str = "number") -> TextField:
    """A number that can be dialled inside: 1 to 7 digits (P-Series: add-an-extension, add-a-ring-group)."""
    return TextField(
        name=name, required=True, low=1, high=7, pattern="[0-9]+", mismatch=ProblemCode.NOT_DIGITS
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerField(Field):
    """A whole number from `low` to `high`. Strings of digits are accepted, booleans are not."""

    low: int
    high: int
    stored: ClassVar[Literal["text", "integer", "json"]] = "integer"

    def parse(self, raw: Any) -> int:
        value = whole(raw)
        if not self.low <= value <= self.high:
            raise InvalidValue(ProblemCode.RANGE, low=self.low, high=self.high)
        return value

    def schema(self) -> dict[str, Schema]:
        return {self.name: {"type": "integer", "minimum": self.low, "maximum": self.high}}


def whole(raw: Any) -> int:
    """An integer, or a string of digits that stands for one."""
    if isinstance(raw, str) and INTEGER.fullmatch(raw):
        return int(raw)
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise InvalidValue(ProblemCode.NOT_INTEGER)
    if abs(raw) >= 10**18:
        raise InvalidValue(ProblemCode.TOO_LARGE)
    return raw


def flag(name: str, default: int = 0) -> IntegerField:
    """0 or 1, the API's booleans."""
    return IntegerField(name=name, low=0, high=1, default=default)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceField(Field):
    """One of `values`. Those of the original that this server cannot serve are refused by name."""

    values: tuple[str, ...]
    unserved: tuple[str, ...] = ()

    def parse(self, raw: Any) -> str:
        if not isinstance(raw, str):
            raise InvalidValue(ProblemCode.NOT_TEXT)
        if raw in self.unserved:
            raise InvalidValue(ProblemCode.UNSERVED, choice=raw)
        if raw not in self.values:
            raise InvalidValue(ProblemCode.CHOICE, choices=self.values)
        return raw

    def schema(self) -> dict[str, Schema]:
        return {self.name: {"type": "string", "enum": list(self.values)}}


@dataclass(frozen=True, slots=True, kw_only=True)
class TableField(Field):
    """An ordered list of small rows, each with the given simple `columns` (dial patterns, for example)."""

    columns: tuple[Field, ...]
    most: int = 200
    default: Any = field(default_factory=list)
    stored: ClassVar[Literal["text", "integer", "json"]] = "json"

    def parse(self, raw: Any) -> list[dict[str, Any]]:
        if not isinstance(raw, list) or not all(isinstance(row, dict) for row in raw):
            raise InvalidValue(ProblemCode.NOT_ROWS)
        if len(raw) > self.most:
            raise InvalidValue(ProblemCode.TOO_MANY_ITEMS, high=self.most)
        return [self.parse_row(number, row) for number, row in enumerate(raw, 1)]

    def parse_row(self, number: int, row: Body) -> dict[str, Any]:
        """Parse one row. The first problem has its row and column."""
        problems: list[Problem] = []
        values = {column.name: column.read(row, MISSING, problems) for column in self.columns}
        for problem in problems:
            raise InvalidValue(problem.code, row=number, column=problem.field, **problem.params)
        return values

    def schema(self) -> dict[str, Schema]:
        properties = {name: schema for column in self.columns for name, schema in column.schema().items()}
        needed = [column.name for column in self.columns if column.required]
        item = {"type": "object", "properties": properties, "required": needed}
        return {self.name: {"type": "array", "items": item, "maxItems": self.most}}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparatedField(TableField):
    """A list of texts, which the API has as one text with a separator. Stored as rows of its one column."""

    separator: str

    @property
    def column(self) -> str:
        """The name of its column."""
        return self.columns[0].name

    def parse(self, raw: Any) -> list[dict[str, Any]]:
        if isinstance(raw, str):
            raw = [{self.column: part.strip()} for part in raw.split(self.separator) if part.strip()]
        # Not super(): the class that slots=True makes is another one than the method's.
        rows = TableField.parse(self, raw)
        if self.required and not rows:
            raise InvalidValue(ProblemCode.REQUIRED)
        if len({row[self.column] for row in rows}) != len(rows):
            raise InvalidValue(ProblemCode.NAMED_TWICE)
        return rows

    def join(self, value: Any) -> str:
        """Return stored rows as the API's text."""
        return self.separator.join(row[self.column] for row in value)

    def serialize(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        yield self.name, self.join(value)

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        yield self.name, [row[self.column] for row in value]

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        value = entry.get(self.name, MISSING)
        if value is MISSING or isinstance(value, str):  # the API's text comes from another server
            return {} if value is MISSING else {self.name: value}
        if not isinstance(value, list):
            raise InvalidValue(ProblemCode.NOT_LIST)
        return {self.name: [{self.column: str(item)} for item in value]}

    def schema(self) -> dict[str, Schema]:
        return {self.name: {"type": "string", "minLength": int(self.required)}}


Hash = Callable[[str], str]


class StoredForm(str):
    """Text that only a configuration file can give. No request can carry one: JSON makes plain strings."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretField(Field):
    """A password: read, kept only as `keep` makes it, never shown.

    Every rule in `rules` is a pattern that the password must contain.
    """

    keep: Hash
    low: int
    high: int
    rules: Sequence[str] = ()
    mismatch: ProblemCode = ProblemCode.TOO_SIMPLE  # where a rule is broken
    hidden: bool = True
    kept: str = ""  # pattern of what `keep` makes: a configuration file may have that instead

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        value = entry.get(self.name)
        is_kept = isinstance(value, str) and self.kept and re.fullmatch(self.kept, value)
        return {self.name: StoredForm(str(value)) if is_kept else value} if self.name in entry else {}

    def parse(self, raw: Any) -> str:
        if isinstance(raw, StoredForm):
            return str(raw)
        if not isinstance(raw, str):
            raise InvalidValue(ProblemCode.NOT_TEXT)
        if not self.low <= len(raw) <= self.high:
            raise InvalidValue(ProblemCode.LENGTH, low=self.low, high=self.high)
        if CONTROL.search(raw) or not all(re.search(rule, raw) for rule in self.rules):
            raise InvalidValue(self.mismatch)
        return self.keep(raw)

    def schema(self) -> dict[str, Schema]:
        limits = {"type": "string", "minLength": self.low, "maxLength": self.high, "writeOnly": True}
        return {self.name: limits}


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedFlag(Field):
    """A fact that the check of a whole object derives from a secret. No request or file sets or shows it."""

    default: Any = 0
    hidden: bool = True
    stored: ClassVar[Literal["text", "integer", "json"]] = "integer"

    def read(self, body: Body, stored: Any, problems: list[Problem]) -> int:
        return self.default if stored is MISSING else stored  # type: ignore[no-any-return]

    def dump(self, value: Any, names: Names) -> Iterator[tuple[str, Any]]:
        return iter(())

    def load(self, entry: Body, find: Find) -> dict[str, Any]:
        return {}

    def schema(self) -> dict[str, Schema]:
        return {}
