"""One menu: its keypad, what callers hear, whom they can reach, what the check says, where it leads."""

from sqlalchemy import Connection
from starlette.responses import Response

from openivr.ivr.model import IvrSnapshot
from openivr.resources.errors import Duplicate, Invalid
from openivr.resources.ivr import KEYS
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.conflicts import EditConflict
from openivr.web.forms.parse import Form
from openivr.web.menus import draft as menu_draft
from openivr.web.menus import menu_view
from openivr.web.menus.draft import MenuDraft
from openivr.web.menus.menu_view import MenuPage
from openivr.web.messages import t

PATH = "/menus/{id:int}"
CONFLICT, REFUSED = 409, 422


async def show(request: PageRequest) -> Response:
    """The menu as it is; `open` in the address opens an editor."""
    page = await request.database.read(
        load, await request.app.office.current(), request.path_id(), request.query("open")
    )
    return answer(request, page)


def load(connection: Connection, office: IvrSnapshot, ident: int, opened: str) -> MenuPage:
    return menu_view.make_page(connection, office, ident, menu_draft.load(connection, ident), opened)


async def look(request: PageRequest) -> Response:
    """The menu as it would be with what the form says. Nothing is saved."""
    form = texts(request)
    before = request.form_text("open")
    go = request.form_text("go") if "go" in form else before
    page = await redraw(request, form, go)
    if not go and part_of(page.draft, before) == before:  # what is wrong in an editor keeps it open
        page = await redraw(request, form, before)
    return answer(request, page, closed="" if page.open else before)


async def save(request: PageRequest) -> Response:
    """Save what the form says, unless something speaks against it: then say what."""
    form, ident = texts(request), request.path_id()
    draft = await request.database.read(menu_draft.read, ident, form)
    if draft.problems:
        opened = part_of(draft, request.form_text("open"))
        return answer(request, await redraw(request, form, opened), status=REFUSED)
    if draft.base != draft.stored:
        return answer(request, await redraw(request, form, ""), status=CONFLICT, is_moved=True)
    page = await redraw(request, form, "")
    try:
        await request.database.change_config(menu_draft.save, ident, draft)
    except EditConflict:
        return answer(request, await redraw(request, form, ""), status=CONFLICT, is_moved=True)
    except (Invalid, Duplicate):  # something else has changed since the draft was read
        return answer(request, await redraw(request, form, ""), status=REFUSED)
    return request.redirect(f"/menus/{ident}", [t("menu.saved"), *page.changes])


def part_of(draft: MenuDraft, before: str) -> str:
    """The editor in which a problem can be mended: the one before, if it has one, else the first that has."""
    parts = [find_part(name) for name in draft.problems]
    return before if before in parts else parts[0] if parts else ""


def find_part(name: str) -> str:
    """The editor of a field of the API."""
    stem = name.removesuffix("_value").removesuffix("_prefix")
    key = next((key for key in KEYS.keys if menu_draft.stem_of(key) == stem), "")
    return key or next(part for part, names in PARTS.items() if name in names)


PARTS = {
    "name": ("number", "name", "alert_info"),
    "hear": ("prompt", "prompt_repeat", "resp_timeout", "digit_timeout"),
    "reach": tuple(name for name in menu_draft.IN_FORM if name.startswith(("dial_", "enb_", "restrict"))),
}


def texts(request: PageRequest) -> Form:
    """The texts of a posted form; files have no place in it."""
    form: dict[str, list[str]] = {}
    for name, value in request.form.multi_items():
        if isinstance(value, str):
            form.setdefault(name, []).append(value)
    return form


async def redraw(request: PageRequest, form: Form, opened: str) -> MenuPage:
    office = await request.app.office.current()
    return await request.database.read(read_page, office, request.path_id(), form, opened)


def read_page(connection: Connection, office: IvrSnapshot, ident: int, form: Form, opened: str) -> MenuPage:
    draft = menu_draft.with_form(menu_draft.read(connection, ident, form))
    return menu_view.make_page(connection, office, ident, draft, opened)


def answer(
    request: PageRequest, page: MenuPage, *, status: int = 200, closed: str = "", is_moved: bool = False
) -> Response:
    values = {"page": page, "closed": closed, "is_moved": is_moved, "m": menu_view}
    return request.render("menu/page.html", status=status, where="/menus", **values)


ROUTES = (
    PageRoute(path=PATH, handle=show),
    PageRoute(path=PATH, handle=save, method="POST"),
    PageRoute(path=PATH + "/draft", handle=look, method="POST"),
)
