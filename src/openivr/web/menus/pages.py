"""The page of one menu: its keypad, what callers hear, whom they can reach, findings, and where it leads."""

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.hours.calendar import PeriodKind
from openivr.ivr.model import IvrSnapshot
from openivr.resources.errors import Invalid
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.conflicts import EditConflict
from openivr.web.forms.draft import Draft, load_draft, read_draft, save_draft
from openivr.web.forms.parse import Form, target_type
from openivr.web.menus.choices import MAX_OPTIONS
from openivr.web.menus.flow import MAX_NODES
from openivr.web.menus.form import (
    FLAGS,
    LISTS,
    MENU_FORM,
    PERIODS,
    TIMES,
    OpenEditor,
    editor_of,
    period_of,
    read_period,
)
from openivr.web.menus.keypad import FALLBACKS, KEYPAD, TYPES
from openivr.web.menus.menu_view import MenuPage, make_page, worst
from openivr.web.messages import t

PATH = "/menus/{id:int}"
CONFLICT, REFUSED = 409, 422  # HTTP statuses
MAX_PROMPTS = 5
FEW_FINDINGS = 3  # of one rule that are shown one by one
CONTEXT = {
    "keypad": KEYPAD,
    "fallbacks": FALLBACKS,
    "periods": PERIODS,
    "types": TYPES,
    "target_type": target_type,
    "worst": worst,
    "flags": FLAGS,
    "times": TIMES,
    "lists": LISTS,
    "max_prompts": MAX_PROMPTS,
    "max_options": MAX_OPTIONS,
    "max_nodes": MAX_NODES,
    "few_findings": FEW_FINDINGS,
}


async def menu_page(request: PageRequest) -> Response:
    """The stored menu. `open` in the query opens an editor, `period` shows another period."""
    office = await request.app.office.current()
    editor = OpenEditor(request.query("open"), period=read_period(request.query("period")))
    page = await request.database.read(load_page, office, request.path_id(), editor)
    return render(request, page)


def load_page(connection: Connection, office: IvrSnapshot, id_: int, editor: OpenEditor) -> MenuPage:
    return make_page(connection, office, id_, load_draft(connection, MENU_FORM, id_), editor)


async def preview(request: PageRequest) -> Response:
    """The menu as the form would make it, nothing is saved.

    The form is sent by a button that opens or closes an editor (`go`), by one that shows another period
    (`show`), or by a change in the open editor.
    """
    form, before = request.form_texts(), request.form_text("open")
    period = read_period(request.form_text("period"))
    if "go" not in form and "show" not in form:
        editor = OpenEditor(before, is_being_filled=True, period=period)
        return render(request, await draft_page(request, form, editor))
    opened, shown = request.form_text("go"), read_period(request.form_text("show") or period)
    page = await draft_page(request, form, OpenEditor(opened, period=shown))
    kept = find_editor(page.draft, before, period)
    if not opened and kept.name and (kept.name, kept.period) == (before, period):  # its problem keeps it open
        page = await draft_page(request, form, kept)
    elif "show" in form:
        return render(request, page, switched=True)
    return render(request, page, closed="" if page.open else before)


async def save(request: PageRequest) -> Response:
    """Save the form. With problems, or after another administrator's change, show it again instead."""
    form, id_ = request.form_texts(), request.path_id()
    page = await draft_page(request, form, OpenEditor())
    if not page.draft.problems and not page.draft.is_stale:
        try:
            await request.database.change_config(save_draft, id_, page.draft)
            return request.redirect(f"/menus/{id_}", [t("menu.saved"), *page.changes])
        except (EditConflict, Invalid):  # another administrator has saved since the draft was read
            page = await draft_page(request, form, OpenEditor())
    if page.draft.problems:
        period = read_period(request.form_text("period"))
        editor = find_editor(page.draft, request.form_text("open"), period)
        return render(request, await draft_page(request, form, editor), status=REFUSED)
    return render(request, page, status=CONFLICT)


def find_editor(draft: Draft, before: str, period: PeriodKind) -> OpenEditor:
    """The editor with a problem: the one that was open if it has one, else the first."""
    places = [(editor_of(problem.field), period_of(problem.field)) for problem in draft.problems]
    if (before, period) in places or not places:
        return OpenEditor(before if places else "", period=period)
    return OpenEditor(places[0][0], period=places[0][1])


async def draft_page(request: PageRequest, form: Form, editor: OpenEditor) -> MenuPage:
    office = await request.app.office.current()
    return await request.database.read(read_page, office, request.path_id(), form, editor)


def read_page(
    connection: Connection, office: IvrSnapshot, id_: int, form: Form, editor: OpenEditor
) -> MenuPage:
    return make_page(connection, office, id_, read_draft(connection, MENU_FORM, id_, form), editor)


def render(
    request: PageRequest, page: MenuPage, *, status: int = 200, closed: str = "", switched: bool = False
) -> Response:
    """`closed` is the editor that was closed just now. Its button gets the focus, or that of the period if
    it was `switched`.
    """
    values = {"page": page, "closed": closed, "switched": switched, **CONTEXT}
    return request.render("menu/page.html", status=status, where="/menus", **values)


ROUTES = (
    PageRoute(path=PATH, handle=menu_page),
    PageRoute(path=PATH, handle=save, method="POST"),
    PageRoute(path=PATH + "/draft", handle=preview, method="POST"),
)
