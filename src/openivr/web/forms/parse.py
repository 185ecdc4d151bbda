"""Turns a posted form into the body that the API would get.

A form has a list of texts for each name. Most fields have one name (`first_name`, `member_list`). A
destination has three: `fail_dest`, `fail_dest_prefix` and `fail_dest_target`, the target as typed. An editor
with an input for each type of target sends `fail_dest_target.extension` and so on. The one of the chosen type
counts. A name typed to be added to a list is in `member_list.add`. The columns of a table are in
`dial_pattern_list.pattern` and so on, one text for each row.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openivr.resources.destination import BARE, OUTSIDE, PLAYS, TARGETS, DestinationField
from openivr.resources.errors import Problem, shorten
from openivr.resources.fields import Field, Find, IntegerField, SecretField, SeparatedField, TableField
from openivr.resources.hours import HoursField
from openivr.resources.pin_list import ADD, REMOVE, PinsField
from openivr.resources.presence import FORWARD_TYPES, OWN, RULES, SETTINGS, STATUSES, PresenceField
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.reference_fields import LinkField, LinksField, PromptsField
from openivr.resources.webhook import EventsField

Form = Mapping[str, Sequence[str]]
SEPARATORS = re.compile(r"[\s,;]+")  # of PINs as people write them
PUNCTUATION = re.compile(r"[\s().-]+")  # in telephone numbers as people write them


@dataclass(slots=True)
class ParsedForm:
    """`body` is what the API would get, `typed` has texts that name nothing, by their names in the form.

    `generated` names the secrets that the server has generated, which are shown until they are saved.
    """

    body: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    generated: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def reject(self, name: str, text: str, code: ProblemCode) -> None:
        """Keep a text that names nothing, to show it again with the problem."""
        self.typed[name] = text
        api_name = name.removesuffix(".add").replace("_target", "_value")
        self.problems.append(Problem(api_name, code, value=shorten(text)))


def parse_form(  # noqa: PLR0912 - one case a type of field
    fields: Iterable[Field], form: Form, find: Find
) -> ParsedForm:
    """Read these fields. `find` returns the id of the resource with a number or name."""
    parsed = ParsedForm()
    for spec in fields:
        match spec:
            case DestinationField():
                read_destination(spec, form, find, parsed)
            case PresenceField():
                read_presence(spec, form, find, parsed)
            case LinkField():
                read_link(spec, form, find, parsed)
            case HoursField() | EventsField():
                words = " ".join(form.get(spec.name, ())).strip()
                parsed.body[spec.name] = words if isinstance(spec, HoursField) else words.split()
            case LinksField():
                read_links(spec, form, find, parsed)
            case SeparatedField():
                parsed.body[spec.name] = spec.join(read_rows(spec, form))
            case TableField():
                parsed.body[spec.name] = list(read_rows(spec, form))
            case PromptsField():
                read_prompts(spec, form, find, parsed)
            case PinsField():
                read_pins(form, parsed)
            case SecretField():
                read_secret(spec, form, parsed)
            case IntegerField(low=0, high=1):
                parsed.body[spec.name] = int(first(form, spec.name) == "1")
            case _:
                parsed.body[spec.name] = first(form, spec.name).strip()
    return parsed


def first(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def read_secret(spec: SecretField, form: Form, parsed: ParsedForm) -> None:
    """Read a secret. An empty one stays as it is."""
    if text := first(form, spec.name):
        parsed.body[spec.name] = text
        if first(form, f"{spec.name}.generated"):
            parsed.generated.add(spec.name)


def read_pins(form: Form, parsed: ParsedForm) -> None:
    """Read the PINs to add and to remove. They are separated by commas or space."""
    for name in (ADD, REMOVE):
        if text := ",".join(SEPARATORS.split(first(form, name).strip())):
            parsed.body[name] = text


def target_type(kind: str) -> str:
    """The resource type that a type of destination leads to, `external_num`, or "" for nothing."""
    return TARGETS.get(kind) or ("custom_prompt" if kind in PLAYS else kind if kind == OUTSIDE else "")


def read_destination(spec: DestinationField, form: Form, find: Find, parsed: ParsedForm) -> None:
    """Read the names of a destination. What its type does not have is dropped."""
    stem = spec.stems[0]
    kind = first(form, stem).strip()
    prefix, text = (read_part(form, stem + ending, target_type(kind)) for ending in ("_prefix", "_target"))
    value = ""
    if text:
        parsed.typed[f"{stem}_target"] = text
    if kind in TARGETS:
        target = find_typed((TARGETS[kind],), text, find)
        value = str(target["value"]) if target else ""
        if text and not target:
            parsed.reject(f"{stem}_target", text, ProblemCode.UNKNOWN_NUMBER)
    elif kind in PLAYS:
        value, prefix = text, prefix or "1"
    elif kind == OUTSIDE:
        value, prefix = PUNCTUATION.sub("", text), PUNCTUATION.sub("", prefix)
    takes_prefix = kind not in BARE and kind not in TARGETS
    parsed.body |= {stem: kind, f"{stem}_prefix": prefix if takes_prefix else "", f"{stem}_value": value}


def read_presence(spec: PresenceField, form: Form, find: Find, parsed: ParsedForm) -> None:
    """Read the settings of all statuses. A form without them changes none."""
    items = []
    for status in STATUSES:
        stem = f"{spec.name}.{status}"
        if f"{stem}.ring_timeout" not in form:
            continue
        item: dict[str, Any] = {"status": status}
        for setting in SETTINGS:
            text = first(form, f"{stem}.{setting.name}").strip()
            item[setting.name] = (text or 0) if isinstance(setting, IntegerField) else text
        for rule in RULES:
            part = ParsedForm()
            name = f"{stem}.{rule}"
            field_ = DestinationField(name=name, stems=(name,), types=("", *FORWARD_TYPES))
            read_destination(field_, form, find, part)
            item[f"enb_{rule}_forward"] = int(bool(part.body[name]))
            sent = {"dest": part.body[name] or OWN} | {
                part_: part.body[f"{name}_{part_}"] for part_ in ("prefix", "value")
            }
            item |= {f"{rule}_forward_{key}": value for key, value in sent.items()}
            parsed.typed |= part.typed
            parsed.problems += part.problems
        items.append(item)
    if items:
        parsed.body[spec.name] = items


def read_part(form: Form, name: str, target: str) -> str:
    """The prefix or target of a destination, from the input of this type of target if there is one."""
    own = f"{name}.{target}"
    return first(form, own if own in form else name).strip()


def read_link(spec: LinkField, form: Form, find: Find, parsed: ParsedForm) -> None:
    """Read the one resource that was typed. Nothing typed is none."""
    text = first(form, spec.name).strip()
    id_ = find(spec.kind, text) if text else 0
    if id_ is None:
        parsed.reject(spec.name, text, ProblemCode.UNKNOWN_NAME)
    else:
        parsed.body[spec.name] = id_


def read_links(spec: LinksField, form: Form, find: Find, parsed: ParsedForm) -> None:
    """Read the chosen resources, each as "kind:id", and the name that was typed to be added."""
    links = []
    for chosen in form.get(spec.name, ()):
        kind, _, key = chosen.partition(":")
        if kind in spec.kinds and key.isascii() and key.isdigit():
            links.append({"type": kind, "value": key})
        else:
            parsed.problems.append(Problem(spec.name, ProblemCode.UNREADABLE_ITEM, value=shorten(chosen)))
    if text := first(form, f"{spec.name}.add").strip():
        link = find_typed(spec.kinds, text, find)
        if link is None:
            parsed.reject(f"{spec.name}.add", text, ProblemCode.UNKNOWN_NAME)
        elif link not in links:
            links.append(link)
    parsed.body[spec.name] = links


def read_prompts(spec: PromptsField, form: Form, find: Find, parsed: ParsedForm) -> None:
    names = [name for name in map(str.strip, form.get(spec.name, ())) if name]
    if text := first(form, f"{spec.name}.add").strip():
        if text in spec.builtin or find("custom_prompt", text) is not None:
            names.append(text)
        else:
            parsed.reject(f"{spec.name}.add", text, ProblemCode.UNKNOWN_PROMPT)
    parsed.body[spec.name] = ",".join(names)


def read_rows(spec: TableField, form: Form) -> Iterator[dict[str, str]]:
    """The rows of a table that are not empty. A row of defaults is empty."""
    columns = [form.get(f"{spec.name}.{column.name}", ()) for column in spec.columns]
    for texts in zip(*columns, strict=False):
        row = {c.name: text.strip() for c, text in zip(spec.columns, texts, strict=True)}
        if any(row[c.name] not in ("", str(c.default)) for c in spec.columns):
            yield {c.name: row[c.name] or str(c.default) for c in spec.columns}


def find_typed(kinds: Sequence[str], text: str, find: Find) -> dict[str, str] | None:
    """The link that a text means: "1000", "1000 Ada Byron", "Sales" or, unambiguously, "ext_group 1000"."""
    start, _, rest = text.partition(" ")
    tries = [(kind, rest.strip()) for kind in kinds if kind == start]
    tries += [(kind, text) for kind in kinds]
    tries += [(kind, start) for kind in kinds if start.isdigit()]
    for kind, key in tries:
        id_ = find(kind, key)
        if id_ is not None:
            return {"type": kind, "value": str(id_)}
    return None


def move(form: Form, step: str) -> dict[str, list[str]]:
    """The form after a button such as "member_list up 2", "member_list remove 2" or "member_list add".

    Positions count from 0. "add" changes nothing here: what was typed is added when the form is parsed, and a
    table always ends in an empty row. An unknown step changes nothing.
    """
    moved = {name: list(values) for name, values in form.items()}
    name, _, rest = step.partition(" ")
    action, _, position = rest.partition(" ")
    if not (position.isascii() and position.isdigit()):
        return moved
    at = int(position)
    other = {"up": at - 1, "down": at + 1}.get(action, -1)
    columns = [key for key in moved if key.startswith(f"{name}.") and key != f"{name}.add"]
    for values in (moved[key] for key in (name, *columns) if key in moved):
        if action == "remove" and at < len(values):
            del values[at]
        elif 0 <= other < len(values) and at < len(values):
            values[at], values[other] = values[other], values[at]
    return moved
