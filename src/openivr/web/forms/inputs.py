"""Inputs of a form: each field with its value, its choices, its words and what is wrong with it.

Templates draw an input by its `shape`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from openivr.hours.reading import ALL, MONTHS, WEEKDAYS, read_local, read_months, read_weekdays
from openivr.resources.destination import PARTS, DestinationField
from openivr.resources.errors import Problem
from openivr.resources.fields import (
    MISSING,
    ChoiceField,
    Field,
    IntegerField,
    Names,
    SecretField,
    SeparatedField,
    TableField,
    TextField,
)
from openivr.resources.hours import HoursField
from openivr.resources.pin_list import ADD, REMOVE, PinsField
from openivr.resources.presence import RULES, STATUSES, PresenceField
from openivr.resources.reference_fields import LinkField, LinksField, PromptsField
from openivr.resources.webhook import EventsField
from openivr.store.events.event_types import EventType
from openivr.web.forms.labels import event_label, field_hint, field_label
from openivr.web.forms.parse import ParsedForm
from openivr.web.forms.presence import (
    ForwardLane,
    draw_lanes,
    flat_body,
    items_of,
    rule_field,
    setting_fields,
)
from openivr.web.forms.problems import column_problem_text, problems_of
from openivr.web.forms.references import DestinationView, make_destination, make_ref, make_refs
from openivr.web.messages import has_text, t
from openivr.web.resources.pattern_labels import explain, is_wide

# Types of destination, the most frequent first.
DESTINATION_TYPES = (
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
# Fields that hold several of few words, a checkbox for each.
WORDS: Mapping[Callable[[str], Any], tuple[str, ...]] = {read_weekdays: WEEKDAYS, read_months: MONTHS}
MAX_MOVABLE = 100  # items of a list that have buttons; more would make a page of many megabytes


@dataclass(frozen=True, slots=True)
class PatternRow:
    """A row of a table in a form: the text of each column, and what is wrong with it, "" for nothing."""

    cells: tuple[str, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form.

    `typed` is a text that was to be added and names nothing. `is_generated` a secret made by the server.
    `is_set` means that the resource has a value stored, which matters for secrets, as they are not shown.
    """

    kind: str
    field: Field
    shape: str
    value: Any
    problems: tuple[str, ...] = ()
    typed: str = ""
    is_generated: bool = False
    is_set: bool = False

    @property
    def name(self) -> str:
        """Its name in the form and in the API."""
        return self.field.stems[0] if isinstance(self.field, DestinationField) else self.field.name

    @property
    def rows(self) -> list[PatternRow]:
        """The rows of a table, and an empty one for more."""
        assert isinstance(self.field, TableField)  # noqa: S101 - no other field has rows
        return [*self.value, PatternRow(tuple(str(column.default) for column in self.field.columns))]

    @property
    def is_long(self) -> bool:
        """True for a list with too many items for buttons that move each of them."""
        return len(self.value) > MAX_MOVABLE

    @property
    def types(self) -> list[str]:
        """The types that a destination may have, the most frequent first."""
        assert isinstance(self.field, DestinationField)  # noqa: S101 - no other field has types
        return [kind for kind in DESTINATION_TYPES if kind in self.field.types]

    def type_label(self, type_: str) -> str:
        """The label of a type of destination in this form."""
        name = type_ or "nowhere"
        keys = (f"{self.kind}.{self.field.name}.{name}", f"{self.kind}.{name}", name)
        return t(next(f"destination_type.{key}" for key in keys if has_text(f"destination_type.{key}")))

    @property
    def notes(self) -> list[tuple[str, str, bool]]:
        """Each dial pattern of a table in words. True marks one that lets costly numbers through."""
        if self.field.name == "number_list" and isinstance(self.field, SeparatedField):
            texts = [row.cells[0] for row in self.value if row.cells[0].isascii()]
            patterns = [text for text in texts if not text.removeprefix("+").isalnum()]
            return [(pattern, explain(pattern.removeprefix("+")), False) for pattern in patterns]
        if self.field.name != "dial_pattern_list":
            return []
        rows = [row.cells for row in self.value]
        return [
            (pattern, explain(pattern, strip, prepend), is_wide(pattern)) for pattern, strip, prepend in rows
        ]

    @property
    def words(self) -> list[tuple[str, bool]]:
        """The words that the field may have, and whether it has them."""
        chosen = str(self.value).replace(",", " ").lower().split()
        words = words_of(self.field)
        if isinstance(self.field, EventsField):  # an API client may have chosen events that cannot occur here
            words = (*words, *(word for word in chosen if word not in words))
        return [(word, word in chosen or ALL in chosen) for word in words]

    def word_label(self, word: str) -> str:
        """A word that the field may have as people read it."""
        if isinstance(self.field, EventsField):
            return event_label(word)
        return t(f"weekday.{word}" if word in WEEKDAYS else f"month.{word}")

    @property
    def label(self) -> str:
        return field_label(self.kind, self.field)

    @property
    def yeastar(self) -> str:
        """Yeastar's label of the field, "" if it is the same."""
        key = f"yeastar.{self.kind}.{self.field.name}"
        return t(key) if has_text(key) else ""

    @property
    def hint(self) -> str:
        return field_hint(self.kind, self.field)


def words_of(field: Field) -> tuple[str, ...]:
    """The words that a field may have several of, none for other fields."""
    if isinstance(field, EventsField):
        return tuple(str(int(event)) for event in EventType)
    return WORDS.get(field.read_text, ()) if isinstance(field, HoursField) else ()


SHAPES: tuple[tuple[type[Field], str], ...] = (
    (TextField, "text"),
    (ChoiceField, "choice"),
    (SecretField, "secret"),
    (PinsField, "pins"),
    (LinkField, "link"),
    (LinksField, "links"),
    (PromptsField, "prompts"),
    (TableField, "table"),
    (DestinationField, "destination"),
    (PresenceField, "presence"),
)


def shape_of(field: Field) -> str:
    """The macro that draws a field."""
    if words_of(field):
        return "words"
    if isinstance(field, HoursField) and field.read_text is read_local:
        return "moment"
    if isinstance(field, IntegerField):
        return "flag" if (field.low, field.high) == (0, 1) else "integer"
    return next(shape for kind, shape in SHAPES if isinstance(field, kind))


def make_inputs(
    kind: str,
    fields: Iterable[Field],
    form: ParsedForm,
    names: Names,
    stored: Mapping[str, Any] = MappingProxyType({}),
) -> Iterator[Input]:
    """The inputs of a form in the order of its fields. `stored` has the values of a stored resource."""
    for field in fields:
        yield Input(
            kind,
            field,
            shape_of(field),
            input_value(kind, field, form, names),
            tuple(problems_of(kind, field, form.problems, form.body)),
            form.typed.get(f"{field.name}.add", ""),
            field.name in form.generated,
            bool(stored.get(field.name)),
        )


def input_value(kind: str, field: Field, form: ParsedForm, names: Names) -> Any:
    """The value of a field as its input shows it."""
    value = form.body.get(field.name, field.default)
    match field:
        case DestinationField():
            return make_goal(field, form, names)
        case PresenceField():
            return list(make_statuses(kind, field, form, names))
        case LinkField():
            typed = form.typed.get(field.name)
            return typed if typed is not None else show_link(field, int(value or 0), names)
        case LinksField():
            return make_refs(value, names)
        case PromptsField():
            return [name for name in value.split(",") if name]
        case PinsField():
            shown = str(form.body.get(field.name, ""))
            texts = {name: str(form.body.get(name, "")) for name in (ADD, REMOVE)}
            return {"count": len(shown.split(",")) if shown else 0, **texts}
        case EventsField():
            return " ".join(map(str, value))
        case SeparatedField():
            parts = [part for part in str(value or "").split(field.separator) if part]
            return [make_row(kind, field, {field.column: part}) for part in parts]
        case TableField():
            return [make_row(kind, field, row) for row in value]
    return value


def show_link(field: LinkField, id_: int, names: Names) -> str:
    """The name of the resource that a field refers to, as it can be typed."""
    ref = make_ref(field.kind, id_, names) if id_ else None
    return ref.name.name if ref and ref.name else ""


def make_goal(field: DestinationField, form: ParsedForm, names: Names) -> DestinationView:
    stem = field.stems[0]
    value = {part: str(form.body.get(stem + ending, "")) for part, ending in PARTS.items()}
    return make_destination(value, names, form.typed.get(f"{stem}_target"))


@dataclass(frozen=True, slots=True)
class PresenceInput(Input):
    """One setting of one status."""

    @property
    def label(self) -> str:
        return t(f"presence.{self.field.name.rpartition('.')[2]}")

    @property
    def yeastar(self) -> str:
        return ""

    @property
    def hint(self) -> str:
        key = f"presence_help.{self.field.name.rpartition('.')[2]}"
        return t(key) if has_text(key) else ""


@dataclass(frozen=True, slots=True)
class StatusInputs:
    """The settings of one status: the picture, and the inputs."""

    status: str
    label: str
    is_present: bool  # the extension has this status now
    lanes: tuple[ForwardLane, ...]
    inputs: tuple[PresenceInput, ...]


def make_statuses(kind: str, field: PresenceField, form: ParsedForm, names: Names) -> Iterator[StatusInputs]:
    """The inputs of all statuses, the present one first."""
    present = form.body.get("presence_status", STATUSES[0])
    items = items_of(form.body, field)
    flat = replace(form, body=flat_body(form.body, field))
    for status in sorted(STATUSES, key=lambda status: status != present):
        settings = [*setting_fields(field, status), *(rule_field(field, status, rule) for rule in RULES)]
        inputs = (
            PresenceInput(kind, part, shape_of(part), input_value(kind, part, flat, names))
            for part in settings
            if not part.name.endswith(".information")
        )
        yield StatusInputs(
            status,
            t(f"choice.extension.presence_status.{status}"),
            status == present,
            draw_lanes(form.body, items.get(status, {"status": status}), names),
            tuple(inputs),
        )


def make_row(kind: str, table: TableField, row: Mapping[str, Any]) -> PatternRow:
    """A row with the problem of each of its cells. The resource's own check reports only the first."""
    texts = []
    for column in table.columns:
        problems: list[Problem] = []
        column.read(row, MISSING, problems)
        texts.append(column_problem_text(kind, table, column, problems[0]) if problems else "")
    return PatternRow(tuple(str(row.get(c.name, c.default)) for c in table.columns), tuple(texts))
