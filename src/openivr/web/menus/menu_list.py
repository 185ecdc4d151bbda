"""Pages to list, create, copy and delete menus."""

from typing import Any

from starlette.responses import Response

from openivr.resources.errors import Duplicate, InUse, Invalid, Problem
from openivr.resources.ivr import IVR
from openivr.resources.resource_type import Values
from openivr.store.config import first_steps, resources
from openivr.store.config.menu_copy import copy_menu, find_free_number
from openivr.store.database import ConfigTransaction
from openivr.web.core import listing
from openivr.web.core.request import PageRequest, PageRoute
from openivr.web.forms.draft import create, taken
from openivr.web.forms.problems import problem_text
from openivr.web.menus.form import MENU_FORM
from openivr.web.messages import t

PATH = "/menus"
REFUSED, IN_USE = 422, 409  # HTTP statuses
MAX_NAME = 127
FIRST_NUMBER = "6200"  # proposed for the first menu
# What a new menu has beside its number and name: a greeting, and the end of a call without a key.
START = {
    "prompt": "default",
    "prompt_repeat": 3,
    "resp_timeout": 5,
    "digit_timeout": 3,
    "dial_ext_option": "disable",
    "timeout_dest": "end_call",
    "invalid_dest": "end_call",
}


async def list_page(request: PageRequest) -> Response:
    return request.render("menus.html", where=PATH, listing=await listing.read(request, IVR, PATH))


async def new_page(request: PageRequest) -> Response:
    number = await request.database.read(first_steps.propose_number, IVR.name, FIRST_NUMBER)
    return request.render("menu/new.html", where=PATH, number=number, name="", problems={})


async def submit_new(request: PageRequest) -> Response:
    number, name = request.form_text("number").strip(), request.form_text("name").strip()
    body = {**START, "number": number, "name": name}
    try:
        id_ = await request.database.change_config(create, MENU_FORM, body)
    except Invalid as error:
        problems = {problem.field: describe_problem(problem, body) for problem in error.problems}
        values = {"number": number, "name": name, "problems": problems}
        return request.render("menu/new.html", status=REFUSED, where=PATH, **values)
    return request.redirect(f"{PATH}/{id_}", [t("menus.created", number=number, name=name)])


def describe_problem(problem: Problem, body: dict[str, object]) -> str:
    field = MENU_FORM.field_of(problem.field)
    assert field is not None  # noqa: S101 - START has no problems, and the two others are in the form
    return problem_text(IVR.name, field, problem, body)


async def copy_page(request: PageRequest) -> Response:
    """The form for a copy, with the next free number and the menu's name."""
    original = await request.database.read(resources.fetch, IVR, request.path_id())
    number = await request.database.read(find_free_number, original["number"])
    name = t("menus.copy_name", name=original["name"])[:MAX_NAME]
    return render_copy(request, original, number=number, name=name, problems={})


def render_copy(request: PageRequest, original: Values, *, status: int = 200, **values: Any) -> Response:
    label = IVR.names(original).display_name
    return request.render(
        "menu/copy.html", status=status, where=PATH, id=request.path_id(), label=label, **values
    )


async def submit_copy(request: PageRequest) -> Response:
    """Create the copy, or show the form with its problems."""
    id_ = request.path_id()
    number, name = request.form_text("number").strip(), request.form_text("name").strip()
    try:
        copy_id = await request.database.change_config(make_copy, id_, number, name)
    except Invalid as error:
        original = await request.database.read(resources.fetch, IVR, id_)
        body: dict[str, object] = {"number": number, "name": name}
        problems = {problem.field: describe_copy_problem(problem, body) for problem in error.problems}
        return render_copy(request, original, status=REFUSED, number=number, name=name, problems=problems)
    return request.redirect(f"{PATH}/{copy_id}", [t("menus.copied", number=number, name=name)])


def make_copy(change: ConfigTransaction, id_: int, number: str, name: str) -> int:
    """Copy a menu. Raises NotFound, Invalid."""
    try:
        return copy_menu(change, id_, number, name)
    except Duplicate as error:
        raise Invalid(taken(error)) from error


def describe_copy_problem(problem: Problem, body: dict[str, object]) -> str:
    """A problem of the number or the name; the rest of a menu is stored already, and so has none."""
    field = MENU_FORM.field_of(problem.field)
    return problem_text(IVR.name, field, problem, body) if field else problem.text


async def delete_page(request: PageRequest, status: int = 200) -> Response:
    """The question before deleting, or the list of what uses the menu."""
    id_ = request.path_id()
    values = await request.database.read(resources.fetch, IVR, id_)
    users = await request.database.read(resources.users, IVR, id_)
    label = IVR.names(values).display_name
    return request.render("menu/delete.html", status=status, where=PATH, id=id_, label=label, users=users)


async def delete(request: PageRequest) -> Response:
    values = await request.database.read(resources.fetch, IVR, request.path_id())
    try:
        await request.database.change_config(resources.delete, IVR, request.path_id())
    except InUse:
        return await delete_page(request, IN_USE)
    return request.redirect(PATH, [t("object.deleted", label=IVR.names(values).display_name)])


ROUTES = (
    PageRoute(path=PATH, handle=list_page),
    PageRoute(path=PATH + "/new", handle=new_page),
    PageRoute(path=PATH + "/new", handle=submit_new, method="POST"),
    PageRoute(path=PATH + "/{id:int}/copy", handle=copy_page),
    PageRoute(path=PATH + "/{id:int}/copy", handle=submit_copy, method="POST"),
    PageRoute(path=PATH + "/{id:int}/delete", handle=delete_page),
    PageRoute(path=PATH + "/{id:int}/delete", handle=delete, method="POST"),
)
