"""The pages of objects: a list, a form and a question before deleting, for every kind in `faces`.

What a form may contain is checked by the same store functions as the API's, so both refuse the same; a
refused form comes back as it was filled in, with each problem beside its field.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from openivr.resources import KINDS
from openivr.resources.errors import Duplicate, InUse, Invalid, Problem
from openivr.resources.fields import Find, IntegerField
from openivr.resources.resource_type import Row
from openivr.resources.secret import random_text
from openivr.store.config import resources
from openivr.store.database import ConfigTransaction
from openivr.store.runtime import registrations
from openivr.web.core import listing
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.cells import ListCell, make_cells
from openivr.web.forms.conflicts import (
    EditConflict,
    Prints,
    keep_changed,
    read_prints,
    take_prints,
    write_prints,
)
from openivr.web.forms.inputs import Input, call, make_inputs, tell_changes
from openivr.web.forms.parse import Form, ParsedForm, first, move, read_draft
from openivr.web.messages import say
from openivr.web.resources.hints import Hint, find_notes
from openivr.web.resources.views import FACES, ResourceView

MADE_LENGTH = 20
MIXED = "aA1"  # what a made-up password ends in, so that it has every sort of character that is asked for
REFUSED, IN_USE, CONFLICT = 422, 409, 409  # HTTP statuses


@dataclass(frozen=True, slots=True)
class FormState:
    """A form: its inputs by the fields' names, and what it says about the object beside them."""

    ident: int | None  # None for a new object
    prints: str  # of the fields as they were when the form was made: see `changes`
    inputs: Mapping[str, Input]
    label: str
    users: list[resources.ResourceUser]
    notes: list[Hint]
    unsaved: tuple[str, ...] | None = None  # what saving would change, if somebody else saved meanwhile

    @property
    def wrong(self) -> list[str]:
        """The fields that have problems."""
        return [name for name, one in self.inputs.items() if one.problems]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Every problem, with the name of the input that it is about."""
        return [(one.name, problem) for one in self.inputs.values() for problem in one.problems]


async def show_list(face: ResourceView, visit: PageRequest) -> Response:
    found = await listing.read(visit, face.kind, face.path, face.sort)
    rows = await visit.database.read(find_rows, face, found.rows)
    return show(face, visit, "objects/list.html", listing=found, rows=rows)


def find_rows(
    connection: Connection, face: ResourceView, rows: Iterable[Row]
) -> list[tuple[Row, list[ListCell]]]:
    """The cells of a list's rows; an object that has gone meanwhile is left out."""
    rows, names = list(rows), resources.namer(connection)
    values = resources.fetch_many(connection, face.kind, [row["id"] for row in rows])
    states = trunk_states(connection) if face.kind.name == "trunk" else {}
    return [
        (
            row,
            list(
                make_cells(face.columns, face.kind, row | states.get(row["id"], {}), values[row["id"]], names)
            ),
        )
        for row in rows
        if row["id"] in values
    ]


def trunk_states(connection: Connection) -> dict[int, Row]:
    """How each trunk is, as a part of its row; of several nodes' views that which is known last."""
    states = sorted(registrations.list_trunks(connection), key=lambda state: state.since)
    return {state.trunk_id: {"state": state.state} for state in states}


async def show_new(face: ResourceView, visit: PageRequest) -> Response:
    draft = ParsedForm(dict(face.start))
    for field in face.fields:
        if field.required:
            make_secret(face, f"{field.name} make", draft)
    filled = await visit.database.read(fill, face, None, draft)
    return form_page(face, visit, filled)


async def show_one(face: ResourceView, visit: PageRequest) -> Response:
    filled = await visit.database.read(load, face, visit.ident())
    return form_page(face, visit, filled)


def load(connection: Connection, face: ResourceView, ident: int) -> FormState:
    """The form for an object as it is kept."""
    body = resources.fetch_row(connection, face.kind, ident)
    return fill(connection, face, ident, ParsedForm(body), write_prints(take_prints(face.fields, body)))


def fill(
    connection: Connection, face: ResourceView, ident: int | None, draft: ParsedForm, prints: str = ""
) -> FormState:
    """The form for a draft of an object, which has no id yet where it is new."""
    names = resources.namer(connection, linked(draft.body))
    inputs = {one.field.name: one for one in make_inputs(face.kind.name, face.fields, draft, names)}
    if ident is None:
        return FormState(None, prints, inputs, "", [], [])
    label = call(*names(face.kind.name, ident))
    users = resources.users(connection, face.kind, ident)
    return FormState(ident, prints, inputs, label, users, find_notes(connection, face.kind.name, ident))


def linked(body: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The objects on the lists of a body."""
    for value in body.values():
        for item in value if isinstance(value, list) else ():
            if "type" in item:
                yield item["type"], int(item["value"])


def form_page(
    face: ResourceView, visit: PageRequest, filled: FormState, *, status: int = 200, focus: str = ""
) -> Response:
    action = f"{face.path}/{'new' if filled.ident is None else filled.ident}"
    return show(face, visit, "objects/form.html", status=status, action=action, filled=filled, focus=focus)


def show(
    face: ResourceView, visit: PageRequest, template: str, *, status: int = 200, **values: Any
) -> Response:
    """A page about a kind, beside the others of its part of the rail."""
    faces = [other for other in FACES.values() if other.where == face.where]
    return visit.page(template, status=status, where=face.where, face=face, faces=faces, **values)


async def save(face: ResourceView, visit: PageRequest) -> Response:
    """Create or change the object, or do what another button of its form says and show it again."""
    ident = visit.ident() if "id" in visit.request.path_params else None
    form = read_form(visit)
    steps, prints = first(form, "do"), first(form, "prints")
    draft = await visit.database.read(read_body, face, move(form, steps) if steps else form)
    if steps:
        make_secret(face, steps, draft)
        filled = await visit.database.read(fill, face, ident, draft, prints)
        return form_page(face, visit, filled, focus=focus_after(steps, draft))
    if ident is None:
        complete(face, draft)
    before = read_prints(prints)
    body = keep_changed(face.fields, draft.body, before)
    try:
        saved, problems = await try_to_save(face, visit, ident, replace(draft, body=body), before)
    except EditConflict:
        filled = await visit.database.read(catch_up, face, visit.ident(), replace(draft, body=body))
        return form_page(face, visit, filled, status=CONFLICT)
    if saved is None:
        draft.problems = problems
        filled = await visit.database.read(fill, face, ident, draft, prints)
        return form_page(face, visit, filled, status=REFUSED)
    filled = await visit.database.read(load, face, saved)
    return visit.go(f"{face.path}/{saved}", [say("object.saved", label=filled.label)])


def read_form(visit: PageRequest) -> Form:
    """The texts of a posted form; files have no place in it."""
    form: dict[str, list[str]] = {}
    for name, value in visit.form.multi_items():
        if isinstance(value, str):
            form.setdefault(name, []).append(value)
    return form


def read_body(connection: Connection, face: ResourceView, form: Form) -> ParsedForm:
    draft = read_draft(face.fields, form, finder(connection))
    draft.body |= face.fixed
    return draft


def finder(connection: Connection) -> Find:
    """Finds an object by what people call it."""
    return lambda kind, key: resources.find_named(connection, KINDS[kind], key)


def make_secret(face: ResourceView, steps: str, draft: ParsedForm) -> None:
    """Make a password up where "reg_password make" was pressed; it is shown until it is saved."""
    name, _, action = steps.partition(" ")
    if action == "make" and name in face.made:
        draft.body[name] = make_password()
        draft.made.add(name)


def make_password() -> str:
    return random_text(MADE_LENGTH) + MIXED


def focus_after(steps: str, draft: ParsedForm) -> str:
    """Where the work goes on: the button that moved an item moves with it, until it can move no further."""
    name, _, rest = steps.partition(" ")
    action, _, position = rest.partition(" ")
    if not (position.isascii() and position.isdigit()) or action not in ("up", "down"):
        return name
    items = draft.body.get(name, "")
    last = len(items.split(",") if isinstance(items, str) else items) - 1
    at = min(last, max(0, int(position[:9]) + (1 if action == "down" else -1)))
    return f"{name} {'down' if at == 0 else 'up' if at == last else action} {at}"


def complete(face: ResourceView, draft: ParsedForm) -> None:
    """What a new object is not given and its description or the server can choose."""
    for field in face.kind.fields:
        if isinstance(field, IntegerField) and draft.body.get(field.name) == "":
            del draft.body[field.name]
    for name in face.filled:
        draft.body.setdefault(name, make_password())


def catch_up(connection: Connection, face: ResourceView, ident: int, draft: ParsedForm) -> FormState:
    """The form with what others have saved meanwhile, and with the changes of a draft in it, unsaved."""
    stored = load(connection, face, ident)
    body = resources.fetch_row(connection, face.kind, ident) | draft.body
    filled = fill(connection, face, ident, ParsedForm(body, made=draft.made), stored.prints)
    return replace(filled, unsaved=tuple(tell_changes(stored.inputs, filled.inputs)))


async def try_to_save(
    face: ResourceView, visit: PageRequest, ident: int | None, draft: ParsedForm, before: Prints
) -> tuple[int | None, list[Problem]]:
    """The object's id; or None and everything that is wrong with its draft, and nothing was changed.

    Raises Moved, and has changed nothing, where the object is not any more what the form was made from.
    """
    if draft.problems:
        return None, await visit.database.read(find_problems, face, ident, draft)
    try:
        if ident is None:
            return await visit.database.change_config(resources.create, face.kind, draft.body), []
        await visit.database.change_config(update, face, ident, draft.body, before)
    except Invalid as error:
        return None, list(error.problems)
    except Duplicate as error:
        kind = say(f"kind.{error.kind}").lower()
        text = say("problem.taken", value=error.value, kind=kind, name=error.name)
        return None, [Problem(error.field, "conflict", text)]
    return ident, []


def update(
    change: ConfigTransaction, face: ResourceView, ident: int, body: Mapping[str, Any], before: Prints
) -> None:
    """Change an object; Moved where its prints are others than those of the form, if that had any."""
    face.kind.parse(body, resources.fetch(change.connection, face.kind, ident))  # what is bad is told first
    if (
        before
        and take_prints(face.fields, resources.fetch_row(change.connection, face.kind, ident)) != before
    ):
        raise EditConflict
    resources.update(change, face.kind, ident, body)


def find_problems(
    connection: Connection, face: ResourceView, ident: int | None, draft: ParsedForm
) -> list[Problem]:
    """What is wrong with a draft beside what its reading has shown already."""
    known = {problem.field for problem in draft.problems}
    try:
        face.kind.parse(draft.body, None if ident is None else resources.fetch(connection, face.kind, ident))
    except Invalid as error:
        return [*draft.problems, *(problem for problem in error.problems if problem.field not in known)]
    return draft.problems


async def ask_delete(face: ResourceView, visit: PageRequest, status: int = 200) -> Response:
    filled = await visit.database.read(load, face, visit.ident())
    return show(face, visit, "objects/delete.html", status=status, filled=filled)


async def delete(face: ResourceView, visit: PageRequest) -> Response:
    filled = await visit.database.read(load, face, visit.ident())
    try:
        await visit.database.change_config(resources.delete, face.kind, visit.ident())
    except InUse:
        return await ask_delete(face, visit, IN_USE)
    return visit.go(face.path, [say("object.deleted", label=filled.label)])


def views(face: ResourceView) -> Iterator[PageRoute]:
    """The pages of one kind."""
    one = face.path + "/{id:int}"
    yield PageRoute(path=face.path, handle=partial(show_list, face))
    yield PageRoute(path=f"{face.path}/new", handle=partial(show_new, face))
    yield PageRoute(path=f"{face.path}/new", handle=partial(save, face), method="POST")
    yield PageRoute(path=one, handle=partial(show_one, face))
    yield PageRoute(path=one, handle=partial(save, face), method="POST")
    yield PageRoute(path=f"{one}/delete", handle=partial(ask_delete, face))
    yield PageRoute(path=f"{one}/delete", handle=partial(delete, face), method="POST")


def front(path: str, target: str) -> PageRoute:
    """A part of the rail begins with one of its kinds."""

    async def go(_visit: PageRequest) -> Response:
        return RedirectResponse(target, 303)

    return PageRoute(path=path, handle=go)


VIEWS = (
    front("/people", "/people/extensions"),
    front("/routes", "/routes/inbound"),
    *(view for face in FACES.values() for view in views(face)),
)
