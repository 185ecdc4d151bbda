"""A menu as somebody has changed it and not saved it yet: read from the form, checked, merged.

The form carries the whole menu, and under `base` the menu as it was when the page was made. So whatever is
asked on the way (a look at another key, what the check says) needs nothing kept on the server, works without
script, and a change that somebody else has saved meanwhile is seen and kept.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from sqlalchemy import Connection

from openivr.resources import KINDS
from openivr.resources.destination import NOWHERE, OUTSIDE, PARTS, PLAYS, TARGETS, Value
from openivr.resources.errors import Duplicate, Invalid, Problem
from openivr.resources.fields import Find, NotesField
from openivr.resources.ivr import IVR, KEYS
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import Values
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction
from openivr.web.forms.conflicts import EditConflict
from openivr.web.forms.parse import Form, ParsedForm, first, read_destination, read_draft

# What the form has, beside the keys. The rest of a menu stays as it is.
IN_FORM = (
    "number",
    "name",
    "prompt",
    "prompt_repeat",
    "resp_timeout",
    "digit_timeout",
    "dial_ext_option",
    "dial_ext_list",
    "restrict_dial_ext_list",
    "enb_dial_call_number",
    "dial_call_number_list",
    "enb_dial_outb_routes",
    "dial_outb_route_list",
    "enb_dial_check_vm",
    "alert_info",
)
REACH = ("dial_", "enb_", "restrict_")  # what the names of permissions begin with
FIELDS = tuple(field for field in IVR.fields if field.name in IN_FORM)


@dataclass(slots=True)
class MenuDraft:
    """`body` is what the API would be sent. `values` is the menu with all of it that is good.

    `stored` is the menu as it is kept now, `base` as it was when the form was made. `problems` are by API
    name, `typed` is text that names nothing.
    """

    stored: Values
    base: Values
    values: Values
    body: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def is_changed(self) -> bool:
        return self.values != self.stored or bool(self.problems)


def stem_of(key: str) -> str:
    """The API name of a key's destination: "press1_dest"."""
    return KEYS.keys[key].stems[0]


def load(connection: Connection, ident: int) -> MenuDraft:
    """The menu as it is kept, unchanged."""
    stored = resources.fetch(connection, IVR, ident)
    return MenuDraft(stored, stored, stored, body_of(stored))


def body_of(values: Values) -> dict[str, Any]:
    """A menu in the words of the API."""
    return IVR.serialize(0, values, lambda _kind, ident: ("", str(ident)))


def read(connection: Connection, ident: int, form: Form) -> MenuDraft:
    """The menu of a form; what is wrong with it is told and left out of `values`."""
    stored = resources.fetch(connection, IVR, ident)
    base = read_base(form, stored)

    def find(kind: str, key: str) -> int | None:
        return resources.find_named(connection, KINDS[kind], key)

    draft = read_draft(FIELDS, form, find)
    for key in KEYS.keys:
        read_key(key, form, find, draft)
    problems = {problem.field: problem for problem in draft.problems}
    values = parse(connection, ident, draft.body, base, problems)
    texts = {name: problem.text for name, problem in problems.items()}
    merged = merge(base, values, stored)
    return MenuDraft(stored, base, merged, draft.body, draft.typed, texts)


def read_base(form: Form, stored: Values) -> Values:
    """The menu that the form was made from; a form without one was made from what is stored."""
    try:
        base = IVR.parse(msgspec.json.decode(first(form, "base"), type=dict[str, Any]))
    except (msgspec.MsgspecError, UnicodeError, Invalid):
        return stored
    return base | {one.name: stored[one.name] for one in IVR.fields if isinstance(one, NotesField)}


def read_key(key: str, form: Form, find: Find, draft: ParsedForm) -> None:
    """The destination of a key. An open key has a field for each sort of target, of which one counts."""
    stem = stem_of(key)
    sort = sort_of(first(form, stem))
    for part in ("target", "prefix"):
        if f"{stem}_{part}.{sort}" in form:
            form = {**form, f"{stem}_{part}": form[f"{stem}_{part}.{sort}"]}
    read_destination(KEYS.keys[key], form, find, draft)


def sort_of(kind: str) -> str:
    """The sort of target that a type of destination has; "" for a type without one."""
    return TARGETS.get(kind) or ("custom_prompt" if kind in PLAYS else kind if kind == OUTSIDE else "")


def parse(
    connection: Connection, ident: int, body: dict[str, Any], base: Values, problems: dict[str, Problem]
) -> Values:
    """The menu with all that is good in a body; what is not is added to the problems."""
    good = {name: value for name, value in body.items() if name not in names_of(problems)}
    for _ in range(len(FIELDS) + len(KEYS.keys)):
        found = try_out(connection, ident, good, base)
        if isinstance(found, dict):
            return found
        for problem in found:
            problems.setdefault(problem.field, problem)
        kept = {name: value for name, value in good.items() if name not in names_of(problems)}
        if kept == good:  # the choices do not fit together: all that speak of them stay as they were
            kept = {name: value for name, value in good.items() if not name.startswith(REACH)}
        good = kept
    return base


def names_of(problems: Iterable[str]) -> set[str]:
    """The names in a body that problems speak of; of a destination all three."""
    stems = {name.removesuffix("_value").removesuffix("_prefix") for name in problems}
    return {stem + ending for stem in stems for ending in PARTS.values()}


def try_out(connection: Connection, ident: int, body: dict[str, Any], base: Values) -> Values | list[Problem]:
    """The menu after this body, or what speaks against it. Nothing is changed."""
    try:
        values = IVR.parse(body, base)
        resources.check_unique(connection, IVR, ident, values)
        resources.resolve(connection, IVR, ident, values)
    except Invalid as error:
        return list(error.problems)
    except Duplicate as error:
        owner = {"kind": error.kind, "name": error.name}
        return [Problem(error.field, ProblemCode.TAKEN, owner, error.value)]
    return values


def merge(base: Values, mine: Values, theirs: Values) -> Values:
    """What either has changed; where both have, mine."""
    merged = {}
    for one in IVR.fields:
        name = one.name
        if name == KEYS.name:
            merged[name] = merge_keys(base[name], mine[name], theirs[name])
        else:
            merged[name] = theirs[name] if mine[name] == base[name] else mine[name]
    return merged


def merge_keys(
    base: Mapping[str, Value], mine: Mapping[str, Value], theirs: Mapping[str, Value]
) -> dict[str, Value]:
    merged = {}
    for key in KEYS.keys:
        chosen = theirs if mine.get(key) == base.get(key) else mine
        if key in chosen:
            merged[key] = chosen[key]
    return merged


def save(change: ConfigTransaction, ident: int, draft: MenuDraft) -> None:
    """Write the menu of a draft; Moved where the stored one is not what the draft was merged with."""
    if resources.fetch(change.connection, IVR, ident) != draft.stored:
        raise EditConflict
    resources.save(change, IVR, ident, draft.values, is_new=False)


def with_form(draft: MenuDraft) -> MenuDraft:
    """The draft as the next form shows it: what is good as it is understood, the rest as it was typed."""
    shown = body_of(draft.values)
    bad = names_of(draft.problems)
    if any(name.startswith(REACH) for name in bad):  # permissions are understood together or not at all
        bad |= {name for name in draft.body if name.startswith(REACH)}
    wrong = {name: value for name, value in draft.body.items() if name in bad}
    return replace(draft, body=shown | wrong, base=draft.stored)


def destination(draft: MenuDraft, key: str) -> Value:
    """Where a key leads in the draft."""
    value: Value = draft.values[KEYS.name].get(key, NOWHERE)
    return value
