"""The pages of objects: a list, a form and a question before deleting, for every kind in `siblings`.

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
from openivr.resources.problem_codes import ProblemCode
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
from openivr.web.messages import t
from openivr.web.resources.hints import Hint, find_notes
from openivr.web.resources.views import RESOURCE_VIEWS, ResourceView

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


async def show_list(view: ResourceView, request: PageRequest) -> Response:
    found = await listing.read(request, view.kind, view.path, view.sort)
    rows = await request.database.read(find_rows, view, found.rows)
    return show(view, request, "objects/list.html", listing=found, rows=rows)


def find_rows(
    connection: Connection, view: ResourceView, rows: Iterable[Row]
) -> list[tuple[Row, list[ListCell]]]:
    """The cells of a list's rows; an object that has gone meanwhile is left out."""
    rows, names = list(rows), resources.namer(connection)
    values = resources.fetch_many(connection, view.kind, [row["id"] for row in rows])
    states = trunk_states(connection) if view.kind.name == "trunk" else {}
    return [
        (
            row,
            list(
                make_cells(view.columns, view.kind, row | states.get(row["id"], {}), values[row["id"]], names)
            ),
        )
        for row in rows
        if row["id"] in values
    ]


def trunk_states(connection: Connection) -> dict[int, Row]:
    """How each trunk is, as a part of its row; of several nodes' views that which is known last."""
    states = sorted(registrations.list_trunks(connection), key=lambda state: state.since)
    return {state.trunk_id: {"state": state.state} for state in states}


async def show_new(view: ResourceView, request: PageRequest) -> Response:
    draft = ParsedForm(dict(view.start))
    for field in view.fields:
        if field.required:
            make_secret(view, f"{field.name} make", draft)
    filled = await request.database.read(fill, view, None, draft)
    return form_page(view, request, filled)


async def show_one(view: ResourceView, request: PageRequest) -> Response:
    filled = await request.database.read(load, view, request.path_id())
    return form_page(view, request, filled)


def load(connection: Connection, view: ResourceView, ident: int) -> FormState:
    """The form for an object as it is kept."""
    body = resources.fetch_row(connection, view.kind, ident)
    return fill(connection, view, ident, ParsedForm(body), write_prints(take_prints(view.fields, body)))


def fill(
    connection: Connection, view: ResourceView, ident: int | None, draft: ParsedForm, prints: str = ""
) -> FormState:
    """The form for a draft of an object, which has no id yet where it is new."""
    names = resources.namer(connection, linked(draft.body))
    inputs = {one.field.name: one for one in make_inputs(view.kind.name, view.fields, draft, names)}
    if ident is None:
        return FormState(None, prints, inputs, "", [], [])
    label = call(*names(view.kind.name, ident))
    users = resources.users(connection, view.kind, ident)
    return FormState(ident, prints, inputs, label, users, find_notes(connection, view.kind.name, ident))


def linked(body: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The objects on the lists of a body."""
    for value in body.values():
        for item in value if isinstance(value, list) else ():
            if "type" in item:
                yield item["type"], int(item["value"])


def form_page(
    view: ResourceView, request: PageRequest, filled: FormState, *, status: int = 200, focus: str = ""
) -> Response:
    action = f"{view.path}/{'new' if filled.ident is None else filled.ident}"
    return show(view, request, "objects/form.html", status=status, action=action, filled=filled, focus=focus)


def show(
    view: ResourceView, request: PageRequest, template: str, *, status: int = 200, **values: Any
) -> Response:
    """A page about a kind, beside the others of its part of the rail."""
    siblings = [other for other in RESOURCE_VIEWS.values() if other.where == view.where]
    return request.render(template, status=status, where=view.where, view=view, siblings=siblings, **values)


async def save(view: ResourceView, request: PageRequest) -> Response:
    """Create or change the object, or do what another button of its form says and show it again."""
    ident = request.path_id() if "id" in request.http.path_params else None
    form = read_form(request)
    steps, prints = first(form, "do"), first(form, "prints")
    draft = await request.database.read(read_body, view, move(form, steps) if steps else form)
    if steps:
        make_secret(view, steps, draft)
        filled = await request.database.read(fill, view, ident, draft, prints)
        return form_page(view, request, filled, focus=focus_after(steps, draft))
    if ident is None:
        complete(view, draft)
    before = read_prints(prints)
    body = keep_changed(view.fields, draft.body, before)
    try:
        saved, problems = await try_to_save(view, request, ident, replace(draft, body=body), before)
    except EditConflict:
        filled = await request.database.read(catch_up, view, request.path_id(), replace(draft, body=body))
        return form_page(view, request, filled, status=CONFLICT)
    if saved is None:
        draft.problems = problems
        filled = await request.database.read(fill, view, ident, draft, prints)
        return form_page(view, request, filled, status=REFUSED)
    filled = await request.database.read(load, view, saved)
    return request.redirect(f"{view.path}/{saved}", [t("object.saved", label=filled.label)])


def read_form(request: PageRequest) -> Form:
    """The texts of a posted form; files have no place in it."""
    form: dict[str, list[str]] = {}
    for name, value in request.form.multi_items():
        if isinstance(value, str):
            form.setdefault(name, []).append(value)
    return form


def read_body(connection: Connection, view: ResourceView, form: Form) -> ParsedForm:
    draft = read_draft(view.fields, form, finder(connection))
    draft.body |= view.fixed
    return draft


def finder(connection: Connection) -> Find:
    """Finds an object by what people call it."""
    return lambda kind, key: resources.find_named(connection, KINDS[kind], key)


def make_secret(view: ResourceView, steps: str, draft: ParsedForm) -> None:
    """Make a password up where "reg_password make" was pressed; it is shown until it is saved."""
    name, _, action = steps.partition(" ")
    if action == "make" and name in view.made:
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


def complete(view: ResourceView, draft: ParsedForm) -> None:
    """What a new object is not given and its description or the server can choose."""
    for field in view.kind.fields:
        if isinstance(field, IntegerField) and draft.body.get(field.name) == "":
            del draft.body[field.name]
    for name in view.filled:
        draft.body.setdefault(name, make_password())


def catch_up(connection: Connection, view: ResourceView, ident: int, draft: ParsedForm) -> FormState:
    """The form with what others have saved meanwhile, and with the changes of a draft in it, unsaved."""
    stored = load(connection, view, ident)
    body = resources.fetch_row(connection, view.kind, ident) | draft.body
    filled = fill(connection, view, ident, ParsedForm(body, made=draft.made), stored.prints)
    return replace(filled, unsaved=tuple(tell_changes(stored.inputs, filled.inputs)))


async def try_to_save(
    view: ResourceView, request: PageRequest, ident: int | None, draft: ParsedForm, before: Prints
) -> tuple[int | None, list[Problem]]:
    """The object's id; or None and everything that is wrong with its draft, and nothing was changed.

    Raises Moved, and has changed nothing, where the object is not any more what the form was made from.
    """
    if draft.problems:
        return None, await request.database.read(find_problems, view, ident, draft)
    try:
        if ident is None:
            return await request.database.change_config(resources.create, view.kind, draft.body), []
        await request.database.change_config(update, view, ident, draft.body, before)
    except Invalid as error:
        return None, list(error.problems)
    except Duplicate as error:
        owner = {"kind": error.kind, "name": error.name}
        return None, [Problem(error.field, ProblemCode.TAKEN, owner, error.value)]
    return ident, []


def update(
    change: ConfigTransaction, view: ResourceView, ident: int, body: Mapping[str, Any], before: Prints
) -> None:
    """Change an object; Moved where its prints are others than those of the form, if that had any."""
    view.kind.parse(body, resources.fetch(change.connection, view.kind, ident))  # what is bad is told first
    if (
        before
        and take_prints(view.fields, resources.fetch_row(change.connection, view.kind, ident)) != before
    ):
        raise EditConflict
    resources.update(change, view.kind, ident, body)


def find_problems(
    connection: Connection, view: ResourceView, ident: int | None, draft: ParsedForm
) -> list[Problem]:
    """What is wrong with a draft beside what its reading has shown already."""
    known = {problem.field for problem in draft.problems}
    try:
        view.kind.parse(draft.body, None if ident is None else resources.fetch(connection, view.kind, ident))
    except Invalid as error:
        return [*draft.problems, *(problem for problem in error.problems if problem.field not in known)]
    return draft.problems


async def ask_delete(view: ResourceView, request: PageRequest, status: int = 200) -> Response:
    filled = await request.database.read(load, view, request.path_id())
    return show(view, request, "objects/delete.html", status=status, filled=filled)


async def delete(view: ResourceView, request: PageRequest) -> Response:
    filled = await request.database.read(load, view, request.path_id())
    try:
        await request.database.change_config(resources.delete, view.kind, request.path_id())
    except InUse:
        return await ask_delete(view, request, IN_USE)
    return request.redirect(view.path, [t("object.deleted", label=filled.label)])


def routes_of(view: ResourceView) -> Iterator[PageRoute]:
    """The routes of one resource type."""
    one = view.path + "/{id:int}"
    yield PageRoute(path=view.path, handle=partial(show_list, view))
    yield PageRoute(path=f"{view.path}/new", handle=partial(show_new, view))
    yield PageRoute(path=f"{view.path}/new", handle=partial(save, view), method="POST")
    yield PageRoute(path=one, handle=partial(show_one, view))
    yield PageRoute(path=one, handle=partial(save, view), method="POST")
    yield PageRoute(path=f"{one}/delete", handle=partial(ask_delete, view))
    yield PageRoute(path=f"{one}/delete", handle=partial(delete, view), method="POST")


def redirect_route(path: str, target: str) -> PageRoute:
    """A route that redirects to another page."""

    async def redirect(_request: PageRequest) -> Response:
        return RedirectResponse(target, 303)

    return PageRoute(path=path, handle=redirect)


ROUTES = (
    redirect_route("/people", "/people/extensions"),
    redirect_route("/routes", "/routes/inbound"),
    *(route for view in RESOURCE_VIEWS.values() for route in routes_of(view)),
)
