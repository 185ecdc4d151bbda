"""What somebody has put into an object's form, as the body that the API would be sent.

A posted form is texts under names. Fields of one name keep it (`first_name`, `member_list`); a destination
has three (`fail_dest`, `fail_dest_prefix` and, as typed, `fail_dest_target`); what is typed to be added to a
list is under `member_list.add`; the columns of a table are under `dial_pattern_list.pattern` and so on, one
after the other. Whether the body is good is for the object's description to say: see `objects`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openivr.resources.destination import BARE, OUTSIDE, PLAYS, TARGETS, DestinationField
from openivr.resources.errors import Problem, shorten
from openivr.resources.fields import (
    Field,
    Find,
    IntegerField,
    LinksField,
    PromptsField,
    SecretField,
    TableField,
)
from openivr.resources.problem_codes import ProblemCode

Form = Mapping[str, Sequence[str]]
PUNCTUATION = re.compile(r"[\s().-]+")  # with which people write telephone numbers

UNKNOWN = (ProblemCode.UNKNOWN_NUMBER, ProblemCode.UNKNOWN_NAME, ProblemCode.UNKNOWN_PROMPT)


@dataclass(slots=True)
class ParsedForm:
    """`body` as the API would get it; `typed` what was typed and means nothing, by its name in the form.

    `made` names the secrets that the server has made up, which are shown until they are saved.
    """

    body: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def refuse(self, name: str, text: str, code: ProblemCode) -> None:
        """Keep what was typed, to be shown again beside what is wrong with it."""
        self.typed[name] = text
        api_name = name.removesuffix(".add").replace("_target", "_value")
        self.problems.append(Problem(api_name, code, value=shorten(text)))


def read_draft(fields: Iterable[Field], form: Form, find: Find) -> ParsedForm:
    """Read the fields that a form has; `find` tells which object a number or name is."""
    draft = ParsedForm()
    for one in fields:
        match one:
            case DestinationField():
                read_destination(one, form, find, draft)
            case LinksField():
                read_links(one, form, find, draft)
            case TableField():
                draft.body[one.name] = list(read_rows(one, form))
            case PromptsField():
                read_prompts(one, form, find, draft)
            case SecretField():
                read_secret(one, form, draft)
            case IntegerField(low=0, high=1):
                draft.body[one.name] = int(first(form, one.name) == "1")
            case _:
                draft.body[one.name] = first(form, one.name).strip()
    return draft


def first(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def read_secret(one: SecretField, form: Form, draft: ParsedForm) -> None:
    """An empty secret stays what it is."""
    if text := first(form, one.name):
        draft.body[one.name] = text
        if first(form, f"{one.name}.made"):
            draft.made.add(one.name)


def read_destination(one: DestinationField, form: Form, find: Find, draft: ParsedForm) -> None:
    """The three names of a destination: parts that its type does not have are dropped."""
    stem = one.stems[0]
    kind, prefix, text = (first(form, stem + ending).strip() for ending in ("", "_prefix", "_target"))
    value = ""
    if text:
        draft.typed[f"{stem}_target"] = text
    if kind in TARGETS:
        found = find_typed((TARGETS[kind],), text, find)
        value = str(found["value"]) if found else ""
        if text and not found:
            draft.refuse(f"{stem}_target", text, ProblemCode.UNKNOWN_NUMBER)
    elif kind in PLAYS:
        value, prefix = text, prefix or "1"
    elif kind == OUTSIDE:
        value, prefix = PUNCTUATION.sub("", text), PUNCTUATION.sub("", prefix)
    takes_prefix = kind not in BARE and kind not in TARGETS
    draft.body |= {stem: kind, f"{stem}_prefix": prefix if takes_prefix else "", f"{stem}_value": value}


def read_links(one: LinksField, form: Form, find: Find, draft: ParsedForm) -> None:
    """The chosen objects, each as "kind:id", and the one that is typed to be added."""
    links = []
    for chosen in form.get(one.name, ()):
        kind, _, key = chosen.partition(":")
        if kind in one.kinds and key.isascii() and key.isdigit():
            links.append({"type": kind, "value": key})
        else:
            problem = Problem(one.name, ProblemCode.UNREADABLE_ITEM, value=shorten(chosen))
            draft.problems.append(problem)
    if text := first(form, f"{one.name}.add").strip():
        found = find_typed(one.kinds, text, find)
        if found is None:
            draft.refuse(f"{one.name}.add", text, ProblemCode.UNKNOWN_NAME)
        elif found not in links:
            links.append(found)
    draft.body[one.name] = links


def read_prompts(one: PromptsField, form: Form, find: Find, draft: ParsedForm) -> None:
    names = [name for name in map(str.strip, form.get(one.name, ())) if name]
    if text := first(form, f"{one.name}.add").strip():
        if text in one.builtin or find("custom_prompt", text) is not None:
            names.append(text)
        else:
            draft.refuse(f"{one.name}.add", text, ProblemCode.UNKNOWN_PROMPT)
    draft.body[one.name] = ",".join(names)


def read_rows(one: TableField, form: Form) -> Iterator[dict[str, str]]:
    """The rows of a table that have anything in them; a column's default counts for nothing."""
    columns = [form.get(f"{one.name}.{column.name}", ()) for column in one.columns]
    for texts in zip(*columns, strict=False):
        row = {c.name: text.strip() for c, text in zip(one.columns, texts, strict=True)}
        if any(row[c.name] not in ("", str(c.default)) for c in one.columns):
            yield {c.name: row[c.name] or str(c.default) for c in one.columns}


def find_typed(kinds: Sequence[str], text: str, find: Find) -> dict[str, str] | None:
    """What somebody means by "1000", "1000 Ada Byron", "Sales" or, to leave no doubt, "ext_group 1000"."""
    start, _, rest = text.partition(" ")
    tries = [(kind, rest.strip()) for kind in kinds if kind == start]
    tries += [(kind, text) for kind in kinds]
    tries += [(kind, start) for kind in kinds if start.isdigit()]
    for kind, key in tries:
        ident = find(kind, key)
        if ident is not None:
            return {"type": kind, "value": str(ident)}
    return None


def move(form: Form, steps: str) -> dict[str, list[str]]:
    """The form after a button such as "member_list up 2", "member_list remove 2" or "member_list add".

    Positions count from 0. "add" needs nothing done: what is typed is added when the form is read, and a
    table always has an empty row at its end. Buttons that mean nothing change nothing.
    """
    moved = {name: list(values) for name, values in form.items()}
    name, _, rest = steps.partition(" ")
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
