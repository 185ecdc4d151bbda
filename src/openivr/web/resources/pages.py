"""Pages of a resource type: its list, its form and the question before deleting.

What a form may contain is checked by the same store functions as the API's. A refused form comes back as it
was filled in, with each problem beside its field.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from openivr.resources import KINDS, ResourceType
from openivr.resources.contact import PHONEBOOK
from openivr.resources.errors import InUse, Invalid
from openivr.resources.fields import IntegerField, Names
from openivr.resources.reference_fields import LinksField
from openivr.resources.resource_type import Row
from openivr.store.config import contacts, first_steps, resources
from openivr.store.database import ConfigTransaction
from openivr.store.events import webhook_queue
from openivr.store.runtime import registrations
from openivr.web.core import listing
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms import draft as drafts
from openivr.web.forms.cells import ListCell, make_cells, say_hours
from openivr.web.forms.conflicts import EditConflict
from openivr.web.forms.draft import Draft
from openivr.web.forms.inputs import Input, make_inputs
from openivr.web.forms.labels import describe_changes, field_label
from openivr.web.forms.parse import Form, ParsedForm, first, move, parse_form
from openivr.web.messages import t
from openivr.web.resources import phone_setup
from openivr.web.resources.hints import Hint, find_hints, find_new_hints
from openivr.web.resources.phone_setup import make_password
from openivr.web.resources.views import EXTENSION, INBOUND_ROUTE, RESOURCE_VIEWS, ResourceView

REFUSED, IN_USE, CONFLICT = 422, 409, 409  # HTTP statuses


@dataclass(frozen=True, slots=True)
class Crossing:
    """Changes that cross: the fields that both have changed, and what saving would change now."""

    both: tuple[str, ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FormState:
    """A form: its inputs by the fields' names, and what is shown beside them."""

    id: int | None  # None for a new resource
    fingerprints: str
    inputs: Mapping[str, Input]
    label: str
    users: list[resources.ResourceUser]
    hints: list[Hint]
    crossing: Crossing | None = None

    @property
    def invalid(self) -> list[str]:
        """The fields that have problems."""
        return [name for name, field in self.inputs.items() if field.problems]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Every problem, with the name of its input."""
        return [(field.name, problem) for field in self.inputs.values() for problem in field.problems]


async def list_page(view: ResourceView, request: PageRequest) -> Response:
    page = await listing.read(request, view.kind, view.path, view.sort)
    rows = await request.database.read(find_rows, view, page.rows)
    return render(view, request, "objects/list.html", listing=page, rows=rows)


def find_rows(
    connection: Connection, view: ResourceView, rows: Iterable[Row]
) -> list[tuple[Row, list[ListCell]]]:
    """The cells of a list's rows, without resources that have been deleted meanwhile."""
    rows, names = list(rows), resources.namer(connection)
    values = resources.fetch_many(connection, view.kind, [row["id"] for row in rows])
    states = STATES[view.kind.name](connection) if view.kind.name in STATES else {}
    cells = []
    for row in rows:
        id_ = row["id"]
        if id_ in values:
            known = row | states.get(id_, {})
            cells.append((row, list(make_cells(view.columns, view.kind, known, values[id_], names))))
    return cells


def trunk_states(connection: Connection) -> dict[int, Row]:
    """The state of each trunk as a part of its row. Of several nodes the latest counts."""
    states = sorted(registrations.list_trunks(connection), key=lambda state: state.since)
    return {state.trunk_id: {"state": state.state} for state in states}


def webhook_states(connection: Connection) -> dict[int, Row]:
    """The state of each webhook as a part of its row."""
    return {id_: {"delivery": state} for id_, state in webhook_queue.list_states(connection).items()}


# What is known of the resources of a type beside their fields.
STATES: Mapping[str, Callable[[Connection], dict[int, Row]]] = {
    "trunk": trunk_states,
    "webhook": webhook_states,
}


async def new_page(view: ResourceView, request: PageRequest) -> Response:
    """The form of a new resource. Lists may have an item from the query: `before_list=ivr:3`.

    An inbound route leads to the menu of the query, `menu=3`.
    """
    parsed = ParsedForm(dict(view.start))
    for field in view.fields:
        if field.required:
            generate_secret(view, f"{field.name} make", parsed)
    asked = [it for it in view.fields if isinstance(it, LinksField) and request.query(it.name)]
    chosen = parse_form(asked, {it.name: [request.query(it.name)] for it in asked}, lambda _kind, _key: None)
    if not chosen.problems:
        parsed.body |= chosen.body
    if view is INBOUND_ROUTE and (menu := request.query("menu")).isdecimal():
        menu_values = await request.database.read(resources.fetch, KINDS["ivr"], int(menu[:9]))
        parsed.body |= {"name": menu_values["name"], "def_dest": "ivr", "def_dest_value": menu[:9]}
    if view.first_number:
        await propose_number(view, request, parsed)
    state = await request.database.read(make_state, view, None, parsed)
    return form_page(view, request, state)


async def propose_number(view: ResourceView, request: PageRequest, parsed: ParsedForm) -> None:
    """Fill in the next free number. The user name of a phone is the same."""
    number = await request.database.read(first_steps.propose_number, view.kind.name, view.first_number)
    parsed.body["number"] = number
    if view is EXTENSION:
        parsed.body["reg_name"] = number


async def edit_page(view: ResourceView, request: PageRequest) -> Response:
    state = await request.database.read(load_state, view, request.path_id())
    return form_page(view, request, state)


def load_state(connection: Connection, view: ResourceView, id_: int) -> FormState:
    """The form of the stored resource."""
    return draft_state(connection, view, id_, drafts.load_draft(connection, view.form, id_))


def draft_state(connection: Connection, view: ResourceView, id_: int, draft: Draft) -> FormState:
    """The form of a draft."""
    parsed = ParsedForm(draft.shown_body, dict(draft.typed), set(draft.generated), list(draft.problems))
    state = make_state(connection, view, id_, parsed, draft.fingerprints)
    if not draft.is_stale:
        return state
    both = tuple(field_label(view.kind.name, field) for field in draft.conflicts)
    changes = describe_changes(draft, resources.namer(connection, links_in(parsed.body)))
    return replace(state, crossing=Crossing(both, tuple(changes)))


def make_state(
    connection: Connection,
    view: ResourceView,
    id_: int | None,
    parsed: ParsedForm,
    fingerprints: str = "",
) -> FormState:
    kind = view.kind
    names = resources.namer(connection, links_in(parsed.body))
    stored = {} if id_ is None else resources.fetch(connection, kind, id_)
    inputs = make_inputs(kind.name, view.fields, parsed, names, stored)
    by_name = {shown.field.name: shown for shown in inputs}
    if id_ is None:
        return FormState(None, fingerprints, by_name, "", [], find_new_hints(connection, kind.name))
    label = label_of(connection, view, id_, names)
    users = resources.users(connection, kind, id_)
    hints = find_hints(connection, kind.name, id_)
    return FormState(id_, fingerprints, by_name, label, users, hints)


def label_of(connection: Connection, view: ResourceView, id_: int, names: Names) -> str:
    """The name of a resource. Business hours have none, and are named by their days and times."""
    if view.kind.name == "businesshour":
        return say_hours(resources.fetch(connection, view.kind, id_))
    return names(view.kind.name, id_).display_name


def links_in(body: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """The resources in the lists of a body."""
    for value in body.values():
        for item in value if isinstance(value, list) else ():
            if isinstance(item, Mapping) and "type" in item:
                yield item["type"], int(item["value"])


def form_page(
    view: ResourceView, request: PageRequest, state: FormState, *, status: int = 200, focus: str = ""
) -> Response:
    action = f"{view.path}/{'new' if state.id is None else state.id}"
    return render(view, request, "objects/form.html", status=status, action=action, state=state, focus=focus)


def render(
    view: ResourceView, request: PageRequest, template: str, *, status: int = 200, **values: Any
) -> Response:
    """A page of a resource type, with tabs to the others of its section."""
    siblings = [other for other in RESOURCE_VIEWS.values() if other.where == view.where]
    return request.render(template, status=status, where=view.where, view=view, siblings=siblings, **values)


async def submit(view: ResourceView, request: PageRequest) -> Response:
    """Save the form, or apply the button that was pressed in it and show it again."""
    id_ = request.path_id() if "id" in request.http.path_params else None
    form = request.form_texts()
    if step := first(form, "do"):
        return await apply_step(view, request, id_, form, step)
    return await (submit_new(view, request, form) if id_ is None else submit_edit(view, request, id_, form))


async def apply_step(
    view: ResourceView, request: PageRequest, id_: int | None, form: Form, step: str
) -> Response:
    """Move, add or remove an item or generate a secret. Nothing is checked and nothing is saved."""
    parsed = await request.database.read(parse, view, move(form, step))
    generate_secret(view, step, parsed)
    state = await request.database.read(make_state, view, id_, parsed, first(form, "fingerprints"))
    return form_page(view, request, state, focus=focus_after(step, parsed))


async def submit_new(view: ResourceView, request: PageRequest, form: Form) -> Response:
    parsed = await request.database.read(parse, view, form)
    complete(view, parsed)
    if parsed.problems:
        parsed.problems = await request.database.read(drafts.check_new, view.form, parsed)
    else:
        try:
            id_ = await request.database.change_config(drafts.create, view.form, parsed.body)
            if view is EXTENSION:
                return await phone_setup.show(request, id_, parsed.body["reg_password"])
            return await saved(view, request, id_)
        except Invalid as error:
            parsed.problems = list(error.problems)
    state = await request.database.read(make_state, view, None, parsed)
    return form_page(view, request, state, status=REFUSED)


async def submit_edit(view: ResourceView, request: PageRequest, id_: int, form: Form) -> Response:
    draft = await request.database.read(drafts.read_draft, view.form, id_, form)
    if not draft.problems and not draft.is_stale:
        try:
            await request.database.change_config(drafts.save_draft, id_, draft)
            if view is EXTENSION and "reg_password" in draft.generated:
                return await phone_setup.show(request, id_, draft.body["reg_password"])
            return await saved(view, request, id_)
        except (EditConflict, Invalid):  # another administrator has saved since the draft was read
            draft = await request.database.read(drafts.read_draft, view.form, id_, form)
    state = await request.database.read(draft_state, view, id_, draft)
    return form_page(view, request, state, status=REFUSED if draft.problems else CONFLICT)


async def saved(view: ResourceView, request: PageRequest, id_: int) -> Response:
    state = await request.database.read(load_state, view, id_)
    return request.redirect(f"{view.path}/{id_}", [t("object.saved", label=state.label)])


def parse(connection: Connection, view: ResourceView, form: Form) -> ParsedForm:
    parsed = parse_form(view.fields, form, drafts.finder(connection))
    parsed.body |= view.form.fixed
    return parsed


def generate_secret(view: ResourceView, step: str, parsed: ParsedForm) -> None:
    """Generate a password if the button "reg_password make" was pressed. It is shown until it is saved."""
    name, _, action = step.partition(" ")
    if action == "make" and name in view.generated:
        parsed.body[name] = make_password()
        parsed.generated.add(name)


def focus_after(step: str, parsed: ParsedForm) -> str:
    """The button that gets the focus: the one that moved an item, or its opposite at the end of the list."""
    name, _, rest = step.partition(" ")
    action, _, position = rest.partition(" ")
    if not (position.isascii() and position.isdigit()) or action not in ("up", "down"):
        return name
    items = parsed.body.get(name, "")
    last = len(items.split(",") if isinstance(items, str) else items) - 1
    at = min(last, max(0, int(position[:9]) + (1 if action == "down" else -1)))
    return f"{name} {'down' if at == 0 else 'up' if at == last else action} {at}"


def complete(view: ResourceView, parsed: ParsedForm) -> None:
    """Leave to their defaults what a new resource was not given, and generate the secrets few people need."""
    for field in view.kind.fields:
        if isinstance(field, IntegerField) and parsed.body.get(field.name) == "":
            del parsed.body[field.name]
    for name in view.filled:
        parsed.body.setdefault(name, make_password())
    if view is EXTENSION and not parsed.body.get("reg_name"):
        parsed.body["reg_name"] = parsed.body.get("number", "")


async def delete_page(view: ResourceView, request: PageRequest, status: int = 200) -> Response:
    state = await request.database.read(load_state, view, request.path_id())
    if view.kind is PHONEBOOK:  # contacts do not keep it
        state = replace(state, users=[])
    return render(view, request, "objects/delete.html", status=status, state=state)


async def delete(view: ResourceView, request: PageRequest) -> Response:
    state = await request.database.read(load_state, view, request.path_id())
    try:
        await request.database.change_config(delete_resource, view.kind, request.path_id())
    except InUse:
        return await delete_page(view, request, IN_USE)
    return request.redirect(view.path, [t("object.deleted", label=state.label)])


def delete_resource(change: ConfigTransaction, kind: ResourceType, id_: int) -> None:
    """Delete a resource. Raises InUse."""
    if kind is PHONEBOOK:
        contacts.delete_phonebook(change, id_)
    else:
        resources.delete(change, kind, id_)


def routes_of(view: ResourceView) -> Iterator[PageRoute]:
    """The routes of one resource type."""
    path = view.path + "/{id:int}"
    yield PageRoute(path=view.path, handle=partial(list_page, view))
    yield PageRoute(path=f"{view.path}/new", handle=partial(new_page, view))
    yield PageRoute(path=f"{view.path}/new", handle=partial(submit, view), method="POST")
    yield PageRoute(path=path, handle=partial(edit_page, view))
    yield PageRoute(path=path, handle=partial(submit, view), method="POST")
    yield PageRoute(path=f"{path}/delete", handle=partial(delete_page, view))
    yield PageRoute(path=f"{path}/delete", handle=partial(delete, view), method="POST")


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
