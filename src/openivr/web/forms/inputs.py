"""What a form shows: each field of an object with its value, its choices and what is wrong with it.

Made from the object's description and a body as the API has it, whether that comes from the database or from
a form that was refused. Templates draw an input by its `shape`; its words are looked up by its name.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openivr.resources.destination import TARGETS, DestinationField
from openivr.resources.errors import NotFound, Problem
from openivr.resources.fields import (
    MISSING,
    ChoiceField,
    Field,
    IntegerField,
    LinksField,
    Names,
    PromptsField,
    SecretField,
    TableField,
    TextField,
)
from openivr.resources.problem_codes import ProblemCode
from openivr.web.forms.parse import UNKNOWN, ParsedForm
from openivr.web.messages import has_text, t
from openivr.web.resources.pattern_labels import explain, is_wide

GOALS = (
    "",
    "extension",
    "ring_group",
    "ivr",
    "ext_vm",
    "dial_by_name",
    "play_prompt",
    "play_greeting",
    "external_num",
    "end_call",
    "disabled",
)


MAX_MOVABLE = 100  # items of a list that have buttons; more would make a page of many megabytes


@dataclass(frozen=True, slots=True)
class ResourceRef:
    """An object that was chosen: its kind and id as the form has them, and what people call it.

    `text` is empty where it is gone.
    """

    kind: str
    id: int
    text: str

    @property
    def value(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class DestinationInput:
    """A destination in a form: its type, how often or what before it, and the target as people type it."""

    type: str
    prefix: str
    target: str


@dataclass(frozen=True, slots=True)
class PatternRow:
    """A row of a table in a form: the text of each column, and what is wrong with it, "" where nothing is."""

    cells: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form, with its words.

    `typed` is text that was to be added and names nothing; `is_made` a secret that the server has made up.
    """

    kind: str
    field: Field
    shape: str
    value: Any
    problems: tuple[str, ...] = ()
    typed: str = ""
    is_made: bool = False

    @property
    def name(self) -> str:
        """Its name in the form and in the API."""
        return self.field.stems[0] if isinstance(self.field, DestinationField) else self.field.name

    @property
    def lines(self) -> list[PatternRow]:
        """The rows of a table, and an empty one for more."""
        assert isinstance(self.field, TableField)  # noqa: S101 - no other field has rows
        return [*self.value, PatternRow(tuple(str(column.default) for column in self.field.columns))]

    @property
    def is_long(self) -> bool:
        """Whether a list has too many items for buttons that move each of them."""
        return len(self.value) > MAX_MOVABLE

    @property
    def types(self) -> list[str]:
        """What a destination may be, in the order in which people look for it."""
        assert isinstance(self.field, DestinationField)  # noqa: S101 - no other field has types
        return [kind for kind in GOALS if kind in self.field.types]

    def say_type(self, goal: str) -> str:
        """What this form calls a type of destination."""
        own = f"goal.{self.kind}.{goal or 'nowhere'}"
        return t(own if has_text(own) else f"goal.{goal or 'nowhere'}")

    @property
    def notes(self) -> list[tuple[str, str, bool]]:
        """Each dial pattern of a table in words, and whether it lets anything through."""
        if self.field.name != "dial_pattern_list":
            return []
        rows = [line.cells for line in self.value]
        return [
            (pattern, explain(pattern, strip, prepend), is_wide(pattern)) for pattern, strip, prepend in rows
        ]

    @property
    def label(self) -> str:
        return t(f"field.{self.kind}.{self.field.name}")

    @property
    def hint(self) -> str:
        return hint_of(f"{self.kind}.{self.field.name}")


def hint_of(name: str) -> str:
    """The sentence about a field, "" where its label says enough."""
    return t(f"help.{name}") if has_text(f"help.{name}") else ""


SHAPES: tuple[tuple[type[Field], str], ...] = (
    (TextField, "text"),
    (ChoiceField, "choice"),
    (SecretField, "secret"),
    (LinksField, "links"),
    (PromptsField, "prompts"),
    (TableField, "table"),
    (DestinationField, "destination"),
)


def shape_of(field: Field) -> str:
    """The macro that draws a field."""
    if isinstance(field, IntegerField):
        return "flag" if (field.low, field.high) == (0, 1) else "integer"
    return next(shape for kind, shape in SHAPES if isinstance(field, kind))


def make_inputs(kind: str, fields: Iterable[Field], draft: ParsedForm, names: Names) -> Iterator[Input]:
    """The inputs of a form for a draft, in the order of its fields."""
    for field in fields:
        wrong = [problem for problem in draft.problems if problem.field in api_names(field)]
        yield Input(
            kind,
            field,
            shape_of(field),
            read_value(kind, field, draft, names),
            tuple(describe(kind, field, problem, draft.body) for problem in wrong),
            draft.typed.get(f"{field.name}.add", ""),
            field.name in draft.made,
        )


def api_names(field: Field) -> Sequence[str]:
    if isinstance(field, DestinationField):
        return [stem + ending for stem in field.stems for ending in ("", "_prefix", "_value")]
    return [field.name]


def describe(kind: str, field: Field, problem: Problem, body: Mapping[str, Any]) -> str:
    """A problem in a sentence: the field's own where there is one, else one that its limits fill in."""
    label, rule = t(f"field.{kind}.{field.name}"), problem.rule
    if problem.code in UNKNOWN:
        return t("problem.unknown", label=label, value=problem.value)
    if problem.code is ProblemCode.TAKEN:
        owner = t(f"kind.{problem.params['kind']}").lower()
        text = t("problem.taken", value=problem.value, kind=owner, name=problem.params["name"])
        return t("problem.other", label=label, text=text)
    if body.get(field.name) == "" and (field.required or isinstance(field, IntegerField)):
        rule = "required"  # says more of an empty field than what it may contain
    if has_text(f"problem.{kind}.{field.name}.{rule}"):
        return t(f"problem.{kind}.{field.name}.{rule}")
    match field, rule:
        case (TextField() | IntegerField() | SecretField(), "required" | "range" | "length"):
            return t(
                f"problem.{rule}", label=label, low=getattr(field, "low", ""), high=getattr(field, "high", "")
            )
        case IntegerField(), "type":
            return t("problem.whole", label=label)
        case TableField(), _:
            return t("problem.table")
    return t("problem.other", label=label, text=problem.text)


def read_value(kind: str, field: Field, draft: ParsedForm, names: Names) -> Any:
    value = draft.body.get(field.name, field.default)
    match field:
        case DestinationField():
            return read_goal(field, draft, names)
        case LinksField():
            return [show_item(link["type"], int(link["value"]), names) for link in value]
        case PromptsField():
            return [name for name in value.split(",") if name]
        case TableField():
            return [read_line(kind, field, row) for row in value]
    return value


def read_goal(field: DestinationField, draft: ParsedForm, names: Names) -> DestinationInput:
    stem = field.stems[0]
    kind, prefix, value = (str(draft.body.get(stem + ending, "")) for ending in ("", "_prefix", "_value"))
    typed = draft.typed.get(f"{stem}_target")
    if typed is None and kind in TARGETS and value.isdigit():
        return DestinationInput(kind, prefix, show_item(TARGETS[kind], int(value), names).text)
    return DestinationInput(kind, prefix, value if typed is None else typed)


def show_item(kind: str, ident: int, names: Names) -> ResourceRef:
    try:
        name, number = names(kind, ident)
    except NotFound:
        return ResourceRef(kind, ident, "")
    return ResourceRef(kind, ident, call(name, number))


def call(name: str, number: str) -> str:
    """What people call an object: its number and name; typed into a form it is found again."""
    return name if name == number else f"{number} {name}"


def read_line(kind: str, field: TableField, row: Mapping[str, Any]) -> PatternRow:
    """A row with what is wrong in each of its columns: the object's own check tells only of the first."""
    found = []
    for column in field.columns:
        problems: list[Problem] = []
        column.read(row, MISSING, problems)
        name = f"{field.name}.{column.name}"
        label = t(f"field.{kind}.{name}")
        found.append(t("problem.other", label=label, text=problems[0].text) if problems else "")
    return PatternRow(tuple(str(row.get(c.name, c.default)) for c in field.columns), tuple(found))


def tell_changes(before: Mapping[str, Input], after: Mapping[str, Input]) -> Iterator[str]:
    """A sentence for each field of a form that is another than before. What a secret was is not known."""
    for name, now in after.items():
        was = before[name]
        if now.shape == "secret" and now.value:
            yield t("change.secret", field=now.label)
        elif show_words(was) != show_words(now):
            yield t("change.field", field=now.label, before=show_words(was), after=show_words(now))


def show_words(one: Input) -> str:
    """What a field has in it, as people read it."""
    match one.shape:
        case "choice":
            text = t(f"choice.{one.kind}.{one.name}.{one.value}")
        case "flag":
            text = t(f"change.flag_{one.value}")
        case "links":
            text = ", ".join(item.text or t("object.gone") for item in one.value)
        case "prompts":
            text = ", ".join(one.value)
        case "table":
            text = ", ".join(" ".join(line.cells) for line in one.value)
        case "destination":
            goal = one.value
            text = " ".join(filter(None, (one.say_type(goal.type), goal.prefix, goal.target)))
        case _:
            text = str(one.value)
    return text or t("change.nothing")
