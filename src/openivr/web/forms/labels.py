"""Fields and their values in words, and what saving a form would change."""

from collections.abc import Iterator, Mapping
from typing import Any

from openivr.resources.destination import DestinationField
from openivr.resources.fields import ChoiceField, Field, IntegerField, Names, TableField
from openivr.resources.ivr import KEYS
from openivr.resources.presence import PresenceField
from openivr.resources.reference_fields import LinkField, LinksField, PromptsField
from openivr.resources.webhook import EventsField
from openivr.web.forms.draft import Draft
from openivr.web.forms.references import make_destination, make_ref, make_refs
from openivr.web.messages import has_text, t, t_code

BUILTIN_GREETING = "default"  # the name of the built-in greeting among prompts


def field_label(kind: str, field: Field) -> str:
    """The label of a field: "field.trunk.port", or "key.1" for a key of a menu."""
    key = f"field.{kind}.{field.name}"
    if has_text(key):
        return t(key)
    guarded = next((name for name, link in KEYS.pins.items() if link.name == field.name), "")
    return t("key.pin_list", key=key_label(guarded)) if guarded else key_label(field.name)


def field_hint(kind: str, field: Field) -> str:
    """The sentence about a field, "" if its label says enough."""
    key = f"help.{kind}.{field.name}"
    return t(key) if has_text(key) else ""


SIGNS = {"star": "*", "hash": "#"}


def key_sign(key: str) -> str:
    """The sign on a key, "*" for "star", "" for the time-out and the invalid key."""
    return SIGNS.get(key, key if key.isdigit() else "")


# The fields of the condition of each key: the key, and the field's label.
CONDITIONS = {
    field.name: (key, label)
    for key, condition in KEYS.conditions.items()
    for field, label in ((condition.enabled[0], "timed"), (condition.timezone[0], "calendar"))
}


def key_label(name: str) -> str:
    """The label of a field of a menu's key: "Key 1", "No key", "Key 1 when closed"."""
    key, _, label = name.partition(" ")
    if name in CONDITIONS:
        key, label = CONDITIONS[name]
    sign = key_sign(key)
    words = t("key.one", key=sign) if sign else t(f"key.{key}")
    return t(f"key.in_{label}", key=words) if label else words


def event_label(number: str) -> str:
    """The name of an event, its number if it has none here."""
    return t_code("event", number)


def prompt_label(name: str) -> str:
    """The name of a prompt. The built-in greeting has one of its own."""
    return t("prompt.builtin_greeting") if name == BUILTIN_GREETING else name


def value_words(kind: str, field: Field, value: Any, names: Names) -> str:
    """A stored value in words."""
    match field:
        case DestinationField():
            text = make_destination(value, names).words
        case LinkField():
            text = make_ref(field.kind, value, names).display_name if value else t(f"link.{field.kind}")
        case LinksField():
            text = ", ".join(ref.display_name for ref in make_refs(value, names))
        case PromptsField():
            text = ", ".join(prompt_label(name) for name in value.split(",") if name)
        case PresenceField():
            text = ", ".join(t(f"choice.extension.presence_status.{status}") for status in value)
        case ChoiceField():
            text = t(f"choice.{kind}.{field.name}.{value}")
        case TableField():
            text = ", ".join(" ".join(cell_words(kind, field, row)) for row in value)
        case EventsField():
            text = ", ".join(event_label(str(number)) for number in value)
        case IntegerField(low=0, high=1):
            text = t(f"change.flag_{value}")
        case _:
            text = str(value)
    return text or t("change.nothing")


def cell_words(kind: str, field: TableField, row: Mapping[str, Any]) -> Iterator[str]:
    """The cells of a row in words."""
    for column in field.columns:
        value = str(row[column.name])
        is_choice = isinstance(column, ChoiceField)
        yield t(f"choice.{kind}.{field.name}.{column.name}.{value}") if is_choice else value


def describe_changes(draft: Draft, names: Names) -> Iterator[str]:
    """A sentence for each field that saving would change. A secret is not shown."""
    spec, kind = draft.spec, draft.spec.kind.name
    for field in draft.changed:
        label = field_label(kind, field)
        if field.hidden:
            yield t("change.secret", field=label)
        else:
            old, new = (spec.value(field, values) for values in (draft.stored, draft.values))
            before, after = (value_words(kind, field, value, names) for value in (old, new))
            yield t("change.field", field=label, before=before, after=after)
