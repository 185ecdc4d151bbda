"""A resource as its form would change it: read from the form, checked, merged with what is stored now.

The server stores nothing between two requests. A form carries its fields and their fingerprints (see
`conflicts`), so it works without script and sees what other administrators have saved in the meantime. The
merge is an update with the changed fields only: a field that both have changed gets the value of the form,
and `conflicts` names it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from openivr.resources import KINDS, ResourceType
from openivr.resources.destination import PARTS, Keys
from openivr.resources.errors import Duplicate, Invalid, Problem
from openivr.resources.fields import Field, Find, ResourceName
from openivr.resources.problem_codes import ProblemCode
from openivr.resources.resource_type import Values
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction
from openivr.web.forms.conflicts import (
    EditConflict,
    Fingerprints,
    api_names,
    decode_fingerprints,
    encode_fingerprints,
    fingerprint_fields,
)
from openivr.web.forms.parse import Form, ParsedForm, first, parse_form

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FormSpec:
    """The fields of a form in their order, and those with a fixed value that are not in it.

    A field of a composite (a key of a menu) is in the form on its own. The fields in `together` are accepted
    or rejected as a whole, because a check spans them. Empty means all fields.
    """

    kind: ResourceType
    fields: tuple[Field, ...]
    fixed: Mapping[str, Any] = field(default_factory=dict)
    together: frozenset[str] = frozenset()

    def field_of(self, api_name: str) -> Field | None:
        """The field with this name in the API, None if the form does not have it."""
        return next((spec for spec in self.fields if api_name in api_names(spec)), None)

    def value(self, spec: Field, values: Values) -> Any:
        """The stored value of a field."""
        if spec.name in values:
            return values[spec.name]
        keys = next(f for f in self.kind.fields if isinstance(f, Keys))
        return keys.value_of(spec.name, values[keys.name])

    def body(self, values: Values) -> Body:
        """A resource in the names of the API. Fields that its type leaves out have their default."""
        body = body_of(self.kind, values)
        for spec in self.fields:
            if body.keys().isdisjoint(api_names(spec)):
                body |= dict(spec.serialize(spec.default, lambda _kind, id_: ResourceName("", str(id_))))
        return body


@dataclass(frozen=True, slots=True)
class Draft:
    """A form and what it makes of its resource.

    `stored` is the resource as it is now, `values` the same with every valid change of the form. `body` is
    the form in the names of the API. `typed` and `generated` are those of `ParsedForm`. `is_stale`: another
    administrator has saved since the form was made. `conflicts` are the fields that both have changed.
    """

    spec: FormSpec
    stored: Values
    values: Values
    body: Body
    typed: Mapping[str, str] = field(default_factory=dict)
    generated: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()
    conflicts: tuple[Field, ...] = ()
    is_stale: bool = False

    @property
    def is_changed(self) -> bool:
        return self.values != self.stored or bool(self.problems)

    @property
    def changed(self) -> list[Field]:
        """The fields that saving would change."""
        spec = self.spec
        return [f for f in spec.fields if spec.value(f, self.stored) != spec.value(f, self.values)]

    @property
    def shown_body(self) -> Body:
        """The body of the next form: valid fields as they are understood, the others and secrets as typed."""
        invalid = names_about(problem.field for problem in self.problems)
        if not invalid.isdisjoint(self.spec.together):
            invalid |= self.spec.together
        hidden = {name for f in self.spec.fields if f.hidden for name in api_names(f)}
        kept = {name: value for name, value in self.body.items() if name in invalid | hidden}
        return self.spec.body(self.values) | kept

    @property
    def fingerprints(self) -> str:
        """The fingerprints for the next form."""
        return encode_fingerprints(fingerprint_fields(self.spec.fields, self.spec.body(self.stored)))


def load_draft(connection: Connection, spec: FormSpec, id_: int) -> Draft:
    """The stored resource, unchanged. Raises NotFound."""
    stored = resources.fetch(connection, spec.kind, id_)
    return Draft(spec, stored, stored, spec.body(stored))


def read_draft(connection: Connection, spec: FormSpec, id_: int, form: Form) -> Draft:
    """The draft of a posted form. Raises NotFound."""
    stored = resources.fetch(connection, spec.kind, id_)
    parsed = parse_form(spec.fields, form, finder(connection))
    current = fingerprint_fields(spec.fields, spec.body(stored))
    before = {**current, **decode_fingerprints(first(form, "fingerprints"))}
    mine = fingerprint_fields(spec.fields, parsed.body)
    changed = [f for f in spec.fields if f.name not in mine or mine[f.name] != before.get(f.name)]
    body = {name: parsed.body[name] for f in changed for name in api_names(f) if name in parsed.body}
    changes = ParsedForm(body, problems=parsed.problems)
    values, problems = apply_changes(connection, spec, id_, stored, changes)
    return Draft(
        spec,
        stored,
        values,
        parsed.body,
        parsed.typed,
        frozenset(parsed.generated),
        tuple(problems),
        tuple(find_conflicts(changed, before, mine, current)),
        any(before[name] != now for name, now in current.items()),
    )


def find_conflicts(
    changed: Iterable[Field], before: Fingerprints, mine: Fingerprints, current: Fingerprints
) -> Iterable[Field]:
    """The fields that the form changes and that others have changed to something else."""
    for spec in changed:
        now = current.get(spec.name)
        if now != before.get(spec.name) and now != mine.get(spec.name):
            yield spec


def body_of(kind: ResourceType, values: Values) -> Body:
    """A resource in the names of the API, with ids in the place of names."""
    return kind.serialize(0, values, lambda _kind, id_: ResourceName("", str(id_)))


def finder(connection: Connection) -> Find:
    """Finds the id of a resource by its number or name."""
    return lambda kind, key: resources.find_named(connection, KINDS[kind], key)


def names_about(api_names: Iterable[str]) -> set[str]:
    """The names in a body that problems with these names are about: of a destination all three."""
    stems = {name.removesuffix("_value").removesuffix("_prefix") for name in api_names}
    stems |= {stem.partition(".")[0] for stem in stems}  # the field of a part
    return {stem + ending for stem in stems for ending in PARTS.values()}


def apply_changes(
    connection: Connection, spec: FormSpec, id_: int, stored: Values, changes: ParsedForm
) -> tuple[Values, list[Problem]]:
    """The stored values with every valid change, and one problem for each name that is not.

    Each round takes out what the last one found invalid, until the rest is valid as a whole.
    """
    problems = {problem.field: problem for problem in changes.problems}
    accepted = without(changes.body, names_about(problems))
    for _ in range(len(spec.fields) + 2):
        try:
            return check_update(connection, spec.kind, id_, stored, accepted), list(problems.values())
        except Invalid as error:
            for problem in error.problems:
                problems.setdefault(problem.field, problem)
        rest = without(accepted, names_about(problems))
        if rest == accepted:  # the fault is in how the changes fit together, or fit the stored values
            rest = without(accepted, spec.together or accepted.keys())
        accepted = rest
    return stored, list(problems.values())


def without(body: Body, names: Iterable[str]) -> Body:
    left_out = set(names)
    return {name: value for name, value in body.items() if name not in left_out}


def check_update(connection: Connection, kind: ResourceType, id_: int, stored: Values, body: Body) -> Values:
    """The values after an update, which is not made. Raises Invalid."""
    values = kind.parse(body, stored)
    try:
        resources.check_unique(connection, kind, id_, values)
    except Duplicate as error:
        raise Invalid(taken(error)) from error
    resources.resolve(connection, kind, id_, values)
    return values


def taken(error: Duplicate) -> Problem:
    """A Duplicate as a problem of its field."""
    owner = {"kind": error.kind, "name": error.name}
    return Problem(error.field, ProblemCode.TAKEN, owner, error.value)


def save_draft(change: ConfigTransaction, id_: int, draft: Draft) -> None:
    """Store a draft without problems. Raises EditConflict if the stored values are no longer the draft's."""
    kind = draft.spec.kind
    if resources.fetch(change.connection, kind, id_) != draft.stored:
        raise EditConflict
    resources.save(change, kind, id_, draft.values, is_new=False)


def check_new(connection: Connection, spec: FormSpec, parsed: ParsedForm) -> list[Problem]:
    """All problems of a form for a new resource, apart from values that are taken."""
    known = names_about(problem.field for problem in parsed.problems)
    try:
        spec.kind.parse(parsed.body)
    except Invalid as error:
        return [*parsed.problems, *(problem for problem in error.problems if problem.field not in known)]
    return parsed.problems


def create(change: ConfigTransaction, spec: FormSpec, body: Body) -> int:
    """Create a resource and return its id. Raises Invalid."""
    try:
        return resources.create(change, spec.kind, body)
    except Duplicate as error:
        raise Invalid(taken(error)) from error
